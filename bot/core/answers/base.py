"""What every answer has, and what any signal may come to."""

from dataclasses import field
from enum import StrEnum
from typing import ClassVar

from bot.core.lazy_dataclass import dataclass

ANSWERS: dict[str, type["Answer"]] = {}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a signal came to, for whoever sent it. `KIND` names it for programs and never changes."""

    KIND: ClassVar[str] = ""
    OK: ClassVar[bool]

    incident: int | None = None
    flag: str = ""
    flag_name: str = field(default="", compare=False)  # what people call the flag; its key where two begin alike
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


@dataclass(frozen=True, kw_only=True)
class NotOurs(Refused):
    """Another replica may have decided on this meanwhile: this one was not counted as alive any more, or lost the clock."""

    KIND = "not_ours"


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
    TASK = "task"


@dataclass(frozen=True, kw_only=True)
class NoWords(Refused):
    """Something that consists of words came without any."""

    KIND = "no_words"
    of: Words
