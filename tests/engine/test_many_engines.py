"""Several engines over one ledger: whatever they are told, and in whichever order they come to it, they end in one world.

Each ledger here is one of several over the same connection, as those of several replicas are, and lets the others come in
between wherever a real one would.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.core import signals as s
from bot.core.record.fact import Fact
from bot.core.record.recent import without_old
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.engine.engine import CommittingEngine
from bot.engine.world_reading import read_world
from bot.ports import Store
from bot.store.sqlite.engine import connect
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from tests.desk import ANA, START, policy
from tests.years import QUIET, a_signal

T = TypeVar("T")


class Between(InlineLedger):
    """A shared ledger: before and after each access other engines may act, at random."""

    dice = random.Random(0)

    async def write(self, work: Callable[[Store], T]) -> T:
        await self._wait()
        done = await super().write(work)
        await self._wait()
        return done

    async def read(self, work: Callable[[Store], T]) -> T:
        await self._wait()
        done = await super().read(work)
        await self._wait()
        return done

    async def _wait(self) -> None:
        for _ in range(self.dice.choice((0, 0, 1, 3, 9))):
            await asyncio.sleep(0)


@dataclass
class Replica:
    """An engine, and everything that its listeners received since it was loaded."""

    engine: CommittingEngine
    heard: list[Fact] = field(default_factory=list)
    own: list[Fact] = field(default_factory=list)
    reloads: int = 0

    def hears(self, facts: Sequence[Fact], world: World) -> None:
        self.heard += facts
        self.reloads += not facts
        for fact in facts:  # what is shown is what these facts led to, and nothing that comes later
            held = world.seqs.get(fact.stream)
            assert held is not None and held >= fact.seq


class Cluster:
    """Several engines over one in-memory ledger."""

    def __init__(self, many: int, seed: int) -> None:
        self.dice = random.Random(seed)
        self.conn = connect(":memory:")
        self.clock = ManualClock(START)
        self.replicas = [self._replica() for _ in range(many)]

    def _replica(self) -> Replica:
        ledger = Between(self.conn, shared=True)
        ledger.dice = self.dice
        replica = Replica(CommittingEngine(ledger, self.clock, policy()))
        replica.engine.listen(replica.hears)
        replica.engine.listen(lambda facts, _: replica.own.extend(facts), own=True)
        return replica

    @property
    def world(self) -> World:
        """Of anybody: what people see who say something next."""
        return self.dice.choice(self.replicas).engine.world

    @property
    def now(self) -> datetime:
        """Everybody's clock."""
        return self.clock.now()

    async def live(self, before: int, steps: Sequence[str]) -> int:
        """Random signals to random engines, some of which wait for each other; where the ledger stood when they began.

        So many signals came long `before`, which left incidents that nobody has in memory.
        """
        for _ in range(before):
            self.clock.advance(self.dice.choices(QUIET, weights=(8, 4, 3, 1, 1))[0])
            await self.replicas[0].engine.handle(self._signal())
        if before:
            self.clock.advance(QUIET[-1])
        for replica in self.replicas:
            await replica.engine.load()
            replica.heard, replica.own, replica.reloads = [], [], 0
        began = InlineLedger(self.conn).store.position()
        under_way: set[asyncio.Task[Any]] = set()
        for step in steps:
            under_way |= self._begun(step)
            for _ in range(self.dice.choice((0, 0, 1, 5, 50))):
                await asyncio.sleep(0)
            if len(under_way) > 12:
                await asyncio.gather(*under_way)
                under_way.clear()
        await asyncio.gather(*under_way)
        await asyncio.gather(*(replica.engine.caught_up() for replica in self.replicas))
        return began

    def _begun(self, step: str) -> set[asyncio.Task[Any]]:
        engines = [replica.engine for replica in self.dice.sample(self.replicas, len(self.replicas))]
        match step:
            case "time":
                self.clock.advance(self.dice.choices(QUIET, weights=(8, 4, 3, 1, 1))[0])
                return set()
            case "tail":
                return {asyncio.create_task(engines[0].catch_up())}
            case "look":
                return {asyncio.create_task(engines[0].world_with(range(1, 9)))}
            case "twice":  # heard by two: a click that was delivered again
                note = s.AddNote(actor=ANA, id=f"click/{self.dice.random()}", incident=1, text="Noted.")
                return {asyncio.create_task(engine.handle(note)) for engine in engines[:2]}
            case "flood":
                return {asyncio.create_task(engines[0].handle(self._signal())) for _ in range(5)}
        return {asyncio.create_task(engines[0].handle(self._signal()))}

    def _signal(self) -> s.Signal:
        return a_signal(self, self.dice)


STEPS = st.lists(st.sampled_from(("signal",) * 8 + ("time", "tail", "look", "twice", "flood")), min_size=1, max_size=80)


@settings(deadline=None)
@example(many=4, seed=24786, before=43, steps=["signal"] * 4 + ["flood"])  # the last that ended is opened again
@given(many=st.integers(2, 4), seed=st.integers(0, 2**32), before=st.integers(0, 60), steps=STEPS)
def test_engines_that_share_a_ledger_reach_the_same_world(many: int, seed: int, before: int, steps: list[str]) -> None:
    """The same as the stored states, and as all facts folded one by one."""
    cluster = Cluster(many, seed)
    began = asyncio.run(cluster.live(before, steps))
    store, now = InlineLedger(cluster.conn).store, cluster.clock.now()
    facts, read = store.all_facts(), read_world(store)

    assert len(facts) == store.position()
    lived = World()
    for fact in facts:
        assert fact.seq == lived.seqs.get(fact.stream, 0) + 1
        lived = evolve(lived, fact)
    for replica in cluster.replicas:
        world = replica.engine.world
        assert without_old(read, now) == without_old(world, now)
        assert (lived.running, lived.last_incident) == (world.running, world.last_incident)
        for kind in lived.states:
            held = {key: state for key, state in lived.of(kind).items() if kind != "incident" or key in world.incidents}
            assert held == dict(world.of(kind))
        assert (facts[began:], 0) == (replica.heard, replica.reloads)
    own = [fact for replica in cluster.replicas for fact in replica.own]
    assert sorted(map(place, facts[began:])) == sorted(map(place, own))
    assert [] == [flaw for stream in store.streams() if (flaw := store.examine(stream))]
    cluster.conn.close()


def place(fact: Fact) -> tuple[str, int]:
    return fact.stream, fact.seq
