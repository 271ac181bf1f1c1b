"""How late our own loop is: often while something is measured, once a second else."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from bot.system.clock import SystemClock
from bot.watch.lag import LoopLag


class Turns:
    """Hears of the turns that the loop takes."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.next: list[float] = []

    def __call__(self, late_s: float, next_s: float) -> None:
        self.late.append(late_s)
        self.next.append(next_s)


@pytest.fixture
def turns() -> Turns:
    return Turns()


@pytest.fixture
async def lag(turns: Turns) -> AsyncIterator[LoopLag]:
    lag = LoopLag(SystemClock(), turns)
    lag.start()
    yield lag
    lag.stop()


def hold(seconds: float) -> None:
    """Keep the loop from giving anybody a turn."""
    time.sleep(seconds)


async def test_a_loop_that_was_blocked_says_so(lag: LoopLag) -> None:
    """For as long as it was blocked."""
    began = lag.begin()
    await asyncio.sleep(0.06)
    hold(0.3)
    await asyncio.sleep(0.06)

    assert 0.2 < lag.end(began)


async def test_a_block_that_is_not_over_counts(lag: LoopLag) -> None:
    """Whoever ends a measurement may be the first to have a turn."""
    began = lag.begin()
    hold(0.3)

    assert 0.2 < lag.end(began)


async def test_what_begins_after_a_block_was_not_disturbed(lag: LoopLag) -> None:
    """Beside others that were."""
    other = lag.begin()
    hold(0.3)
    await asyncio.sleep(0.06)
    began = lag.begin()
    await asyncio.sleep(0.06)

    assert 0.2 > lag.end(began)
    assert 0.2 < lag.end(other)


async def test_it_rests_while_nothing_is_measured(lag: LoopLag, turns: Turns) -> None:
    """To wake up twenty times a second cost more than all else that an idle bot did."""
    began = lag.begin()
    await asyncio.sleep(0.12)
    lag.end(began)
    after = len(turns.late)
    await asyncio.sleep(0.2)

    assert len(turns.late) <= after + 1  # all that look once a second do so in one instant, which may have come
    assert 0.5 <= turns.next[-1] <= 1.5


async def test_a_block_is_seen_while_it_rests(lag: LoopLag, turns: Turns) -> None:
    """Also one that waits and does no work: flags are not answered meanwhile."""
    await asyncio.sleep(0)
    hold(turns.next[-1] + 0.3)
    await asyncio.sleep(0.01)

    assert 0.2 < max(turns.late)


async def test_it_goes_on_while_another_one_is_measured(lag: LoopLag, turns: Turns) -> None:
    """The first to end does not end it for all."""
    lag.begin()
    began = lag.begin()
    lag.end(began)
    hold(0.3)
    await asyncio.sleep(0.06)

    assert 0.2 < max(turns.late)


async def test_whoever_asks_has_a_turn_while_it_rests(lag: LoopLag, turns: Turns) -> None:
    """Somebody outside of the loop wonders whether it stands still."""
    lag.ask()
    hold(0.3)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert 0.2 < turns.late[-1]


async def test_where_nobody_started_it_nothing_was_late() -> None:
    """Where time is moved by hand, real time says nothing."""
    lag = LoopLag(SystemClock())
    began = lag.begin()
    hold(0.06)

    assert 0.0 == lag.end(began)
