"""Effects: actions outside, recorded with the facts that cause them and carried out by the outbox.

Each action is a class in its family's file. It registers itself by its KIND, says with CERTAINTY how it can be done once
although responses may get lost, and builds its own key, lane and slot. A new effect needs that class, a performer
(`bot.delivery.chat`), and its words for the timeline. Its appearance is rendered when it is sent.

Rows may wait for days and outlive an upgrade: kinds and keys never change, and new fields have defaults.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

from bot.core.codec import decode, sparse
from bot.core.lazy_dataclass import dataclass


class Certainty(StrEnum):
    """How an effect can be done exactly once although its response may get lost."""

    REPEATABLE = "repeatable"  # repeating it changes nothing
    LOOKED_UP = "looked_up"  # it carries its key to the target, which is searched for that key before it is sent again
    BEST_EFFORT = "best_effort"  # nobody can tell whether it was done, so it is not sent again after an unclear response


@dataclass(frozen=True)
class About:
    """The fact that caused an effect."""

    stream: str
    seq: int
    incident: int | None = None

    @property
    def fact(self) -> str:
        """The fact's position, as used in keys."""
        return f"{self.stream}/{self.seq}"

    @property
    def name(self) -> str:
        """The incident's name."""
        return f"INC-{self.incident}"


class EffectBody:
    """One action. Unless its kind defines another key, it is done once per fact."""

    KIND: ClassVar[str]
    CERTAINTY: ClassVar[Certainty]
    REPEATED_UNSEEN: ClassVar[bool] = False  # send it again if it cannot be looked up, rather than give it up
    URGENT: ClassVar[bool] = False  # tell people by other means while the chat does not take it

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "KIND" not in vars(cls):
            return  # a family's base class
        if "CERTAINTY" not in vars(cls):
            raise TypeError(f"{cls.__name__} does not say how it can be done once: CERTAINTY is missing")
        if cls.KIND in EFFECTS:
            raise TypeError(f"{cls.__name__} and {EFFECTS[cls.KIND].__name__} are both of the kind {cls.KIND}")
        EFFECTS[cls.KIND] = cls

    def key(self, about: About) -> str:
        """The permanent name of this effect; an effect whose key was queued before is not queued again."""
        incident = f"{about.name}/" if about.incident is not None else ""
        return f"{incident}{self.KIND}/{about.fact}"

    def lane(self, about: About) -> str:
        """Effects in one lane are done in order."""
        return f"incident/{about.incident}"

    def slot(self, about: About) -> str:
        """A newer effect with the same non-empty slot supersedes a pending one: only the last edit of a card matters."""
        return ""

    def urgent_as(self, about: About) -> str:
        """The name under which people are told once by other means, while the chat does not take it."""
        return self.key(about)


EFFECTS: dict[str, type[EffectBody]] = {}


@dataclass(frozen=True)
class Effect:
    """One action for one fact, with a key that is unique for ever."""

    key: str
    lane: str
    body: EffectBody
    incident: int | None = None
    stream: str = ""
    seq: int = 0
    slot: str = ""

    @property
    def kind(self) -> str:
        """The kind of action, as in the ledger."""
        return self.body.KIND


AGAIN = "/again/"  # follows the key of an effect that is ordered again; then the number of the ordering fact


def effect(body: EffectBody, about: About, again: int = 0) -> Effect:
    """The effect for a fact, with its key, lane and slot."""
    key = f"{body.key(about)}{AGAIN}{again}" if again else body.key(about)
    return Effect(key, body.lane(about), body, about.incident, about.stream, about.seq, body.slot(about))


def first_key(key: str) -> str:
    """The key under which it was first ordered."""
    return key.partition(AGAIN)[0]


def encode_effect(body: EffectBody) -> dict[str, Any]:
    """Its fields as the ledger stores them, without defaults."""
    fields: dict[str, Any] = sparse(body)
    return fields


def decode_effect(kind: str, fields: Mapping[str, Any]) -> EffectBody:
    """Rebuild an effect; raises ValueError for data that cannot be read."""
    if kind not in EFFECTS:
        raise ValueError(f"there is no effect {kind!r}; a newer Understudy wrote it")
    return decode(EFFECTS[kind], fields)


# --- families


class OfAlert(EffectBody):
    """On the alert, whose lane is separate, so it never waits for work in the incident's channel."""

    def lane(self, about: About) -> str:
        return f"alert/{about.incident}"


class InOps(EffectBody):
    """Posted in the ops channel."""

    def lane(self, about: About) -> str:
        return "ops"


class EditInPlace(EffectBody):
    """Re-renders an existing message; of several pending edits only the newest is made."""

    PART: ClassVar[str]

    def key(self, about: About) -> str:
        return f"{about.name}/{self.PART}/{about.fact}"

    def slot(self, about: About) -> str:
        return f"{self.PART}/{about.incident}"
