"""A person says that customers are served, or that they no longer are, in any phase."""

from bot.core.answers import incident as a
from bot.core.answers.base import Done, Refused
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.flags.mitigation import lose_mitigation
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, Phase
from bot.core.record.course.mitigation_facts import Mitigated
from bot.core.signals.incident import SayMitigated


@dataclass(frozen=True, kw_only=True)
class MitigationNoted(Done):
    """It is recorded that customers are served, or (`over`) that they no longer are."""

    KIND = "mitigation_noted"
    over: bool
    phase: Phase  # the incident's phase now


@dataclass(frozen=True, kw_only=True)
class MitigatedAlready(Refused):
    """It is already recorded, by a person or a rule."""

    KIND = "mitigated_already"
    by: Actor


@dataclass(frozen=True, kw_only=True)
class NotMitigated(Refused):
    """There is no mitigation to take back."""

    KIND = "not_mitigated"


def on_mitigated(draft: Draft, signal: SayMitigated) -> Step:
    """Record it beside the phase. Taking it back also leaves the phase `mitigated`."""
    incident, reason = draft.incident(signal.incident), signal.reason.strip()
    if not incident.phase.open:
        return draft.refuse(a.Over(incident=incident.number, phase=incident.phase, wanted=a.Wanted.MITIGATION))
    if signal.over:
        if incident.mitigation is None:
            return draft.refuse(NotMitigated(incident=incident.number))
        lose_mitigation(draft, incident.number, reason, signal.actor)
    elif incident.mitigation:
        return draft.refuse(MitigatedAlready(incident=incident.number, by=incident.mitigation.by))
    else:
        draft.add(incident.stream, Mitigated(reason))
    return draft.done(MitigationNoted(incident=incident.number, over=signal.over, phase=draft.incident(incident.number).phase))


HANDLERS: Handlers = {SayMitigated: on_mitigated}
