"""A person says that customers are served, or that they no longer are, whatever the phase is."""

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
    """It is on record that customers are served, or (`over`) that they no longer are."""

    KIND = "mitigation_noted"
    over: bool
    phase: Phase  # where it stands


@dataclass(frozen=True, kw_only=True)
class MitigatedAlready(Refused):
    """It is on record already, by somebody or by a rule."""

    KIND = "mitigated_already"
    by: Actor


@dataclass(frozen=True, kw_only=True)
class NotMitigated(Refused):
    """There is nothing to take back."""

    KIND = "not_mitigated"


def on_mitigated(draft: Draft, signal: SayMitigated) -> Step:
    """On record beside the phase. Where it is taken back the phase `mitigated` goes back too."""
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
