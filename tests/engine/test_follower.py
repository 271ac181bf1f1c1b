"""A follower of other replicas' commits knows when it cannot follow, why, and since when."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.engine.follower import UNHEARD_AFTER_S, Follower
from bot.ports import StoreError, StoreTrouble
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from tests.desk import START

AWAY = StoreError("the database is away", kind=StoreTrouble.AWAY, permanent=False)
NEWER = StoreError("a newer Understudy writes this ledger", kind=StoreTrouble.NEWER)


class Engine:
    """An engine that catches up, or raises what it is told to."""

    def __init__(self) -> None:
        self.fails: Exception | None = None
        self.looks = 0
        self.looked: Callable[[], None] = lambda: None

    async def catch_up(self) -> None:
        self.looks += 1
        self.looked()
        if self.fails is not None:
            raise self.fails


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


def follower(engine: Any, clock: ManualClock, *, shared: bool = True) -> Follower:
    return Follower(InlineLedger(InlineLedger.open().conn, shared=shared), engine, clock)


def later(clock: ManualClock, seconds: float) -> datetime:
    clock.advance(timedelta(seconds=seconds))
    return clock.now()


async def test_view_counts_as_outdated_since_the_last_good_look(engine: Engine, clock: ManualClock) -> None:
    """Flags may have been switched elsewhere since; the next good look ends that."""
    follows = follower(engine, clock)
    good = later(clock, 1)
    await follows.look()
    later(clock, 1)
    engine.fails = AWAY
    await follows.look()
    assert (AWAY, good, False) == (follows.error, follows.unheard_since(), follows.outdated)

    later(clock, 1)
    engine.fails = None
    await follows.look()
    assert (None, None, clock.now()) == (follows.error, follows.unheard_since(), follows.heard_at)


async def test_silent_ledger_counts_as_outdated_after_three_seconds(engine: Engine, clock: ManualClock) -> None:
    """A hanging look raises no error; three seconds allow for the interval and a hiccup."""
    follows = follower(engine, clock)
    await follows.look()
    later(clock, UNHEARD_AFTER_S)
    before = follows.unheard_since()
    later(clock, 0.1)

    assert (None, START) == (before, follows.unheard_since())


async def test_older_version_knows_that_it_is_outdated(engine: Engine, clock: ManualClock) -> None:
    """It stops deciding, and says to upgrade it."""
    follows = follower(engine, clock)
    engine.fails = NEWER
    await follows.look()

    assert follows.outdated


async def test_own_bug_is_logged_once_and_retried(engine: Engine, clock: ManualClock) -> None:
    """With its traceback; other replicas' commits must not stay unseen for good."""
    follows = follower(engine, clock)
    engine.fails = KeyError("incident/7")
    with capture_logs() as lines:
        await follows.look()
        await follows.look()

    assert 1 == sum("a bug in Understudy" in line["event"] for line in lines)
    assert (True, False) == ("KeyError" in str(follows.error), follows.outdated)
    engine.fails = None
    await follows.look()
    assert follows.error is None


async def test_each_reason_not_to_follow_is_logged_once(engine: Engine, clock: ManualClock) -> None:
    """It looks every second, and the same line would hide all others."""
    follows = follower(engine, clock)
    with capture_logs() as lines:
        for error in (AWAY, AWAY, NEWER, NEWER):
            engine.fails = error
            await follows.look()

    assert [str(AWAY), str(NEWER)] == [line["why"] for line in lines if line["log_level"] == "error"]


@pytest.mark.parametrize("shared", [True, False])
async def test_only_a_shared_ledger_is_followed(engine: Engine, clock: ManualClock, shared: bool) -> None:
    """The only process of a ledger has nobody to follow."""
    follows = follower(engine, clock, shared=shared)
    follows.start()
    for _ in range(5):
        await asyncio.sleep(0)
    await follows.close()

    assert shared is bool(engine.looks)


async def test_announcement_during_a_look_causes_another_look(engine: Engine, clock: ManualClock) -> None:
    """The commit may have been too late for the first, and nobody should wait a second."""
    calls: list[Callable[[], None]] = []

    class Calling(InlineLedger):
        def on_commit(self, callback: Callable[[], None]) -> None:
            calls.append(callback)

    follows = Follower(Calling(InlineLedger.open().conn, shared=True), engine, clock)  # type: ignore[arg-type] # it catches up
    engine.looked = lambda: calls[0]() if engine.looks == 1 else None
    follows.start()
    for _ in range(20):
        await asyncio.sleep(0)
    await follows.close()

    assert 2 == engine.looks
