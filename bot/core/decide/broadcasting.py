"""What people outside an incident are told: one message per channel, edited as things change, and replies to it."""

from collections.abc import Sequence

from bot.core.model import Phase
from bot.core.policy import Policy
from bot.core.record.fact import Body, Fact
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import PhaseChanged, UpdateWritten


def to_begin(incident: Incident, policy: Policy) -> Sequence[str]:
    """The channels to start telling: the incident is open, and its severity is one of theirs.

    A drill that pages nobody is not broadcast.
    """
    if not incident.phase.open or not incident.calls_people:
        return ()
    wanted = (one.channel for one in policy.broadcast if incident.severity in one.severities)
    return [channel for channel in wanted if channel not in incident.broadcasts]


def to_keep(incident: Incident) -> Sequence[str]:
    """The channels whose message is kept up to date, whatever the severity is now. One that Slack refused is left alone."""
    return [channel for channel, post in incident.broadcasts.items() if not post.gone]


def replied(facts: Sequence[Fact], incident: int) -> Sequence[Fact]:
    """The facts that are also posted as replies, since an edit notifies no phone."""
    return [fact for fact in facts if fact.incident == incident and _is_said(fact.body)]


def _is_said(body: Body) -> bool:
    match body:
        case UpdateWritten(text=text):
            return bool(text)
        case PhaseChanged(phase=phase, move=move):
            return move == "reopen" or phase in (Phase.RESOLVED, Phase.CANCELED)
    return False
