"""Customers are served, or no longer are: recorded separately from the phase, which people control."""

from dataclasses import replace

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, Reasoned
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import mitigated


@dataclass(frozen=True)
class Mitigated(Reasoned, Body):
    """Customers are served again, through fallbacks or according to a person, while the phase stays the same.

    If the phase also became `mitigated`, `PhaseChanged` says so instead.
    """

    KIND = "incident.mitigated"
    ANNOUNCED = True
    reason: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The mitigation lasts until it is lost; the time of the first one is kept."""
        return mitigated(state, fact, self.reason)


@dataclass(frozen=True)
class MitigationLost(Reasoned, Body):
    """Customers are no longer served, according to measurements or a person."""

    KIND = "incident.mitigation_lost"
    ANNOUNCED = True
    reason: str

    def pushed(self) -> bool:
        """Customers are affected again."""
        return True

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """No mitigation is in place; the time of the first one stays."""
        return replace(state, mitigation=None)
