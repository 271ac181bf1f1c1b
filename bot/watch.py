"""Looks at everything on time, and signals until the ledger holds the verdict that the looking came to.

Checks and feeds keep monotonic phases spread over their interval: the same check always runs at the same offset, and a
thousand checks never start in one instant. What a stall swallowed is skipped, not caught up on.
"""

import asyncio
import zlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog

from bot.clock import Clock
from bot.core.detector import NOT_YET, Condition, Judgement, WindowRule, judge
from bot.core.due import next_due
from bot.core.model import Actor, Level, Sample, Verdict
from bot.core.signals import FeedRead, TimePassed, VerdictReached
from bot.core.state import World
from bot.core.verdict import reach
from bot.ports import Engine, Fetcher, Prober, Samples

log = structlog.get_logger(__name__)

WINDOW = Actor.rule("k-of-n window")
CLOCKWORK = Actor.rule("clock")

REMEMBERED = 2  # windows; what was measured longer before a restart says nothing of now
LOOK_EVERY_S = 1.0  # domain seconds between two looks at what is due in the ledger


class Check(Protocol):
    """What the watch needs of a check; the prober knows the rest."""

    @property
    def id(self) -> str:
        """Unique name: provider.component.check."""

    @property
    def component(self) -> str:
        """The component that it looks at."""

    @property
    def every(self) -> timedelta:
        """Its interval."""


class Source(Protocol):
    """What the watch needs of a feed."""

    @property
    def provider(self) -> str:
        """Whose page it is."""

    @property
    def every(self) -> timedelta:
        """Its interval."""


@dataclass(frozen=True)
class Plan:
    """What to look at. `pending` and `off` name checks, by component, that cannot look."""

    checks: Sequence[Check] = ()
    feeds: Sequence[Source] = ()
    pending: Mapping[str, Sequence[str]] = field(default_factory=dict)
    off: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rule: WindowRule = field(default_factory=WindowRule)


