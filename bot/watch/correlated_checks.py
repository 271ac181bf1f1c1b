"""Who else looks when one check begins to doubt, or waits too long for an answer: the others of its provider, a few of them.

One failed look is nothing; three checks of one vendor that fail in the same moment are an outage. So a doubt calls the others
at once instead of waiting for their turns. Called too often it would be a second schedule, hence the allowance.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.core.ids import ComponentId
from bot.core.lazy_dataclass import dataclass
from bot.system.clock import Clock
from bot.watch.plan import Check

SIBLINGS = 2  # of the same component
COUSINS = 2  # the heaviest check of other components of the provider
SAVED = 3.0  # alarms that a provider may have at once
ALARM_EVERY_S = 600.0  # domain seconds; how often in the long run
LASTS_S = 30.0  # domain seconds of one alarm; what else happens meanwhile belongs to it


@dataclass(frozen=True)
class Alarm:
    """The last alarm of a provider, and how much of what it may have was spent with it."""

    spent: float
    at: datetime


class Kin:
    """Knows the relatives of each check, and how often they were called lately."""

    def __init__(self, checks: Sequence[Check], weights: Mapping[str, float], clock: Clock) -> None:
        self._clock = clock
        self._components = {check.id: check.component for check in checks}
        self._heaviest: dict[str, list[str]] = {}  # of a component, the heaviest first
        for check in sorted(checks, key=lambda one: (-weights.get(one.id, 1.0), one.id)):
            of_component = self._heaviest.setdefault(check.component, [])
            if len(of_component) <= SIBLINGS:
                of_component.append(check.id)
        self._providers: dict[str, list[str]] = {}
        for component in sorted(self._heaviest):
            self._providers.setdefault(_provider(component), []).append(component)
        self.alarms: dict[str, Alarm] = {}
        self._alarmed_at: dict[str, float] = {}

    def alarmed(self, id: str) -> bool:
        """Whether the check's provider is in an alarm: its answers are not waited for before the next look."""
        at = self._alarmed_at.get(_provider(id))
        return at is not None and self._clock.monotonic() - at < LASTS_S

    def called(self, id: str) -> tuple[str, ...]:
        """Begin an alarm: who should look now. Nobody where one is on already, or where there were too many."""
        provider, now = _provider(id), self._clock.monotonic()
        if self.alarmed(id):
            return ()
        since = now - self._alarmed_at.get(provider, now)
        before = self.alarms.get(provider)
        spent = max(0.0, before.spent - since / ALARM_EVERY_S) if before else 0.0
        if spent + 1 > SAVED:
            return ()
        self.alarms[provider], self._alarmed_at[provider] = Alarm(spent + 1, self._clock.now()), now
        return self._relatives(id)

    def restore(self, alarms: Mapping[str, Alarm]) -> None:
        """Go on after a restart."""
        for provider, alarm in alarms.items():
            ago_s = max(0.0, (self._clock.now() - alarm.at).total_seconds())
            self.alarms[provider], self._alarmed_at[provider] = alarm, self._clock.monotonic() - ago_s

    def siblings(self, id: str) -> tuple[str, ...]:
        """A few others of the same component."""
        return tuple([other for other in self._heaviest[self._components[id]] if other != id][:SIBLINGS])

    def _relatives(self, id: str) -> tuple[str, ...]:
        component = self._components[id]
        others = [name for name in self._providers[_provider(component)] if name != component][:COUSINS]
        return (*self.siblings(id), *(self._heaviest[name][0] for name in others))


def _provider(id: str) -> str:
    return ComponentId(id).provider
