"""Two replicas over one ledger in virtual time: either dies whenever it likes, and the other one goes on."""

import asyncio
import random
from collections.abc import Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from weakref import WeakKeyDictionary

from bot.app import App, build
from bot.core.record.recent import without_old
from bot.engine.world_reading import read_world
from bot.sandbox.world import LoopTicker
from bot.store.sqlite.ledgers import InlineLedger
from bot.wiring.parts import Parts
from bot.wiring.upkeep import forget_old
from tests.simulation.stage import BEAT_S, KEEP, PACE, PerilousLedger, Stage, settings
from tests.simulation.weather import ScriptedPage, ScriptedProber

MANY = 2
PAUSES_S = (0.5, 5, 60, 1200)  # before a dead one is started anew

LIFE: ContextVar["Life | None"] = ContextVar("life", default=None)  # whose task this is


@dataclass(eq=False)
class Life:
    """One process, from its start to its death. What it began ends with it; what is dead stays dead."""

    number: int
    dead: asyncio.Event = field(default_factory=asyncio.Event)
    app: App | None = None


class Replicas(Stage):
    """A stage with more than one process. `app` is one of those that live, another one from time to time."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._lives: dict[int, Life] = {}
        self._tasks: WeakKeyDictionary[asyncio.Task[Any], Life] = WeakKeyDictionary()
        self._folders = [Path(mkdtemp(prefix="understudy-replica-")) for _ in range(MANY)]
        self._dice = random.Random(self.seed + 7)
        self._nobody_since: float | None = None
        self._keepers: list[asyncio.Task[None]] = []
        self.loop.set_task_factory(self._begun)

    async def start(self) -> App:
        """Start all, and keep each alive from now on."""
        for number in range(MANY):
            await self._born(number)
        self._keepers = [asyncio.create_task(self._keep(number), name=f"stage replica {number}") for number in range(MANY)]
        self._keepers.append(asyncio.create_task(self._change(), name="stage chooses"))
        assert self.app is not None
        return self.app

    async def lives(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    def kill(self) -> None:
        """kill -9 for one of them."""
        if self._lives:
            self._lives[self._dice.choice(sorted(self._lives))].dead.set()

    async def stop(self) -> None:
        """Let all end in peace."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for app in self.apps:
            await app.stop()

    async def differing(self) -> list[str]:
        """What one of those that live shows otherwise than the ledger has it."""
        held = await self.disk.read(read_world)
        worlds = {number: life.app.engine for number, life in self._lives.items() if life.app}
        for engine in worlds.values():
            await engine.caught_up()
        now = self.clock.now()
        wrong = [number for number, engine in worlds.items() if without_old(engine.world, now) != without_old(held, now)]
        return [f"replica {number} shows another world than the ledger holds" for number in wrong]

    @property
    def apps(self) -> list[App]:
        """Of all that live."""
        return [life.app for life in self._lives.values() if life.app]

    async def _keep(self, number: int) -> None:
        while True:
            await self._lives[number].dead.wait()
            await self._buried(number)
            await asyncio.sleep(self._dice.choice(PAUSES_S))
            await self._born(number)
            await forget_old(self.disk, self.clock.now(), KEEP)

    async def _born(self, number: int) -> None:
        while True:
            life = Life(number)
            starting = asyncio.create_task(self._started(life), name="stage starts one")
            dying = asyncio.create_task(life.dead.wait(), name="stage looks at one")
            await asyncio.wait({starting, dying}, return_when=asyncio.FIRST_COMPLETED)
            dying.cancel()
            self._lives[number] = life
            if not life.dead.is_set():
                await starting
                break
            starting.cancel()
            await self._buried(number)
        if self._nobody_since is not None:
            self.away.append((self._nobody_since, self.loop.time()))
            self._nobody_since = None
        self._choose()

    async def _started(self, life: Life) -> None:
        LIFE.set(life)
        ledger = InlineLedger(self.disk.conn, shared=True)
        parts = Parts(
            clock=self.clock, wire_clock=self.clock, ledger=PerilousLedger(ledger, lambda: self._ends(life)),
            samples=self.samples, chat=self.chat, prober=ScriptedProber(self.weather, self.clock, self.rng),
            fetcher=ScriptedPage(self.weather, self.clock, self.rng, {}),
            ticker=LoopTicker(BEAT_S), notifier=self.notifier, web=False, pace=PACE,
        )  # fmt: skip
        app = build(settings(), data=self._folders[life.number], parts=parts)
        await app.start()
        life.app = app

    async def _buried(self, number: int) -> None:
        """End every task of the dead process without a word, again while a dying one begins another."""
        life = self._lives.pop(number)
        while tasks := [task for task, whose in self._tasks.items() if whose is life and not task.done()]:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self.deaths += 1
        if not self._lives:
            self._nobody_since = self.loop.time()
        self._choose()

    def _ends(self, life: Life) -> bool:
        if not life.dead.is_set() and self._dice.random() < self.troubles.death:
            life.dead.set()
        return life.dead.is_set()

    def _choose(self) -> None:
        self.app = self._dice.choice(self.apps) if self.apps else None

    async def _change(self) -> None:
        """People meet now the one and now the other."""
        while True:
            await asyncio.sleep(self._dice.uniform(1, 120))
            self._choose()

    def _begun(self, loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **more: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=loop, **more)
        context = more.get("context")
        life = context.get(LIFE) if context is not None else LIFE.get()
        if life is not None:
            self._tasks[task] = life
        return task
