"""When the next update is due and when people are reminded of theirs: computed from the incident, never stored in a timer."""

from datetime import datetime, timedelta

from bot.core.policy import IncidentPolicy, Policy
from bot.core.record.incident import Incident

CLOCK_SLACK = timedelta(minutes=1)  # a smaller correction of the wall clock does not count as set back
NOW = timedelta(0)
MOST_MISSED = 1_000  # stop counting there
TOGETHER = timedelta(minutes=5)  # a reminder due this close to one of our updates is sent with it


def update_every(incident: Incident, policy: IncidentPolicy) -> timedelta | None:
    """The longest time between updates of this incident; None = on change only."""
    return policy.update_every.get(incident.severity)


def next_update_at(incident: Incident, policy: Policy) -> datetime | None:
    """When the next update is due: the last one (the bot's or a person's) plus the interval; None if none is due.

    Never inside quiet hours of its severity: it waits for their end.
    """
    return next_update_after(incident, policy, incident.last_update_at or incident.declared_at)


def next_update_after(incident: Incident, policy: Policy, spoke: datetime) -> datetime | None:
    """The same, assuming the last update was at `spoke`."""
    every = update_every(incident, policy.incidents)
    if not incident.phase.open or every is None:
        return None
    return policy.paging.later(incident.severity, spoke + every, NOW)


def update_is_due(incident: Incident, policy: Policy, now: datetime) -> bool:
    """Whether to post now: it is due, or the last update lies in the future because the wall clock was set back."""
    due = next_update_at(incident, policy)
    if due is None:
        return False
    return due <= now or (incident.last_update_at or incident.declared_at) > now + CLOCK_SLACK


def missed(incident: Incident, policy: Policy, now: datetime) -> int:
    """How many updates were missed before the one that is due now, for instance after a power cut.

    Nothing counts as missed under an earlier severity with another interval, nor in quiet hours.
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
    """When a person last wrote an update; before the first one, when the incident was declared."""
    return incident.reminders.since or incident.declared_at


def next_reminder_at(incident: Incident, policy: Policy) -> datetime | None:
    """When to remind people that nobody has written an update for a whole interval; None = never.

    Never while nobody is responsible, which is what paging is for, nor once all is well. A new lead or severity gets a full
    interval.
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
    """If the bot's update at `now` should carry the reminder: since when no person has written one; else None."""
    at, snoozed = next_reminder_at(incident, policy), incident.reminders.snoozed_until
    if at is None or at > now + TOGETHER or (snoozed and snoozed > now):
        return None
    return silent_since(incident)
