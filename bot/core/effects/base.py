"""Effects: what is to be done outside, written with the facts that ask for it and carried out by the outbox.

What is to be done is a class in the file of its family. Each registers itself by its KIND, says with its CERTAINTY how it can
be done once although an answer may get lost, and builds its own key, lane and slot. A new effect is such a class, a performer
(`bot.delivery.chat`), and the words that the timeline has for it. What it looks like is rendered when it is sent.

Rows wait for days and outlive an upgrade: kinds and keys never change, and a new field has a default.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

from bot.core.codec import decode, sparse
from bot.core.lazy_dataclass import dataclass


class Certainty(StrEnum):
    """How an effect can be done once although its answer may get lost."""

    REPEATABLE = "repeatable"  # doing it twice is doing it once
    LOOKED_UP = "looked_up"  # it carries its key to where it is done, and is looked up there before it is sent again
    BEST_EFFORT = "best_effort"  # nobody can tell whether it was done: after an unclear answer it is not sent again


@dataclass(frozen=True)
class About:
    """The fact that an effect speaks of."""

    stream: str
    seq: int
    incident: int | None = None

    @property
    def fact(self) -> str:
        """The fact's place, as keys have it."""
        return f"{self.stream}/{self.seq}"

    @property
    def name(self) -> str:
        """The incident's name."""
        return f"INC-{self.incident}"


class EffectBody:
    """One thing to do. What a kind has no other key for is named by itself and its fact: it is done once for that fact."""

    KIND: ClassVar[str]
    CERTAINTY: ClassVar[Certainty]
    REPEATED_UNSEEN: ClassVar[bool] = False  # worth saying twice where it cannot be looked up; else it is given up then
    URGENT: ClassVar[bool] = False  # while the chat does not take it, people are told on another way

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "KIND" not in vars(cls):
            return  # a family, not an effect
        if "CERTAINTY" not in vars(cls):
            raise TypeError(f"{cls.__name__} does not say how it can be done once: CERTAINTY is missing")
        if cls.KIND in EFFECTS:
            raise TypeError(f"{cls.__name__} and {EFFECTS[cls.KIND].__name__} are both of the kind {cls.KIND}")
        EFFECTS[cls.KIND] = cls

    def key(self, about: About) -> str:
        """What names this effect for ever; whatever has a key that was queued before is queued already."""
        incident = f"{about.name}/" if about.incident is not None else ""
        return f"{incident}{self.KIND}/{about.fact}"

    def lane(self, about: About) -> str:
        """Effects of one lane are done in order."""
        return f"incident/{about.incident}"

    def slot(self, about: About) -> str:
        """A pending effect with the same non-empty slot is superseded by a newer one: only the last edit of a card matters."""
        return ""

    def urgent_as(self, about: About) -> str:
        """Under what name people are told on another way, once, while the chat does not take it."""
        return self.key(about)


EFFECTS: dict[str, type[EffectBody]] = {}


@dataclass(frozen=True)
class Effect:
    """One thing to do about one fact, under a key that is unique for ever."""

    key: str
    lane: str
    body: EffectBody
    incident: int | None = None
    stream: str = ""
    seq: int = 0
    slot: str = ""

    @property
    def kind(self) -> str:
        """What is to be done, as the ledger names it."""
        return self.body.KIND


AGAIN = "/again/"  # how keys go on of what is ordered a second time; then the number of the fact that orders it


def effect(body: EffectBody, about: About, again: int = 0) -> Effect:
    """What is to be done about a fact, with the key, the lane and the slot that such an effect has."""
    key = f"{body.key(about)}{AGAIN}{again}" if again else body.key(about)
    return Effect(key, body.lane(about), body, about.incident, about.stream, about.seq, body.slot(about))


def first_key(key: str) -> str:
    """The key under which it was ordered first."""
    return key.partition(AGAIN)[0]


def encode_effect(body: EffectBody) -> dict[str, Any]:
    """Its fields, as the ledger keeps them: those that are not as usual."""
    fields: dict[str, Any] = sparse(body)
    return fields


def decode_effect(kind: str, fields: Mapping[str, Any]) -> EffectBody:
    """Rebuild an effect; raises ValueError for what cannot be read."""
    if kind not in EFFECTS:
        raise ValueError(f"there is no effect {kind!r}; a newer Understudy wrote it")
    return decode(EFFECTS[kind], fields)


# --- families


class OfAlert(EffectBody):
    """The alert of an incident has a lane of its own: it waits for nothing that is done in the incident's channel."""

    def lane(self, about: About) -> str:
        return f"alert/{about.incident}"


class InOps(EffectBody):
    """Said in the ops channel."""

    def lane(self, about: About) -> str:
        return "ops"


class EditInPlace(EffectBody):
    """Shows anew what stands there; of several that wait only the newest is made."""

    PART: ClassVar[str]

    def key(self, about: About) -> str:
        return f"{about.name}/{self.PART}/{about.fact}"

    def slot(self, about: About) -> str:
        return f"{self.PART}/{about.incident}"
