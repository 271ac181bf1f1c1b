"""The metronome on a busy machine."""

import asyncio
import logging
import random
import time
from datetime import UTC, datetime, timedelta

import pytest
import structlog
import uvloop

from bot.engine.metronome import LONG_LOOK_S, ApTicker

EVERY_S = 0.02


async def hold_the_loop(lots: random.Random) -> None:
    """Block the event loop now and then for several beats, as a busy machine does."""
    for _ in range(20):
        time.sleep(lots.choice((0.0, 0.03, 0.06)))  # noqa: ASYNC251 # standing still is the point
        await asyncio.sleep(lots.choice((0.0, 0.0, 0.001, 0.01)))


def nothing() -> None:
    """A beat that does nothing."""


@pytest.mark.parametrize("seed", [1, 2])
def test_scheduler_logs_nothing_on_a_busy_machine(caplog: pytest.LogCaptureFixture, seed: int) -> None:
    """Operators know nothing of its jobs and instances."""
    caplog.set_level(logging.WARNING, logger="apscheduler")
    lots = random.Random(seed)

    async def play() -> None:
        ticker = ApTicker()
        ticker.start(nothing, lambda: asyncio.sleep(lots.choice((0.0, 0.1, 0.6))), EVERY_S)
        await asyncio.gather(*(hold_the_loop(lots) for _ in range(3)))
        await ticker.stop()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play())

    assert [] == [record.getMessage() for record in caplog.records if record.name.startswith("apscheduler")]


async def test_skipped_looks_are_logged_in_one_line() -> None:
    """A machine or database that cannot keep up delays deadlines: that is logged, but does not fill the log."""
    ticker = ApTicker()
    with structlog.testing.capture_logs() as logs:
        ticker.start(nothing, lambda: asyncio.sleep(LONG_LOOK_S), EVERY_S)
        await asyncio.sleep(LONG_LOOK_S * 2.5)
        await ticker.stop()
    said = [log for log in logs if log["event"].startswith("reading the ledger and samples took long")]

    assert 1 == len(said)
    assert said[0]["took_s"] >= LONG_LOOK_S
    assert said[0]["left_out"] > 0


async def test_beats_go_on_while_a_look_hangs() -> None:
    """Perhaps for a frozen database; looks resume when that is over."""
    answers = asyncio.Event()
    beats = looks = 0

    def beat() -> None:
        nonlocal beats
        beats += 1

    async def look() -> None:
        nonlocal looks
        looks += 1
        await answers.wait()

    ticker = ApTicker()
    ticker.start(beat, look, EVERY_S)
    async with asyncio.timeout(10):
        while beats < 20:
            await asyncio.sleep(EVERY_S)
        assert 1 == looks
        answers.set()
        while looks < 3:
            await asyncio.sleep(EVERY_S)
    await ticker.stop()


async def test_failing_beat_stops_nothing() -> None:
    """Neither looks nor later beats."""
    beats = looks = 0

    def beat() -> None:
        nonlocal beats
        beats += 1
        raise ValueError("a fault of ours")

    async def look() -> None:
        nonlocal looks
        looks += 1

    ticker = ApTicker()
    with structlog.testing.capture_logs() as logs:
        ticker.start(beat, look, EVERY_S)
        async with asyncio.timeout(10):
            while beats < 3 or looks < 3:
                await asyncio.sleep(EVERY_S)
        await ticker.stop()

    assert {"beat failed"} == {log["event"] for log in logs}


async def test_only_one_look_runs_at_a_time() -> None:
    """And none is left running once the metronome has stopped."""
    running = most = looks = 0

    async def look() -> None:
        nonlocal running, most, looks
        running, looks = running + 1, looks + 1
        most = max(most, running)
        await asyncio.sleep(EVERY_S * 3)
        running -= 1

    ticker = ApTicker()
    ticker.start(nothing, look, EVERY_S)
    async with asyncio.timeout(10):
        while looks < 4:
            await asyncio.sleep(EVERY_S)
    await ticker.stop()

    assert 1 == most
    assert 0 == running


def test_slow_beat_is_not_mistaken_for_a_stepped_clock() -> None:
    """The demo beats twenty times a second; a quarter of a second is not worth a line."""

    async def play() -> None:
        ticker = ApTicker()
        ticker.start(lambda: time.sleep(0.1), lambda: asyncio.sleep(0.25), EVERY_S)
        await asyncio.sleep(1.5)
        await ticker.stop()

    with structlog.testing.capture_logs() as logs, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play())

    assert [] == logs


async def test_deadline_is_handled_when_it_passes() -> None:
    """Not at the next beat, which may be a second away."""
    looked = asyncio.Event()

    async def look() -> None:
        looked.set()

    ticker = ApTicker()
    ticker.start(nothing, look, 3600.0)
    ticker.expect(datetime.now(UTC) + timedelta(hours=1))
    ticker.expect(datetime.now(UTC) + timedelta(seconds=0.05))
    began = time.monotonic()
    async with asyncio.timeout(30):
        await looked.wait()
    await ticker.stop()

    assert 0.04 < time.monotonic() - began


async def test_cancelled_deadline_is_not_handled() -> None:
    """Somebody wrote the update before it was due."""
    looks = 0

    async def look() -> None:
        nonlocal looks
        looks += 1

    ticker = ApTicker()
    ticker.start(nothing, look, 3600.0)
    ticker.expect(datetime.now(UTC) + timedelta(seconds=0.05))
    ticker.expect(None)
    await asyncio.sleep(0.2)
    await ticker.stop()

    assert 0 == looks
