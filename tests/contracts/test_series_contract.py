"""What every sample store knows of series that only grow (counters), whichever replica received their points."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from bot.core.outcomes.counts import Counts, MinuteCount, Route
from bot.core.outcomes.outcome import make_outcome
from bot.core.outcomes.series import Point, Reading
from bot.outcomes.intake import OutcomeIntake
from bot.ports import Samples
from bot.ports.outcomes import OutcomeBatch
from bot.store.outcomes.keeping import add
from bot.store.samples.sqlite import InlineSamples
from bot.system.clock import ManualClock
from tests.contracts.samples import samples_of
from tests.ledger_facts import NOON

MAIL = Route("mail", provider="openai")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NAMES = count()


@pytest.fixture(params=["threaded", "inline", "postgresql"])
async def samples(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Samples]:
    opened = await samples_of(request, tmp_path)
    yield opened
    await opened.close()


def ns(minutes: float) -> int:
    return int((NOON + minutes * MINUTE).timestamp()) * 10**9


def reading(total: int, end: float, *, start: float = 1, key: bytes = b"mail", error: str = "") -> Reading:
    """A series that began `start` minutes after noon, and held `total` requests `end` minutes after."""
    return Reading(key, Point(ns(start), ns(end), total, {140: total} if total else {}), MAIL, error)


async def store_and_count(samples: Samples, *readings: Reading, at: float = 60) -> int:
    """Store these readings; returns how many requests in them are new, `at` minutes after noon."""
    request = OutcomeBatch(f"request {next(NAMES)}".encode(), (), readings)
    news = await samples.outcomes.add([], [request], now=NOON + at * MINUTE, began=NOON)
    return sum(one.counts.total for one in news)


async def counted(samples: Samples) -> list[tuple[int, int, int]]:
    rows: Sequence[MinuteCount] = await samples.outcomes.between(NOON - DAY, NOON + 3 * DAY)
    return [((one.at - NOON) // MINUTE, one.counts.ok, one.counts.failed) for one in rows]


async def test_two_batches_with_one_key_count_once(samples: Samples) -> None:
    """A client that got no answer asked another replica within the same second."""
    counts = [MinuteCount(NOON, MAIL, Counts(ok=3))]
    for _ in range(2):
        await samples.outcomes.add([], [OutcomeBatch(b"k", counts), OutcomeBatch(b"other", counts)], now=NOON)

    assert [(0, 6, 0)] == await counted(samples)


async def test_series_counts_the_growth_since_its_last_point(samples: Samples) -> None:
    """In the middle of the interval, and failures as failures."""
    assert [4, 3, 0] == [await store_and_count(samples, one) for one in (reading(4, 3), reading(7, 5), reading(7, 7))]
    assert 2 == await store_and_count(samples, reading(2, 3, key=b"failed", error="timeout"))

    assert [(2, 4, 2), (4, 3, 0)] == await counted(samples)


async def test_late_or_repeated_points_count_once(samples: Samples) -> None:
    """Two replicas received them and stored them in another order."""
    assert 9 == await store_and_count(samples, reading(9, 5), reading(4, 3))
    assert 0 == await store_and_count(samples, reading(7, 4))
    assert 1 == await store_and_count(samples, reading(10, 6))

    assert [(2, 4, 0), (4, 5, 0), (5, 1, 0)] == await counted(samples)


async def test_number_too_large_for_a_column_is_left_out_alone(samples: Samples) -> None:
    """Everything else of the same second is written."""
    intake = OutcomeIntake(samples.outcomes, clock := ManualClock(NOON))
    clock.advance(60 * MINUTE)
    for key, requests in (("a", 1), ("b", 2**63), ("c", 4)):
        await intake.take([], key=key, readings=[reading(requests, 3, key=key.encode())])
    await intake.take([make_outcome(NOON, MAIL, ok=True)])
    await intake.take([make_outcome(NOON, MAIL, ok=False, count=2**63)], key="d")
    await intake.flush()

    assert [(0, 1, 0), (2, 5, 0)] == await counted(samples)
    assert [True, False, True, False] == [await intake.knows(key) for key in "abcd"]


async def test_restarted_series_counts_from_zero(samples: Samples) -> None:
    """The service was restarted; some keep the old start time."""
    assert 4 == await store_and_count(samples, reading(4, 3))
    assert 2 == await store_and_count(samples, reading(2, 6, start=5))
    assert 1 == await store_and_count(samples, reading(1, 8, start=5))


async def test_first_point_of_a_running_series_counts_nothing(samples: Samples) -> None:
    """Another receiver may have counted it; the replica that listened first decides."""
    assert 0 == await store_and_count(samples, reading(1_000, 3, start=-600))
    assert 7 == await store_and_count(samples, reading(1_007, 5, start=-600))
    later = await samples.outcomes.add(
        [], [OutcomeBatch(b"b", (), [reading(5, 9, start=8, key=b"new")])], now=NOON + 10 * MINUTE, began=NOON + 9 * MINUTE
    )
    assert [5] == [one.counts.total for one in later]


async def test_series_silent_for_a_day_starts_again(samples: Samples) -> None:
    """It was forgotten, and nobody knows what of it was counted."""
    assert 4 == await store_and_count(samples, reading(4, 3))
    assert 1 == await store_and_count(samples, reading(1, 1_500, start=1_450, key=b"other"), at=1_510)
    assert 0 == await store_and_count(samples, reading(9, 1_530), at=1_540)
    assert 2 == await store_and_count(samples, reading(11, 1_550), at=1_560)


async def test_too_many_series_lose_counts_but_never_count_twice() -> None:
    """The one that was silent longest is dropped; if it returns, its first point counts nothing."""
    conn = InlineSamples.open().conn

    def tells(minutes: float, one: Reading) -> int:
        request = OutcomeBatch(f"request {next(NAMES)}".encode(), (), [one])
        news = add(conn, [], [request], NOON + minutes * MINUTE, began=NOON, most_series=2)
        return sum(found.counts.total for found in news)

    assert [4, 4, 4] == [tells(at, reading(4, at, key=key)) for at, key in ((3, b"a"), (4, b"b"), (5, b"c"))]
    assert [0, 3] == [tells(at, reading(total, at, key=b"a")) for at, total in ((6, 9), (7, 12))]
    assert 1 == tells(9, reading(1, 9, start=8, key=b"new"))
