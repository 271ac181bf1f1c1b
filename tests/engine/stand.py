"""A watch over scripted checks: engine and ledger are real, time is moved by hand, one second per step."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any

from bot.core.model import Fault, FeedReport, FeedState, Outcome, Sample
from bot.core.policy import FlagPolicy, Policy
from bot.engine.engine import CommittingEngine
from bot.sandbox.world import EPOCH
from bot.store.samples.sqlite import InlineSamples
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock
from bot.watch.plan import Plan
from bot.watch.watch import Watch
from tests.desk import component, policy

TURNS = 40  # of the loop; more than any chain of tasks that one second starts


@dataclass(frozen=True)
class Check:
    """One check, as far as the watch knows it."""

    id: str
    every: timedelta = timedelta(seconds=30)

    @property
    def component(self) -> str:
        return self.id.rpartition(".")[0]


@dataclass(frozen=True)
class Answer:
    """The result of a check."""

    outcome: Outcome = Outcome.OK
    error: str | None = None
    fault: Fault = Fault.NONE
    total_ms: float = 100.0


WELL = Answer()
BROKEN = Answer(Outcome.FAIL, "http_5xx", Fault.THEIRS)
NO_WAY = Answer(Outcome.FAIL, "unreachable", Fault.UNCLEAR)  # may be ours
TOO_LATE = Answer(Outcome.FAIL, "deadline", Fault.THEIRS, 10_000.0)


@dataclass
class Script:
    """A `Prober` and `Fetcher`: `answers` by check id, healthy by default; a check in `hangs` answers once its event is set."""

    clock: ManualClock
    answers: dict[str, Answer] = field(default_factory=dict)
    hangs: dict[str, asyncio.Event] = field(default_factory=dict)
    began: list[tuple[str, float]] = field(default_factory=list)

    async def probe(self, check: Any) -> Sample:
        self.began.append((check.id, self.clock.monotonic()))
        at, found, hangs = self.clock.now(), self.answers.get(check.id, WELL), self.hangs.get(check.id)
        if hangs is not None:
            await hangs.wait()
            found = TOO_LATE
        return sample(check.id, found, at)

    async def read(self, source: Any) -> FeedReport:
        return FeedReport(source.provider, self.clock.now(), FeedState.UNKNOWN)

    async def close(self) -> None:
        return

    def of(self, check: str) -> list[float]:
        """When this check was looked at, in seconds of the steady clock."""
        return [at for id, at in self.began if id == check]


def sample(check: str, found: Answer, at: Any, vantage: str = "local") -> Sample:
    """A result as the prober would return it."""
    return Sample(
        check, check.rpartition(".")[0], at, found.outcome, found.error, found.fault, "as scripted",
        {"total": found.total_ms}, vantage=vantage,
    )  # fmt: skip


class Lagging:
    """A loop that is as late as the test says."""

    def __init__(self, late_s: float = 0.0) -> None:
        self.late_s = late_s

    def begin(self) -> float:
        return 0.0

    def end(self, began: float) -> float:
        return self.late_s


class Stand:
    """A watch with everything it needs. `reopened` is the same after a restart."""

    def __init__(
        self, checks: Sequence[Check], *, ledger: InlineLedger | None = None, samples: InlineSamples | None = None,
        clock: ManualClock | None = None, lag: Lagging | None = None, flags: Sequence[FlagPolicy] = (), **plan: Any,
    ) -> None:  # fmt: skip
        self.checks = checks
        self.flags = flags
        self.plan = Plan(checks=checks, **plan)
        self.clock = clock or ManualClock(EPOCH)
        self.script = Script(self.clock)
        self.ledger = ledger or InlineLedger.open()
        self.samples = samples or InlineSamples.open()
        self.engine = CommittingEngine(self.ledger, self.clock, _policy(checks, flags))
        self.watch = Watch(
            self.plan, self.script, self.script, self.samples, self.engine, self.clock, lag=lag, ledger=self.ledger
        )

    async def opened(self, *, settled: bool = True) -> "Stand":
        """Begin; `settled` lets every check look once."""
        await self.engine.load()
        await self.watch.start()
        if settled:
            await self.passes(60)
        return self

    async def reopened(self, *, killed: bool = False) -> "Stand":
        """End, or be killed, and begin anew over what was written."""
        if not killed:
            await self.watch.stop()
        rest = {f.name: getattr(self.plan, f.name) for f in fields(self.plan) if f.name != "checks"}
        again = Stand(self.checks, ledger=self.ledger, samples=self.samples, clock=self.clock, flags=self.flags, **rest)
        again.script.answers = self.script.answers
        return await again.opened(settled=False)

    async def passes(self, seconds: float, *, step: float = 1.0) -> None:
        """Let time pass; looks that do not hang end in the moment in which they began."""
        for _ in range(round(seconds / step)):
            self.clock.advance(timedelta(seconds=step))
            self.watch.beat()
            await self.watch.look()
            for _ in range(TURNS):
                await asyncio.sleep(0)

    async def until_look(self, check: str) -> None:
        """Let time pass until this check is looked at once more."""
        before = len(self.script.of(check))
        while len(self.script.of(check)) == before:
            await self.passes(1)

    def level(self, component: str) -> str:
        """What is committed of a component."""
        return self.engine.world.component(component).level.value


def _policy(checks: Sequence[Check], flags: Sequence[FlagPolicy]) -> Policy:
    names = dict.fromkeys(check.component for check in checks)
    return replace(
        policy(), components={id: component(id, id, id.partition(".")[0]) for id in names}, flags={f.key: f for f in flags}
    )
