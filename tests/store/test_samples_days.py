"""Samples in PostgreSQL: partitions by day, and several replicas that write them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.model import Outcome, Sample
from bot.core.outcomes.counts import Counts, MinuteCount, Route
from bot.store.postgres.samples.keeper import PostgresSamples, open_postgres_samples
from tests.contracts.samples import latency_of

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MIDNIGHT = datetime(2026, 3, 20, tzinfo=UTC)
CHECK, COMPONENT = "anthropic.api.models", "anthropic.api"


@pytest.fixture
async def samples(postgres: str) -> AsyncIterator[PostgresSamples]:
    opened = await open_postgres_samples(postgres, "one")
    yield opened
    await opened.close()


def good(at: datetime, total: float = 120.0) -> Sample:
    return Sample(CHECK, COMPONENT, at, Outcome.OK, phases_ms={"total": total})


async def count_since(samples: PostgresSamples, at: datetime) -> int:
    return (await latency_of(samples, COMPONENT, at)).count


async def test_day_is_dropped_as_a_whole(samples: PostgresSamples) -> None:
    """Younger samples stay until their own day is over."""
    await samples.add([good(MIDNIGHT + n * HOUR) for n in range(48)])

    assert 0 == await samples.trim(MIDNIGHT + 23 * HOUR)
    assert 24 == await samples.trim(MIDNIGHT + 30 * HOUR)
    assert MIDNIGHT + DAY == (await samples.since(MIDNIGHT))[0].at


async def test_hourly_roll_ups_outlive_their_day(samples: PostgresSamples) -> None:
    """Latency over a week is read from them."""
    await samples.add([good(MIDNIGHT + n * HOUR, 100.0 + n) for n in range(48)])
    await samples.trim(MIDNIGHT + DAY)

    seen = await latency_of(samples, COMPONENT, MIDNIGHT)
    assert 48 == seen.count
    assert seen.p50_ms == pytest.approx(123, rel=0.06)


async def test_late_sample_joins_its_hour(samples: PostgresSamples) -> None:
    """Even after its day was dropped, and once however often it is sent."""
    await samples.add([good(MIDNIGHT + n * HOUR) for n in range(48)])
    late = good(MIDNIGHT + timedelta(minutes=7))
    await samples.add([late])
    await samples.add([late])
    await samples.trim(MIDNIGHT + DAY)

    assert 49 == await count_since(samples, MIDNIGHT)


async def test_budget_drops_the_oldest_days_and_keeps_the_last_two(samples: PostgresSamples) -> None:
    """However small it is: the newest results are what people ask for."""
    await samples.add([good(MIDNIGHT + n * HOUR) for n in range(96)])

    assert 48 == await samples.keep_within(1, MIDNIGHT + 4 * DAY)
    assert MIDNIGHT + 2 * DAY == (await samples.since(MIDNIGHT))[0].at


async def test_future_days_are_dropped_before_today(samples: PostgresSamples) -> None:
    """Somebody's clock was ahead, by two days and by a year."""
    await samples.add([good(MIDNIGHT + n * HOUR) for n in range(48)])
    await samples.add([good(MIDNIGHT + 3 * DAY), good(MIDNIGHT + 365 * DAY)])
    await samples.keep_within(1, MIDNIGHT + 47 * HOUR)

    assert [MIDNIGHT + n * HOUR for n in range(48)] == [sample.at for sample in await samples.since(MIDNIGHT)]


async def test_day_that_begins_within_seconds_is_kept(samples: PostgresSamples) -> None:
    """A clock that is some seconds ahead counts as right."""
    await samples.add([good(MIDNIGHT), good(MIDNIGHT + DAY + timedelta(seconds=2))])

    assert 0 == await samples.keep_within(1, MIDNIGHT + DAY - timedelta(seconds=3))


async def test_counts_are_not_deleted_if_that_cannot_make_room(samples: PostgresSamples) -> None:
    """When the results of the last two days alone exceed the budget."""
    minutes = [MinuteCount(MIDNIGHT + n * DAY, Route("chat"), Counts(ok=1)) for n in range(4)]
    await samples.outcomes.add(minutes, now=MIDNIGHT)
    await samples.add([good(MIDNIGHT + n * HOUR) for n in range(96)])
    await samples.keep_within(1, MIDNIGHT + 4 * DAY)

    assert minutes == await samples.outcomes.between(MIDNIGHT, MIDNIGHT + 5 * DAY)


async def test_nothing_is_deleted_within_the_budget(samples: PostgresSamples) -> None:
    """The budget is a limit and not a goal."""
    await samples.add([good(MIDNIGHT + n * HOUR) for n in range(96)])

    assert 0 == await samples.keep_within(100_000_000, MIDNIGHT + 4 * DAY)


async def test_two_replicas_write_samples_at_once(samples: PostgresSamples, postgres: str) -> None:
    """They share ids of checks, and a run that both report counts once."""
    other = await open_postgres_samples(postgres, "two")
    await samples.add([good(MIDNIGHT), good(MIDNIGHT + HOUR)])
    await other.add([good(MIDNIGHT + HOUR), good(MIDNIGHT + 2 * HOUR)])
    await other.close()

    assert [MIDNIGHT + n * HOUR for n in range(3)] == [sample.at for sample in await samples.recent(CHECK, 10)]


async def test_counts_of_two_replicas_are_summed(samples: PostgresSamples, postgres: str) -> None:
    """Each reports the requests that it received."""
    other = await open_postgres_samples(postgres, "two")
    for keeper in (samples, other, samples):
        await keeper.outcomes.add([MinuteCount(MIDNIGHT, Route("chat"), Counts(ok=2, failed=1))], now=MIDNIGHT)
    await other.close()
    [found] = await samples.outcomes.between(MIDNIGHT, MIDNIGHT + DAY)

    assert (6, 3) == (found.counts.ok, found.counts.failed)


async def test_counts_of_real_requests_are_dropped_with_their_day(samples: PostgresSamples) -> None:
    """`samples.keep` says when."""
    minutes = [MinuteCount(MIDNIGHT + n * 12 * HOUR, Route("chat"), Counts(ok=1)) for n in range(4)]
    await samples.outcomes.add(minutes, now=MIDNIGHT)
    await samples.trim(MIDNIGHT + 30 * HOUR)

    assert minutes[2:] == await samples.outcomes.between(MIDNIGHT, MIDNIGHT + 3 * DAY)
