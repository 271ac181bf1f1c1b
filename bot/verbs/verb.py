"""A verb of an incident: its name, its arguments, its help, and the signal that it creates.

Slack, the terminal and the API are all built from the same row. Each reads arguments in its own way (`Arguments`): typed
words in order, or fields of a body by name. Each refuses unreadable ones in its own words.
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


class Arguments(Protocol):
    """The arguments given. A verb asks for them in the order in which they are typed, free text last."""

    def text(self, name: str, most: int, *, needed: bool = False) -> str:
        """Free text, stripped. A body must respect `most` and `needed`; for typed words core says what is required."""

    def choice(self, name: str, kind: type[E]) -> E:
        """A value of an enum."""

    def severity(self, name: str) -> Severity:
        """A severity."""

    def one_of(self, name: str, known: Sequence[str]) -> str:
        """One of the known words."""

    def kind(self, name: str, known: Sequence[str]) -> str:
        """One of the known words, followed by free text; core refuses unknown ones."""

    def maybe(self, name: str) -> int:
        """The number of another incident; 0 if none is named."""

    def span_or(self, name: str, known: Sequence[str], default: timedelta) -> timedelta | str:
        """A duration, or one of the known words."""

    def truth(self, name: str, *, typed: bool = True) -> bool:
        """Whether it is given. Typed words are searched for it only if `typed`."""

    def role(self) -> str:
        """A role, as in the ledger."""

    def other(self, name: str, mine: int) -> int:
        """The number of an incident other than `mine`."""

    def number(self, name: str) -> int:
        """A task's number."""

    def assignment(self, me: Actor) -> "Assignment":
        """Text, owner and due time of a task."""

    def receiver(self, me: Actor) -> Actor | None:
        """A task's new owner: the asker, if nobody is named; None = nobody."""

    def holder(self, role: str, me: Actor) -> Actor | None:
        """A role's new holder; None = nobody."""


@dataclass(frozen=True)
class Sender:
    """Who asks, the id under which it counts once, and the incident."""

    actor: Actor
    id: str
    incident: int


@dataclass(frozen=True)
class Assignment:
    """Text, owner and due time; None = no owner, no due time."""

    text: str
    owner: Actor | None = None
    due_at: datetime | None = None


@dataclass(frozen=True)
class Parameter:
    """An argument in the terminal, and the corresponding field of the API's body."""

    name: str
    needed: bool = True
    option: bool = False  # given by name in the terminal: `--of INC-7`


@dataclass(frozen=True)
class IncidentVerb:
    """One row. `usage` is what follows the name in Slack; `help` is for the terminal, if `does` would not fit there."""

    name: str
    usage: str
    does: str
    signal: Callable[[Sender, Arguments], Signal]
    takes: tuple[Parameter, ...] = ()
    help: str = ""
    may: tuple[str, ...] = ()  # optional flags: a switch in the terminal, a field set to true in the API
    told_at: str = ""  # the verb whose help line covers this one; empty = it has its own
    asks: bool = False  # it may end an incident, so it asks if something still fails; `force` (`--yes`) answers in advance
