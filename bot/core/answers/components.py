"""Answers to signals about a component; see `base`."""

from datetime import datetime, timedelta

from bot.core.answers.base import Done, Refused
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Level


@dataclass(frozen=True, kw_only=True)
class Muted(Done):
    """A component's alerts are held back; `open_incident` continues."""

    KIND = "muted"
    component: str  # its display name
    until: datetime
    open_incident: int | None


@dataclass(frozen=True, kw_only=True)
class MuteTooLong(Refused):
    """A mute must end, and no later than that."""

    KIND = "mute_too_long"
    longest: timedelta


@dataclass(frozen=True, kw_only=True)
class Unmuted(Done):
    """A component's alerts are sent again."""

    KIND = "unmuted"
    component: str


@dataclass(frozen=True, kw_only=True)
class NotMuted(Refused):
    """The component was not muted."""

    KIND = "not_muted"
    component: str


@dataclass(frozen=True, kw_only=True)
class ReportHeard(Done):
    """A person's report is recorded; this is what our checks say."""

    KIND = "report_heard"
    component: str
    level: Level
    reason: str


@dataclass(frozen=True, kw_only=True)
class AlertTaken(Done):
    """Another monitor's alert is recorded."""

    KIND = "alert_taken"


@dataclass(frozen=True, kw_only=True)
class AlertAboutNothing(Refused):
    """No component matches the name in the alert."""

    KIND = "alert_about_nothing"
    component: str


@dataclass(frozen=True, kw_only=True)
class NoAlertState(Refused):
    """An alert cannot be in that state."""

    KIND = "no_alert_state"
    state: str
    known: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TooManyAlerts(Refused):
    """So many alerts are firing for a component that one more adds nothing; per `source`, if it is given."""

    KIND = "too_many_alerts"
    component: str
    most: int
    source: str = ""
