"""Effects: what is to be done outside, written with the facts that ask for it and carried out by the outbox.

What is to be done is one of the classes below. Each registers itself by its KIND, says with its CERTAINTY how it can be done
once although an answer may get lost, and builds its own key, lane and slot. A new effect is a class here, a performer
(`bot.delivery.chat`), and the words that the timeline has for it. What it looks like is rendered when it is sent.

Rows wait for days and outlive an upgrade: kinds and keys never change, and a new field has a default.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from bot.core.codec import decode, sparse


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


# --- the alert


@dataclass(frozen=True)
class PostAlert(OfAlert):
    """Post an incident's alert into the ops channel."""

    KIND = "alert.post"
    CERTAINTY = Certainty.LOOKED_UP
    REPEATED_UNSEEN = True
    URGENT = True
    number: int = 1  # the second is posted where the first was deleted

    def key(self, about: About) -> str:
        return super().key(about) if self.number == 1 else f"{about.name}/alert/{self.number}"


@dataclass(frozen=True)
class EditAlert(OfAlert, EditInPlace):
    """Show an incident's alert as things are."""

    KIND = "alert.edit"
    CERTAINTY = Certainty.REPEATABLE
    PART = "alert"


@dataclass(frozen=True)
class PostEvidence(OfAlert):
    """Reply to an incident's alert with the evidence."""

    KIND = "evidence.post"
    CERTAINTY = Certainty.LOOKED_UP
    number: int = 1  # of the alert that it stands under

    def key(self, about: About) -> str:
        return super().key(about) if self.number == 1 else f"{about.name}/evidence/{self.number}"


@dataclass(frozen=True)
class EditEvidence(OfAlert, EditInPlace):
    """Show the evidence as things are."""

    KIND = "evidence.edit"
    CERTAINTY = Certainty.REPEATABLE
    PART = "evidence"


# --- the incident's channel


@dataclass(frozen=True)
class OpenChannel(EffectBody):
    """Make the incident's channel, under the name in the ledger."""

    KIND = "channel.open"
    CERTAINTY = Certainty.REPEATABLE  # a name is given once, and a channel that we made under it is known as ours
    again: bool = False  # in place of one that was lost or refused; the one that was lost is taken again where that is possible


@dataclass(frozen=True)
class SetTopic(EditInPlace):
    """Set the channel's topic. The first one, right behind the channel's opening, is never superseded."""

    KIND = "channel.topic"
    CERTAINTY = Certainty.REPEATABLE
    PART = "topic"
    first: bool = False

    def key(self, about: About) -> str:
        return EffectBody.key(self, about) if self.first else super().key(about)

    def slot(self, about: About) -> str:
        return "" if self.first else super().slot(about)


@dataclass(frozen=True)
class AddBookmarks(EffectBody):
    """Link the board and the runbooks in the channel's bookmarks."""

    KIND = "channel.bookmarks"
    CERTAINTY = Certainty.REPEATABLE


@dataclass(frozen=True)
class InvitePeople(EffectBody):
    """Invite into the channel whoever belongs there by now and was not invited before."""

    KIND = "channel.invite"
    CERTAINTY = Certainty.REPEATABLE
    anew: bool = False  # also those who were invited before


@dataclass(frozen=True)
class PostCard(EffectBody):
    """Post the status card."""

    KIND = "card.post"
    CERTAINTY = Certainty.LOOKED_UP
    number: int = 1  # the second is posted where the first was deleted

    def key(self, about: About) -> str:
        return super().key(about) if self.number == 1 else f"{about.name}/card/{self.number}"


@dataclass(frozen=True)
class PinCard(EffectBody):
    """Pin the status card."""

    KIND = "card.pin"
    CERTAINTY = Certainty.REPEATABLE
    number: int = 1  # of the card

    def key(self, about: About) -> str:
        return super().key(about) if self.number == 1 else f"{about.name}/pin/{self.number}"


@dataclass(frozen=True)
class EditCard(EditInPlace):
    """Show the status card as things are."""

    KIND = "card.edit"
    CERTAINTY = Certainty.REPEATABLE
    PART = "card"


