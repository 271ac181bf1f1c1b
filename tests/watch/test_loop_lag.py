"""How late our own loop is: measured often while a check is measured, otherwise once a second."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from bot.core.model import Fault, Outcome, Sample
from bot.sandbox.world import EPOCH
from bot.system.clock import SystemClock
from bot.watch.lag import LoopLag, doubted


class Turns:
    """Records the turns that the loop takes."""

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
    """Block the loop."""
    time.sleep(seconds)


async def test_blocked_loop_is_measured(lag: LoopLag) -> None:
    """For as long as it was blocked."""
    began = lag.begin()
    await asyncio.sleep(0.06)
    hold(0.3)
    await asyncio.sleep(0.06)

    assert 0.2 < lag.end(began)


async def test_block_that_is_still_going_on_counts(lag: LoopLag) -> None:
    """The end of a measurement may be the first thing to run."""
    began = lag.begin()
    hold(0.3)

    assert 0.2 < lag.end(began)


async def test_measurement_begun_after_a_block_is_not_affected(lag: LoopLag) -> None:
    """Beside others that were."""
    other = lag.begin()
    hold(0.3)
    await asyncio.sleep(0.06)
    began = lag.begin()
    await asyncio.sleep(0.06)

    assert 0.2 > lag.end(began)
    assert 0.2 < lag.end(other)


async def test_loop_lag_rests_while_nothing_is_measured(lag: LoopLag, turns: Turns) -> None:
    """Waking up twenty times a second cost more than everything else in an idle bot."""
    began = lag.begin()
    await asyncio.sleep(0.12)
    lag.end(began)
    after = len(turns.late)
    await asyncio.sleep(0.2)

    assert len(turns.late) <= after + 1  # all that look once a second do so in one instant, which may have come
    assert 0.5 <= turns.next[-1] <= 1.5


async def test_block_is_noticed_while_resting(lag: LoopLag, turns: Turns) -> None:
    """Even one that only waits: flags are not answered meanwhile."""
    await asyncio.sleep(0)
    hold(turns.next[-1] + 0.3)
    await asyncio.sleep(0.01)

    assert 0.2 < max(turns.late)


async def test_measuring_goes_on_until_the_last_measurement_ends(lag: LoopLag, turns: Turns) -> None:
    """The first to end does not end it for all."""
    lag.begin()
    began = lag.begin()
    lag.end(began)
    hold(0.3)
    await asyncio.sleep(0.06)

    assert 0.2 < max(turns.late)


async def test_requested_turn_is_given_while_resting(lag: LoopLag, turns: Turns) -> None:
    """A thread outside the loop checks whether it is blocked."""
    lag.ask()
    hold(0.3)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert 0.2 < turns.late[-1]


async def test_nothing_is_late_if_never_started() -> None:
    """Where time is moved by hand, real time says nothing."""
    lag = LoopLag(SystemClock())
    began = lag.begin()
    hold(0.06)

    assert 0.0 == lag.end(began)


@pytest.mark.parametrize(("speed", "every_s"), [(0.1, 0.05), (1.0, 0.05), (5.0, 0.01), (60.0, 0.005)])
async def test_interval_shrinks_as_the_clock_runs_faster(turns: Turns, speed: float, every_s: float) -> None:
    """Deadlines are shorter by that factor; within sensible limits."""
    lag = LoopLag(SystemClock(), turns, speed=speed)
    lag.start()
    lag.begin()
    lag.stop()

    assert every_s == pytest.approx(turns.next[-1])


@pytest.mark.parametrize(
    ("outcome", "error", "late_s", "took_s", "doubtful"),
    [
        (Outcome.SLOW, None, 0.3, 1.0, True), (Outcome.SLOW, None, 0.1, 1.0, False), (Outcome.SLOW, None, 0.2, 1.0, True),
        (Outcome.SLOW, None, 0.04, 0.1, False), (Outcome.FAIL, "deadline", 0.3, 1.0, True),
        (Outcome.FAIL, "http_5xx", 0.3, 1.0, False), (Outcome.OK, None, 0.3, 1.0, False),
    ],
)  # fmt: skip
def test_timeouts_caused_by_our_own_loop_do_not_count(
    outcome: Outcome, error: str | None, late_s: float, took_s: float, doubtful: bool
) -> None:
    """By a good part of what was measured; an answer is one however late, and so is a server's error."""
    sample = Sample("api", "vendor.api", EPOCH, outcome, error=error, reason="3.2 s", phases_ms={"total": 1_000.0})
    found = doubted(sample, late_s, took_s)

    assert doubtful is (found.outcome is Outcome.INCONCLUSIVE)
    if doubtful:
        assert ("lagged", Fault.LOCAL) == (found.error, found.fault)
        assert f"our own loop was {late_s * 1000:.0f} ms late meanwhile" in found.reason and "3.2 s" in found.reason


def test_latency_of_an_answer_delayed_by_our_loop_is_dropped() -> None:
    """It is an answer, but no latency."""
    sample = Sample("api", "vendor.api", EPOCH, Outcome.OK, phases_ms={"total": 1_000.0})
    assert (Outcome.OK, {}) == ((found := doubted(sample, 0.3, 1.0)).outcome, found.phases_ms)


def test_short_delay_counts_if_the_clock_runs_fast() -> None:
    """A deadline of a second is over in ten milliseconds."""
    sample = Sample("api", "vendor.api", EPOCH, Outcome.FAIL, error="deadline")
    assert Outcome.INCONCLUSIVE is doubted(sample, 0.003, 0.01, speed=100.0).outcome
