"""Reminds the lead that no person has written an update, and lets people snooze that."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.core.answers import incident as a
from bot.core.answers.base import Done, Refused
from bot.core.decide.cadence import next_reminder_at, silent_since, update_every
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.phases import REMINDER
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Severity
from bot.core.policy import Policy
from bot.core.record.reminder_facts import RemindersResumed, RemindersSnoozed, UpdateOverdue
from bot.core.record.world import World
from bot.core.signals import ResumeReminders, SnoozeReminders

LEAST_MINUTES, MOST_HOURS = 1, 24


@dataclass(frozen=True, kw_only=True)
class Snoozed(Done):
    """No reminders until then; None = until somebody writes an update or turns them on."""

    KIND = "reminders_snoozed"
    until: datetime | None


@dataclass(frozen=True, kw_only=True)
class Resumed(Done):
    """The lead is reminded again."""

    KIND = "reminders_resumed"


@dataclass(frozen=True, kw_only=True)
class SnoozedNot(Refused):
    """No snooze was active."""

    KIND = "reminders_not_snoozed"


@dataclass(frozen=True, kw_only=True)
class NoReminders(Refused):
    """There are no reminders at this severity."""

    KIND = "no_reminders"
    severity: Severity


@dataclass(frozen=True, kw_only=True)
class NoSuchSnooze(Refused):
    """A snooze cannot be that short or that long."""

    KIND = "no_such_snooze"
    least_minutes: int
    most_hours: int


def on_time(draft: Draft) -> None:
    """Remind the lead of each open incident that is due, unless an update of ours carries the reminder."""
    for incident in draft.world.open_incidents():
        at = next_reminder_at(incident, draft.policy)
        if at is not None and at <= draft.now:
            draft.tell(draft.add(incident.stream, UpdateOverdue(silent_since(incident)), actor=REMINDER))


def on_snooze(draft: Draft, signal: SnoozeReminders) -> Step:
    """Snooze reminders for a while, or turn them off."""
    incident = draft.incident(signal.incident)
    if not incident.phase.open:
        return draft.refuse(a.Over(incident=incident.number, phase=incident.phase, wanted=a.Wanted.SNOOZE))
    if update_every(incident, draft.policy.incidents) is None:
        return draft.refuse(NoReminders(incident=incident.number, severity=incident.severity))
    least, most = timedelta(minutes=LEAST_MINUTES), timedelta(hours=MOST_HOURS)
    if signal.lasts is not None and not least <= signal.lasts <= most:
        return draft.refuse(NoSuchSnooze(incident=incident.number, least_minutes=LEAST_MINUTES, most_hours=MOST_HOURS))
    until = draft.now + signal.lasts if signal.lasts is not None else None
    draft.add(incident.stream, RemindersSnoozed(until))
    return draft.done(Snoozed(incident=incident.number, until=until))


def on_resume(draft: Draft, signal: ResumeReminders) -> Step:
    """Remind again, as if there had been no snooze."""
    incident = draft.incident(signal.incident)
    if not incident.phase.open:
        return draft.refuse(a.Over(incident=incident.number, phase=incident.phase, wanted=a.Wanted.SNOOZE))
    if not incident.reminders.off and incident.reminders.snoozed_until is None:
        return draft.refuse(SnoozedNot(incident=incident.number))
    draft.add(incident.stream, RemindersResumed())
    return draft.done(Resumed(incident=incident.number))


HANDLERS: Handlers = {SnoozeReminders: on_snooze, ResumeReminders: on_resume}


def due(world: World, policy: Policy) -> Iterator[datetime]:
    """When the next reminder of an open incident is due."""
    for incident in world.open_incidents():
        at = next_reminder_at(incident, policy)
        if at is not None:
            yield at
