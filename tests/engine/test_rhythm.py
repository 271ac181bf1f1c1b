"""Everything that happens once a second happens at the same instant, so that an idle bot wakes up once for all of it."""

import pytest

from bot.system.rhythm import next_round


@pytest.mark.parametrize("now", [100.0, 100.2, 99.7])
def test_sleepers_of_one_second_wake_up_together(now: float) -> None:
    """Wherever in the second they began."""
    assert 101.0 == next_round(now, 1.0)


def test_timer_that_fires_early_waits_for_the_next_round() -> None:
    """uvloop rounds timers to milliseconds, so they may fire slightly early; nothing runs twice."""
    assert 102.0 == next_round(100.9995, 1.0)


@pytest.mark.parametrize("every_s", [0.05, 1.0, 10.0])
def test_sleep_takes_at_least_half_a_round(every_s: float) -> None:
    """And at most one and a half."""
    waits = [next_round(now / 1000, every_s) - now / 1000 for now in range(100_000, 130_000, 7)]

    assert min(waits) >= every_s / 2 - 1e-6
    assert max(waits) <= every_s * 1.5 + 1e-6
