"""What a signal about an incident may come to."""

from datetime import datetime
from enum import StrEnum

from bot.core.answers.base import Done, Refused
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, Level, Phase, Severity


@dataclass(frozen=True)
class RoomRef:
    """Where an incident goes on: its channel, by Slack's id and by name. Both empty = it has none (yet)."""

    channel: str = ""
    channel_name: str = ""


@dataclass(frozen=True)
class OpenOne:
    """An incident that is open for what somebody declares."""

    number: int
    title: str
    provider: str  # what people call it; empty where it was declared just now, naming none
    place: RoomRef


@dataclass(frozen=True, kw_only=True)
class Declared(Done):
    """An incident was opened; its channel is being created."""

    KIND = "declared"
    title: str
    channel_name: str
    at: datetime | None = None  # when it was declared,
    began_at: datetime | None = None  # where that is not when it began,
    ended_at: datetime | None = None  # or where it was over
    channel: str = ""  # by Slack's id, where it was there before
    beside: tuple["OpenOne", ...] = ()  # what people declared just before, in words that seem to be about something else


@dataclass(frozen=True, kw_only=True)
class ChannelTaken(Refused):
    """The channel is that of another incident."""

    KIND = "channel_taken"


class WrongTime(StrEnum):
    """What is wrong with when something is said to have been."""

    FUTURE = "future"
    TOO_OLD = "too_old"
    BACKWARDS = "backwards"  # it ends before it begins
    NO_BEGINNING = "no_beginning"


@dataclass(frozen=True, kw_only=True)
class CannotHaveBeen(Refused):
    """It cannot have been at that time."""

    KIND = "cannot_have_been"
    why: WrongTime
    at: datetime
    days: int  # how long ago it may be at most


@dataclass(frozen=True, kw_only=True)
class TwoProviders(Refused):
    """The components that were named belong to several providers."""

    KIND = "two_providers"


@dataclass(frozen=True, kw_only=True)
class OpenAlready(Refused):
    """Something is open for that: join it, or declare it with `separate`."""

    KIND = "open_already"
    open: tuple[OpenOne, ...]
    free: tuple[str, ...]  # providers that were meant too, with nothing open

    @property
    def choices(self) -> tuple[int, ...]:
        """The incidents that one may join."""
        return tuple(one.number for one in self.open)


@dataclass(frozen=True, kw_only=True)
class Joined(Done):
    """A person is in."""

    KIND = "joined"
    place: RoomRef


@dataclass(frozen=True, kw_only=True)
class JoinedBefore(Refused):
    """That person was in already."""

    KIND = "joined_before"
    place: RoomRef


class Wanted(StrEnum):
    """What was asked of an incident that is over."""

    JOIN = "join"
    ACKNOWLEDGE = "acknowledge"
    UPDATE = "update"
    SEVERITY = "severity"
    ROLE = "role"
    SNOOZE = "snooze"
    MITIGATION = "mitigation"
    MERGE = "merge"


@dataclass(frozen=True, kw_only=True)
class Over(Refused):
    """The incident no longer runs, so that comes too late."""

    KIND = "over"
    phase: Phase
    wanted: Wanted


@dataclass(frozen=True, kw_only=True)
class Acknowledged(Done):
    """The incident is in the asker's hand."""

    KIND = "acknowledged"


@dataclass(frozen=True, kw_only=True)
class AcknowledgedBefore(Refused):
    """Somebody has taken it already."""

    KIND = "acknowledged_before"
    by: Actor


@dataclass(frozen=True, kw_only=True)
class UpdateWritten(Done):
    """A person's update goes out."""

    KIND = "update_written"
    slot: int


@dataclass(frozen=True, kw_only=True)
class NoteAdded(Done):
    """A line joined the timeline."""

    KIND = "note_added"


@dataclass(frozen=True, kw_only=True)
class SeveritySet(Done):
    """The severity is another one now."""

    KIND = "severity_set"
    severity: Severity


@dataclass(frozen=True, kw_only=True)
class SeverityAlready(Refused):
    """The severity is that already."""

    KIND = "severity_already"
    severity: Severity


@dataclass(frozen=True, kw_only=True)
class NeedsWhy(Refused):
    """A milder severity than `now` needs a reason: fewer people are called from then on."""

    KIND = "needs_why"
    severity: Severity
    now: Severity


@dataclass(frozen=True, kw_only=True)
class Exported(Done):
    """The timeline comes as a file."""

    KIND = "exported"
    where: str  # in words, as the timeline has it


@dataclass(frozen=True, kw_only=True)
class NoFormat(Refused):
    """There is no such export."""

    KIND = "no_format"
    format: str
    known: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NoWay(Refused):
    """LEGAL has no such edge; `ways` are those that it has from here."""

    KIND = "no_way"
    phase: Phase
    to: Phase
    ways: tuple[Phase, ...]


@dataclass(frozen=True, kw_only=True)
class IsOpen(Refused):
    """There is nothing to reopen."""

    KIND = "is_open"
    phase: Phase


@dataclass(frozen=True, kw_only=True)
class NeedsReason(Refused):
    """Canceling needs one of these reasons."""

    KIND = "needs_reason"
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Other:
    """Another incident, for whoever is asked which one."""

    number: int
    title: str


@dataclass(frozen=True, kw_only=True)
class NeedsOriginal(Refused):
    """A duplicate is one of another incident: of which? `known` are the likely ones."""

    KIND = "needs_original"
    known: tuple[Other, ...]


@dataclass(frozen=True, kw_only=True)
class OpenElsewhere(Refused):
    """Another incident (`incident`) is open for the same provider, so this one cannot be reopened."""

    KIND = "open_elsewhere"


@dataclass(frozen=True, kw_only=True)
class DrillIsOver(Refused):
    """A drill that is over is not reopened: a new one pretends afresh."""

    KIND = "drill_is_over"


@dataclass(frozen=True)
class Failing:
    """A component that is not well, by the name that people know."""

    name: str
    level: Level


@dataclass(frozen=True)
class Away:
    """A flag that is not on its default."""

    flag: str
    variant: str
    name: str = ""  # what people call the flag
    called: str = ""  # and its variant


@dataclass(frozen=True, kw_only=True)
class StillFailing(Refused):
    """Resolving now would end what is not over: send it with `force`."""

    KIND = "still_failing"
    failing: tuple[Failing, ...]
    away: tuple[Away, ...]


@dataclass(frozen=True, kw_only=True)
class Moved(Done):
    """The incident is in another phase. What still fails opens again `until` then, where anything does."""

    KIND = "moved"
    phase: Phase
    failing: tuple[str, ...] = ()
    until: datetime | None = None
