"""Whether rules may move flags at all: the facts of a freeze, and their state."""

from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor
from bot.core.record.fact import Body, Fact, Reasoned
from bot.core.record.incident import Incident


@dataclass(frozen=True)
class Freeze:
    """Somebody stops all rules from moving flags, since when and why; `by` None = no freeze."""

    by: Actor | None = None
    at: datetime | None = None
    reason: str = ""


THAWED = Freeze()


@dataclass(frozen=True)
class Frozen(Reasoned, Body):
    """From now on no rule moves any flag; rules ask instead."""

    KIND = "automation.frozen"
    ANNOUNCED = True
    reason: str

    def onto(self, state: Freeze | Incident, fact: Fact) -> Freeze | Incident:
        """Frozen by this person. Also appended to streams of open incidents, which it does not change."""
        return Freeze(fact.actor, fact.at, self.reason) if isinstance(state, Freeze) else state


@dataclass(frozen=True)
class Thawed(Reasoned, Body):
    """Rules move flags again, as their `automation` says."""

    KIND = "automation.thawed"
    ANNOUNCED = True
    reason: str

    def onto(self, state: Freeze | Incident, fact: Fact) -> Freeze | Incident:
        """No freeze. Also appended to streams of open incidents, which it does not change."""
        return THAWED if isinstance(state, Freeze) else state