@dataclass
class _Due:
    """Something that runs at a fixed phase of its interval."""

    id: str
    every_s: float
    next_at: float
    run: Callable[[], Any]
    task: asyncio.Task[None] | None = None

    def take(self, now: float) -> bool:
        """Whether it is due; moves to its next slot, skipping what a stall swallowed."""
        if now < self.next_at:
            return False
        self.next_at += self.every_s * (1 + (now - self.next_at) // self.every_s)
        return self.task is None or self.task.done()


class Watch:
    """Runs the plan. `beat` is called by the metronome; `on_sample` hears of every result (metrics)."""

    def __init__(
        self, plan: Plan, prober: Prober, fetcher: Fetcher, samples: Samples, engine: Engine, clock: Clock,
        on_sample: Callable[[Sample], None] | None = None,
    ) -> None:  # fmt: skip
        self._plan = plan
        self._prober = prober
        self._fetcher = fetcher
        self._samples = samples
        self._engine = engine
        self._clock = clock
        self._on_sample = on_sample
        self._windows: dict[str, deque[Sample]] = {}
        self._judgements: dict[str, Judgement] = {}
        self._looked: set[str] = set()
        self._due: list[_Due] = []
        self._buffer: list[Sample] = []
        self._next_look = 0.0
        self._reckoned: World | None = None
        self._due_at: datetime | None = None
        self._looked_at: datetime | None = None
        self._names = {check.id: check.id.removeprefix(f"{check.component}.") for check in plan.checks}
        self._checks_of: dict[str, list[str]] = {}
        for check in plan.checks:
            self._checks_of.setdefault(check.component, []).append(check.id)

    async def start(self) -> None:
        """Rebuild what was known from stored samples, and lay out the phases."""
        now = self._clock.monotonic()
        for check in self._plan.checks:
            await self._recall(check)
            self._due.append(_due(check.id, check.every, now, partial(self._probe, check)))
        for source in self._plan.feeds:
            self._due.append(_due(f"feed {source.provider}", source.every, now, partial(self._read, source)))
        for component in {*self._plan.pending, *self._plan.off} - set(self._checks_of):
            await self._compare(component)

    async def stop(self) -> None:
        """Stop looking; what was measured is written."""
        tasks = [due.task for due in self._due if due.task and not due.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.flush()

    async def beat(self) -> None:
        """Start what is due, write what was measured, and let the ledger's own deadlines pass."""
        now = self._clock.monotonic()
        for due in self._due:
            if due.take(now):
                due.task = asyncio.create_task(due.run(), name=due.id)
                due.task.add_done_callback(_report)
        if now >= self._next_look:
            self._next_look = now + LOOK_EVERY_S
            try:
                if self._time_is_ripe():
                    await self._engine.handle(TimePassed(actor=CLOCKWORK))
            finally:
                await self.flush()  # last, for samples that cannot be written must not keep an incident silent

    async def idle(self) -> None:
        """Wait until nothing that was started is still looking; for those who move time by hand."""
        tasks = [due.task for due in self._due if due.task]
        await asyncio.gather(*tasks, return_exceptions=True)

    def _time_is_ripe(self) -> bool:
        """Whether a deadline passed, or the wall clock was set back; reckoned anew only when the world changed."""
        world, now, before = self._engine.world, self._clock.now(), self._looked_at
        self._looked_at = now
        if world is not self._reckoned:
            self._reckoned, self._due_at = world, next_due(world, self._engine.policy)
        return (self._due_at is not None and self._due_at <= now) or (before is not None and now < before)

    async def flush(self) -> None:
        """Write buffered samples as one batch."""
        batch, self._buffer = self._buffer, []
        if batch:
            await self._samples.add(batch)

    # --- checks

    async def _recall(self, check: Check) -> None:
        size = max(self._plan.rule.window, self._plan.rule.recover_after)
        since = self._clock.now() - check.every * size * REMEMBERED
        stored = [sample for sample in await self._samples.recent(check.id, size) if sample.at > since]
        window: deque[Sample] = deque(maxlen=size)
        judgement = self._from_ledger(check.component)
        for sample in stored:
            window.append(sample)
            judgement = judge(judgement, list(window), self._plan.rule)
        self._windows[check.id] = window
        self._judgements[check.id] = judgement

    def _from_ledger(self, component: str) -> Judgement:
        """A committed outage outlives a restart: it ends by good results, not by forgetting."""
        state = self._engine.world.component(component)
        if state.level.bad:
            condition = Condition.FAILING if state.level is Level.DOWN else Condition.SLOW
            return Judgement(condition, state.reason, state.fault, state.began_at)
        return NOT_YET

    async def _probe(self, check: Check) -> None:
        sample = await self._prober.probe(check)
        self._buffer.append(sample)
        if self._on_sample:
            self._on_sample(sample)
        window = self._windows[check.id]
        window.append(sample)
        self._judgements[check.id] = judge(self._judgements[check.id], list(window), self._plan.rule)
        self._looked.add(check.id)
        await self._compare(check.component)

    def verdict(self, component: str) -> Verdict:
        """What the results so far come to."""
        judgements = {self._names[id]: self._judgements[id] for id in self._checks_of.get(component, ())}
        pending, off = self._plan.pending.get(component, ()), self._plan.off.get(component, ())
        return reach(component, judgements, pending=pending, off=off)

    async def _compare(self, component: str) -> None:
        verdict = self.verdict(component)
        held = self._engine.world.component(component)
        if verdict.level is held.level and verdict.fault is held.fault:
            return
        if not verdict.level.bad and not self._looked.issuperset(self._checks_of.get(component, ())):
            return  # just started: no word before every check of it has looked once
        await self._engine.handle(VerdictReached(actor=WINDOW, verdict=verdict))

    # --- feeds

    async def _read(self, source: Source) -> None:
        report = await self._fetcher.read(source)
        await self._engine.handle(FeedRead(actor=Actor.vendor(source.provider), report=report))


def _due(id: str, every: timedelta, now: float, run: Callable[[], Any]) -> _Due:
    every_s = every.total_seconds()
    phase = (zlib.crc32(id.encode()) % 10_000) / 10_000 * every_s  # the same at every start
    return _Due(id, every_s, now + phase, run)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        log.error("looking failed by our own fault", task=task.get_name(), exc_info=task.exception())
