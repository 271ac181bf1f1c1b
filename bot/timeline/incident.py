"""Facts of incidents, as people read them."""

from collections.abc import Mapping
from datetime import datetime

from bot.core.model import LEAD, Level
from bot.core.record.fact import Fact
from bot.core.record.incident_facts import (
    Acknowledged,
    ComponentJoined,
    ComponentMoved,
    Declared,
    LeadAsked,
    NoteAdded,
    PhaseChanged,
    ResolveAsked,
    ResponderJoined,
    RoleChanged,
    SeverityChanged,
    TitleChanged,
    UpdateWritten,
)
from bot.core.record.reminder_facts import RemindersResumed, RemindersSnoozed, UpdateOverdue
from bot.timeline.words import clock, evidence


def sentence(fact: Fact, names: Mapping[str, str]) -> str:
    """A fact of an incident; empty for others."""
    match fact.body:
        case Declared(backdated=True) as b:
            return f"INC-{b.number} was declared as {b.severity} for {b.began_at:%Y-%m-%d %H:%M} UTC: {b.title}"
        case Declared() as b:
            return f"INC-{b.number} was declared as {b.severity}: {b.title} (impact since {clock(b.began_at)})"
        case ComponentJoined() as b:
            return (
                f"{names.get(b.component, b.component)} is {b.level} and belongs to INC-{fact.incident}{evidence(b.evidence)}"
            )
        case ComponentMoved() as b:
            again = " again" if b.level is Level.OPERATIONAL else ""
            since = f"since {clock(b.began_at)}{evidence(b.evidence)}"
            return f"{names.get(b.component, b.component)} is {b.level}{again}, was {b.previous}, {since}"
        case PhaseChanged() as b:
            how = {"relapse": "is back to", "reopen": "was reopened and is"}.get(b.move, "is")
            over = f"; it was over at {b.over_at:%Y-%m-%d %H:%M} UTC" if b.over_at else ""
            of = f", a duplicate of INC-{b.duplicate_of}" if b.duplicate_of else ""
            said = f" ({b.why})" if b.why else ""
            return f"INC-{fact.incident} {how} {b.phase}, was {b.previous}{over}{of}{said}"
        case TitleChanged() as b:
            return f"INC-{fact.incident} is now called “{b.title}” (was “{b.previous}”)"
        case SeverityChanged() as b:
            return f"INC-{fact.incident} is {b.severity}, was {b.previous}"
        case Acknowledged():
            return f"{fact.actor.name or fact.actor.id} acknowledged INC-{fact.incident}"
        case RoleChanged(role=role, person=person):
            has = f"leads INC-{fact.incident}" if role == LEAD else f"is {role} for INC-{fact.incident}"
            return f"{person.name or person.id} {has}" if person else f"Nobody {has} any more"
        case LeadAsked():
            return f"Asked who leads INC-{fact.incident}"
        case ResponderJoined():
            return f"{fact.actor.name or fact.actor.id} joined INC-{fact.incident}"
        case UpdateWritten() as b:
            gone = f" ({b.missed} before it were missed)" if b.missed else ""
            return f"Update {b.slot} of INC-{fact.incident}{gone}: {b.text or 'written from the facts'}"
        case UpdateOverdue(since=since):
            return f"Reminded: no person has written an update since {clock(since)}"
        case RemindersSnoozed(until=None):
            return "Reminders of overdue updates are off until somebody writes one"
        case RemindersSnoozed(until=datetime() as until):
            return f"Reminders of overdue updates are off until {clock(until)}"
        case RemindersResumed():
            return "Reminders of overdue updates are on again"
        case NoteAdded(text=text):
            return f"Note: {text}"
        case ResolveAsked():
            return f"Asked whether INC-{fact.incident} is over"
    return ""
