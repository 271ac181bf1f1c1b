"""Effects: what is to be done outside, written with the facts that ask for it and carried out by the outbox.

An effect keeps its kind, its arguments and the fact it speaks of; what it looks like is rendered when it is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Do(StrEnum):
    """Every kind of effect."""

    ALERT_POST = "alert.post"
    ALERT_EDIT = "alert.edit"
    CHANNEL_OPEN = "channel.open"
    CHANNEL_TOPIC = "channel.topic"
    CHANNEL_BOOKMARKS = "channel.bookmarks"
    CHANNEL_INVITE = "channel.invite"
    CARD_POST = "card.post"
    CARD_PIN = "card.pin"
    CARD_EDIT = "card.edit"
    RUNBOOK_POST = "runbook.post"
    FACT_POST = "fact.post"  # one line (with buttons where it asks something) in the incident's channel about a fact
    UPDATE_POST = "update.post"
    SUMMARY_POST = "summary.post"
    EXPORT_UPLOAD = "export.upload"
    REFUSAL_POST = "refusal.post"  # tells the ops channel why there is no incident channel and what to do
    QUIET_POST = "quiet.post"  # a line about a fact in a quiet thread of the ops channel; no incident
    QUIET_REPLY = "quiet.reply"
    TELL = "tell"  # a direct word to one person


class Certainty(StrEnum):
    """How an effect can be done once although its answer may get lost."""

    IDEMPOTENT = "idempotent"  # doing it twice is doing it once
    LOOKED_UP = "looked_up"  # posts carry their key as metadata; (a file stores its id first, and sharing it is idempotent)


CERTAINTY: dict[Do, Certainty] = {
    kind: Certainty.LOOKED_UP if kind.value.endswith((".post", ".reply")) or kind is Do.TELL else Certainty.IDEMPOTENT
    for kind in Do
}


@dataclass(frozen=True)
class Effect:
    """One thing to do. `key` is unique for ever; rows of one `lane` are done in order.

    A pending row with the same non-empty `slot` is superseded by a newer one: only the last edit of a card matters.
    `stream` and `seq` name the fact that the effect speaks of.
    """

    key: str
    kind: Do
    lane: str
    incident: int | None = None
    stream: str = ""
    seq: int = 0
    args: Mapping[str, str] = field(default_factory=dict)
    slot: str = ""
