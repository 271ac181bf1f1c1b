"""Whatever blocks the loop is found from outside, named and counted; a dead loop is not waited for for ever."""

import asyncio
import signal
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.codec import encode
from bot.system.clock import SystemClock
from bot.watch.lag import LoopLag
from bot.watch.watchdog import GONE_AFTER_S, OUTSIDE, Stall, Watchdog, culprit
from bot.web.metrics import Metrics

START = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
ALARM_IS_FREE = pytest.mark.timeout(60, method="thread")  # pytest-timeout takes SIGALRM for itself otherwise


async def watched(held_s: float, *, gone_after_s: float = 30.0, measured: bool = True) -> tuple[list[Stall], list[float]]:
    """What a watchdog reports of a loop that encodes something for so long, while a check is `measured` or not."""
    stalls: list[Stall] = []
    gone: list[float] = []
    watchdog = Watchdog(
        SystemClock(), ask=lambda: lag.ask(), on_stall=stalls.append, on_gone=lambda: gone.append(time.monotonic()),
        gone_after_s=gone_after_s,
    )  # fmt: skip
    lag = LoopLag(SystemClock(), watchdog.turn)
    lag.start()
    watchdog.start()
    if measured:
        lag.begin()
    await asyncio.sleep(0.06)
    until = time.monotonic() + held_s
    while time.monotonic() < until:
        encode([0] * 20_000)
    await asyncio.sleep(0.06)
    lag.stop()
    watchdog.stop()
    return stalls, gone


async def named(*, measured: bool) -> Stall:
    """The longest stall of a loop blocked for half a second. Repeated if the machine stopped us meanwhile."""
    for _ in range(3):
        stalls, gone = await watched(0.5, measured=measured)
        assert [] == gone
        longest = max(stalls, key=lambda stall: stall.seconds)
        if longest.code.startswith("bot/"):
            break
    return longest


@ALARM_IS_FREE
@pytest.mark.parametrize("measured", [True, False])
async def test_function_that_blocks_the_loop_is_named(measured: bool) -> None:
    """Our innermost one, so that the log line says where to look."""
    longest = await named(measured=measured)

    assert "bot/core/codec.py" == longest.code.partition(" ")[0]
    assert 0.3 < longest.seconds  # it may be asked for a turn a while after it was held


@pytest.mark.parametrize("measured", [True, False])
async def test_function_that_blocks_the_loop_is_named_without_the_alarm(measured: bool) -> None:
    """A process has one SIGALRM, which pytest-timeout uses here; then the thread finds it."""
    assert "bot/core/codec.py" == (await named(measured=measured)).code.partition(" ")[0]


def waits_for_nobody() -> None:
    """Wait as code does that asks a disk or a server without leaving the loop."""
    time.sleep(1.9)


@ALARM_IS_FREE
async def test_function_that_waits_on_the_loop_is_named_while_nothing_is_measured() -> None:
    """It takes no processor time, but nothing is answered either."""
    stalls: list[Stall] = []
    watchdog = Watchdog(SystemClock(), ask=lambda: lag.ask(), on_stall=stalls.append)
    lag = LoopLag(SystemClock(), watchdog.turn)
    lag.start()
    watchdog.start()
    await asyncio.sleep(0.01)
    waits_for_nobody()
    await asyncio.sleep(0.01)
    lag.stop()
    watchdog.stop()

    assert ["watch/test_watchdog.py waits_for_nobody"] == [stall.code for stall in stalls]
    assert 0.3 < stalls[0].seconds


class Counting(SystemClock):
    """Real time that counts how often the watchdog's thread reads it."""

    asked = 0

    def monotonic(self) -> float:
        self.asked += threading.current_thread().name == "watchdog"
        return super().monotonic()


@ALARM_IS_FREE
async def test_thread_rests_while_the_loop_runs() -> None:
    """An idle bot costs next to nothing: neither thread nor loop wakes up to see that all is well."""
    clock, turns = Counting(), []
    watchdog = Watchdog(clock, ask=lambda: lag.ask(), on_stall=lambda _: None)
    lag = LoopLag(clock, lambda late_s, next_s: (turns.append(late_s), watchdog.turn(late_s, next_s)))
    lag.start()
    watchdog.start()
    await asyncio.sleep(0.9)
    lag.stop()
    watchdog.stop()

    assert clock.asked <= 3
    assert len(turns) <= 3


