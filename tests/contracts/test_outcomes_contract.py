"""What every sample store guarantees for counts of real requests."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.outcomes.counts import MOST_ERRORS, Counts, MinuteCount, Route
from bot.ports import Samples
from bot.ports.outcomes import OutcomeBatch
from tests.contracts.samples import samples_of
from tests.ledger_facts import NOON

CHAT, MAIL = Route("chat", "support-chat.llm", "claude", "anthropic"), Route("mail")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture(params=["threaded", "inline", "postgresql"])
async def samples(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Samples]:
    opened = await samples_of(request, tmp_path)
    yield opened
    await opened.close()


# What forgets row by row; PostgreSQL drops whole days (tests/store/test_samples_days.py).
FILES = pytest.mark.parametrize("samples", ["threaded", "inline"], indirect=True)


def minute(number: int, ok: int = 1, failed: int = 0, route: Route = CHAT) -> MinuteCount:
    counts = Counts(ok, failed, {"HTTP 529": failed} if failed else {}, {140: ok})
    return MinuteCount(NOON + number * MINUTE, route, counts)


async def test_batches_of_one_minute_are_summed(samples: Samples) -> None:
    """Counts, kinds of error and the histogram."""
    await samples.outcomes.add([minute(0, 5, 2)], now=NOON)
    await samples.outcomes.add([minute(0, 3, 1), minute(0, 7, route=MAIL)], now=NOON)

    assert [minute(0, 8, 3), minute(0, 7, route=MAIL)] == await samples.outcomes.between(NOON, NOON + MINUTE)


async def test_range_includes_minutes_that_begin_in_it(samples: Samples) -> None:
    """Its start belongs to it, its end does not; a minute that began before it is left out."""
    await samples.outcomes.add([minute(n) for n in range(5)], now=NOON)
    half = timedelta(seconds=30)

    assert [minute(1), minute(2)] == await samples.outcomes.between(NOON + MINUTE, NOON + 3 * MINUTE)
    assert [minute(1), minute(2)] == await samples.outcomes.between(NOON + half, NOON + 2 * MINUTE + half)


async def test_row_keeps_a_limited_number_of_error_kinds(samples: Samples) -> None:
    """The rest is counted together, so that error texts cannot fill the disk."""
    for number in range(MOST_ERRORS + 3):
        counts = Counts(failed=1, errors={f"error {number}": 1})
        await samples.outcomes.add([MinuteCount(NOON, CHAT, counts)], now=NOON)
    [row] = await samples.outcomes.between(NOON, NOON + MINUTE)

    assert (MOST_ERRORS + 1, 3, MOST_ERRORS + 3) == (len(row.counts.errors), row.counts.errors["other"], row.counts.failed)


async def test_key_is_remembered_for_a_day(samples: Samples) -> None:
    """It is written with its counts, and forgotten with a later batch."""
    await samples.outcomes.add([minute(0)], [OutcomeBatch(b"a")], now=NOON)
    before = await samples.outcomes.digest_of(b"a"), await samples.outcomes.digest_of(b"b")
    await samples.outcomes.add([], [OutcomeBatch(b"b")], now=NOON + DAY + MINUTE)

    assert (b"", None, None) == (*before, await samples.outcomes.digest_of(b"a"))


async def test_key_is_remembered_with_the_digest_of_its_request(samples: Samples) -> None:
    """Another replica that received another body under the same key stores nothing."""
    await samples.outcomes.add([], [OutcomeBatch(b"a", [minute(0)], digest=b"9/0"), OutcomeBatch(b"b", digest=b"8")], now=NOON)
    await samples.outcomes.add([], [OutcomeBatch(b"a", [minute(0)], digest=b"7")], now=NOON)
    before = await samples.outcomes.digest_of(b"a"), await samples.outcomes.digest_of(b"b")
    counted = await samples.outcomes.between(NOON, NOON + MINUTE)
    await samples.outcomes.add([], [OutcomeBatch(b"c")], now=NOON + DAY + MINUTE)

    assert (b"9/0", b"8", None) == (*before, await samples.outcomes.digest_of(b"a"))
    assert [minute(0)] == counted


async def test_services_are_those_that_reported_recently(samples: Samples) -> None:
    """After a day their places are free for others."""
    await samples.outcomes.add([minute(0), minute(10, route=MAIL)], now=NOON)

    assert {"mail"} == await samples.outcomes.services(NOON + 5 * MINUTE)


@FILES
async def test_minutes_are_deleted_with_samples_of_the_same_age(samples: Samples) -> None:
    """`samples.keep` says when."""
    await samples.outcomes.add([minute(n) for n in range(5)], now=NOON)
    await samples.trim(NOON + 3 * MINUTE)

    assert [minute(3), minute(4)] == await samples.outcomes.between(NOON, NOON + DAY)


async def test_minutes_stay_within_the_budget(samples: Samples) -> None:
    """The oldest are deleted first, down to the last day, however many services report."""
    await samples.outcomes.add([minute(60 * hour, route=Route(f"s{n}")) for hour in range(48) for n in range(100)], now=NOON)
    await samples.keep_within(200_000, NOON + 2 * DAY)
    left = await samples.outcomes.between(NOON, NOON + 3 * DAY)

    assert NOON + 24 * 60 * MINUTE > left[0].at > NOON
    assert NOON + 47 * 60 * MINUTE == left[-1].at
