"""Runs all checks on time, and sends signals until the ledger holds the resulting verdicts."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog

from bot.cluster.single_replica import SingleReplica
from bot.core.decide.due import next_due
from bot.core.detection.verdict import SourceReport
from bot.core.ids import CheckId, ComponentId
from bot.core.model import Actor, Level, Outcome, Sample, Verdict
from bot.core.record.world import World
from bot.core.signals import TimePassed
from bot.ports import Engine, Fetcher, Ledger, Member, Prober, Samples, StoreError
from bot.system.clock import Clock
from bot.watch.blindness import BlindnessMonitor
from bot.watch.check_states import Tracks
from bot.watch.early_runs import EarlyRuns
from bot.watch.in_flight import ChecksInFlight
from bot.watch.lag import doubted
from bot.watch.memory import Memory
from bot.watch.plan import Check, Courier, Lag, Plan, Source
from bot.watch.proven import ProvenWays
from bot.watch.related_checks import RelatedChecks
from bot.watch.reporter import Reporter
from bot.watch.sample_buffer import SampleBuffer
from bot.watch.schedule import Schedule
from bot.watch.shares import WorkShare
from bot.watch.stagger import offset, phases
from bot.watch.verdicts import ComponentVerdicts

log = structlog.get_logger(__name__)

CLOCKWORK = Actor.rule("clock")

LOOK_EVERY_S = 1.0  # domain seconds between looks at the ledger's deadlines, and between batches to disk
REEVALUATE_EVERY_S = 20.0  # domain seconds between looks at verdicts that time alone may change
EVALUATED_AT_ONCE = 500  # checks: 5 ms, after which other callbacks of the loop run
ARRIVE_WITHIN_S = 10.0  # domain seconds in which each check of an arrived component runs once
CONTROLS_EVERY_S = 5.0  # domain seconds between checks of the controls while we are blind


class Watch:
    """Runs the plan. The metronome calls `beat`, which starts what is due and never waits, then `look`, which uses the stores.

    `look` is skipped while they block. `on_sample` is called with every result (metrics).
    """

    def __init__(
        self, plan: Plan, prober: Prober, fetcher: Fetcher, samples: Samples, engine: Engine, clock: Clock, *,
        ahead_s: float = 0.0, lag: Lag | None = None, courier: Courier | None = None, ledger: Ledger | None = None,
        on_sample: Callable[[Sample], None] | None = None, on_start: Callable[[float], None] | None = None,
        member: Member | None = None, every_replica_checks: bool = False,
    ) -> None:  # fmt: skip
        self._plan = plan
        self._near_s = ahead_s / 2  # beats are not exact to the millisecond
        self._prober = prober
        self._fetcher = fetcher
        self._samples = samples
        self._engine = engine
        self._clock = clock
        self._lag = lag
        self._on_sample = on_sample
        self._shares = WorkShare(member or SingleReplica(), every_replica_checks=every_replica_checks)
        self._schedule = Schedule(clock, ahead_s=ahead_s, on_start=on_start)
        intervals = {check.id: plan.interval(check) for check in plan.checks}
        share = plan.verdicts.degraded_share
        self._tracks = Tracks(plan.checks, intervals, plan.rule, plan.rules, plan.weights, plan.vantage, share=share)
        self._in_flight = ChecksInFlight(clock, self._tracks.late_after_s, self._tracks.least_late_after_s)
        self._related = RelatedChecks(plan.checks, plan.weights, clock)
        self._early_runs = EarlyRuns(self._tracks, self._related, self._in_flight, self._schedule, clock)
        self._controls = {control.id: control for control in plan.controls}
        self._sighting = BlindnessMonitor(tuple(self._controls), self._look_at_control, clock, plan.sight)
        self._ways = ProvenWays(ledger) if ledger else None
        self._verdicts = ComponentVerdicts(
            plan, self._tracks, self._sighting, self._shares, engine, clock, on_sight=self._sight_changed
        )
        own = member.name if member and member.live else ""
        self._memory = Memory(self._tracks, self._sighting, self._related, self._verdicts.levels, own=own)
        self._buffer = SampleBuffer(samples, self._memory, clock, courier)
        self._reporter = Reporter(
            engine, self._shares, verdict=self._verdicts.news_of, sight=lambda: self._sighting.sight, flush=self.flush,
            run_once=self._schedule.run_once,
        )  # fmt: skip
        self._next_look = 0.0
        self._next_reevaluation = 0.0
        self._next_controls = 0.0
        self._large: set[str] = set()  # large components still to be evaluated
        self._due_of: World | None = None
        self._due_at: datetime | None = None
        self._looked_at: datetime | None = None

    async def start(self) -> None:
        """Continue from what was remembered, and place checks in their intervals."""
        if self._ways:
            self._sighting.proven = await self._ways.recall()
        await self._memory.recall(self._samples, self._engine.world, self._clock.now())
        for component in self._tracks.components:
            held = self._engine.world.component(component)
            if held.since and not held.level.bad and self.verdict(component).level.bad:
                self._tracks.settle(component, held.since)
        intervals = {check.id: self._plan.interval(check).total_seconds() for check in self._plan.checks}
        turns = phases(self._plan.checks, intervals)
        mine = {component: partial(self._shares.runs_checks_of, component) for component in self._tracks.components}
        probe = self._probe  # one bound method for all checks
        for check in self._plan.checks:
            self._schedule.add(
                check.id, intervals[check.id], probe, check, owner=ComponentId(check.component).provider,
                phase_s=turns[check.id], mine=mine[check.component],
            )  # fmt: skip
            if self._tracks.suspects(check.id):
                self._early_runs.reschedule(check.id)  # a doubt from before the restart
        for control in self._plan.controls:
            self._schedule.add(control.id, control.every.total_seconds(), self._look_at_control, control.id)
        if self._controls:
            self._schedule.run_once(self._sighting.ask_once)
        for source in self._plan.feeds:
            reads = partial(self._shares.reads, source.provider, self._components_of(source.provider))
            self._schedule.add(f"feed {source.provider}", source.every.total_seconds(), self._read, source, mine=reads)
        self._shares.begin(self._tracks.components)
        for component in set(self._plan.off) - set(self._tracks.components):
            self._compare(component)

    async def stop(self) -> None:
        """Stop checking; write all results and everything remembered."""
        await self._schedule.stop()
        await self.flush(everything=True)

    def beat(self) -> None:
        """Start what is due, and act on late answers."""
        arrived = self._shares.arrived()
        self._start_over(arrived.new)
        self._resume(arrived.back)
        self._schedule.beat()
        self._early_runs.follow_late_answers(self._would_be_news)
        if self._large:
            self._schedule.run_once(self._evaluate_large_ones)
        now = self._clock.monotonic()
        if self._sighting.sight.blind and self._controls and now >= self._next_controls:
            self._next_controls = now + CONTROLS_EVERY_S
            self._schedule.run_once(self._recheck_sight)

    async def look(self) -> None:
        """Take over arrived components, act on the ledger's deadlines, and write results."""
        if untaken := self._shares.untaken():
            await self._take_over(untaken)
        now, ripe = self._clock.monotonic(), self._time_is_ripe()
        if ripe or now + self._near_s >= self._next_look:
            self._next_look = now + LOOK_EVERY_S
            try:
                if ripe and self._shares.holds_clock():
                    await self._let_time_pass()
                if now >= self._next_reevaluation:
                    self._next_reevaluation = now + REEVALUATE_EVERY_S
                    await self._reevaluate()
                if self._ways:
                    await self._ways.keep(self._sighting.proven)
            finally:
                await self.flush()  # last, since a store that refuses samples must not silence an incident

    @property
    def due_at(self) -> datetime | None:
        """The ledger's next deadline, as of the last look."""
        return self._due_at

    async def idle(self) -> None:
        """Wait until no check is in flight; for callers that move time by hand."""
        await self._schedule.idle()

    def silent_controls(self) -> tuple[str, ...]:
        """Names of controls that do not count: they never answered, or have long been silent, although a provider answers."""
        proven, lost = self._sighting.proven, self._sighting.lost()
        return tuple(CheckId(id).name for id in self._controls if id in lost or not proven.speaks(id))

    async def flush(self, *, everything: bool = False) -> None:
        """Write results and the tracks that they changed; `everything`: calm tracks too."""
        await self._buffer.flush(everything=everything)

    async def _let_time_pass(self) -> None:
        try:
            await self._engine.handle(TimePassed(actor=CLOCKWORK))
        except StoreError as error:  # whoever monitors the ledger reports it; retried at the next look
            log.debug("not written", signal="TimePassed", why=str(error))

    def _time_is_ripe(self) -> bool:
        """Whether a deadline passed, or the wall clock was set back; recomputed only when the world changed."""
        world, now, before = self._engine.world, self._clock.now(), self._looked_at
        self._looked_at = now
        if world is not self._due_of:
            self._due_of, self._due_at = world, next_due(world, self._engine.policy)
        return (self._due_at is not None and self._due_at <= now) or (before is not None and now < before)

    # --- checks

    async def _probe(self, check: Check) -> None:
        if self._tracks.suspects(check.id):
            self._early_runs.reschedule(check.id)  # without waiting for this run's result
        number = self._in_flight.began(check)
        overtaken = False
        try:
            sample = await self._measure(check)
        finally:
            overtaken = self._in_flight.ended(number)
        blind, unseen = self._sighting.sight.blind, check.id in self._sighting.unseen
        if sample.outcome is Outcome.FAIL:
            sample = await self._sighting.believed(sample)
        else:
            self._sighting.provider(sample)
        if self._sighting.sight.blind is not blind:
            self._sight_changed()
        if overtaken and self._tracks.out_of_date(sample):
            self._keep(sample)  # it hung for more than an interval, and rechecks have reported newer results since
        else:
            self._count(sample, news=unseen is not (check.id in self._sighting.unseen))

    async def _measure(self, check: Check) -> Sample:
        if self._lag:
            sample = await self._undisturbed(check, self._lag)
        else:
            sample = await self._prober.probe(check)
        return sample if sample.vantage == self._plan.vantage else replace(sample, vantage=self._plan.vantage)

    async def _undisturbed(self, check: Check, lag: Lag) -> Sample:
        """A measurement, doubted as far as our own loop was late during it."""
        began_at, began = self._clock.monotonic(), lag.begin()
        try:
            sample = await self._prober.probe(check)
        finally:
            late_s = lag.end(began)
        return doubted(sample, late_s, (self._clock.monotonic() - began_at) / self._clock.speed, self._clock.speed)

    def _start_over(self, components: Collection[str]) -> None:
        """These components belonged to another replica until now: run every check soon."""
        for component in components:
            self._tracks.forget(component)
            self._verdicts.taken_over(component)
            self._run_soon(component, set(self._tracks.components[component]))

    def _resume(self, components: Collection[str]) -> None:
        """We kept checking these components: what we know counts again, once each check has run within its interval."""
        now = self._clock.now()
        for component in components:
            checks = self._tracks.components[component]
            self._run_soon(component, {check for check in checks if not self._tracks.ran_lately(check, now)})

    def _run_soon(self, component: str, checks: set[str]) -> None:
        """Run these checks soon; nothing is reported on the component before that."""
        self._verdicts.not_run_yet[component] = checks
        for check in checks:
            self._schedule.run_early(check, offset(check) * min(self._tracks.every(check).total_seconds(), ARRIVE_WITHIN_S))

    async def _take_over(self, components: Mapping[str, int]) -> None:
        """Continue components from the committed state. Nothing is reported on them until it could be read."""
        try:
            await self._engine.caught_up()
            await self._memory.take_over(components, self._samples, self._engine.world, self._clock.now())
        except StoreError as error:
            log.debug("not taken over yet", components=len(components), why=str(error))
            return
        self._shares.taken(components)
        for component in components:
            if component in self._verdicts.not_well or self._engine.world.component(component).level is not Level.OPERATIONAL:
                self._compare(component)

    async def take(self, samples: Sequence[Sample], *, stored: bool = False) -> None:
        """Count results from elsewhere: from another vantage, or heartbeats. Unknown checks are ignored.

        `stored`: another replica has already stored them. Results of our own vantage are counted only by the replica that runs
        the check.
        """
        for sample in samples:
            if not self._tracks.knows(sample.check):
                continue
            if sample.vantage != self._plan.vantage or self._shares.runs_checks_of(sample.component):
                self._count(sample, stored=stored)
            elif not stored:
                self._keep(sample)

    def _keep(self, sample: Sample) -> None:
        self._buffer.keep(sample)
        if self._on_sample:
            self._on_sample(sample)

    def _count(self, sample: Sample, *, news: bool = False, stored: bool = False) -> None:
        """Count a result; `news` = evaluate the component even if the track did not change."""
        if not stored:
            self._keep(sample)
        component = sample.component
        healthy = self._engine.world.component(component).level in (Level.OPERATIONAL, Level.UNKNOWN)
        turn = self._tracks.observe(sample, learn=healthy, now=self._clock.now())
        seen_all = False
        if sample.vantage == self._plan.vantage:
            not_run_yet = self._verdicts.not_run_yet[component]
            seen_all = not_run_yet == {sample.check}
            not_run_yet.discard(sample.check)
            if turn.hurries:
                self._early_runs.reschedule(sample.check)
            if component in self._verdicts.not_well:
                self._early_runs.run_siblings(sample.check)
            if turn.suspects and not turn.suspected:
                self._early_runs.run_related(sample.check)
        if not turn.calm or seen_all or news:
            self._compare(component)

    def _would_be_news(self, component: str) -> bool:
        return not (self._sighting.sight.blind or self._engine.world.component(component).level.bad)

    def verdict(self, component: str) -> Verdict:
        """The verdict from all results so far and what others say."""
        return self._verdicts.verdict(component)

    def live_verdicts(self) -> dict[str, Verdict]:
        """Current verdicts, even if not yet in the ledger, of all components that are not simply well."""
        return self._verdicts.live()

    def unchecked(self) -> set[str]:
        """The components with checks that have not run since the start."""
        return self._verdicts.unchecked()

    async def count_traffic(self, said: Mapping[str, SourceReport]) -> None:
        """What requests of real customers say about components now; about all others they say nothing bad."""
        before, self._verdicts.traffic = self._verdicts.traffic, said
        for component in sorted((before.keys() | said.keys()) & self._tracks.components.keys()):
            if (old := before.get(component)) is None or component not in said or old.level is not said[component].level:
                self._compare(component)

    def _compare(self, component: str) -> None:
        """Evaluate a component (a large one at the next beat) and report a verdict that differs from the ledger's."""
        if self._tracks.is_large(component):
            self._large.add(component)
        else:
            self._evaluate(component)

    async def _evaluate_large_ones(self) -> None:
        large, self._large = self._large, set()
        for component in sorted(large):
            self._evaluate(component)
            await asyncio.sleep(0)

    def _evaluate(self, component: str) -> None:
        try:
            if self._verdicts.news_of(component) is not None:
                self._reporter.report_component(component)
        except Exception:  # the other components are still evaluated
            log.exception("a component could not be evaluated: this is a bug in Understudy", component=component)

    async def _reevaluate(self) -> None:
        """Evaluate what time alone may change: persistent advisories, silent vantages, expired reports."""
        sight = self._shares.sight_of_all(self._sighting.sight)
        if sight is not None and sight.blind is not self._engine.world.sight.blind:
            self._sight_changed()  # the ledger did not take it when it happened, or it depends on other replicas
        evaluated = 0
        for component in sorted(self._verdicts.not_well):
            self._compare(component)
            evaluated += len(self._tracks.components.get(component, ()))
            if evaluated >= EVALUATED_AT_ONCE:
                evaluated = 0
                await asyncio.sleep(0)

    # --- the control group

    async def _recheck_sight(self) -> None:
        blind = self._sighting.sight.blind
        await self._sighting.recheck()
        if self._sighting.sight.blind is not blind:
            self._sight_changed()

    async def _look_at_control(self, id: str) -> None:
        blind = self._sighting.sight.blind
        sample = await self._measure(self._controls[id])
        self._keep(sample)
        self._sighting.control(sample)
        if self._sighting.sight.blind is not blind:
            self._sight_changed()

    def _sight_changed(self) -> None:
        """Report our sight once, and evaluate every component."""
        self._reporter.report_sight()
        for component in self._tracks.components:
            self._compare(component)

    def is_blind(self) -> bool:
        """Whether we are blind because of our own network."""
        return self._sighting.sight.blind

    # --- feeds

    def _components_of(self, provider: str) -> tuple[str, ...]:
        return tuple(id for id in self._tracks.components if ComponentId(id).provider == provider)

    async def _read(self, source: Source) -> None:
        report = await self._fetcher.read(source)
        self._verdicts.levels[source.provider] = report.levels
        self._reporter.report_page(report)
