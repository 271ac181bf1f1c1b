"""The configuration that the bot runs with: taken over while it runs, or refused."""

from dataclasses import replace
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, Reasoned


@dataclass(frozen=True)
class ConfigurationState:
    """When another configuration was taken over last, while the bot ran."""

    taken_at: datetime | None = None


@dataclass(frozen=True)
class ConfigurationTaken(Body):
    """The bot runs with another configuration from here on, without a restart."""

    KIND = "configuration.taken"
    ANNOUNCED = True
    changed: tuple[str, ...]  # keys, the first few
    more: int = 0  # how many besides

    def onto(self, state: ConfigurationState, fact: Fact) -> ConfigurationState:
        """The newest one counts."""
        return replace(state, taken_at=fact.at)


@dataclass(frozen=True)
class ConfigurationRefused(Reasoned, Body):
    """A valid configuration could not be run with: the bot goes on with the one before."""

    KIND = "configuration.refused"
    ANNOUNCED = True
    reason: str
