"""Several replicas carry out one ledger's effects: each is done once, by a live replica; in virtual time."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from bot.cluster.replica import Replica
from bot.core.effects import Effect, PostLine
from bot.engine.engine import CommittingEngine
from bot.engine.outbox import Outbox
from bot.ports import EffectError, OutboxRow, Performed, Performer, ReplicaInfo, Store
from bot.ports.performers import check_lease
from bot.sandbox.world import LoopClock, VirtualLoop
from bot.store.sqlite.ledgers import InlineLedger
from tests.desk import policy
from tests.ledger_facts import queued

T = TypeVar("T")


@dataclass
class Line:
    """One replica's connection to ledger and chat; nothing gets through while the replica is paused."""

    ledger: InlineLedger
    shared: bool = True
    runs: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, work: Callable[[Store], T]) -> T:
        await self.runs.wait()
        return await self.ledger.write(work)

    async def write_at_once(self, work: Callable[[Store], T]) -> T:
        return await self.write(work)

    async def read(self, work: Callable[[Store], T]) -> T:
        await self.runs.wait()
        return await self.ledger.read(work)

    def on_commit(self, callback: Callable[[], None]) -> None:
        return


class World:
    """A chat that all replicas post to, one ledger, and replicas that can be paused and killed."""

    def __init__(self, *, takes_s: Callable[[], float] = lambda: 0.2) -> None:
        self.loop = asyncio.get_running_loop()
        self.clock = LoopClock(self.loop)
        self.ledger = InlineLedger(InlineLedger.open().conn, shared=True)
        self.posted: list[tuple[str, str, float]] = []  # key, by whom, when
        self.takes_s = takes_s
        self.lines: dict[str, Line] = {}
        self._ends: dict[str, Callable[[], Awaitable[None]]] = {}

    async def add(self, name: str) -> None:
        line = self.lines[name] = Line(self.ledger)
        line.runs.set()
        engine = CommittingEngine(line, self.clock, policy())
        await engine.load()
        replica = Replica(line, ReplicaInfo(name, f"boot-{name}"), self.clock, self.clock)
        await replica.start()

        async def perform(body: Any, row: OutboxRow) -> Performed:
            await asyncio.sleep(self.takes_s())  # its pacing
            await line.runs.wait()
            check_lease()
            self.posted.append((row.effect.key, name, round(self.loop.time(), 1)))
            await asyncio.sleep(self.takes_s())
            await line.runs.wait()
            return Performed("C1", "1.2")

        async def find(body: Any, row: OutboxRow) -> Performed | None:
            await asyncio.sleep(self.takes_s())
            await line.runs.wait()
            return Performed("C1", "1.2") if any(row.effect.key == key for key, _, _ in self.posted) else None

        outbox = Outbox(line, engine, {PostLine: Performer(perform, find)}, self.clock, member=replica)
        await outbox.start()

        async def end() -> None:
            await outbox.stop(grace_s=0)
            await replica.stop()

        self._ends[name] = end

    async def queue(self, *keys: str) -> None:
        effects = [Effect(key, key.partition("/")[0], PostLine()) for key in keys]
        await self.ledger.write(lambda store: store.commit(queued(*effects)))

    async def states(self) -> dict[str, str]:
        return {row.effect.key: row.state.value for row in await self.ledger.read(lambda store: store.outbox())}

    async def end(self) -> None:
        for name, end in self._ends.items():
            self.lines[name].runs.set()
            await end()


