"""The setup for web tests: the real application over real HTTP, with a small engine that uses the real core."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any, TypeVar, cast

import aiohttp
from aiohttp import web

from bot.core.answers.base import Answer, DoneAlready
from bot.core.decide.step import step
from bot.core.model import Actor, Fault, Level, Sample, Severity, Verdict
from bot.core.policy import ComponentPolicy, Fallback, FlagPolicy, IncidentPolicy, Policy
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.core.record.world import World
from bot.core.signals import Signal, VerdictReached
from bot.flags.board import FlagBoard
from bot.flags.evaluate import revision_of, snapshot
from bot.outcomes.intake import OutcomeIntake
from bot.ports import LatencyPicture, Outcomes, Remembered, Store, StoreError
from bot.store.samples.sqlite import InlineSamples
from bot.system.clock import ManualClock
from bot.web.app import WebServer, build_web
from bot.web.health import Health, Part
from bot.web.metrics import Metrics
from bot.web.server.connections import Limits
from bot.web.server.unix_socket import SocketFile
from bot.web.services import Hooks, WebServices

T = TypeVar("T")

START = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
READ, CONTROL, LOCAL = "read-token-for-tests", "control-token-for-tests", "local-token-for-tests"
OUTCOME = "outcome-token-for-tests"

ROUTE = {"provider": "anthropic", "models": ["large", "small"], "spare": None}
FLAGS = {
    "support-chat.llm": FlagPolicy(
        key="support-chat.llm", variants={"claude": "anthropic", "gpt": "openai"}, default="claude",
        fallbacks=(Fallback("gpt", "openai.api"),), depends_on=("anthropic.api",), description="Who answers the chat",
    ),
    "on": FlagPolicy(key="on", variants={"yes": True, "no": False}, default="yes", fallbacks=(Fallback("no"),)),
    "count": FlagPolicy(key="count", variants={"few": 3, "none": 0}, default="few", fallbacks=(Fallback("none"),)),
    "rate": FlagPolicy(key="rate", variants={"full": 1, "half": 0.5}, default="full", fallbacks=(Fallback("half"),)),
    "route": FlagPolicy(key="route", variants={"main": ROUTE, "off": {}}, default="main", fallbacks=(Fallback("off"),)),
}  # fmt: skip

POLICY = Policy(
    components={
        id: ComponentPolicy(id, name, provider, title, {Level.DOWN: "SEV2", Level.DEGRADED: "thread"})
        for id, name, provider, title in (
            ("anthropic.api", "Claude API", "anthropic", "Claude"),
            ("openai.api", "OpenAI API", "openai", "OpenAI"),
        )
    },
    flags=FLAGS,
    incidents=IncidentPolicy(update_every={Severity.SEV2: timedelta(hours=1)}),
)


class CoreEngine:
    """The engine's contract in memory: real decisions without a store; past facts can be handed in, as at a restart."""

    def __init__(self, clock: ManualClock, board: FlagBoard, policy: Policy = POLICY) -> None:
        self.policy = policy
        self.world = World()
        self.facts: list[Fact] = []
        self.signals: list[Signal] = []
        self.broken = False
        self.away: StoreError | None = None  # what reading older incidents raises
        self.asked_for: list[tuple[int, ...]] = []  # each time that older incidents were read: which
        self._older: dict[int, Incident] = {}
        self._clock = clock
        self._board = board
        self.digests: dict[str, str] = {}  # by the id of a signal that was acted upon
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def handle(self, signal: Signal) -> Answer:
        """Decide and remember; a repeated id changes nothing."""
        await self.may_go_on.wait()
        if self.broken:
            raise OSError("disk full at /secret/place")
        self.signals.append(replace(signal, digest=""))  # which `digests` shows
        result = step(self.world, signal, self._clock.now(), self.policy)
        if result.facts and signal.id:
            if signal.id in self.digests:
                return DoneAlready()
            self.digests[signal.id] = signal.digest
        self.world = result.world
        self.facts.extend(result.facts)
        self.restore()
        return result.answer

    async def world_with(self, incidents: Collection[int]) -> World:
        missing = tuple(number for number in incidents if number in self._older)
        if missing and self.away:
            raise self.away
        self.asked_for += [missing] if missing else []
        world = self.world
        for number in missing:
            world = world.with_state("incident", number, self._older[number])
        return world

    def let_go_of(self, numbers: Collection[int]) -> None:
        """Drop these incidents from memory, as if they had ended more than a month ago."""
        self._older |= {number: self.world.incidents[number] for number in numbers}
        self.world = self.world.without_incidents(numbers)

    async def caught_up(self) -> None:
        """Returns at once, because this engine has no backlog."""

    def restore(self) -> None:
        """Put the committed state on the board."""
        self._board.swap(snapshot(self.world, self.policy, revision_of(self.world)))


