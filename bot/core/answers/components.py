"""What a signal about a component may come to; see `base`."""

from datetime import datetime, timedelta

from bot.core.answers.base import Done, Refused
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Level


@dataclass(frozen=True, kw_only=True)
class Muted(Done):
    """A component's alerts are held back; `open_incident` runs on."""

    KIND = "muted"
    component: str  # what people call it
    until: datetime
    open_incident: int | None


@dataclass(frozen=True, kw_only=True)
class MuteTooLong(Refused):
    """A mute has an end, and not a later one than that."""

    KIND = "mute_too_long"
    longest: timedelta


@dataclass(frozen=True, kw_only=True)
class Unmuted(Done):
    """A component's alerts come again."""

    KIND = "unmuted"
    component: str


@dataclass(frozen=True, kw_only=True)
class NotMuted(Refused):
    """There was no mute to end."""

    KIND = "not_muted"
    component: str


@dataclass(frozen=True, kw_only=True)
class ReportHeard(Done):
    """A person's report is on record; this is what our checks say."""

    KIND = "report_heard"
    component: str
    level: Level
    reason: str


@dataclass(frozen=True, kw_only=True)
class AlertTaken(Done):
    """Another monitor's alert is on record."""

    KIND = "alert_taken"


@dataclass(frozen=True, kw_only=True)
class AlertAboutNothing(Refused):
    """No component is called what the alert is about."""

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
    """So many alerts fire about a component that one more tells nothing; of one `source`, where it is named."""

    KIND = "too_many_alerts"
    component: str
    most: int
    source: str = ""
