"""What all looking comes to: the verdict on each component, and whether it is news to the ledger."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from bot.core.decide.alerting.corroboration import hear
from bot.core.detection.verdict import Heard, reach
from bot.core.ids import ComponentId
from bot.core.model import Level, Verdict
from bot.ports import Engine
from bot.system.clock import Clock
from bot.watch.blindness import BlindnessMonitor
from bot.watch.check_states import Tracks
from bot.watch.plan import Plan
from bot.watch.shares import Shares

SETTLE_S = 20.0  # domain seconds that "degraded" waits on the way to "down" or back


class Conclusions:
    """Weighs the results, what was heard and what we see. `on_sight` is called where thinking it over changed what we see.

    `unseen` holds, by component, the checks that have not looked since it is ours; `uneasy` the components whose verdict is not
    plainly that all is well; `levels` what each page says of our components, `traffic` what real requests say of them.
    """

    def __init__(
        self, plan: Plan, tracks: Tracks, sighting: BlindnessMonitor, shares: Shares, engine: Engine, clock: Clock, *,
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
        self.unseen = {component: set(checks) for component, checks in tracks.components.items()}
        self.uneasy = set(self.unseen)
        self.levels: dict[str, Mapping[str, Level]] = {}
        self.traffic: Mapping[str, Heard] = {}
        self._turning_since: dict[str, float] = {}

    def begin_anew(self, component: str) -> None:
        """It was another replica's until now."""
        self.uneasy.add(component)
        self._turning_since.pop(component, None)

    def verdict(self, component: str) -> Verdict:
        """What the results so far, and what was heard, come to."""
        now = self._clock.now()
        return reach(
            component, self._tracks.views(component, now), heard=self._heard(component, now),
            off=self._off.get(component, ()), sight=self._sighting.sight, unseen=self._unseen_of(component),
            advised=self._engine.world.component(component).advisory, rule=self._rule, now=now,
        )  # fmt: skip

    def sees(self) -> dict[str, Verdict]:
        """What looking comes to at this moment wherever that is not plainly well, also where the ledger did not take it."""
        found = {component: self.verdict(component) for component in self.uneasy if self._shares.owns(component)}
        return {id: verdict for id, verdict in found.items() if verdict.level.bad or not self.unseen.get(id)}

    def awaits(self) -> set[str]:
        """The components that not every check has looked at since the start."""
        return {component for component, checks in self.unseen.items() if checks and self._shares.owns(component)}

    def _settles(self, component: str, verdict: Verdict) -> bool:
        """Whether half a verdict waits a moment, since the other checks are in doubt still, or on their way back as well."""
        if verdict.level is not Level.DEGRADED or not self._tracks.turning(component):
            self._turning_since.pop(component, None)
            return False
        now = self._clock.monotonic()
        return now - self._turning_since.setdefault(component, now) < SETTLE_S

    def _unseen_of(self, component: str) -> set[str]:
        """The component's checks, by name, whose newest look says nothing since we are blind."""
        if not self._sighting.unseen:
            return set()
        unseen = self._sighting.unseen.intersection(self._tracks.components.get(component, ()))
        return {check.removeprefix(f"{component}.") for check in unseen}

    def _heard(self, component: str, now: datetime) -> tuple[Heard, ...]:
        levels = self.levels.get(ComponentId(component).provider)
        real = self.traffic.get(component)
        return (*hear(self._engine.world, component, now, levels), *([real] if real else ()))

    def news_of(self, component: str) -> Verdict | None:
        """What is to be told of it: asked as soon as it may be news, and again when its turn to be told has come."""
        verdict = self.verdict(component)
        held = self._engine.world.component(component)
        same = held.agrees(verdict)
        if same and verdict.level is Level.OPERATIONAL and not verdict.advisory and self._tracks.all_well(component):
            self.uneasy.discard(component)
        else:
            self.uneasy.add(component)
        if same or not self._shares.speaks_of(component, unseen=self.unseen.get(component, ())):
            return None
        if not verdict.level.bad and self.unseen.get(component):
            return None  # just started: no word before every check of it has looked once
        if verdict.level is Level.UNKNOWN and self._tracks.began_in_doubt(component):
            return None  # taken over with its first look a bad one: the next looks tell
        if verdict.level.bad and verdict.level.rank > held.level.rank and self._tracks.only_from_before(component):
            return None  # a restart is no news: an outage is entered by what was seen since
        if self._settles(component, verdict):
            return None
        if verdict.level.bad and verdict.by_network and self._sighting.reckon():
            self._on_sight()  # this component is thought over as well
            return None
        return verdict