def played(play: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(play)


def test_effect_of_a_paused_replica_is_sent_by_another() -> None:
    """The first pauses for a minute before the call; when it wakes it sends and records nothing."""

    async def play() -> None:
        world = World(takes_s=lambda: 1.0)
        await world.queue("x")
        await world.add("a")
        await asyncio.sleep(0.5)
        world.lines["a"].runs.clear()
        await world.add("b")
        await asyncio.sleep(120)
        world.lines["a"].runs.set()
        await asyncio.sleep(120)

        assert ["b"] == [by for _, by, _ in world.posted]
        assert {"x": "done"} == await world.states()
        await world.end()

    played(play())


def test_post_of_a_paused_replica_is_found_by_another() -> None:
    """It was posted but not recorded, so it is looked up after the settle time."""

    async def play() -> None:
        world = World(takes_s=lambda: 1.0)
        await world.queue("x")
        await world.add("a")
        await world.add("b")
        while not world.posted:
            await asyncio.sleep(0.1)
        [(_, first, at)] = world.posted
        world.lines[first].runs.clear()
        await asyncio.sleep(40)

        assert ([("x", first, at)], {"x": "done"}) == (world.posted, await world.states())
        world.lines[first].runs.set()
        await asyncio.sleep(60)
        assert [("x", first, at)] == world.posted
        await world.end()

    played(play())


def test_row_of_a_dead_replica_is_looked_up_after_the_settle_time() -> None:
    """That is longer than a call can take; and not much later."""

    async def play() -> float:
        world = World(takes_s=lambda: 2.0)
        await world.queue("x")
        await world.add("a")
        await asyncio.sleep(1.0)
        world.lines["a"].runs.clear()  # for good
        await world.add("b")
        while not world.posted:
            await asyncio.sleep(0.1)
        return world.loop.time()

    assert 34.0 == pytest.approx(played(play()), abs=2.0)


@pytest.mark.parametrize("seed", range(12))
def test_each_effect_is_done_once_however_replicas_pause(seed: int) -> None:
    """Three replicas pause again and again for a moment or a minute; lanes keep their order."""

    async def play() -> None:
        rng = random.Random(seed)  # a script
        world = World(takes_s=lambda: rng.choice([0.0, 0.1, 1.0, 4.0]))
        for name in "abc":
            await world.add(name)
        keys = [f"{lane}/{n}" for n in range(8) for lane in "xyz"]
        for at in range(0, len(keys), 4):
            await world.queue(*keys[at : at + 4])
            who = rng.choice("abc")
            world.lines[who].runs.clear()
            await asyncio.sleep(rng.choice([0.5, 2.0, 2.6, 3.2, 5.0, 40.0]))
            if rng.random() < 0.6:
                world.lines[who].runs.set()
            if all(not line.runs.is_set() for line in world.lines.values()):
                world.lines["a"].runs.set()
        for line in world.lines.values():
            line.runs.set()
        await asyncio.sleep(600)

        done = [key for key, _, _ in world.posted]
        assert sorted(keys) == sorted(done)
        assert {"done"} == set((await world.states()).values())
        assert all([key for key in done if key[0] == lane] == [key for key in keys if key[0] == lane] for lane in "xyz")
        await world.end()

    played(play())


def test_refusal_after_the_lease_expired_is_not_recorded() -> None:
    """The replica that has the row by then decides."""

    async def play() -> None:
        world = World()
        await world.add("a")
        await world.add("b")
        raised = asyncio.Event()

        async def refused(body: Any, row: OutboxRow) -> Performed:
            await asyncio.sleep(4)
            raised.set()
            raise EffectError("not allowed", permanent=True)

        line = world.lines["a"]
        engine = CommittingEngine(line, world.clock, policy())
        await engine.load()
        replica = Replica(line, ReplicaInfo("c", "boot-c"), world.clock, world.clock)
        await replica.start()
        for name in "ab":
            await world._ends.pop(name)()  # only c is left
        outbox = Outbox(line, engine, {PostLine: Performer(refused, refused)}, world.clock, member=replica)
        await world.queue("x")
        await outbox.start()
        await asyncio.sleep(0.5)
        await replica.stop()
        await raised.wait()
        await asyncio.sleep(0.1)

        assert {"x": "sending"} == await world.states()
        await outbox.stop()

    played(play())