class FactsLedger:
    """The part of a ledger that the web reads: the facts about an incident."""

    shared = False

    def __init__(self, engine: CoreEngine) -> None:
        self._engine = engine
        self.broken: StoreError | None = None

    async def read(self, work: Callable[[Store], T]) -> T:
        if self.broken:
            raise self.broken
        return work(cast(Store, self))

    async def write(self, work: Callable[[Store], T]) -> T:
        raise AssertionError("the web never writes to the ledger")

    def on_commit(self, callback: Callable[[], None]) -> None:
        raise AssertionError("the web never waits for commits")

    def digest_of(self, signal: str) -> str | None:
        return self._engine.digests.get(signal)

    def facts_about(self, incident: int) -> list[Fact]:
        return [fact for fact in self._engine.facts if fact.incident == incident]


class FixedSamples:
    """Samples with a fixed latency; outcomes, and the data for the board's bars, come from `kept`."""

    def __init__(self) -> None:
        self.kept = InlineSamples.open()
        self.outcomes: Outcomes = self.kept.outcomes
        self.broken: StoreError | None = None

    async def add(self, samples: Sequence[Sample], remembered: Sequence[Remembered] = ()) -> None:
        raise AssertionError("the web adds no samples")

    async def remembered(self) -> dict[str, Any]:
        return {}

    async def forget_remembered(self, names: Collection[str]) -> None:
        pass

    async def recent(self, check: str, limit: int, vantage: str | None = None) -> list[Sample]:
        return []

    async def since(self, at: datetime) -> list[Sample]:
        return []

    async def medians(self, since: datetime, vantage: str | None = None) -> dict[str, float]:
        return {}

    async def latencies(self, components: Collection[str], since: datetime) -> dict[str, LatencyPicture]:
        return dict.fromkeys(components, LatencyPicture(count=10, p50_ms=120.0, p95_ms=480.5, failed=1))

    async def rolled(self, since: datetime, until: datetime, *, timed: bool) -> dict[str, LatencyPicture]:
        if self.broken:
            raise self.broken
        return await self.kept.rolled(since, until, timed=timed)

    async def unrolled(self, since: datetime, until: datetime) -> dict[str, LatencyPicture]:
        if self.broken:
            raise self.broken
        return await self.kept.unrolled(since, until)

    async def trim(self, before: datetime) -> int:
        return 0

    async def keep_within(self, budget_bytes: int, now: datetime) -> int:
        return 0


class House:
    """Everything that a web test touches: `await house.open()` serves on a free port, `house.url` says where."""

    def __init__(self, **tokens: Any) -> None:
        self.clock = ManualClock(START)
        self.board = FlagBoard(self.clock)
        self.engine = CoreEngine(self.clock, self.board)
        self.metrics = Metrics("0.1.0")
        self.health = Health(True, True, {"store": Part(True, "writable", START, "The ledger takes commits.")})
        self.exported: list[tuple[int, str]] = []
        self.export_broken: Exception | None = None
        self.samples = FixedSamples()
        self.ledger = FactsLedger(self.engine)
        self.outcomes = OutcomeIntake(self.samples.outcomes, self.clock, self.metrics.observe_outcomes)
        self.tokens = {"hooks": Hooks(outcomes=self.outcomes), **tokens}
        self.port = 0
        self.server: WebServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def build(self) -> web.Application:
        """The application, not yet served."""
        self.services = WebServices(
            engine=self.engine, board=self.board, clock=self.clock, ledger=self.ledger, samples=self.samples,
            health=lambda: self.health, export=self.export, metrics=self.metrics, **self.tokens,
        )  # fmt: skip
        return build_web(self.services)

    async def open(
        self, *, restored: bool = True, port: int = 0, limits: Limits | None = None, beside: SocketFile | None = None
    ) -> "House":
        if restored:
            for component in POLICY.components:
                await self.verdict(component, Level.OPERATIONAL, "12 of 12 probes passed")
            self.engine.signals.clear()
        self.server = WebServer(self.build(), limits, beside)
        self.port = await self.server.start("127.0.0.1", port)
        return self

    async def close(self) -> None:
        if self.server:
            await self.server.stop()

    async def export(self, incident: int, format: str) -> tuple[str, bytes]:
        if self.export_broken:
            raise self.export_broken
        self.exported.append((incident, format))
        return f'INC-{incident} "Zoë".{format}', "# Zeitleiste für alle".encode()

    async def verdict(self, component: str, level: Level, reason: str = "5 of 5 probes failed") -> Answer:
        """Send a verdict as the watch would."""
        at = self.clock.now()
        verdict = Verdict(component, level, reason, Fault.THEIRS if level.bad else Fault.NONE, ("HTTP 529",), at)
        return await self.engine.handle(VerdictReached(actor=Actor.rule("detector"), verdict=verdict))


OpenHouse = Callable[..., Awaitable[House]]


def headers(token: str = CONTROL, **more: str) -> Mapping[str, str]:
    """Headers with a token; underscores in names become dashes."""
    return {"Authorization": f"Bearer {token}", **{name.replace("_", "-"): value for name, value in more.items()}}


async def board(house: House, http: aiohttp.ClientSession, query: str = "") -> str:
    """The board's HTML."""
    return await (await http.get(f"{house.url}/{query}", headers=headers(READ))).text()


def seen(html: str) -> str:
    """The visible text of a page, without its tags."""
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", html).split()))
