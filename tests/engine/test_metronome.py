"""The metronome on a busy machine."""

import asyncio
import logging
import random
import time

import pytest
import structlog
import uvloop

from bot.engine.metronome import LONG_BEAT_S, ApTicker

EVERY_S = 0.02


async def hold_the_loop(lots: random.Random) -> None:
    """What a busy machine does to everybody: the loop stands still, now and then for several beats."""
    for _ in range(20):
        time.sleep(lots.choice((0.0, 0.03, 0.06)))  # noqa: ASYNC251 # standing still is the point
        await asyncio.sleep(lots.choice((0.0, 0.0, 0.001, 0.01)))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_busy_machine_is_no_trouble_of_the_scheduler(caplog: pytest.LogCaptureFixture, seed: int) -> None:
    """Whoever reads the log is not told of jobs and instances, of which they know nothing."""
    caplog.set_level(logging.WARNING, logger="apscheduler")
    lots = random.Random(seed)

    async def play() -> None:
        ticker = ApTicker()
        ticker.start(lambda: asyncio.sleep(lots.choice((0.0, 0.1, 0.6))), EVERY_S)
        await asyncio.gather(*(hold_the_loop(lots) for _ in range(3)))
        await ticker.stop()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play())

    assert [] == [record.getMessage() for record in caplog.records if record.name.startswith("apscheduler")]


async def test_beats_that_are_left_out_are_said_in_one_line() -> None:
    """A machine that cannot keep up starts checks late: that is not swallowed, and does not fill the log."""
    ticker = ApTicker()
    with structlog.testing.capture_logs() as logs:
        ticker.start(lambda: asyncio.sleep(LONG_BEAT_S), EVERY_S)
        await asyncio.sleep(LONG_BEAT_S * 2.5)
        await ticker.stop()
    said = [log for log in logs if log["event"].startswith("a beat took long")]

    assert 1 == len(said)
    assert said[0]["took_s"] >= LONG_BEAT_S
    assert said[0]["left_out"] > 0


async def test_a_beat_under_way_is_never_joined_by_another() -> None:
    """What is due is decided by one at a time."""
    running = most = beats = 0

    async def beat() -> None:
        nonlocal running, most, beats
        running, beats = running + 1, beats + 1
        most = max(most, running)
        await asyncio.sleep(EVERY_S * 3)
        running -= 1

    ticker = ApTicker()
    ticker.start(beat, EVERY_S)
    async with asyncio.timeout(10):
        while beats < 4:
            await asyncio.sleep(EVERY_S)
    await ticker.stop()

    assert 1 == most
    assert 0 == running


def test_a_slow_beat_is_not_taken_for_a_stepped_clock() -> None:
    """The demo beats twenty times a second: a beat of a quarter of a second is no news, and no line each time."""

    async def play() -> None:
        ticker = ApTicker()
        ticker.start(lambda: asyncio.sleep(0.25), EVERY_S)
        await asyncio.sleep(1.5)
        await ticker.stop()

    with structlog.testing.capture_logs() as logs, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play())

    assert [] == logs


async def test_what_cannot_wait_is_done_beside_a_beat_that_takes_long() -> None:
    """A ledger on a slow disk holds up decisions, and no look at a vendor."""
    ticker, hold = ApTicker(), asyncio.Event()
    looks: list[int] = []

    async def waits() -> None:
        await hold.wait()

    ticker.start(waits, EVERY_S, lambda: looks.append(1))
    await asyncio.sleep(EVERY_S * 20)
    hold.set()
    await ticker.stop()

    assert len(looks) >= 5