@dataclass(frozen=True)
class PostRunbook(EffectBody):
    """Post the runbooks of the components that its fact names."""

    KIND = "runbook.post"
    CERTAINTY = Certainty.LOOKED_UP


@dataclass(frozen=True)
class PostUpdate(EffectBody):
    """Post an update of an incident: what happened since the one before."""

    KIND = "update.post"
    CERTAINTY = Certainty.LOOKED_UP
    URGENT = True
    since: datetime
    number: int = 0
    newest_only: bool = False  # while Slack is away only the bot's newest update waits; what people wrote all waits

    def key(self, about: About) -> str:
        return f"{about.name}/update/{self.number}"

    def slot(self, about: About) -> str:
        return f"update/{about.incident}" if self.newest_only else ""


@dataclass(frozen=True)
class PostSummary(EffectBody):
    """Say how an incident ended."""

    KIND = "summary.post"
    CERTAINTY = Certainty.LOOKED_UP
    REPEATED_UNSEEN = True
    URGENT = True


@dataclass(frozen=True)
class UploadExport(EffectBody):
    """Upload the timeline as a file."""

    KIND = "export.upload"
    CERTAINTY = Certainty.REPEATABLE  # the file's id is stored before it is shared, and sharing it again changes nothing
    format: str


# --- lines

GIVEN_UP = "given-up/"  # how the keys of lines begin that tell what was given up


class To(StrEnum):
    """Where a line about a fact goes."""

    INCIDENT = ""
    OPS = "ops"
    THREAD = "thread"  # under the alert, where a reply wakes whoever follows it, as an edit does not


@dataclass(frozen=True)
class PostLine(EffectBody):
    """Say one fact in a line, with buttons where it asks something."""

    KIND = "fact.post"
    CERTAINTY = Certainty.LOOKED_UP
    to: To = To.INCIDENT
    lost: str = ""  # the key of what was given up, where the line says that; said once

    def key(self, about: About) -> str:
        if self.to is To.THREAD:
            return f"{about.fact}/push"
        return f"{GIVEN_UP}{self.lost}" if self.lost else f"{about.fact}/line"

    def lane(self, about: About) -> str:
        match self.to:
            case To.OPS:
                return "ops"
            case To.THREAD:
                return f"alert/{about.incident}"
        return super().lane(about)


@dataclass(frozen=True)
class PostRefusal(InOps):
    """Tell the ops channel why there is no incident channel, and what to do."""

    KIND = "refusal.post"
    CERTAINTY = Certainty.LOOKED_UP


@dataclass(frozen=True)
class TellPerson(EffectBody):
    """A direct word to one person."""

    KIND = "tell"
    CERTAINTY = Certainty.BEST_EFFORT  # reading direct messages is a right that we do not ask for
    user: str

    def lane(self, about: About) -> str:
        return f"person/{self.user}"


# --- quiet threads of the ops channel, where there is no incident


@dataclass(frozen=True)
class OpenThread(InOps):
    """Say a fact quietly in the ops channel; what comes of it is said in the thread under it."""

    KIND = "quiet.post"
    CERTAINTY = Certainty.LOOKED_UP
    thread: str = ""

    def key(self, about: About) -> str:
        return self.thread

    @staticmethod
    def of_fact(stream: str, seq: int, what: str = "") -> str:
        """The key of the thread that this fact opens, known before it is written."""
        return f"{what}/{stream}/{seq}" if what else f"{stream}/{seq}"

    @staticmethod
    def of_notice(provider: str, notice: str) -> str:
        """The key of the thread about one notice of a vendor's."""
        return f"quiet/notice/{provider}/{notice}"

    @staticmethod
    def of_flood(provider: str, seq: int) -> str:
        """The key of the thread about a page that says more than anybody reads."""
        return f"quiet/flood/{provider}/{seq}"


@dataclass(frozen=True)
class ReplyInThread(InOps):
    """Say a fact in the thread of another one."""

    KIND = "quiet.reply"
    CERTAINTY = Certainty.LOOKED_UP
    root: str
