"""When the next update is due, and when people are reminded of theirs: derived from the incident, remembered by no timer."""

from datetime import datetime, timedelta

from bot.core.policy import IncidentPolicy, Policy
from bot.core.record.incident import Incident

CLOCK_SLACK = timedelta(minutes=1)  # a wall clock that is corrected by less than this was not set back
NOW = timedelta(0)
MOST_MISSED = 1_000  # more are not counted one by one
TOGETHER = timedelta(minutes=5)  # a reminder that is due so shortly before or after an update of ours goes with it


def update_every(incident: Incident, policy: IncidentPolicy) -> timedelta | None:
    """How often this incident speaks at least; None = on change only."""
    return policy.update_every.get(incident.severity)


def next_update_at(incident: Incident, policy: Policy) -> datetime | None:
    """When the next update is due: the last one (the bot's or a person's) plus the cadence; None when none is due.

    Never inside of quiet hours of its severity: it waits for their end.
    """
    return next_update_after(incident, policy, incident.last_update_at or incident.declared_at)


def next_update_after(incident: Incident, policy: Policy, spoke: datetime) -> datetime | None:
    """The same, if the last one was at `spoke`."""
    every = update_every(incident, policy.incidents)
    if not incident.phase.open or every is None:
        return None
    return policy.paging.later(incident.severity, spoke + every, NOW)


def update_is_due(incident: Incident, policy: Policy, now: datetime) -> bool:
    """Whether to speak now: the time has come, or the last word lies in the future, since the wall clock was set back."""
    due = next_update_at(incident, policy)
    if due is None:
        return False
    return due <= now or (incident.last_update_at or incident.declared_at) > now + CLOCK_SLACK


def missed(incident: Incident, policy: Policy, now: datetime) -> int:
    """How many slots passed unspoken before the one that is due now, as after a time without power.

    Under an earlier severity, with another cadence, nothing was missed; nor was anything in quiet hours.
    """
    every = update_every(incident, policy.incidents)
    if every is None or not incident.phase.open:
        return 0
    spoke, severity, later = incident.last_update_at or incident.declared_at, incident.severity, policy.paging.later
    due = later(severity, max(spoke, incident.severity_at or spoke) + every, NOW)
    if policy.paging.quiet is None or severity not in policy.paging.quiet.severities:
        return max(0, (now - due) // every)
    gone = 0
    while gone < MOST_MISSED and (due := later(severity, due + every, NOW)) <= now:
        gone += 1
    return gone


# --- reminders


def silent_since(incident: Incident) -> datetime:
    """Since when no person has written an update."""
    return incident.reminders.since or incident.declared_at


def next_reminder_at(incident: Incident, policy: Policy) -> datetime | None:
    """When whoever is asked for updates is reminded that no person has written an update for a whole interval; None when never.

    Nobody is while there is nobody, which paging is for, nor once all is well. A new lead or severity gets a whole interval.
    """
    every, reminders = update_every(incident, policy.incidents), incident.reminders
    if every is None or reminders.off or not incident.phase.open or incident.well or incident.people.speaker is None:
        return None
    counted = [silent_since(incident), incident.severity_at, incident.people.acknowledged_at]
    snoozed = reminders.snoozed_until
    at = max(one for one in [*counted, None if snoozed else reminders.reminded_at] if one) + every
    at = policy.paging.later(incident.severity, max(at, snoozed or at), NOW)
    update = next_update_at(incident, policy)
    return update if update and at <= update <= at + TOGETHER else at


def reminder_in_update(incident: Incident, policy: Policy, now: datetime) -> datetime | None:
    """Since when no person has written an update, where the bot's own one at `now` reminds of it; else None."""
    at, snoozed = next_reminder_at(incident, policy), incident.reminders.snoozed_until
    if at is None or at > now + TOGETHER or (snoozed and snoozed > now):
        return None
    return silent_since(incident)
