"""What a signal may come to: one dataclass for each answer, with the values that it speaks of.

Core says what happened; faces word it (`bot/views/answers.py`), each with its own verbs. A rule may keep an answer of its own
beside it; every one registers itself by its kind.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from bot.core.model import Actor, Level, Phase, Severity

ANSWERS: dict[str, type["Answer"]] = {}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a signal came to, for whoever sent it. `KIND` names it for programs and never changes."""

    KIND: ClassVar[str] = ""
    OK: ClassVar[bool]

    incident: int | None = None
    flag: str = ""
    changed: bool = False  # whether anything was written down

    def __init_subclass__(cls) -> None:
        if "KIND" in cls.__dict__:
            if cls.KIND in ANSWERS:
                raise TypeError(f"two answers have the kind {cls.KIND}")
            ANSWERS[cls.KIND] = cls

    @property
    def ok(self) -> bool:
        """Whether it was done, or had been done already."""
        return self.OK

    @property
    def name(self) -> str:
        """The incident as people call it."""
        return f"INC-{self.incident}"


@dataclass(frozen=True, kw_only=True)
class Done(Answer):
    """It was done."""

    OK = True


@dataclass(frozen=True, kw_only=True)
class Refused(Answer):
    """It was not done, and nothing was changed."""

    OK = False


@dataclass(frozen=True, kw_only=True)
class Noted(Done):
    """What no person waits for was taken in."""

    KIND = "noted"


@dataclass(frozen=True, kw_only=True)
class KnownAlready(Done):
    """It stands in the ledger, so there was nothing to do."""

    KIND = "known_already"


@dataclass(frozen=True, kw_only=True)
class DoneAlready(Done):
    """The same signal came before, and was acted upon then."""

    KIND = "done_already"


# --- what is not there


@dataclass(frozen=True, kw_only=True)
class NoIncident(Refused):
    """There is no incident of that number."""

    KIND = "no_incident"
    number: int
    newest: int  # 0 = there is none at all


@dataclass(frozen=True, kw_only=True)
class NoComponent(Refused):
    """No component is called that."""

    KIND = "no_component"
    component: str
    known: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NoFlag(Refused):
    """No flag is called that."""

    KIND = "no_flag"
    key: str
    known: tuple[str, ...]


class Words(StrEnum):
    """What needs words and had none."""

    TITLE = "title"
    UPDATE = "update"
    NOTE = "note"
    REPORT = "report"


@dataclass(frozen=True, kw_only=True)
class NoWords(Refused):
    """Something that consists of words came without any."""

    KIND = "no_words"
    of: Words


# --- declaring, joining


@dataclass(frozen=True)
class Place:
    """Where an incident goes on: its channel, by Slack's id and by name. Both empty = it has none (yet)."""

    channel: str = ""
    channel_name: str = ""


@dataclass(frozen=True)
class OpenOne:
    """An incident that is open for what somebody declares."""

    number: int
    title: str
    provider: str  # what people call it
    place: Place


@dataclass(frozen=True, kw_only=True)
class Declared(Done):
    """An incident was opened; its channel is being made."""

    KIND = "declared"
    title: str
    channel_name: str


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
    place: Place


@dataclass(frozen=True, kw_only=True)
class JoinedBefore(Refused):
    """That person was in already."""

    KIND = "joined_before"
    place: Place


# --- running an incident


class Wanted(StrEnum):
    """What was asked of an incident that is over."""

    JOIN = "join"
    ACKNOWLEDGE = "acknowledge"
    UPDATE = "update"
    SEVERITY = "severity"
    ROLE = "role"


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


# --- along the phases


@dataclass(frozen=True, kw_only=True)
class NoWay(Refused):
    """LEGAL has no such edge; `ways` are those that it has from here."""

    KIND = "no_way"
    phase: Phase
    to: Phase
    ways: tuple[Phase, ...]


@dataclass(frozen=True, kw_only=True)
class NeedsReason(Refused):
    """Canceling needs one of these reasons."""

    KIND = "needs_reason"
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OpenElsewhere(Refused):
    """Another incident (`incident`) is open for the same provider, so this one cannot be reopened."""

    KIND = "open_elsewhere"


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
