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
    """What a busy machine does to everybody: the loop stands still, now and then for several beats."""
    for _ in range(20):
        time.sleep(lots.choice((0.0, 0.03, 0.06)))  # noqa: ASYNC251 # standing still is the point
        await asyncio.sleep(lots.choice((0.0, 0.0, 0.001, 0.01)))


def nothing() -> None:
    """What a beat does here."""


@pytest.mark.parametrize("seed", [1, 2])
def test_a_busy_machine_is_no_trouble_of_the_scheduler(caplog: pytest.LogCaptureFixture, seed: int) -> None:
    """Whoever reads the log is not told of jobs and instances, of which they know nothing."""
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


async def test_looks_that_are_left_out_are_said_in_one_line() -> None:
    """A machine or a database that cannot keep up makes what falls due late: that is not swallowed, and fills no log."""
    ticker = ApTicker()
    with structlog.testing.capture_logs() as logs:
        ticker.start(nothing, lambda: asyncio.sleep(LONG_LOOK_S), EVERY_S)
        await asyncio.sleep(LONG_LOOK_S * 2.5)
        await ticker.stop()
    said = [log for log in logs if log["event"].startswith("reading the ledger and samples took long")]

    assert 1 == len(said)
    assert said[0]["took_s"] >= LONG_LOOK_S
    assert said[0]["left_out"] > 0


async def test_beats_go_on_while_a_look_waits() -> None:
    """For a database that stands still, perhaps; when it is over, looks go on as well."""
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


async def test_a_beat_that_fails_ends_nothing() -> None:
    """Neither the looks nor the beats that follow."""
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


async def test_a_look_under_way_is_never_joined_by_another() -> None:
    """What is due is decided by one at a time; nothing is under way once the metronome has stopped."""
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


def test_a_slow_beat_is_not_taken_for_a_stepped_clock() -> None:
    """The demo beats twenty times a second: a beat or a look of a quarter of a second is no news, and no line each time."""

    async def play() -> None:
        ticker = ApTicker()
        ticker.start(lambda: time.sleep(0.1), lambda: asyncio.sleep(0.25), EVERY_S)
        await asyncio.sleep(1.5)
        await ticker.stop()

    with structlog.testing.capture_logs() as logs, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play())

    assert [] == logs


async def test_a_deadline_is_looked_at_when_it_passes() -> None:
    """Not with the beat after it, which may be a second away."""
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


async def test_a_deadline_that_is_gone_is_not_looked_at() -> None:
    """Somebody wrote the update before it was asked for."""
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
