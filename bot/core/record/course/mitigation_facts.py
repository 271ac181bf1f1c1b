"""That customers are served, and that they no longer are: facts of their own beside the phase, which people keep."""

from dataclasses import replace

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, Reasoned
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import mitigated


@dataclass(frozen=True)
class Mitigated(Reasoned, Body):
    """Customers are served again, by fallbacks or by somebody's word, and the phase stayed what it was.

    Where the phase went to `mitigated` with it, that fact says it.
    """

    KIND = "incident.mitigated"
    ANNOUNCED = True
    reason: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """It stands until it is gone, and the first time is kept."""
        return mitigated(state, fact, self.reason)


@dataclass(frozen=True)
class MitigationLost(Reasoned, Body):
    """What served customers does so no longer, by what is measured or by somebody's word."""

    KIND = "incident.mitigation_lost"
    ANNOUNCED = True
    reason: str

    def pushed(self) -> bool:
        """Customers feel it again."""
        return True

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """None stands any more; that there was one stays."""
        return replace(state, mitigation=None)
