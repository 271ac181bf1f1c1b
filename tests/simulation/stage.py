"""The whole bot in virtual time: `app.build` with only its ports replaced, crashes included."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from bot.app import App, build
from bot.config.load import Loaded, load
from bot.engine.outbox import OutboxTiming
from bot.ports import ChatError, Ledger, NotifyResult, Store
from bot.sandbox.chat import FakeChat
from bot.sandbox.chat_state import Fault
from bot.sandbox.world import EPOCH, LoopClock, LoopTicker
from bot.store.samples.sqlite import InlineSamples
from bot.store.sqlite.ledgers import InlineLedger
from bot.wiring.parts import Parts
from bot.wiring.upkeep import forget_old
from tests.simulation.weather import ScriptedPage, ScriptedProber, Weather

T = TypeVar("T")

BEAT_S = 10.0
KEEP = timedelta(hours=1)  # of what is done: so short that a day shows what its forgetting breaks
LATEST_LANDING_S = 15.0  # below the settle time, as the outbox presumes
PACE = OutboxTiming(settle_for=timedelta(seconds=30), lease=timedelta(seconds=90))

SETTINGS = """
slack: {bot_token: xoxb-simulated, app_token: xapp-simulated}
providers:
  anthropic:
    name: Claude
    components:
      api: {name: Claude API, checks: [{type: http, url: "http://127.0.0.1:1/", every: 60s}]}
      web: {name: claude.ai, checks: [{type: http, url: "http://127.0.0.1:1/", every: 60s}]}
      mobile: {name: Claude mobile, checks: [{type: http, url: "http://127.0.0.1:1/", every: 60s}]}
    status_page: {dialect: statuspage, urls: ["http://127.0.0.1:1/"], every: 5m, components: {api: a, web: w}}
  openai:
    name: OpenAI
    components:
      api: {name: OpenAI API, checks: [{type: http, url: "http://127.0.0.1:1/", every: 60s}]}
      web: {name: ChatGPT, depends_on: [anthropic.api], checks: [{type: http, url: "http://127.0.0.1:1/", every: 60s}]}
control_group:
  - {type: tcp, name: one, host: 127.0.0.1, port: 1, every: 60s}
  - {type: tcp, name: two, host: 127.0.0.1, port: 2, every: 60s}
maintenance:
  - {components: [openai], starts: "2026-03-20T04:00:00Z", lasts: 40m, reason: "a new proxy"}
flags:
  support-chat.llm:
    variants: {claude: a, gpt: b, cached: c}
    default: claude
    fallbacks: [{variant: gpt, needs: openai.api}, {variant: cached}]
    depends_on: [anthropic.api]
    automation: auto
    hand_back: {steps: [10, 50, 100], hold: 5m, first_step: auto}
  search.llm:
    variants: {claude: a, gpt: b}
    default: claude
    fallbacks: [{variant: gpt, needs: openai.api}]
    depends_on: [anthropic.api]
    automation: propose
    on_expiry: release
notify: ["json://127.0.0.1:1/"]
paging:
  SEV2:
    - {after: 0s, mention: [U000000002]}
    - {after: 5m, mention: [U000000003], dm: [S000000004]}
    - {after: 15m, notify: true}
incidents: {open_on: {down: SEV2, degraded: thread}, resolve_after: 20m}
runbooks: {anthropic.api: {steps: ["Look <!channel>", "Tell support"]}}
"""


@cache
def settings() -> Loaded:
    """The simulated team's configuration, read by the real loader."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "understudy.yaml"
        path.write_text(SETTINGS, encoding="utf-8")
        return load(path, {})


