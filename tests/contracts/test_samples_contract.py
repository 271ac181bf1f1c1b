"""What every sample store guarantees."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.core.model import Fault, Outcome, Sample
from bot.ports import LatencyPicture, Remembered, Samples
from tests.contracts.samples import latency_of, samples_of
from tests.ledger_facts import NOON, after

# What forgets row by row; PostgreSQL drops whole days (tests/store/test_samples_days.py).
FILES = pytest.mark.parametrize("samples", ["threaded", "inline"], indirect=True)


@pytest.fixture(params=["threaded", "inline", "postgresql"])
async def samples(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Samples]:
    opened = await samples_of(request, tmp_path)
    yield opened
    await opened.close()


def good(at: datetime, total: float = 120.0, check: str = "anthropic.api/models", component: str = "anthropic.api") -> Sample:
    return Sample(check, component, at, Outcome.OK, phases_ms={"total": total})


def bad(at: datetime, outcome: Outcome = Outcome.FAIL) -> Sample:
    return Sample(
        "anthropic.api/models", "anthropic.api", at, outcome, error="http_5xx", fault=Fault.THEIRS,
        reason="HTTP 529 in 212 ms", phases_ms={"dns": 1.25, "first_byte": 210.0625, "total": 212.03125},
        evidence={"status": "529", "excerpt": "over\x00loaded \ud800"},
    )  # fmt: skip


async def test_bad_sample_is_read_back_unchanged(samples: Samples) -> None:
    """Its evidence is kept to the last character."""
    given = [
        bad(after(0)),
        bad(after(1), Outcome.SLOW),
        bad(after(2), Outcome.INCONCLUSIVE),
        replace(bad(after(3)), error=None, phases_ms={}, evidence={}, vantage="eu-west"),
    ]
    await samples.add(given)

    assert given == await samples.recent("anthropic.api/models", 10)


async def test_conclusion_is_read_back_by_name(samples: Samples) -> None:
    """With or without samples; a later one replaces an earlier one."""
    await samples.add([good(after(0))], [Remembered("a", "first"), Remembered("b", "other")])
    await samples.add([], [Remembered("a", "second")])

    assert {"a": "second", "b": "other"} == await samples.remembered()


async def test_conclusion_is_deleted_by_name(samples: Samples) -> None:
    """Others stay, and deleting an unknown name does nothing."""
    await samples.add([], [Remembered("upto/a", "1"), Remembered("upto/b", "2")])
    await samples.forget_remembered(["upto/a", "upto/c"])

    assert {"upto/b": "2"} == await samples.remembered()


async def test_good_sample_keeps_time_and_duration_only(samples: Samples) -> None:
    """There are millions of them: reason, evidence and phases are dropped."""
    chatty = replace(
        good(after(0), 85.123), reason="HTTP 200", evidence={"status": "200"}, phases_ms={"dns": 1.0, "total": 85.123}
    )
    await samples.add([chatty, replace(good(after(1)), phases_ms={})])

    first, second = await samples.recent("anthropic.api/models", 10)

    assert (good(after(0), 85.123), replace(good(after(1)), phases_ms={})) == (first, second)


async def test_newest_results_of_a_check_come_oldest_first(samples: Samples) -> None:
    """Other checks and older results are left out, in whatever order they were written."""
    await samples.add([good(after(n), n + 1.0) for n in (3, 1, 4)] + [good(after(5), check="openai.api/models")])
    await samples.add([good(after(2), 3.0)])

    assert [3.0, 4.0, 5.0] == [s.phases_ms["total"] for s in await samples.recent("anthropic.api/models", 3)]
    assert [] == await samples.recent("nobody", 3)


async def test_repeated_sample_counts_once(samples: Samples) -> None:
    """The same check at the same microsecond is the same run."""
    await samples.add([good(NOON)])
    await samples.add([good(NOON), good(NOON, check="anthropic.api/chat")])

    assert 1 == len(await samples.recent("anthropic.api/models", 10))
    assert 2 == (await latency_of(samples, "anthropic.api", NOON)).count


async def test_latency_counts_successful_runs_of_the_component(samples: Samples) -> None:
    """Slow runs are successes; failures are counted apart, inconclusive runs are not."""
    runs = [good(after(n), float(n)) for n in range(1, 100)]
    slow = replace(bad(after(100), Outcome.SLOW), phases_ms={"total": 100.0})
    await samples.add(
        [good(after(0), 9_000.0), *runs, slow, bad(after(101)), bad(after(102)), bad(after(103), Outcome.INCONCLUSIVE)]
    )
    await samples.add([good(after(50), 7_000.0, "openai.api/models", "openai.api")])

    assert LatencyPicture(102, 50.0, 95.0, 2) == await latency_of(samples, "anthropic.api", after(1))


async def test_latencies_of_components_are_separate(samples: Samples) -> None:
    """Components without checks are included, those not asked for are not."""
    for component, total in (("anthropic.api", 100.0), ("openai.api", 200.06), ("other.api", 300.0)):
        await samples.add([good(after(n), total, f"{component}/models", component) for n in range(3)])

    found = await samples.latencies(["openai.api", "nobody.api", "anthropic.api"], NOON)

    assert {
        "openai.api": LatencyPicture(3, 200.1, 200.1, 0),
        "nobody.api": LatencyPicture(0, None, None, 0),
        "anthropic.api": LatencyPicture(3, 100.0, 100.0, 0),
    } == found


async def test_finished_hours_are_read_by_component(samples: Samples) -> None:
    """All checks of a component together, without the current hour."""
    await samples.add([good(after(n), total, f"anthropic.api/{n}") for n, total in enumerate((100.0, 100.0, 400.0))])
    await samples.add([bad(after(5)), good(after(6), 50.0, "openai.api/models", "openai.api")])
    await samples.add([good(NOON + timedelta(hours=1, minutes=n), 900.0) for n in (30, 59)])

    found = await samples.rolled(NOON, NOON + timedelta(hours=2), timed=True)

    assert {"anthropic.api": (4, 1), "openai.api": (1, 0)} == {id: (one.count, one.failed) for id, one in found.items()}
    assert found["anthropic.api"].p50_ms == pytest.approx(100, rel=0.05)
    assert found["anthropic.api"].p95_ms == pytest.approx(400, rel=0.05)


async def test_runs_that_are_in_no_roll_up_yet_are_counted_by_component(samples: Samples) -> None:
    """All checks together, without inconclusive runs, and only in the range."""
    await samples.add([good(after(n), 100.0, f"anthropic.api/{n}") for n in (-1, 0, 1, 3600)])
    await samples.add([bad(after(5)), bad(after(6), Outcome.INCONCLUSIVE), good(after(6), 50.0, "openai.api/x", "openai.api")])

    found = await samples.unrolled(NOON, NOON + timedelta(hours=1))

    assert {"anthropic.api": LatencyPicture(3, None, None, 1), "openai.api": LatencyPicture(1, None, None, 0)} == found


async def test_run_is_counted_in_a_roll_up_or_raw_but_never_twice(samples: Samples) -> None:
    """Checked at each step while its hour is rolled up."""
    hour = (NOON, NOON + timedelta(hours=1))
    await samples.add([good(after(n / 10), 100.0, f"anthropic.api/{n}") for n in range(600)])
    told = []
    for minute in range(5):
        await samples.add([good(NOON + timedelta(hours=1, minutes=minute), 100.0)])
        found = (*(await samples.rolled(*hour, timed=False)).values(), *(await samples.unrolled(*hour)).values())
        told.append([one.count for one in found])

    assert [[600]] * 5 == told


async def test_only_hours_that_begin_in_the_range_are_read(samples: Samples) -> None:
    """Adjacent ranges count nothing twice. Times are left out if nobody asks for them."""
    await samples.add([good(NOON + timedelta(hours=n, minutes=10), 100.0) for n in range(4)])
    for n in range(4):  # some keepers sum up an hour with each batch
        await samples.add([good(NOON + timedelta(hours=5, minutes=n), 100.0)])

    found = await samples.rolled(NOON + timedelta(minutes=1), NOON + timedelta(hours=3), timed=False)

    assert {"anthropic.api": LatencyPicture(2, None, None, 0)} == found


async def test_partly_rolled_up_hour_is_not_read(samples: Samples) -> None:
    """Some stores roll up the checks of an hour one after the other, and a part would show another failure rate."""
    await samples.add([good(after(n / 10), 100.0, f"anthropic.api/{n}") for n in range(300)])
    await samples.add([good(NOON + timedelta(hours=1, minutes=5), 100.0)])

    found = await samples.rolled(NOON, NOON + timedelta(hours=1), timed=False)

    assert found.get("anthropic.api", LatencyPicture(300, None, None, 0)).count == 300


async def test_latency_is_unknown_without_a_success(samples: Samples) -> None:
    """No number is better than an invented one."""
    assert LatencyPicture(0, None, None, 0) == await latency_of(samples, "anthropic.api", NOON)
    await samples.add([bad(NOON)])

    assert LatencyPicture(1, None, None, 1) == await latency_of(samples, "anthropic.api", NOON)


async def test_latency_over_days_is_accurate_within_five_percent(samples: Samples) -> None:
    """It is read from roll-ups, which outlive raw rows, and from raw rows that are in no roll-up yet."""
    for hour in range(72):
        start = NOON + timedelta(hours=hour)
        await samples.add(
            [good(start + timedelta(minutes=n), 100.0 + n) for n in range(60)] + [bad(start + timedelta(seconds=30))]
        )
    await samples.trim(NOON + timedelta(hours=71))

    for since in (NOON, NOON + timedelta(hours=48)):
        hours = 72 - (since - NOON) // timedelta(hours=1)
        seen = await latency_of(samples, "anthropic.api", since)
        assert (61 * hours, hours) == (seen.count, seen.failed)
        assert seen.p50_ms == pytest.approx(130, rel=0.06)
        assert seen.p95_ms == pytest.approx(157, rel=0.06)


@FILES
async def test_trimming_deletes_older_samples(samples: Samples) -> None:
    """In chunks, however many there are; a sample at the limit stays."""
    await samples.add([good(after(n / 100)) for n in range(12_001)])

    assert 12_000 == await samples.trim(after(120))

    assert [after(120)] == [s.at for s in await samples.recent("anthropic.api/models", 10)]
    assert 0 == await samples.trim(after(120))


async def test_empty_batch_is_accepted(samples: Samples) -> None:
    """Callers need not check first."""
    await samples.add([])

    assert [] == await samples.recent("anthropic.api/models", 1)


async def test_results_are_filtered_by_vantage(samples: Samples) -> None:
    """Each vantage judges by its own results."""
    here, there = good(after(0)), replace(good(after(0)), vantage="eu-west")
    await samples.add([here, there, replace(here, at=after(1))])

    assert [there] == await samples.recent("anthropic.api/models", 10, "eu-west")
    assert [here, replace(here, at=after(1))] == await samples.recent("anthropic.api/models", 10, "local")
    assert 3 == len(await samples.recent("anthropic.api/models", 10))
    assert [] == await samples.recent("anthropic.api/models", 10, "nowhere")


async def test_results_of_a_long_silent_check_are_found(samples: Samples) -> None:
    """However much others wrote meanwhile."""
    job = good(after(30), check="jobs/backup", component="jobs.backup")
    await samples.add([job])
    for hour in range(30):
        await samples.add([good(NOON + timedelta(hours=hour, minutes=n)) for n in range(0, 60, 10)])

    assert [job] == await samples.recent("jobs/backup", 10)
    assert 180 == len(await samples.recent("anthropic.api/models", 500))


async def test_all_samples_since_a_time_are_read_in_one_call(samples: Samples) -> None:
    """All checks and vantages, oldest first, including that time; more than one page of them."""
    batch = [good(after(n / 100), check=f"check {n % 7}") for n in range(4_500)]
    await samples.add(list(reversed(batch)))
    twin = replace(batch[-1], vantage="eu-west")
    await samples.add([bad(after(60)), twin])

    assert [*batch[100:], twin, bad(after(60))] == await samples.since(after(1))
    assert [] == await samples.since(after(61))


async def test_median_of_a_check_counts_successful_runs(samples: Samples) -> None:
    """From finished hours if there are any, else from the last minutes; within 5 %."""
    for hour in range(3):
        start = NOON + timedelta(hours=hour)
        await samples.add([good(start + timedelta(minutes=n), 100.0 + 10 * n) for n in range(11)] + [bad(start)])
    await samples.add([good(after(8_000 + n), 40.0, "anthropic.api/new") for n in range(3)])

    medians = await samples.medians(NOON - timedelta(days=1))

    assert {"anthropic.api/models": pytest.approx(150, rel=0.06), "anthropic.api/new": pytest.approx(40, rel=0.06)} == medians
    assert {} == await samples.medians(NOON + timedelta(days=1))


@FILES
async def test_latency_outlives_raw_samples(samples: Samples) -> None:
    """Where single results were deleted for space, their hours remain."""
    for hour in range(4):
        start = NOON + timedelta(hours=hour)
        await samples.add([good(start + timedelta(minutes=n), 100.0 + n) for n in range(60)])
    assert LatencyPicture(210, 133.0, 157.0, 0) == await latency_of(samples, "anthropic.api", NOON + timedelta(minutes=30))

    await samples.trim(NOON + timedelta(hours=2))

    seen = await latency_of(samples, "anthropic.api", NOON + timedelta(minutes=30))
    assert (240, 0) == (seen.count, seen.failed)
    assert seen.p50_ms == pytest.approx(130, rel=0.06)


@FILES
async def test_budget_is_kept_by_deleting_the_oldest(samples: Samples) -> None:
    """Nothing is deleted while there is space."""
    for hour in range(8):
        start = NOON + timedelta(hours=hour)
        await samples.add([good(start + timedelta(seconds=n), check=f"check {n % 9}") for n in range(3_600)])
    assert 0 == await samples.keep_within(5_000_000, NOON + timedelta(hours=8))

    gone = await samples.keep_within(400_000, NOON + timedelta(hours=8))

    left = await samples.since(NOON)
    assert 28_800 == gone + len(left)
    assert 5_000 < len(left)
    assert left[0].at == NOON + timedelta(seconds=gone)
    assert 0 == await samples.keep_within(400_000, NOON + timedelta(hours=8))
