"""A verb of an incident: what it is called, what it takes, what it says of itself, and the signal that it makes.

Slack, the terminal and the API are made from the same row. Each reads what was given in its own way (`Given`): typed words one
after another, or fields of a body by name. What cannot be read, each refuses in its own words.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, Severity
from bot.core.signals.base import Signal

E = TypeVar("E", bound=StrEnum)

TEXT_CHARS = 3000  # one section of a Slack message
REASON_CHARS = 500


class Given(Protocol):
    """What somebody gave. A verb asks in the order in which it is typed, for free text last."""

    def text(self, name: str, most: int, *, needed: bool = False) -> str:
        """Free text, stripped. A body is held to `most` and `needed`; of typed words core says what it needs."""

    def choice(self, name: str, kind: type[E]) -> E:
        """One value of an enum."""

    def severity(self, name: str) -> Severity:
        """A severity."""

    def one_of(self, name: str, known: Sequence[str]) -> str:
        """One of the known words."""

    def kind(self, name: str, known: Sequence[str]) -> str:
        """One of the known words, with what else was said still to come; core says where it is none of them."""

    def maybe(self, name: str) -> int:
        """The number of another incident; 0 where none is named."""

    def span_or(self, name: str, known: Sequence[str], default: timedelta) -> timedelta | str:
        """A duration, or one of the known words."""

    def truth(self, name: str, *, typed: bool = True) -> bool:
        """Whether it is said. Among typed words it is looked for only where it is `typed`."""

    def role(self) -> str:
        """A role of an incident, as the ledger has it."""

    def other(self, name: str, mine: int) -> int:
        """The number of another incident than the one that is asked for, `mine`."""

    def number(self, name: str) -> int:
        """A whole number, of a task."""

    def assignment(self, me: Actor) -> "Assignment":
        """What is to be done, by whom and by when."""

    def receiver(self, me: Actor) -> Actor | None:
        """Who is to have a task: whoever asks, where nobody is named; None = nobody."""

    def holder(self, role: str, me: Actor) -> Actor | None:
        """Who is to have a role; None = nobody."""


@dataclass(frozen=True)
class Sender:
    """Who asks, under which id it counts once, and of which incident."""

    actor: Actor
    id: str
    incident: int


@dataclass(frozen=True)
class Assignment:
    """What is to be done, by whom and by when; None = by anybody, at any time."""

    text: str
    owner: Actor | None = None
    due_at: datetime | None = None


@dataclass(frozen=True)
class Takes:
    """One argument of the terminal's verb, and the field of the API's body that it is."""

    name: str
    needed: bool = True
    option: bool = False  # it is named at the terminal: `--of INC-7`


@dataclass(frozen=True)
class IncidentVerb:
    """One row. `usage` is what is typed in Slack after the name; `help` is for the terminal, where `does` would not fit it."""

    name: str
    usage: str
    does: str
    signal: Callable[[Sender, Given], Signal]
    takes: tuple[Takes, ...] = ()
    help: str = ""
    may: tuple[str, ...] = ()  # what may be said besides, as a switch of the terminal and a field of the API that is true
    told_at: str = ""  # the verb whose line of help tells of this one; empty = it has a line of its own
    asks: bool = False  # it may end an incident, so it asks while something still fails; `force` (`--yes`) answers in advance
