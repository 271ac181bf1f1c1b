"""The shipped detector under the Monte Carlo of `bench/detection.py`, few rounds of it: the claims are not off by far."""

import random
from statistics import median

import pytest

from bench.detection import DAY_S, Sky, costs, delay_of, watched
from bench.recovery import ends, lost
from bot.core.detection.settings import Rule

RULE = Rule()


@pytest.mark.parametrize(("rate", "within_s"), [(1.0, 30), (0.5, 60), (0.2, 200)])
def test_an_outage_is_found_in_time(rate: float, within_s: float) -> None:
    """Half of the incidents within the claim; none of the full ones is missed."""
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


def test_trouble_that_goes_on_is_hardly_ever_called_over() -> None:
    """At 40 % errors for an hour; by five good looks in a row alone it was nearly always."""
    assert lost(0.4, 0.4, RULE, 60) <= 0.02


def test_an_outage_that_goes_on_in_part_is_hardly_ever_called_over() -> None:
    """Its first five good looks often came in a row by luck; the quick ones among them fail."""
    assert lost(1.0, 0.4, RULE, 100) <= 0.02


def test_one_answer_in_five_that_goes_on_failing_is_seldom_called_over() -> None:
    """One hour in twenty, where it was one in five."""
    assert lost(0.2, 0.2, RULE, 100) <= 0.08


def test_a_true_end_is_told_in_minutes_also_with_noise() -> None:
    """One stray failure on the way back takes a little longer, and more trouble before it as well."""
    assert median(ends(1.0, RULE, 40)) <= 120
    assert median(ends(0.2, RULE, 40)) <= 400


def test_a_full_outage_that_ends_is_over_within_two_minutes_and_a_half() -> None:
    """The longer test is for what failed again on its way back."""
    assert max(ends(1.0, RULE, 10, noise=0.0)) <= 150


def test_leaping_over_good_looks_changes_nothing() -> None:
    """What makes the simulation fast does not make it another one."""
    skies = [Sky(random.Random(3)) for _ in range(2)]
    for sky in skies:
        sky.add_blips(10, 0.5)

    assert watched(skies[0], 10 * DAY_S, RULE) == watched(skies[1], 10 * DAY_S, RULE, leap=False)


def test_bad_targets_keep_within_the_budget() -> None:
    """Dead, flapping, or failing now and then: at most 22 % more looks."""
    assert [] == [name for name, more in costs(RULE, days=10).items() if more > 0.22]
