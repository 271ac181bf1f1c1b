"""What every keeper of samples promises, asked of each."""

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


async def test_a_bad_sample_comes_back_whole(samples: Samples) -> None:
    """Evidence of trouble is kept to the last character, whatever kind of trouble it was."""
    given = [
        bad(after(0)),
        bad(after(1), Outcome.SLOW),
        bad(after(2), Outcome.INCONCLUSIVE),
        replace(bad(after(3)), error=None, phases_ms={}, evidence={}, vantage="eu-west"),
    ]
    await samples.add(given)

    assert given == await samples.recent("anthropic.api/models", 10)


async def test_what_was_concluded_comes_back_under_its_name(samples: Samples) -> None:
    """With samples or without; a later one takes the place of an earlier one."""
    await samples.add([good(after(0))], [Remembered("a", "first"), Remembered("b", "other")])
    await samples.add([], [Remembered("a", "second")])

    assert {"a": "second", "b": "other"} == await samples.remembered()


async def test_what_was_concluded_is_forgotten_by_its_name(samples: Samples) -> None:
    """Other names stay, and one that is not there is none."""
    await samples.add([], [Remembered("upto/a", "1"), Remembered("upto/b", "2")])
    await samples.forget_remembered(["upto/a", "upto/c"])

    assert {"upto/b": "2"} == await samples.remembered()


async def test_a_good_sample_keeps_when_and_how_long(samples: Samples) -> None:
    """There are millions of them; reason, evidence and single phases are not kept."""
    chatty = replace(
        good(after(0), 85.123), reason="HTTP 200", evidence={"status": "200"}, phases_ms={"dns": 1.0, "total": 85.123}
    )
    await samples.add([chatty, replace(good(after(1)), phases_ms={})])

    first, second = await samples.recent("anthropic.api/models", 10)

    assert (good(after(0), 85.123), replace(good(after(1)), phases_ms={})) == (first, second)


async def test_the_newest_results_of_one_check_come_oldest_first(samples: Samples) -> None:
    """Other checks and older results stay away, in whatever order they were written."""
    await samples.add([good(after(n), n + 1.0) for n in (3, 1, 4)] + [good(after(5), check="openai.api/models")])
    await samples.add([good(after(2), 3.0)])

    assert [3.0, 4.0, 5.0] == [s.phases_ms["total"] for s in await samples.recent("anthropic.api/models", 3)]
    assert [] == await samples.recent("nobody", 3)


async def test_a_sample_counts_once_when_it_comes_twice(samples: Samples) -> None:
    """The same check at the same microsecond is the same run."""
    await samples.add([good(NOON)])
    await samples.add([good(NOON), good(NOON, check="anthropic.api/chat")])

    assert 1 == len(await samples.recent("anthropic.api/models", 10))
    assert 2 == (await latency_of(samples, "anthropic.api", NOON)).count


async def test_latency_is_of_runs_that_succeeded(samples: Samples) -> None:
    """Slow is a success that took long; failures are counted, inconclusive runs are not; other components stay away."""
    runs = [good(after(n), float(n)) for n in range(1, 100)]
    slow = replace(bad(after(100), Outcome.SLOW), phases_ms={"total": 100.0})
    await samples.add(
        [good(after(0), 9_000.0), *runs, slow, bad(after(101)), bad(after(102)), bad(after(103), Outcome.INCONCLUSIVE)]
    )
    await samples.add([good(after(50), 7_000.0, "openai.api/models", "openai.api")])

    assert LatencyPicture(102, 50.0, 95.0, 2) == await latency_of(samples, "anthropic.api", after(1))


async def test_latencies_of_several_components_are_kept_apart(samples: Samples) -> None:
    """Also of one that has no check, and without the one that nobody asked for."""
    for component, total in (("anthropic.api", 100.0), ("openai.api", 200.06), ("other.api", 300.0)):
        await samples.add([good(after(n), total, f"{component}/models", component) for n in range(3)])

    found = await samples.latencies(["openai.api", "nobody.api", "anthropic.api"], NOON)

    assert {
        "openai.api": LatencyPicture(3, 200.1, 200.1, 0),
        "nobody.api": LatencyPicture(0, None, None, 0),
        "anthropic.api": LatencyPicture(3, 100.0, 100.0, 0),
    } == found


