"""The configuration that the bot uses: replaced while it runs, or refused."""

from dataclasses import replace
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, Reasoned


@dataclass(frozen=True)
class ConfigurationState:
    """When the configuration was last replaced while the bot ran."""

    taken_at: datetime | None = None


@dataclass(frozen=True)
class ConfigurationTaken(Body):
    """The bot uses a changed configuration from now on, without a restart."""

    KIND = "configuration.taken"
    ANNOUNCED = True
    changed: tuple[str, ...]  # the first few changed keys
    more: int = 0  # number of further changed keys

    def onto(self, state: ConfigurationState, fact: Fact) -> ConfigurationState:
        """Keep the time of the newest one."""
        return replace(state, taken_at=fact.at)


@dataclass(frozen=True)
class ConfigurationRefused(Reasoned, Body):
    """A valid configuration could not be used: the bot continues with the previous one."""

    KIND = "configuration.refused"
    ANNOUNCED = True
    reason: str
