"""Several replicas with their watches over one ledger; time is moved by hand, one second per step."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bot.cluster.replica import Replica, ReplicaTiming
from bot.core.answers.base import Answer
from bot.core.model import Sample
from bot.core.signals import Signal, VerdictReached
from bot.engine.engine import CommittingEngine
from bot.ports import Remembered, ReplicaInfo, Store, StoreError, StoreTrouble
from bot.sandbox.world import EPOCH
from bot.store.samples.sqlite import InlineSamples
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from bot.watch.plan import Plan
from bot.watch.watch import Watch
from bot.wiring.cluster.exchange import CourierToAll, Exchange
from tests.desk import component, policy
from tests.engine.stand import TURNS, Check, Script
from tests.engine.stand import Answer as Look

T = TypeVar("T")

COMPONENTS = [f"vendor.c{n}" for n in range(8)]
CHECKS = [Check(f"{component}.{name}") for component in COMPONENTS for name in ("one", "two")]
POLICY = replace(policy(), components={id: component(id, id, "vendor") for id in COMPONENTS}, flags={})
BY_HAND = ReplicaTiming(every_s=3_600.0)


class HearingEngine(CommittingEngine):
    """An engine that records the signals it receives."""

    heard: list[Signal]

    async def handle(self, signal: Signal) -> Answer:
        self.heard.append(signal)
        return await super().handle(signal)


AWAY = StoreError("the database is away", kind=StoreTrouble.AWAY, permanent=False)


class CutOff(InlineLedger):
    """A replica's connection to the ledger, which may be cut."""

    away = False

    async def write(self, work: Callable[[Store], T]) -> T:
        if self.away:
            raise AWAY
        return await super().write(work)

    async def read(self, work: Callable[[Store], T]) -> T:
        if self.away:
            raise AWAY
        return await super().read(work)


class Shaky(InlineSamples):
    """Samples that are away while they are told so, and that take their time from when `slow` says so until `gate` is open.

    `unread` lets reading wait.
    """

    away = False
    slow: Callable[[], bool] = staticmethod(lambda: False)
    waits = 0
    gate: asyncio.Event
    unread: asyncio.Event | None = None

    async def medians(self, since: datetime, vantage: str | None = None) -> dict[str, float]:
        if self.away:
            raise AWAY
        if self.unread is not None:
            await self.unread.wait()
        return await super().medians(since, vantage)

    async def add(self, samples: Sequence[Sample], remembered: Sequence[Remembered] = ()) -> None:
        if self.away:
            raise AWAY
        if self.slow():
            self.waits += 1
            await self.gate.wait()
        await super().add(samples, remembered)


class One:
    """A replica with its watch; `runs` is False while it is paused."""

    def __init__(self, many: "Many", name: str, *, every_replica_checks: bool) -> None:
        self.runs = True
        self.looking: asyncio.Task[None] | None = None
        self.name = name
        self.script = Script(many.clock, many.answers)
        self.ledger = CutOff(many.ledger.conn, shared=True)
        self.replica = Replica(self.ledger, ReplicaInfo(name, f"boot-{name}"), many.clock, many.clock, timing=BY_HAND)
        self.engine = HearingEngine(self.ledger, many.clock, POLICY, fence=self.replica.fence)
        self.engine.heard = []
        self.samples = Shaky.open()
        plan = Plan(checks=CHECKS, vantage=name if every_replica_checks else "local")
        self.watch = Watch(
            plan, self.script, self.script, self.samples, self.engine, many.clock, member=self.replica,
            every_replica_checks=every_replica_checks, courier=CourierToAll(Exchange(self.replica, self._take), name, None),
        )  # fmt: skip

    async def _take(self, samples: Any) -> None:
        await self.watch.take(samples)

    def is_cut_off(self, cut_off: bool) -> None:
        """Whether it reaches the database."""
        self.ledger.away = self.samples.away = cut_off

    async def looks(self, *, waits: bool) -> None:
        if self.looking is None or self.looking.done():
            self.looking = asyncio.create_task(self.watch.look())
        if waits:
            await self.looking

    def verdicts(self) -> list[str]:
        return [signal.verdict.component for signal in self.engine.heard if isinstance(signal, VerdictReached)]

    def looked_at(self) -> set[str]:
        return {check.rpartition(".")[0] for check, _ in self.script.began}


class Many:
    def __init__(self) -> None:
        self.clock = ManualClock(EPOCH)
        self.ledger = InlineLedger(InlineLedger.open().conn, shared=True)
        self.answers: dict[str, Look] = {}
        self.all: dict[str, One] = {}

    async def add(self, *names: str, every_replica_checks: bool = False) -> Sequence[One]:
        for name in names:
            one = self.all[name] = One(self, name, every_replica_checks=every_replica_checks)
            await one.engine.load()
            await one.replica.start()
        for one in self.all.values():
            await one.replica.beat()  # they know of each other before they look
        for name in names:
            await self.all[name].watch.start()
        return [self.all[name] for name in names]

    async def passes(self, seconds: int, *, waits: bool = True) -> None:
        """`waits`: until each has looked; else beats go on while a look is under way, as the metronome's do."""
        for _ in range(seconds):
            self.clock.advance(timedelta(seconds=1))
            running = [one for one in self.all.values() if one.runs]
            for one in running:
                with suppress(StoreError):
                    await one.replica.beat()
                    await one.engine.catch_up()
            for one in running:
                one.watch.beat()
                await one.looks(waits=waits)
                for _ in range(TURNS):
                    await asyncio.sleep(0)

    async def changes(self) -> int:
        """How often a verdict was written down."""
        return sum(fact.stream.startswith("component/") for fact in await self.ledger.read(lambda store: store.all_facts()))
