"""The base of every answer, and the answers that any signal may get."""

from dataclasses import field
from enum import StrEnum
from typing import ClassVar

from bot.core.lazy_dataclass import dataclass

ANSWERS: dict[str, type["Answer"]] = {}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The result of a signal, for its sender. `KIND` identifies it to programs and never changes."""

    KIND: ClassVar[str] = ""
    OK: ClassVar[bool]

    incident: int | None = None
    flag: str = ""
    flag_name: str = field(default="", compare=False)  # display name of the flag; its whole key if two flags start alike
    changed: bool = False  # whether anything was recorded

    def __init_subclass__(cls) -> None:
        if "KIND" in cls.__dict__:
            if cls.KIND in ANSWERS:
                raise TypeError(f"two answers have the kind {cls.KIND}")
            ANSWERS[cls.KIND] = cls

    @property
    def ok(self) -> bool:
        """Whether it was done, now or earlier."""
        return self.OK

    @property
    def name(self) -> str:
        """The incident's name for people."""
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
    """A signal that no person waits for was recorded."""

    KIND = "noted"


@dataclass(frozen=True, kw_only=True)
class KnownAlready(Done):
    """The ledger already has it, so there was nothing to do."""

    KIND = "known_already"


@dataclass(frozen=True, kw_only=True)
class DoneAlready(Done):
    """The same signal was already handled earlier."""

    KIND = "done_already"


@dataclass(frozen=True, kw_only=True)
class NotOurs(Refused):
    """Another replica may have decided this meanwhile: this one was no longer counted as alive, or lost the clock."""

    KIND = "not_ours"


@dataclass(frozen=True, kw_only=True)
class NoIncident(Refused):
    """There is no incident with that number."""

    KIND = "no_incident"
    number: int
    newest: int  # 0 = there are no incidents


@dataclass(frozen=True, kw_only=True)
class NoComponent(Refused):
    """No component has that id."""

    KIND = "no_component"
    component: str
    known: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NoFlag(Refused):
    """No flag has that key."""

    KIND = "no_flag"
    key: str
    known: tuple[str, ...]


class Words(StrEnum):
    """The things that must not be empty text."""

    TITLE = "title"
    UPDATE = "update"
    NOTE = "note"
    REPORT = "report"
    TASK = "task"


@dataclass(frozen=True, kw_only=True)
class NoWords(Refused):
    """Something that consists of text was empty."""

    KIND = "no_words"
    of: Words
