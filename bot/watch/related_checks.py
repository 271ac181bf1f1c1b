"""Which other checks run at once when one is in doubt or waits too long for an answer: a few of the same provider.

One failed check is nothing; three checks of one vendor that fail at the same moment are an outage. So a doubt runs others at
once instead of waiting for their turns. Unlimited, that would amount to a second schedule, hence the allowance.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.core.ids import ComponentId
from bot.core.lazy_dataclass import dataclass
from bot.system.clock import Clock
from bot.watch.plan import Check

SIBLINGS = 2  # checks of the same component
COUSINS = 2  # the heaviest check of other components of the provider
SAVED = 3.0  # alarms that a provider may save up
ALARM_EVERY_S = 600.0  # domain seconds between alarms in the long run
LASTS_S = 30.0  # domain seconds; later doubts within this time belong to the same alarm


@dataclass(frozen=True)
class Alarm:
    """A provider's last alarm, and how much of its allowance was spent with it."""

    spent: float
    at: datetime


class RelatedChecks:
    """Knows which checks are related, and how often they were run because of an alarm."""

    def __init__(self, checks: Sequence[Check], weights: Mapping[str, float], clock: Clock) -> None:
        self._clock = clock
        self._components = {check.id: check.component for check in checks}
        self._heaviest: dict[str, list[str]] = {}  # checks of a component, heaviest first
        for check in sorted(checks, key=lambda one: (-weights.get(one.id, 1.0), one.id)):
            of_component = self._heaviest.setdefault(check.component, [])
            if len(of_component) <= SIBLINGS:
                of_component.append(check.id)
        self._providers: dict[str, list[str]] = {}
        for component in sorted(self._heaviest):
            self._providers.setdefault(_provider(component), []).append(component)
        self.alarms: dict[str, Alarm] = {}
        self._alarmed_at: dict[str, float] = {}

    def in_alarm(self, id: str) -> bool:
        """Whether the check's provider is in an alarm: then the next run does not wait for the last answer."""
        at = self._alarmed_at.get(_provider(id))
        return at is not None and self._clock.monotonic() - at < LASTS_S

    def start_alarm(self, id: str) -> tuple[str, ...]:
        """Start an alarm; returns the checks to run now. Empty during an alarm, or if there were too many."""
        provider, now = _provider(id), self._clock.monotonic()
        if self.in_alarm(id):
            return ()
        since = now - self._alarmed_at.get(provider, now)
        before = self.alarms.get(provider)
        spent = max(0.0, before.spent - since / ALARM_EVERY_S) if before else 0.0
        if spent + 1 > SAVED:
            return ()
        self.alarms[provider], self._alarmed_at[provider] = Alarm(spent + 1, self._clock.now()), now
        return self._relatives(id)

    def restore(self, alarms: Mapping[str, Alarm]) -> None:
        """Continue after a restart."""
        for provider, alarm in alarms.items():
            ago_s = max(0.0, (self._clock.now() - alarm.at).total_seconds())
            self.alarms[provider], self._alarmed_at[provider] = alarm, self._clock.monotonic() - ago_s

    def siblings(self, id: str) -> tuple[str, ...]:
        """A few other checks of the same component."""
        return tuple([other for other in self._heaviest[self._components[id]] if other != id][:SIBLINGS])

    def _relatives(self, id: str) -> tuple[str, ...]:
        component = self._components[id]
        others = [name for name in self._providers[_provider(component)] if name != component][:COUSINS]
        return (*self.siblings(id), *(self._heaviest[name][0] for name in others))


def _provider(id: str) -> str:
    return ComponentId(id).provider
