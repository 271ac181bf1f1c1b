"""Answers to signals about an incident."""

from datetime import datetime
from enum import StrEnum

from bot.core.answers.base import Done, Refused
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, Level, Phase, Severity


@dataclass(frozen=True)
class RoomRef:
    """Where an incident is worked on: its channel's Slack id and name. Both empty = no channel (yet)."""

    channel: str = ""
    channel_name: str = ""


@dataclass(frozen=True)
class OpenOne:
    """An incident that is already open for what somebody declares."""

    number: int
    title: str
    provider: str  # display name; empty for an incident declared just now that names no provider
    place: RoomRef


@dataclass(frozen=True, kw_only=True)
class Declared(Done):
    """An incident was opened; its channel is being created."""

    KIND = "declared"
    title: str
    channel_name: str
    at: datetime | None = None  # when it was declared, if it did not begin just then
    began_at: datetime | None = None  # when it began, as given by the declarer
    ended_at: datetime | None = None  # when it ended, if it was already over
    channel: str = ""  # Slack id of an existing channel that it uses
    beside: tuple["OpenOne", ...] = ()  # declared just before, apparently about something else


@dataclass(frozen=True, kw_only=True)
class ChannelTaken(Refused):
    """The channel is that of another incident."""

    KIND = "channel_taken"


class WrongTime(StrEnum):
    """What is wrong with the times given."""

    FUTURE = "future"
    TOO_OLD = "too_old"
    BACKWARDS = "backwards"  # it ends before it begins
    NO_BEGINNING = "no_beginning"


@dataclass(frozen=True, kw_only=True)
class CannotHaveBeen(Refused):
    """The given times are impossible."""

    KIND = "cannot_have_been"
    why: WrongTime
    at: datetime
    days: int  # the earliest allowed, in days ago


@dataclass(frozen=True, kw_only=True)
class TwoProviders(Refused):
    """The named components belong to several providers."""

    KIND = "two_providers"


@dataclass(frozen=True, kw_only=True)
class OpenAlready(Refused):
    """An incident is already open for that: join it, or declare with `separate`."""

    KIND = "open_already"
    open: tuple[OpenOne, ...]
    free: tuple[str, ...]  # providers also meant, with nothing open

    @property
    def choices(self) -> tuple[int, ...]:
        """The incidents that can be joined."""
        return tuple(one.number for one in self.open)


@dataclass(frozen=True, kw_only=True)
class Joined(Done):
    """A person joined the incident."""

    KIND = "joined"
    place: RoomRef


@dataclass(frozen=True, kw_only=True)
class JoinedBefore(Refused):
    """That person had already joined."""

    KIND = "joined_before"
    place: RoomRef


class Wanted(StrEnum):
    """What was asked of a finished incident."""

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
    """The incident is over, so the request comes too late."""

    KIND = "over"
    phase: Phase
    wanted: Wanted


@dataclass(frozen=True, kw_only=True)
class Acknowledged(Done):
    """The sender has acknowledged the incident."""

    KIND = "acknowledged"


@dataclass(frozen=True, kw_only=True)
class AcknowledgedBefore(Refused):
    """Somebody has already acknowledged it."""

    KIND = "acknowledged_before"
    by: Actor


@dataclass(frozen=True, kw_only=True)
class UpdateWritten(Done):
    """A person's update is being sent."""

    KIND = "update_written"
    slot: int


@dataclass(frozen=True, kw_only=True)
class NoteAdded(Done):
    """A line was added to the timeline."""

    KIND = "note_added"


@dataclass(frozen=True, kw_only=True)
class SeveritySet(Done):
    """The severity was changed."""

    KIND = "severity_set"
    severity: Severity


@dataclass(frozen=True, kw_only=True)
class SeverityAlready(Refused):
    """The incident already has that severity."""

    KIND = "severity_already"
    severity: Severity


@dataclass(frozen=True, kw_only=True)
class NeedsWhy(Refused):
    """A severity milder than `now` needs a reason, since fewer people are paged from then on."""

    KIND = "needs_why"
    severity: Severity
    now: Severity


@dataclass(frozen=True, kw_only=True)
class Exported(Done):
    """The timeline is being exported as a file."""

    KIND = "exported"
    where: str  # destination in words, as in the timeline


@dataclass(frozen=True, kw_only=True)
class NoFormat(Refused):
    """There is no such export format."""

    KIND = "no_format"
    format: str
    known: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NoWay(Refused):
    """LEGAL has no such move; `ways` are the moves from the current phase."""

    KIND = "no_way"
    phase: Phase
    to: Phase
    ways: tuple[Phase, ...]


@dataclass(frozen=True, kw_only=True)
class IsOpen(Refused):
    """The incident is open, so it cannot be reopened."""

    KIND = "is_open"
    phase: Phase


@dataclass(frozen=True, kw_only=True)
class NeedsReason(Refused):
    """Canceling needs one of these reasons."""

    KIND = "needs_reason"
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Other:
    """Another incident, offered as a choice."""

    number: int
    title: str


@dataclass(frozen=True, kw_only=True)
class NeedsOriginal(Refused):
    """Which incident is this a duplicate of? `known` are the likely ones."""

    KIND = "needs_original"
    known: tuple[Other, ...]


@dataclass(frozen=True, kw_only=True)
class OpenElsewhere(Refused):
    """Another incident (`incident`) is open for the same provider, so this one cannot be reopened."""

    KIND = "open_elsewhere"


@dataclass(frozen=True, kw_only=True)
class DrillIsOver(Refused):
    """A finished drill cannot be reopened; start a new one."""

    KIND = "drill_is_over"


@dataclass(frozen=True)
class Failing:
    """An unhealthy component, by its display name."""

    name: str
    level: Level


@dataclass(frozen=True)
class Away:
    """A flag that is not on its default."""

    flag: str
    variant: str
    name: str = ""  # display name of the flag
    called: str = ""  # display name of the variant


@dataclass(frozen=True, kw_only=True)
class StillFailing(Refused):
    """Resolving now would end something that is not over: use `force`, or `warned` to override no more than this."""

    KIND = "still_failing"
    failing: tuple[Failing, ...]
    away: tuple[Away, ...]
    warned: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Moved(Done):
    """The incident has another phase. If anything still fails, it alerts again after `until`."""

    KIND = "moved"
    phase: Phase
    failing: tuple[str, ...] = ()
    until: datetime | None = None