class Silence:
    """`Notifier` that remembers what it was told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    async def call(self, title: str, body: str, named: Sequence[str]) -> NotifyResult:
        self.said.append((title, body))
        return NotifyResult(tuple(named))


class PerilousLedger:
    """`Ledger` at whose every write the process may die, just before or just after it became durable."""

    def __init__(self, inner: InlineLedger, dies: Callable[[], bool]) -> None:
        self._inner = inner
        self.shared, self.on_commit = inner.shared, inner.on_commit
        self._dies = dies
        self._never = asyncio.Event()  # held here, or what waits for it is swept away as garbage before it is buried

    async def write(self, work: Callable[[Store], T]) -> T:
        await self._perhaps_die()
        result = await self._inner.write(work)
        await self._perhaps_die()
        return result

    async def write_at_once(self, work: Callable[[Store], T]) -> T:
        return await self.write(work)

    async def read(self, work: Callable[[Store], T]) -> T:
        return await self._inner.read(work)

    async def close(self) -> None:
        return

    async def _perhaps_die(self) -> None:
        await asyncio.sleep(0)
        if self._dies():
            await self._never.wait()  # the process is gone; nothing after this line happens


@dataclass
class Troubles:
    """How often things go wrong; all zero on a calm day."""

    slack: float = 0.0
    death: float = 0.0


@dataclass
class Stage:
    """One simulated deployment: what survives a crash, and the process that runs for now."""

    seed: int
    hours: float
    troubles: Troubles = field(default_factory=Troubles)
    deaths: int = 0
    away: list[tuple[float, float]] = field(default_factory=list)
    tidied: list[str] = field(default_factory=list)  # keys of messages that somebody deleted

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.loop = asyncio.get_running_loop()
        self.clock = LoopClock(self.loop)
        components = tuple(settings().config.components())
        self.weather = Weather(random.Random(self.seed + 1), self.hours, components)
        self.chat = FakeChat(self.clock, before=self._slack_trouble)
        self.chat.add_channel("ops")
        self.people = [self.chat.add_person() for _ in range(2)]
        self.chat.add_group(self.people)
        self.disk = InlineLedger.open()
        self.samples = InlineSamples.open()
        self.notifier = Silence()
        self.app: App | None = None
        self._dead = asyncio.Event()
        self._died_at = 0.0

    async def start(self) -> App:
        """Start a process over what is on disk."""
        self._dead.clear()
        self.disk = self.disk.reopened()
        ledger: Ledger = PerilousLedger(self.disk, self._dies) if self.troubles.death else self.disk
        parts = Parts(
            clock=self.clock, wire_clock=self.clock, ledger=ledger, samples=self.samples, chat=self.chat,
            prober=ScriptedProber(self.weather, self.clock, self.rng),
            fetcher=ScriptedPage(self.weather, self.clock, self.rng, {}),
            ticker=LoopTicker(BEAT_S), notifier=self.notifier, web=False, pace=PACE,
        )  # fmt: skip
        self.app = build(settings(), parts=parts)
        starting = asyncio.ensure_future(self.app.start())
        dying = asyncio.ensure_future(self._dead.wait())
        await asyncio.wait({starting, dying}, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if self._dead.is_set():
            await self.bury()
            return await self.start()
        await starting
        return self.app

    async def lives(self, seconds: float) -> None:
        """Let time pass; a process that dies meanwhile is started again after a while."""
        until = self.loop.time() + seconds
        while (left := until - self.loop.time()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._dead.wait()
            except TimeoutError:
                return
            await self.bury()
            await self.start()
            await forget_old(self.disk, self.clock.now(), KEEP)

    async def stop(self) -> None:
        """Let it end in peace."""
        if self.app:
            await self.app.stop()

    async def differing(self) -> list[str]:
        """What a process shows otherwise than the ledger has it: nobody else writes to it, so nothing."""
        return []

    def nobody_there(self, since: datetime, until: datetime) -> timedelta:
        """How much of that time no process ran."""
        begins, ends = (since - EPOCH).total_seconds(), (until - EPOCH).total_seconds()
        return timedelta(seconds=sum(max(0.0, min(ends, back) - max(begins, died)) for died, back in self.away))

    def kill(self) -> None:
        """kill -9."""
        self._dead.set()

    async def bury(self) -> None:
        """End every task of the dead process without a word, wait a little, and note how long nobody was there."""
        began = self.loop.time()
        me = asyncio.current_task()
        # Again, since an outbox that is cancelled still sees to what it has just claimed; the dead do nothing any more.
        while tasks := [t for t in asyncio.all_tasks() if t is not me and not t.get_name().startswith("stage")]:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self.app = None
        await asyncio.sleep(self.rng.choice([0.5, 5, 60, 1200]))
        self.deaths += 1
        self.away.append((began, self.loop.time()))

    def _dies(self) -> bool:
        if self._dead.is_set():
            return True
        if self.rng.random() < self.troubles.death:
            self._dead.set()
        return self._dead.is_set()

    def _slack_trouble(self, call: str, args: Mapping[str, Any]) -> Fault | None:
        if self.weather.cut(self.loop.time()):
            return Fault.down()
        drawn = self.rng.random()
        if drawn >= self.troubles.slack:
            return None
        kind = drawn / self.troubles.slack
        if kind < 0.2:
            return Fault.limited(timedelta(seconds=self.rng.choice([1, 5, 30])))
        if kind < 0.3:
            return Fault.down()
        if kind < 0.4 and call == "create_channel":
            return Fault("refused", ChatError("not allowed", code="restricted_action", permanent=True))
        if kind < 0.6:
            return Fault("unclear_before")
        if kind < 0.85:
            return Fault("unclear_after")
        return Fault("late", delay_s=self.rng.uniform(0.1, LATEST_LANDING_S))
