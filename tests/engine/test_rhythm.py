"""Whoever looks once a second does it in the same instant as all others who do: an idle bot wakes up once for all of them."""

import pytest

from bot.system.rhythm import next_round


@pytest.mark.parametrize("now", [100.0, 100.2, 99.7])
def test_all_who_rest_for_a_second_wake_up_together(now: float) -> None:
    """Wherever in the second they began to."""
    assert 101.0 == next_round(now, 1.0)


def test_a_timer_that_came_early_waits_for_the_next_round() -> None:
    """Timers of uvloop run by whole milliseconds, and may so come a little too early: nobody looks twice."""
    assert 102.0 == next_round(100.9995, 1.0)


@pytest.mark.parametrize("every_s", [0.05, 1.0, 10.0])
def test_nobody_waits_for_less_than_half_a_round(every_s: float) -> None:
    """Nor for more than one and a half."""
    waits = [next_round(now / 1000, every_s) - now / 1000 for now in range(100_000, 130_000, 7)]

    assert min(waits) >= every_s / 2 - 1e-6
    assert max(waits) <= every_s * 1.5 + 1e-6
