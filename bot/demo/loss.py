"""The leading replica dies in the middle of the outage, and another one takes over."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.core.record.fact import Fact
from bot.core.record.flag_facts import Engaged
from bot.core.record.world import World
from bot.demo.process import ReplicaError, ReplicaProcess
from bot.demo.stage import Say
from bot.ports import CLOCK, Ledger, Store
from bot.system.clock import Clock, SystemClock

KILLED_AFTER = timedelta(minutes=20)  # in the story, after the flag was switched
BACK_AFTER = timedelta(minutes=30)  # in the story, after another one leads: as its operator would restart it
LOOK_EVERY_S = 0.05
TAKEN_WITHIN_S = 30.0  # after that, stop waiting; the claim fails


@dataclass
class ReplicaLoss:
    """What happened; times are on the machine's monotonic clock."""

    name: str
    at: float
    successor: str = ""
    over_at: float | None = None
    trouble: str = ""  # why it could not be restarted

    @property
    def lasted_s(self) -> float | None:
        """Real seconds without a leader; None if nobody took over."""
        return None if self.over_at is None else self.over_at - self.at


class LeaderDies:
    """Waits for the flag's switch, then for the right time. `loss` is what happened, once it did."""

    def __init__(self, clock: Clock, ledger: Ledger, replicas: Sequence[ReplicaProcess], say: Say) -> None:
        self.loss: ReplicaLoss | None = None
        self._clock = clock
        self._machine = SystemClock()
        self._ledger = ledger
        self._replicas = replicas
        self._say = say
        self._switched = asyncio.Event()

    def hears(self, facts: Sequence[Fact], world: World) -> None:
        """Notice that the flag was switched."""
        if any(isinstance(fact.body, Engaged) for fact in facts):
            self._switched.set()

    async def run(self) -> None:
        """Kill the leader once, and bring it back."""
        await self._switched.wait()
        await self._wait(KILLED_AFTER)
        leader = await self._leads_besides(None)
        if leader is not None:
            self.loss = ReplicaLoss(leader.name, self._machine.monotonic())
            await self._killed(leader, self.loss)
            await self._wait(BACK_AFTER)
            await self._started_again(leader, self.loss)

    async def _killed(self, leader: ReplicaProcess, loss: ReplicaLoss) -> None:
        await leader.kill()
        self._tell(f"The leading replica, {leader.name}, was killed")
        successor = await self._leads_besides(leader)
        if successor is None:
            self._tell(f"Nobody took over within {TAKEN_WITHIN_S:.0f} s")
        else:
            loss.successor, loss.over_at = successor.name, self._machine.monotonic()
            self._tell(f"{successor.name} took over after {loss.lasted_s:.1f} s")

    async def _started_again(self, leader: ReplicaProcess, loss: ReplicaLoss) -> None:
        try:
            await leader.start()
        except ReplicaError as error:
            loss.trouble = str(error)
        self._tell(loss.trouble or f"{leader.name} was started again")

    async def _leads_besides(self, gone: ReplicaProcess | None) -> ReplicaProcess | None:
        """Whoever leads besides `gone`, waiting a moment if necessary; None if nobody does."""
        until = self._machine.monotonic() + TAKEN_WITHIN_S
        while self._machine.monotonic() < until:
            found = await self._leader()
            if found not in (None, gone):
                return found
            await asyncio.sleep(LOOK_EVERY_S)
        return None

    async def _leader(self) -> ReplicaProcess | None:
        now = self._machine.now()  # the database has a clock of its own

        def names(store: Store) -> list[str]:
            boots = {one.holder for one in store.leases(now) if one.name == CLOCK}
            return [one.says.name for one in store.replicas(now) if one.says.boot in boots]

        leading = await self._ledger.read(names)
        return next((one for one in self._replicas if one.name in leading), None)

    def _tell(self, words: str) -> None:
        self._say(f"{self._clock.now():%H:%M}  {words}")

    async def _wait(self, span: timedelta) -> None:
        await asyncio.sleep(span.total_seconds() / self._clock.speed)
