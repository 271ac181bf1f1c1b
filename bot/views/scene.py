"""What views of an incident are drawn from: the incident, everything around it, and the time."""

from collections.abc import Mapping
from datetime import datetime

from bot.core.decide import cadence
from bot.core.decide.flags.scopes import switched_scopes
from bot.core.lazy_dataclass import dataclass
from bot.core.policy import FlagPolicy, Policy
from bot.core.record.incident import Incident
from bot.core.record.world import World
from bot.views.names import plain_names


@dataclass(frozen=True)
class Scene:
    """One incident in its world, as of `now`."""

    incident: Incident
    world: World
    policy: Policy
    now: datetime

    @property
    def names(self) -> Mapping[str, str]:
        """Display names of components and providers, by id."""
        return plain_names(self.policy)

    @property
    def next_update_at(self) -> datetime | None:
        """When the next update is due; None if none is."""
        return cadence.next_update_at(self.incident, self.policy)

    @property
    def flags(self) -> list[FlagPolicy]:
        """The flags that depend on a component of this incident, or that were switched because of it."""
        return [flag for flag in self.policy.flags.values() if self._is_of(flag)]

    @property
    def flags_away(self) -> list[FlagPolicy]:
        """Those of them that are on a fallback now, including scopes."""
        return [flag for flag in self.flags if self.world.flag(flag.key).engagement] + self.switched_scopes

    @property
    def switched_scopes(self) -> list[FlagPolicy]:
        """The scopes switched separately, as `flags`. They do not serve everybody, so they mitigate nothing."""
        return [part for part in switched_scopes(self.world, self.policy) if self._is_of(part)]

    def _is_of(self, flag: FlagPolicy) -> bool:
        engagement = self.world.flag(flag.key).engagement
        switched = engagement is not None and engagement.incident == self.incident.number
        return switched or bool(set(flag.depends_on) & set(self.incident.affected))
