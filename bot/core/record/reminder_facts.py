"""Facts about reminders of overdue updates, each with its effect on the incident."""

from dataclasses import replace
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact
from bot.core.record.incident import Incident, Reminders


@dataclass(frozen=True)
class UpdateOverdue(Body):
    """The lead was reminded that no person has written an update `since` then."""

    KIND = "incident.update_overdue"
    BOOKKEEPING = True
    since: datetime

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The next reminder follows after a full interval; any snooze is over."""
        return replace(state, reminders=replace(state.reminders, reminded_at=fact.at, snoozed_until=None))


@dataclass(frozen=True)
class RemindersSnoozed(Body):
    """A person wants no reminder until then; None = none at all."""

    KIND = "incident.reminders_snoozed"
    ANNOUNCED = True
    until: datetime | None

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """A new snooze replaces an older one."""
        return replace(state, reminders=replace(state.reminders, snoozed_until=self.until, off=self.until is None))


@dataclass(frozen=True)
class RemindersResumed(Body):
    """A person ended a snooze."""

    KIND = "incident.reminders_resumed"
    ANNOUNCED = True

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The next reminder comes when it would have come without the snooze."""
        return replace(state, reminders=Reminders(state.reminders.since, state.reminders.reminded_at))
