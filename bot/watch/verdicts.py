"""From results to the verdict on each component, and whether it is news to the ledger."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from bot.core.decide.alerting.corroboration import hear
from bot.core.detection.verdict import SourceReport, reach
from bot.core.ids import ComponentId
from bot.core.model import Level, Verdict
from bot.ports import Engine
from bot.system.clock import Clock
from bot.watch.blindness import BlindnessMonitor
from bot.watch.check_states import Tracks
from bot.watch.plan import Plan
from bot.watch.shares import WorkShare

SETTLE_FOR_S = 20.0  # domain seconds for which "degraded" waits, on the way to "down" or back


class ComponentVerdicts:
    """Combines our results, what others say and our sight. `on_sight` is called if our sight changes while evaluating.

    `not_run_yet` holds, by component, the checks that have not run since it became ours; `not_well` the components that are not
    simply all well; `levels` what each page says about our components, `traffic` what real requests say about them.
    """

    def __init__(
        self, plan: Plan, tracks: Tracks, sighting: BlindnessMonitor, shares: WorkShare, engine: Engine, clock: Clock, *,
        on_sight: Callable[[], None],
    ) -> None:  # fmt: skip
        self._off = plan.off
        self._rule = replace(plan.verdicts, own=plan.vantage)
        self._tracks = tracks
        self._sighting = sighting
        self._shares = shares
        self._engine = engine
        self._clock = clock
        self._on_sight = on_sight
        self.not_run_yet = {component: set(checks) for component, checks in tracks.components.items()}
        self.not_well = set(self.not_run_yet)
        self.levels: dict[str, Mapping[str, Level]] = {}
        self.traffic: Mapping[str, SourceReport] = {}
        self._changing_since: dict[str, float] = {}

    def taken_over(self, component: str) -> None:
        """It belonged to another replica until now."""
        self.not_well.add(component)
        self._changing_since.pop(component, None)

    def verdict(self, component: str) -> Verdict:
        """The verdict from all results so far and what others say."""
        now = self._clock.now()
        return reach(
            component, self._tracks.views(component, now), heard=self._heard(component, now),
            off=self._off.get(component, ()), sight=self._sighting.sight, unseen=self._unseen_of(component),
            advised=self._engine.world.component(component).advisory, rule=self._rule, now=now,
        )  # fmt: skip

    def live(self) -> dict[str, Verdict]:
        """Current verdicts, even if not yet in the ledger, of all components that are not simply well."""
        found = {component: self.verdict(component) for component in self.not_well if self._shares.owns(component)}
        return {id: verdict for id, verdict in found.items() if verdict.level.bad or not self.not_run_yet.get(id)}

    def unchecked(self) -> set[str]:
        """The components with checks that have not run since the start."""
        return {component for component, checks in self.not_run_yet.items() if checks and self._shares.owns(component)}

    def _must_settle(self, component: str, verdict: Verdict) -> bool:
        """Whether "degraded" should wait a moment because other checks are still in doubt or also recovering."""
        if verdict.level is not Level.DEGRADED or not self._tracks.about_to_change(component):
            self._changing_since.pop(component, None)
            return False
        now = self._clock.monotonic()
        return now - self._changing_since.setdefault(component, now) < SETTLE_FOR_S

    def _unseen_of(self, component: str) -> set[str]:
        """The component's checks, by name, whose newest result does not count because we are blind."""
        if not self._sighting.unseen:
            return set()
        unseen = self._sighting.unseen.intersection(self._tracks.components.get(component, ()))
        return {check.removeprefix(f"{component}.") for check in unseen}

    def _heard(self, component: str, now: datetime) -> tuple[SourceReport, ...]:
        levels = self.levels.get(ComponentId(component).provider)
        real = self.traffic.get(component)
        return (*hear(self._engine.world, component, now, levels), *([real] if real else ()))

    def news_of(self, component: str) -> Verdict | None:
        """The verdict to report, None if there is none: called as soon as there may be news, and again before reporting."""
        verdict = self.verdict(component)
        held = self._engine.world.component(component)
        same = held.agrees(verdict)
        if same and verdict.level is Level.OPERATIONAL and not verdict.advisory and self._tracks.all_well(component):
            self.not_well.discard(component)
        else:
            self.not_well.add(component)
        if same or not self._shares.may_report(component, not_run_yet=self.not_run_yet.get(component, ())):
            return None
        if not verdict.level.bad and self.not_run_yet.get(component):
            return None  # just started: wait until every check has run once
        if verdict.level is Level.UNKNOWN and self._tracks.began_in_doubt(component):
            return None  # taken over, and its first result was bad: wait for more
        if verdict.level.bad and verdict.level.rank > held.level.rank and self._tracks.only_from_before(component):
            return None  # a restart is not news: an outage must have been seen since
        if self._must_settle(component, verdict):
            return None
        if verdict.level.bad and verdict.by_network and self._sighting.evaluate():
            self._on_sight()  # this component is evaluated again too
            return None
        return verdict
