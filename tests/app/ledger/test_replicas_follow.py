"""Two whole bots over one ledger: what one of them commits, the other one serves and shows."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from bot.app import App, build
from bot.core import signals as s
from bot.core.record.sight import Sight
from bot.engine.follower import LOOK_EVERY_S, UNHEARD_AFTER_S
from bot.engine.tail import LedgerView
from bot.flags.evaluate import Evaluation
from bot.ports import Store, StoreError
from bot.sandbox.chat import FakeChat
from bot.sandbox.world import LoopClock, LoopTicker
from bot.store.samples.sqlite import InlineSamples
from bot.store.sqlite.engine import connect
from bot.store.sqlite.ledgers import InlineLedger
from bot.wiring.parts import Parts
from tests.desk import ANA, RULE
from tests.engine.test_bad_days import in_virtual_time
from tests.ledger_facts import OfTomorrow, commit, fact
from tests.simulation.stage import Silence, settings
from tests.simulation.weather import ScriptedPage, ScriptedProber, Weather

T = TypeVar("T")

FLAG = "support-chat.llm"
NEVER_S = 1e6  # between two beats: nobody looks at anything here


class SharedLedger(InlineLedger):
    """One of several over the same file, announced to each other as by a database; announcements and connection may be cut.

    A read waits for `answers`, and `on_read` is called with what it found.
    """

    away = False
    on_read: Callable[[object], Awaitable[None]] | None = None
    everybody: list["SharedLedger"]
    calls: Callable[[], None] | None = None

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.answers = asyncio.Event()
        self.answers.set()

    def on_commit(self, callback: Callable[[], None]) -> None:
        self.calls = callback

    async def write(self, work: Callable[[Store], T]) -> T:
        self._reach()
        done = await super().write(work)
        for one in self.everybody:
            if one.calls:
                asyncio.get_running_loop().call_soon(one.calls)
        return done

    async def read(self, work: Callable[[Store], T]) -> T:
        self._reach()
        await self.answers.wait()
        found = await super().read(work)
        if self.on_read:
            await self.on_read(found)
        return found

    def _reach(self) -> None:
        if self.away:
            raise StoreError("the database cannot be reached", permanent=False)


class Two:
    """Two bots, each with a way of its own to the ledger."""

    def __init__(self) -> None:
        self.clock = LoopClock(asyncio.get_running_loop())
        conn = connect(":memory:")
        self.ledgers = [SharedLedger(conn, shared=True) for _ in range(2)]
        for ledger in self.ledgers:
            ledger.everybody = self.ledgers
        self.notifier = Silence()
        self.apps = [self._app(ledger) for ledger in self.ledgers]

    def _app(self, ledger: InlineLedger) -> App:
        chat = FakeChat(self.clock)
        chat.add_channel("ops")
        dice = random.Random(1)
        weather = Weather(dice, 24.0, tuple(settings().config.components()))
        return build(
            settings(),
            parts=Parts(
                clock=self.clock, wire_clock=self.clock, ledger=ledger, samples=InlineSamples.open(), chat=chat,
                prober=ScriptedProber(weather, self.clock, dice), fetcher=ScriptedPage(weather, self.clock, dice, {}),
                ticker=LoopTicker(NEVER_S), notifier=self.notifier, web=False,
            ),
        )  # fmt: skip

    def served(self, app: int = 1) -> Evaluation:
        found = self.apps[app].board.evaluate(FLAG, {})
        assert isinstance(found, Evaluation)
        return found

    async def engage(self, app: int = 0) -> None:
        answer = await self.apps[app].engine.handle(s.EngageFlag(actor=ANA, flag=FLAG, variant="gpt", reason="down"))
        assert answer.ok

    async def restart(self, app: int) -> list[str]:
        """Stop a bot and start it again; returns what its readers could get, one after the other."""
        served: list[str] = []
        await self.apps[app].stop()
        self.apps[app] = self._app(self.ledgers[app])
        self.apps[app].board.tells(lambda: served.append(self.served(app).variant))
        await self.apps[app].start()
        await asyncio.sleep(2 * LOOK_EVERY_S)
        return served


def play(scene: Callable[[Two], Awaitable[T]]) -> T:
    async def played() -> T:
        two = Two()
        for app in two.apps:
            await app.start()
        await asyncio.sleep(5)
        try:
            return await scene(two)
        finally:
            for app in two.apps:
                await app.stop()

    return in_virtual_time(played)


def test_a_switch_at_one_replica_is_served_by_the_other_at_once() -> None:
    """Its readers get the fallback as soon as the database calls."""

    async def scene(two: Two) -> tuple[Any, Any]:
        before = two.served().variant
        await two.engage()
        await asyncio.sleep(0.01)
        return before, two.served().variant

    assert ("claude", "gpt") == play(scene)


def test_a_switch_during_the_start_of_a_replica_is_in_its_first_answer() -> None:
    """It serves nothing that was over before it answered anybody."""

    async def scene(two: Two) -> list[str]:

        async def commit_meanwhile(found: object) -> None:
            if isinstance(found, LedgerView) and found.anew:  # the world was loaded
                await two.engage()

        two.ledgers[1].on_read = commit_meanwhile
        return await two.restart(1)

    assert ["gpt"] == play(scene)


def test_a_call_that_got_lost_costs_a_second() -> None:
    """Calls are lost while a connection is made anew, so it is also looked at by time."""

    async def scene(two: Two) -> tuple[Any, Any]:
        two.ledgers[1].calls = None
        await two.engage()
        await asyncio.sleep(0.01)
        before = two.served().variant
        await asyncio.sleep(LOOK_EVERY_S)
        return before, two.served().variant

    assert ("claude", "gpt") == play(scene)


def test_a_replica_without_the_database_serves_its_last_values_and_says_since_when() -> None:
    """No reader waits and none is told that all is as it should be; when the database is back it is."""

    async def scene(two: Two) -> list[tuple[Any, ...]]:
        seen = []
        for away in (False, True, False):
            two.ledgers[1].away = away
            if away:
                await two.engage()
            await asyncio.sleep(2 * LOOK_EVERY_S)
            seen.append((two.served().variant, two.served().metadata.get("state"), two.apps[1].health().ready))
        return seen

    assert [("claude", None, True), ("claude", "STALE", False), ("gpt", None, True)] == play(scene)


def test_a_database_that_does_not_answer_is_noticed() -> None:
    """A connection that hangs raises nothing."""

    async def scene(two: Two) -> tuple[Any, ...]:
        two.ledgers[1].answers.clear()  # as with a cut cable
        await asyncio.sleep(UNHEARD_AFTER_S + 2 * LOOK_EVERY_S)
        state, part = two.served().metadata.get("state"), two.apps[1].health().parts["following"]
        two.ledgers[1].answers.set()
        await asyncio.sleep(2 * LOOK_EVERY_S)
        return state, part.ok, part.state, two.served().metadata.get("state")

    assert ("STALE", False, "unheard", None) == play(scene)


def test_a_replica_that_is_older_than_its_ledger_stops_deciding_and_says_so() -> None:
    """In a rolling upgrade its flags are served on; it is not ready, and people are told what helps."""

    async def scene(two: Two) -> tuple[Any, ...]:
        await two.ledgers[0].write(lambda store: store.commit(commit(fact("incident/1", 1, OfTomorrow("test.of_tomorrow")))))
        await asyncio.sleep(0.01)
        with pytest.raises(StoreError, match="a newer Understudy writes this ledger"):
            await two.engage(1)
        app = two.apps[1]
        return two.served().variant, app.health().ready, app.health().parts["following"].state, app.trouble()

    variant, ready, state, trouble = play(scene)
    assert ("claude", False, "newer") == (variant, ready, state)
    assert "no longer decides anything: a newer Understudy writes the ledger." in trouble


def test_people_are_called_once_of_what_two_replicas_see() -> None:
    """That we are blind goes out by other ways too: from the replica that put it on record."""

    async def scene(two: Two) -> list[str]:
        blind = Sight(blind=True, began_at=two.clock.now(), reason="nothing answers")
        await two.apps[0].engine.handle(s.SightChanged(actor=RULE, sight=blind))
        await asyncio.sleep(5)
        return [title for title, _ in two.notifier.said]

    assert ["Understudy is blind"] == play(scene)


def test_facts_are_counted_by_the_replica_that_committed_them() -> None:
    """So that the sum over all replicas is what happened."""

    async def scene(two: Two) -> list[float]:
        await two.engage()
        await asyncio.sleep(1)
        labels = {"kind": "flag.engaged"}
        return [app._setup.metrics.registry.get_sample_value("understudy_facts_total", labels) or 0.0 for app in two.apps]

    assert [1.0, 0.0] == play(scene)