async def test_hours_that_are_over_are_read_by_component(samples: Samples) -> None:
    """All checks of a component together; of an hour that still runs nothing is told."""
    await samples.add([good(after(n), total, f"anthropic.api/{n}") for n, total in enumerate((100.0, 100.0, 400.0))])
    await samples.add([bad(after(5)), good(after(6), 50.0, "openai.api/models", "openai.api")])
    await samples.add([good(NOON + timedelta(hours=1, minutes=n), 900.0) for n in (30, 59)])

    found = await samples.rolled(NOON, NOON + timedelta(hours=2), timed=True)

    assert {"anthropic.api": (4, 1), "openai.api": (1, 0)} == {id: (one.count, one.failed) for id, one in found.items()}
    assert found["anthropic.api"].p50_ms == pytest.approx(100, rel=0.05)
    assert found["anthropic.api"].p95_ms == pytest.approx(400, rel=0.05)


async def test_what_no_sum_has_yet_is_counted_by_component(samples: Samples) -> None:
    """All checks together, inconclusive runs aside, and nothing that was before or after."""
    await samples.add([good(after(n), 100.0, f"anthropic.api/{n}") for n in (-1, 0, 1, 3600)])
    await samples.add([bad(after(5)), bad(after(6), Outcome.INCONCLUSIVE), good(after(6), 50.0, "openai.api/x", "openai.api")])

    found = await samples.unrolled(NOON, NOON + timedelta(hours=1))

    assert {"anthropic.api": LatencyPicture(3, None, None, 1), "openai.api": LatencyPicture(1, None, None, 0)} == found


async def test_each_run_is_in_a_sum_or_counted_and_never_in_both(samples: Samples) -> None:
    """Step by step while its hour is summed up."""
    hour = (NOON, NOON + timedelta(hours=1))
    await samples.add([good(after(n / 10), 100.0, f"anthropic.api/{n}") for n in range(600)])
    told = []
    for minute in range(5):
        await samples.add([good(NOON + timedelta(hours=1, minutes=minute), 100.0)])
        found = (*(await samples.rolled(*hour, timed=False)).values(), *(await samples.unrolled(*hour)).values())
        told.append([one.count for one in found])

    assert [[600]] * 5 == told


async def test_only_hours_that_begin_in_the_span_are_read(samples: Samples) -> None:
    """So that two spans side by side count nothing twice; without times where nobody asks for them."""
    await samples.add([good(NOON + timedelta(hours=n, minutes=10), 100.0) for n in range(4)])
    for n in range(4):  # some keepers sum up an hour with each batch
        await samples.add([good(NOON + timedelta(hours=5, minutes=n), 100.0)])

    found = await samples.rolled(NOON + timedelta(minutes=1), NOON + timedelta(hours=3), timed=False)

    assert {"anthropic.api": LatencyPicture(2, None, None, 0)} == found


async def test_an_hour_that_is_summed_up_in_part_is_not_read(samples: Samples) -> None:
    """Some keepers move the checks of an hour step by step: a part of it would be another share of failures."""
    await samples.add([good(after(n / 10), 100.0, f"anthropic.api/{n}") for n in range(300)])
    await samples.add([good(NOON + timedelta(hours=1, minutes=5), 100.0)])

    found = await samples.rolled(NOON, NOON + timedelta(hours=1), timed=False)

    assert found.get("anthropic.api", LatencyPicture(300, None, None, 0)).count == 300


async def test_latency_is_unknown_when_nothing_succeeded(samples: Samples) -> None:
    """No number is better than a made-up one."""
    assert LatencyPicture(0, None, None, 0) == await latency_of(samples, "anthropic.api", NOON)
    await samples.add([bad(NOON)])

    assert LatencyPicture(1, None, None, 1) == await latency_of(samples, "anthropic.api", NOON)


