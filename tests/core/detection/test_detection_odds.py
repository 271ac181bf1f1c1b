"""The shipped detector in a few rounds of the simulation in `bench/detection.py`: the published figures hold roughly."""

import random
from statistics import median

import pytest

from bench.detection import DAY_S, Sky, costs, delay_of, watched
from bench.recovery import ends, lost
from bot.core.detection.settings import Rule

RULE = Rule()


@pytest.mark.parametrize(("rate", "within_s"), [(1.0, 30), (0.5, 60), (0.2, 200)])
def test_outage_is_detected_in_time(rate: float, within_s: float) -> None:
    """The median is within the published figure, and no full outage is missed."""
    found = [delay_of(rate, seed, RULE) for seed in range(150)]
    seen = [delay for delay in found if delay is not None]

    assert median(seen) <= within_s
    assert len(seen) >= len(found) * (1.0 if rate == 1.0 else 0.95)


def test_noise_and_blips_raise_few_alarms_and_cost_few_looks() -> None:
    """A hundred days of noise, then a hundred with blips of which the controls see nine in ten."""
    noise = watched(Sky(random.Random(1)), 100 * DAY_S, RULE)
    sky = Sky(random.Random(2))
    sky.add_blips(100, 0.9)
    blips = watched(sky, 100 * DAY_S, RULE)

    assert len(noise.alarms) <= 4
    assert len(blips.alarms) <= 50
    assert max(noise.quick, blips.quick) <= 100 * 2880 * 0.16


def test_ongoing_partial_outage_is_rarely_called_over() -> None:
    """40 % errors for an hour; five good results in a row alone would end it nearly always."""
    assert lost(0.4, 0.4, RULE, 60) <= 0.02


def test_outage_that_becomes_partial_is_rarely_called_over() -> None:
    """Its first five good results are often luck; the early runs among them fail."""
    assert lost(1.0, 0.4, RULE, 100) <= 0.02


def test_outage_with_one_failure_in_five_is_rarely_called_over() -> None:
    """In one hour of twenty, where it was one of five."""
    assert lost(0.2, 0.2, RULE, 100) <= 0.08


def test_real_end_is_detected_within_minutes_despite_noise() -> None:
    """A stray failure during recovery delays it slightly, and so does a previous relapse."""
    assert median(ends(1.0, RULE, 40)) <= 120
    assert median(ends(0.2, RULE, 40)) <= 400


def test_end_of_a_full_outage_is_detected_within_two_and_a_half_minutes() -> None:
    """The longer test is for checks that relapsed."""
    assert max(ends(1.0, RULE, 10, noise=0.0)) <= 150


def test_skipping_good_results_changes_nothing() -> None:
    """This shortcut makes the simulation fast, and must not alter it."""
    skies = [Sky(random.Random(3)) for _ in range(2)]
    for sky in skies:
        sky.add_blips(10, 0.5)

    assert watched(skies[0], 10 * DAY_S, RULE) == watched(skies[1], 10 * DAY_S, RULE, leap=False)


def test_bad_targets_keep_within_the_budget() -> None:
    """Dead, flapping, or failing now and then: at most 22 % more looks."""
    assert [] == [name for name, more in costs(RULE, days=10).items() if more > 0.22]
