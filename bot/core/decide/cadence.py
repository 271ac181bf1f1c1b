"""When the next update is due. Slots are derived from the incident, never remembered by a timer."""

from datetime import datetime, timedelta

from bot.core.policy import IncidentPolicy
from bot.core.record.incident import Incident

CLOCK_SLACK = timedelta(minutes=1)  # a wall clock that is corrected by less than this was not set back


def update_every(incident: Incident, policy: IncidentPolicy) -> timedelta | None:
    """How often this incident speaks at least; None = on change only."""
    return policy.update_every.get(incident.severity)


def next_update_at(incident: Incident, policy: IncidentPolicy) -> datetime | None:
    """When the next update is due: the last one (the bot's or a person's) plus the cadence; None when none is due."""
    every = update_every(incident, policy)
    if not incident.phase.open or every is None:
        return None
    return (incident.last_update_at or incident.declared_at) + every


def update_is_due(incident: Incident, policy: IncidentPolicy, now: datetime) -> bool:
    """Whether to speak now: the time has come, or the last word lies in the future, since the wall clock was set back."""
    due = next_update_at(incident, policy)
    if due is None:
        return False
    return due <= now or (incident.last_update_at or incident.declared_at) > now + CLOCK_SLACK


def missed(incident: Incident, policy: IncidentPolicy, now: datetime) -> int:
    """How many slots passed unspoken before the one that is due now, as after a time without power.

    Under an earlier severity, with another cadence, nothing was missed.
    """
    every = update_every(incident, policy)
    if every is None or not incident.phase.open:
        return 0
    spoke = incident.last_update_at or incident.declared_at
    due = max(spoke, incident.severity_at or spoke) + every
    return max(0, (now - due) // every)
