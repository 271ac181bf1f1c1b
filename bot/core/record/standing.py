"""What an incident should have in the chat, and what somebody found there."""

from enum import StrEnum

from bot.core.lazy_dataclass import dataclass
from bot.core.record.incident import Room


class Piece(StrEnum):
    """One piece of an incident in the chat."""

    CHANNEL = "channel"
    CARD = "card"
    PIN = "pin"  # of the card
    TOPIC = "topic"
    BOOKMARKS = "bookmarks"
    INVITATIONS = "invitations"
    ALERT = "alert"
    EVIDENCE = "evidence"
    EDITS = "edits"  # edits of alert, card and evidence
    RUNBOOK = "runbook"
    UPDATES = "updates"
    LINES = "lines"  # about single facts
    SUMMARY = "summary"
    EXPORT = "export"
    BROADCAST = "broadcast"  # the message for people outside it, with its replies


@dataclass(frozen=True)
class FoundPieces:
    """What was found for an incident with this `room` and `repairs`; obsolete once the incident has changed."""

    room: Room
    repairs: int
    missing: tuple[Piece, ...] = ()
    waiting: tuple[Piece, ...] = ()  # already ordered and not done yet
    lost_channel: str = ""  # why its channel cannot be posted to; empty if it can, or if there is none
    unknown: str = ""  # why some pieces could not be checked; empty if all were
