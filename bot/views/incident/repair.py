"""Answers about repairs."""

from collections.abc import Mapping

from bot.core.answers.base import Answer
from bot.core.decide.incident.repair import ChangedMeanwhile, NobodyLooked, NothingMissing, RepairStarted
from bot.core.record.standing import Piece
from bot.views.text import capital, words

REPAIRS: Mapping[Piece, str] = {
    Piece.CHANNEL: "opening its channel again, with what belongs in it", Piece.CARD: "posting the card again",
    Piece.PIN: "pinning the card", Piece.TOPIC: "setting the topic", Piece.BOOKMARKS: "adding the bookmarks",
    Piece.INVITATIONS: "inviting who is missing", Piece.ALERT: "posting the alert again",
    Piece.EVIDENCE: "posting the evidence again", Piece.EDITS: "bringing alert and card up to date",
    Piece.RUNBOOK: "posting the runbook again", Piece.UPDATES: "posting updates that got lost",
    Piece.LINES: "posting lines that got lost", Piece.SUMMARY: "posting the summary again",
    Piece.EXPORT: "uploading the timeline again", Piece.BROADCAST: "telling the broadcast channels again",
}  # fmt: skip
NAMES: Mapping[Piece, str] = {
    Piece.CHANNEL: "the channel", Piece.CARD: "the card", Piece.PIN: "its pin", Piece.TOPIC: "the topic",
    Piece.BOOKMARKS: "the bookmarks", Piece.INVITATIONS: "invitations", Piece.ALERT: "the alert",
    Piece.EVIDENCE: "the evidence", Piece.EDITS: "edits of alert and card", Piece.RUNBOOK: "the runbook",
    Piece.UPDATES: "an update", Piece.LINES: "a line in the channel", Piece.SUMMARY: "the summary",
    Piece.EXPORT: "the timeline as a file", Piece.BROADCAST: "the broadcast",
}  # fmt: skip


def repair_words(answer: Answer) -> str:
    """What is being done, and what is left; empty for other answers."""
    match answer:
        case RepairStarted() as b:
            return f"{capital(words([REPAIRS[piece] for piece in b.pieces]))}. {_left(b, 'Nothing else was missing.')}"
        case NothingMissing(waiting=(), unknown=""):
            return f"Nothing of {answer.name} is missing in Slack."
        case NothingMissing() as b:
            return _left(b, "Nothing else is missing.")
        case ChangedMeanwhile():
            return f"{answer.name} is changing in Slack at this moment. Nothing was repaired; ask again in a minute."
        case NobodyLooked():
            return f"Slack cannot be asked from here, so nothing of {answer.name} was repaired."
    return ""


def _left(answer: RepairStarted | NothingMissing, rest: str) -> str:
    """What a repair leaves alone: what is pending; then what Slack could not tell, or that the `rest` exists."""
    coming = f"Already on its way: {', '.join(NAMES[piece] for piece in answer.waiting)}. " if answer.waiting else ""
    return coming + (f"Slack did not tell of everything ({answer.unknown}): ask again later." if answer.unknown else rest)
