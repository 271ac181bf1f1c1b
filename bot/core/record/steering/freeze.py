"""Whether rules may move flags at all: the facts of a freeze, and what they add up to."""

from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor
from bot.core.record.fact import Body, Fact, Reasoned
from bot.core.record.incident import Incident


@dataclass(frozen=True)
class Freeze:
    """Somebody holds all rules off all flags, since when and why; nobody does while `by` is None."""

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
        """Frozen by whoever said so. It also stands in the streams of open incidents, of which it makes nothing."""
        return Freeze(fact.actor, fact.at, self.reason) if isinstance(state, Freeze) else state


@dataclass(frozen=True)
class Thawed(Reasoned, Body):
    """Rules move flags again, each as its `automation` says."""

    KIND = "automation.thawed"
    ANNOUNCED = True
    reason: str

    def onto(self, state: Freeze | Incident, fact: Fact) -> Freeze | Incident:
        """Nothing is frozen. It also stands in the streams of open incidents, of which it makes nothing."""
        return THAWED if isinstance(state, Freeze) else state
