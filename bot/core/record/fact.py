"""A fact: something that happened, in the past tense, appended to one stream and never changed.

Its body is one of the kinds in the files beside this one, each of which registers itself in `BODIES`. `kinds` imports them
all.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor
from bot.core.record.incident import Incident

BODIES: dict[str, type["Body"]] = {}


class Source(StrEnum):
    """Who knew about it, if not the one who acted."""

    PROBE = "probe"
    VENDOR = "vendor"
    ALERT = "alert"
    SLACK = "slack"


class Body:
    """One kind of fact: a frozen dataclass with the attributes below, registered in `BODIES` when it is defined.

    Defining a kind without a name, or with one that is taken, raises TypeError.
    """

    KIND: ClassVar[str]  # as stored in the ledger; it never changes
    VERSION: ClassVar[int] = 1  # of its fields; a change raises it by one and adds a function to `UPGRADES` that lifts old rows
    UPGRADES: ClassVar[Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}  # version -> lifts data to the next
    ANNOUNCED: ClassVar[bool] = False  # the channel gets a line of its own about it
    EVIDENCE: ClassVar[bool] = False  # it changes the evidence shown for an incident
    BEGINS: ClassVar[bool] = False  # it starts its stream: no state exists before it
    SOURCE: ClassVar[Source | None] = None  # who knew about it; None = the actor
    # About our own effects, or already shown by another entry: no row for people, and no new edit of alert and card.
    BOOKKEEPING: ClassVar[bool] = False

    def onto(self, state: Any, fact: "Fact") -> Any:
        """The state of its stream after this fact. Never decides or refuses anything: it has already happened."""
        return state

    def onto_incident(self, incident: Incident, fact: "Fact") -> Incident:
        """The incident after this fact, if the fact names an incident but belongs to another stream."""
        return incident

    def pushed(self) -> bool:
        """Whether it deserves a reply to the alert, which notifies phones, as an edit does not."""
        return False

    def __init_subclass__(cls) -> None:
        """Register the kind."""
        kind = cls.__dict__.get("KIND")
        if not kind:
            raise TypeError(f"{cls.__name__} has no KIND of its own")
        if kind in BODIES:
            raise TypeError(f"{cls.__name__} and {BODIES[kind].__name__} are both called {kind!r}")
        BODIES[kind] = cls


class OfComponent:
    """A fact about one component."""

    component: str


class OfComponents:
    """A fact about any number of components."""

    components: tuple[str, ...]


class OfFlag:
    """A fact about one flag."""

    flag: str


class Reasoned:
    """A fact with a reason."""

    reason: str


class Evidenced:
    """A fact with its findings, one per line, at the end of its sentence."""

    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """One row of the ledger: its position (`stream`, `seq`), the time, the actor, the incident, and what happened."""

    stream: str
    seq: int
    at: datetime
    actor: Actor
    incident: int | None
    body: Body

    @property
    def kind(self) -> str:
        """The body's kind, as in the ledger."""
        return self.body.KIND
