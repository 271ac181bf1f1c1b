"""A running bot is watched by its watchdog: what held the loop is on the page of metrics, and a loop that is gone is told."""

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from bot.app import App, build
from bot.config.load import load
from bot.core.codec import encode
from bot.core.model import FeedReport, FeedState, Outcome, Sample
from bot.sandbox.chat import FakeChat
from bot.sandbox.world import EPOCH
from bot.system.clock import ScaledClock, SystemClock
from bot.wiring.parts import Parts

WITHIN_S = 30.0
MANY = 12_000_000  # numbers, for more than half a second


class Holding:
    """A `Prober` and `Fetcher` whose first look holds the loop."""

    def __init__(self, hold: Callable[[], object]) -> None:
        self._hold = [hold]
        self.held = asyncio.Event()

    async def probe(self, check: Any) -> Sample:
        while self._hold:
            self._hold.pop()()
        self.held.set()
        return Sample(check.id, check.component, SystemClock().now(), Outcome.OK)

    async def read(self, source: Any) -> FeedReport:
        return FeedReport(source.provider, SystemClock().now(), FeedState.UNKNOWN)

    async def close(self) -> None:
        return


@asynccontextmanager
async def held(folder: Path, hold: Callable[[], object], **parts: Any) -> AsyncIterator[App]:
    """A bot of one check with a clockwork of its own, whose loop was held once."""
    chat, script = FakeChat(SystemClock()), Holding(hold)
    chat.add_channel("ops")
    app = build(
        load(_configured(folder), {}), data=folder / "data", parts=Parts(chat=chat, prober=script, fetcher=script, **parts)
    )
    await app.start()
    try:
        await asyncio.wait_for(script.held.wait(), WITHIN_S)
        yield app
    finally:
        await app.stop()


def _configured(folder: Path) -> Path:
    check = {"type": "http", "name": "front", "url": "https://api.anthropic.com/", "every": "1s", "deadline": "1s"}
    config = {
        "slack": {"bot_token": "xoxb-test", "app_token": "xapp-test"},
        "server": {"listen": "127.0.0.1:0", "open_to_loopback": True},
        "control_group": [],
        "providers": {"anthropic": {"name": "Claude", "components": {"api": {"name": "Claude API", "checks": [check]}}}},
    }
    path = folder / "understudy.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def _spins() -> None:
    encode([0] * MANY)  # in one call: whenever the watchdog looks, this is what it sees


async def test_what_held_the_loop_is_on_the_page_of_metrics(tmp_path: Path) -> None:
    """Somebody asks why flags were slow for a moment: the page names the code."""
    stall, page = 'understudy_loop_stalls_total{code="bot/core/codec.py ', ""
    async with held(tmp_path, _spins) as app, httpx.AsyncClient() as client:
        until = time.monotonic() + WITHIN_S
        while stall not in page and time.monotonic() < until:
            page = (await client.get(f"{app.url}/metrics")).text
            await asyncio.sleep(0.05)

    assert stall in page


async def test_how_late_the_loop_was_is_on_the_page_of_metrics(tmp_path: Path) -> None:
    """Whoever alerts on it need not know what a stall is: most turns come at once, and one came late."""
    page, late = "", re.compile(r'understudy_loop_stall_seconds_bucket\{le="(0.25|\+Inf)"\} (\S+)')
    async with held(tmp_path, _spins) as app, httpx.AsyncClient() as client:
        until = time.monotonic() + WITHIN_S
        while len(set(counts := [count for _, count in late.findall(page)])) < 2 and time.monotonic() < until:
            page = (await client.get(f"{app.url}/metrics")).text
            await asyncio.sleep(0.05)

    assert 2 == len(set(counts))


async def test_who_started_the_bot_is_told_that_its_loop_is_gone(tmp_path: Path) -> None:
    """`understudy run` ends the process then; thirty seconds of the wire's clock pass here in about three."""
    gone = threading.Event()
    waited: list[bool] = []
    async with held(tmp_path, lambda: waited.append(gone.wait(WITHIN_S)), wire_clock=ScaledClock(20, EPOCH), on_gone=gone.set):
        pass

    assert [True] == waited