async def test_latency_over_days_is_right_within_five_percent(samples: Samples) -> None:
    """It is read from roll-ups, which outlive the raw rows, and from the raw rows that no roll-up counts yet."""
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
async def test_trimming_forgets_what_is_older(samples: Samples) -> None:
    """In chunks, however many there are; a result at the very moment stays."""
    await samples.add([good(after(n / 100)) for n in range(12_001)])

    assert 12_000 == await samples.trim(after(120))

    assert [after(120)] == [s.at for s in await samples.recent("anthropic.api/models", 10)]
    assert 0 == await samples.trim(after(120))


async def test_an_empty_batch_is_nothing(samples: Samples) -> None:
    """Nobody has to ask first."""
    await samples.add([])

    assert [] == await samples.recent("anthropic.api/models", 1)


async def test_results_of_one_vantage_come_when_it_is_named(samples: Samples) -> None:
    """Each place judges by what it saw itself."""
    here, there = good(after(0)), replace(good(after(0)), vantage="eu-west")
    await samples.add([here, there, replace(here, at=after(1))])

    assert [there] == await samples.recent("anthropic.api/models", 10, "eu-west")
    assert [here, replace(here, at=after(1))] == await samples.recent("anthropic.api/models", 10, "local")
    assert 3 == len(await samples.recent("anthropic.api/models", 10))
    assert [] == await samples.recent("anthropic.api/models", 10, "nowhere")


async def test_a_check_that_was_silent_for_long_is_found(samples: Samples) -> None:
    """However much others wrote meanwhile."""
    job = good(after(30), check="jobs/backup", component="jobs.backup")
    await samples.add([job])
    for hour in range(30):
        await samples.add([good(NOON + timedelta(hours=hour, minutes=n)) for n in range(0, 60, 10)])

    assert [job] == await samples.recent("jobs/backup", 10)
    assert 180 == len(await samples.recent("anthropic.api/models", 500))


async def test_everything_since_a_moment_comes_in_one_go(samples: Samples) -> None:
    """All checks and vantages, oldest first, the moment itself included; more than one page of them."""
    batch = [good(after(n / 100), check=f"check {n % 7}") for n in range(4_500)]
    await samples.add(list(reversed(batch)))
    twin = replace(batch[-1], vantage="eu-west")
    await samples.add([bad(after(60)), twin])

    assert [*batch[100:], twin, bad(after(60))] == await samples.since(after(1))
    assert [] == await samples.since(after(61))


async def test_the_median_of_a_check_is_of_runs_that_succeeded(samples: Samples) -> None:
    """Of finished hours where there are, of the last minutes for a check that is new; within 5 %."""
    for hour in range(3):
        start = NOON + timedelta(hours=hour)
        await samples.add([good(start + timedelta(minutes=n), 100.0 + 10 * n) for n in range(11)] + [bad(start)])
    await samples.add([good(after(8_000 + n), 40.0, "anthropic.api/new") for n in range(3)])

    medians = await samples.medians(NOON - timedelta(days=1))

    assert {"anthropic.api/models": pytest.approx(150, rel=0.06), "anthropic.api/new": pytest.approx(40, rel=0.06)} == medians
    assert {} == await samples.medians(NOON + timedelta(days=1))


@FILES
async def test_latency_outlives_raw_rows(samples: Samples) -> None:
    """Where single results were forgotten for room, their hours still tell."""
    for hour in range(4):
        start = NOON + timedelta(hours=hour)
        await samples.add([good(start + timedelta(minutes=n), 100.0 + n) for n in range(60)])
    assert LatencyPicture(210, 133.0, 157.0, 0) == await latency_of(samples, "anthropic.api", NOON + timedelta(minutes=30))

    await samples.trim(NOON + timedelta(hours=2))

    seen = await latency_of(samples, "anthropic.api", NOON + timedelta(minutes=30))
    assert (240, 0) == (seen.count, seen.failed)
    assert seen.p50_ms == pytest.approx(130, rel=0.06)


@FILES
async def test_a_budget_is_kept_by_forgetting_the_oldest(samples: Samples) -> None:
    """And nothing goes while there is room."""
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
