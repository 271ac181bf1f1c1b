"""What an incident should have in the chat, and what somebody who looked there found."""

from enum import StrEnum

from bot.core.lazy_dataclass import dataclass
from bot.core.record.incident import Room


class Piece(StrEnum):
    """One thing of an incident in the chat."""

    CHANNEL = "channel"
    CARD = "card"
    PIN = "pin"  # of the card
    TOPIC = "topic"
    BOOKMARKS = "bookmarks"
    INVITATIONS = "invitations"
    ALERT = "alert"
    EVIDENCE = "evidence"
    EDITS = "edits"  # of alert, card and evidence
    RUNBOOK = "runbook"
    UPDATES = "updates"
    LINES = "lines"  # about single facts
    SUMMARY = "summary"
    EXPORT = "export"
    BROADCAST = "broadcast"  # to people who are not in it, with the replies under it


@dataclass(frozen=True)
class Found:
    """What was found of an incident whose `room` and `repairs` were these: another look at one that changed since is no use."""

    room: Room
    repairs: int
    missing: tuple[Piece, ...] = ()
    waiting: tuple[Piece, ...] = ()  # ordered before and not done yet
    lost_channel: str = ""  # why its channel takes no more posts; empty where it does, or where there is none
    unknown: str = ""  # why some of it could not be looked at; empty where all was
