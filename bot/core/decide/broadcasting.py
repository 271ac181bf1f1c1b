"""Who outside of an incident is told of it, and of what: one message in a channel, edited as things change, and replies."""

from collections.abc import Sequence

from bot.core.model import Phase
from bot.core.policy import Policy
from bot.core.record.fact import Body, Fact
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import PhaseChanged, UpdateWritten


def to_begin(incident: Incident, policy: Policy) -> Sequence[str]:
    """The channels that are to hear of it from now on: once its severity is one of theirs, while it runs.

    Of a drill that calls nobody, nobody outside of it hears.
    """
    if not incident.phase.open or not incident.calls_people:
        return ()
    wanted = (one.channel for one in policy.broadcast if incident.severity in one.severities)
    return [channel for channel in wanted if channel not in incident.broadcasts]


def to_keep(incident: Incident) -> Sequence[str]:
    """The channels whose message is kept true, whatever its severity is by now. One that Slack did not take is left alone."""
    return [channel for channel, post in incident.broadcasts.items() if not post.gone]


def replied(facts: Sequence[Fact], incident: int) -> Sequence[Fact]:
    """What of these is said in the thread too, where it reaches phones as no edit does."""
    return [fact for fact in facts if fact.incident == incident and _is_said(fact.body)]


def _is_said(body: Body) -> bool:
    match body:
        case UpdateWritten(text=text):
            return bool(text)
        case PhaseChanged(phase=phase, move=move):
            return move == "reopen" or phase in (Phase.RESOLVED, Phase.CANCELED)
    return False
