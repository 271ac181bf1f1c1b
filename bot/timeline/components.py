"""Facts of components, and of our own sight, as people read them."""

from collections.abc import Mapping

from bot.core.record.component_facts import (
    AdvisoryEnded,
    AdvisoryRaised,
    AlertHeard,
    AlertResumed,
    AlertSuppressed,
    Muted,
    ReportHeard,
    Unmuted,
    VerdictChanged,
)
from bot.core.record.fact import Fact, OfComponent
from bot.core.record.sight import SightLost, SightRegained
from bot.timeline.words import clock, evidence


def sentence(fact: Fact, names: Mapping[str, str]) -> str:
    """A fact of a component or of our sight; empty for others."""
    match fact.body:
        case SightLost(began_at=began_at):
            return f"We have been blind since {clock(began_at)}; what cannot be reached is unknown, and no incident opens"
        case SightRegained() as b:
            return f"We can see again since {clock(b.ended_at)}; we were blind since {clock(b.began_at)}"
        case OfComponent(component=component):
            return _of_component(fact, names.get(component, component))
    return ""


def _of_component(fact: Fact, name: str) -> str:
    match fact.body:
        case VerdictChanged() as b:
            found = evidence(b.evidence)
            if b.previous is b.level:
                return f"{name} is still {b.level}, the fault is {b.fault.replace('_', ' ')} now{found}"
            return f"{name} is {b.level}, was {b.previous}, since {clock(b.began_at)}{found}"
        case AdvisoryRaised() as b:
            return f"Advisory for {name}: {b.text}{evidence(b.evidence)}"
        case AdvisoryEnded(text=text):
            return f"The advisory for {name} is over ({text})"
        case AlertSuppressed(why=why, until=until):
            end = f" until {until:%Y-%m-%d %H:%M} UTC" if until else ""
            return f"The alert about {name} is held back{end}: {why}"
        case AlertResumed(why=why):
            return f"The alert about {name} is no longer held back ({why})"
        case AlertHeard() as b:
            return f"{b.source} says that an alert about {name} is {b.state}: {b.title}"
        case ReportHeard(text=text):
            return f"{fact.actor.name or fact.actor.id} reports about {name}: {text}"
        case Muted(until=until):
            return f"{name} is muted until {until:%Y-%m-%d %H:%M} UTC"
        case Unmuted():
            return f"{name} is no longer muted"
    return ""