@ALARM_IS_FREE
async def test_signal_handlers_are_restored() -> None:
    """Later users of SIGALRM or SIGPROF find them as they were."""
    await watched(0.0)

    assert signal.SIG_DFL is signal.getsignal(signal.SIGALRM)
    assert signal.SIG_DFL is signal.getsignal(signal.SIGPROF)


async def test_dead_loop_is_reported_once() -> None:
    """Whoever started the bot decides what follows."""
    _, gone = await watched(3.0, gone_after_s=0.3)

    assert 1 == len(gone)


async def test_stopped_process_names_no_function() -> None:
    """With uvloop it continues with the due callback, which the alarm interrupts first, and which blocked nobody."""
    interrupted: list[str] = []
    lag = LoopLag(SystemClock(), lambda _, __: interrupted.append(culprit(sys._getframe(1))[0]))
    lag.start()
    lag.ask()
    await asyncio.sleep(0.01)
    lag.stop()

    assert OUTSIDE == interrupted[-1]


async def test_loop_that_waits_too_long_counts_as_dead() -> None:
    """It takes no processor time, and nothing is measured: then the thread requests a turn."""
    gone = threading.Event()
    watchdog = Watchdog(
        SystemClock(), ask=lambda: lag.ask(), on_stall=lambda _: None, on_gone=gone.set, gone_after_s=0.3
    )  # fmt: skip
    lag = LoopLag(SystemClock(), watchdog.turn)
    lag.start()
    watchdog.start()
    await asyncio.sleep(0.06)
    told = gone.wait(20)  # which nothing but the watchdog ends
    lag.stop()
    watchdog.stop()

    assert told


async def test_loop_that_resumes_is_not_dead() -> None:
    """However long it was blocked before."""
    _, gone = await watched(0.3, gone_after_s=30.0)

    assert [] == gone


class Steps:
    """A clock that advances by the next of these steps at each reading, then by the last."""

    speed = 1.0

    def __init__(self, *steps: float) -> None:
        self.seconds = 0.0
        self._steps = list(steps)
        self.passed = threading.Event()  # all steps were made, and a few more

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        self.seconds += self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
        if self.seconds > 2 * GONE_AFTER_S:
            self.passed.set()
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("the watchdog waits in real seconds")


def test_loop_is_dead_after_thirty_seconds_without_a_turn() -> None:
    """Not before, and not much later."""
    clock, gone_at = Steps(0.39), []
    watchdog = Watchdog(
        clock, ask=lambda: None, on_stall=lambda _: None, on_gone=lambda: (gone_at.append(clock.seconds), clock.passed.set())
    )
    watchdog.start()
    clock.passed.wait(30)
    watchdog.stop()

    assert [True] == [30 <= at < 31 for at in gone_at]


def test_process_stopped_for_an_hour_is_not_dead() -> None:
    """A laptop slept, or somebody pressed Ctrl-Z: only time in which the process ran counts."""
    clock, gone = Steps(0.0, 0.02, 3600.0, 0.02), []
    watchdog = Watchdog(clock, ask=lambda: None, on_stall=lambda _: None, on_gone=lambda: gone.append(True))
    watchdog.start()
    clock.passed.wait(30)
    watchdog.stop()

    assert [] == gone


def test_nothing_is_named_while_the_loop_waits() -> None:
    """The machine was busy with other work, or slept."""
    assert (OUTSIDE, 0) == culprit(None)


def test_stopping_the_watchdog_ends_its_thread() -> None:
    """Nothing is left behind."""
    watchdog = Watchdog(SystemClock(), ask=lambda: None, on_stall=lambda _: None)
    watchdog.start()
    watchdog.stop()

    assert "watchdog" not in {thread.name for thread in threading.enumerate()}


def test_stalls_are_counted_by_function() -> None:
    """Prometheus shows whether they happen, and where."""
    metrics = Metrics("test")
    metrics.observe_stall("bot/core/decide/step.py step", 0.25)
    metrics.observe_stall("bot/core/decide/step.py step", 0.5)
    value = metrics.registry.get_sample_value

    assert 2.0 == value("understudy_loop_stalls_total", {"code": "bot/core/decide/step.py step"})
    assert 0.75 == value("understudy_loop_stalled_seconds_total")


def test_places_are_relative_to_the_project() -> None:
    """No path of anybody's machine is in a log or a label."""
    code, line = culprit(__import__("sys")._getframe())

    assert str(Path(__file__).resolve().parents[2]) not in code
    assert line > 0
