"""Probers as the bot has them: what they remember over a restart, and the guard that they share."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.checks.http import HttpCheck
from bot.checks.judging.failure import Failure
from bot.config.models import Config
from bot.core.model import Fault, Outcome, Sample
from bot.feeds.fetch import FeedReader, FeedSource
from bot.store.samples.sqlite import InlineSamples
from bot.system.clock import ManualClock
from bot.wiring.probing import Probing

NOW = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)
CHECK = HttpCheck("claude.api.models", "claude.api", "https://api.test/v1/models?key=k-123456")
GOOD = Sample(CHECK.id, CHECK.component, NOW - timedelta(hours=2), Outcome.OK, phases_ms={"total": 80.0})
SUDDEN = replace(GOOD, outcome=Outcome.FAIL, error="auth_sudden", fault=Fault.UNCLEAR)


def since(first: Sample, count: int) -> list[Sample]:
    """The same sample every ten seconds since an hour ago."""
    return [replace(first, at=NOW - timedelta(hours=1) + timedelta(seconds=10 * n)) for n in range(count)]


@pytest.mark.parametrize(
    ("stored", "error"),
    [
        ((), "auth"),
        ((GOOD,), "auth_sudden"),
        ((GOOD, *since(SUDDEN, 300)), "auth_sudden"),
        ((GOOD, *since(replace(GOOD, outcome=Outcome.FAIL, vantage="berlin"), 50)), "auth_sudden"),
        ((replace(GOOD, vantage="berlin"),), "auth"),
        ((replace(GOOD, at=NOW - timedelta(hours=7)), *since(SUDDEN, 30)), "auth"),
    ],
)
async def test_working_key_is_remembered_over_a_restart(stored: Sequence[Sample], error: str) -> None:
    """However often it was refused since, whatever other vantages saw, and only for six hours."""
    clock, file = ManualClock(NOW), InlineSamples.open()
    await file.add(stored)
    probing = Probing(Config(), clock)
    await probing.recall([CHECK], file, None)
    await file.close()
    assert error == probing.keys.judged(CHECK.id, Failure("auth")).error
    await probing.close()


async def test_status_pages_are_read_through_the_address_guard() -> None:
    """Neither a configured address nor a redirect reaches our own machine."""
    probing = Probing(Config(), ManualClock(NOW))
    reader = FeedReader(ManualClock(NOW), probing.transport(), version="1.2")
    report = await reader.read(FeedSource("anthropic", "statuspage", ("http://127.0.0.1:9/api/v2/summary.json",), {}))
    await reader.close()
    await probing.close()

    assert "127.0.0.1 is loopback; list its network under allow_private" in report.reason
