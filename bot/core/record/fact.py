"""A fact: what happened, past tense, appended to one stream and never changed.

Its body is of one of the kinds in the files beside this one, each of which enters `BODIES` by being defined. `kinds` knows
them all.
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
    """Who knew of something, where it was not the one who acted."""

    PROBE = "probe"
    VENDOR = "vendor"
    ALERT = "alert"
    SLACK = "slack"


class Body:
    """One kind of fact: a frozen dataclass that says the following of itself, and enters `BODIES` by being defined.

    Raises TypeError at definition for a kind that has no name, or one that is taken.
    """

    KIND: ClassVar[str]  # as written in the ledger; it never changes
    VERSION: ClassVar[int] = 1  # of its shape; when that changes it goes up by one and `UPGRADES` learns to lift old rows
    UPGRADES: ClassVar[Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}  # version -> its data as of the next one
    ANNOUNCED: ClassVar[bool] = False  # people in the channel are told of it in a line of its own
    EVIDENCE: ClassVar[bool] = False  # it changes what an incident's evidence shows
    BEGINS: ClassVar[bool] = False  # there is no state before it: every other fact of its stream comes after
    SOURCE: ClassVar[Source | None] = None  # who knew it; None = whoever acted
    # About our own effects, or about an entry that shows it: no row of its own for people, and no new edit of alert and card.
    BOOKKEEPING: ClassVar[bool] = False

    def onto(self, state: Any, fact: "Fact") -> Any:
        """What the state of its stream is after this fact. It decides nothing and refuses nothing: it has happened."""
        return state

    def onto_incident(self, incident: Incident, fact: "Fact") -> Incident:
        """What an incident is after it, where the fact names the incident and stands in a stream of its own."""
        return incident

    def pushed(self) -> bool:
        """Whether it is big enough for a reply under the alert, which reaches phones as no edit does."""
        return False

    def __init_subclass__(cls) -> None:
        """Enter the registry."""
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
    """A fact that says why."""

    reason: str


class Evidenced:
    """A fact with what was found, a line for each finding; its sentence ends in them."""

    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """One row of the ledger: where it stands (`stream`, `seq`), when, who, for which incident, and what happened."""

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
