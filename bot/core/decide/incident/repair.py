"""A person fixed what failed or was deleted in the chat. What exists there is looked up beforehand (`FoundPieces`)."""

import json
from collections.abc import Mapping

from bot.core import effects as e
from bot.core.answers.base import Done, Refused
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident, Undelivered
from bot.core.record.room.room_facts import ChannelRefused, PostGone, Repaired
from bot.core.record.standing import FoundPieces, Piece
from bot.core.signals.incident import Repair

PIECES: Mapping[type[e.EffectBody], Piece] = {
    e.OpenChannel: Piece.CHANNEL, e.PostCard: Piece.CARD, e.PinCard: Piece.PIN, e.SetTopic: Piece.TOPIC,
    e.AddBookmarks: Piece.BOOKMARKS, e.InvitePeople: Piece.INVITATIONS, e.PostAlert: Piece.ALERT,
    e.PostEvidence: Piece.EVIDENCE, e.PostRunbook: Piece.RUNBOOK, e.PostUpdate: Piece.UPDATES, e.PostLine: Piece.LINES,
    e.PostSummary: Piece.SUMMARY, e.UploadExport: Piece.EXPORT, e.EditAlert: Piece.EDITS, e.EditCard: Piece.EDITS,
    e.EditEvidence: Piece.EDITS, e.PostBroadcast: Piece.BROADCAST, e.ReplyBroadcast: Piece.BROADCAST,
}  # fmt: skip
# Lost messages are repeated unchanged; pieces that show the current state are made anew.
SAID = (Piece.RUNBOOK, Piece.UPDATES, Piece.LINES, Piece.SUMMARY, Piece.EXPORT, Piece.BROADCAST)
IN_CHANNEL = (Piece.PIN, Piece.TOPIC, Piece.BOOKMARKS, Piece.INVITATIONS)
REPAIR = "it was missing when somebody asked for a repair"


@dataclass(frozen=True, kw_only=True)
class RepairStarted(Done):
    """The missing pieces are ordered; `waiting` were already ordered and are not there yet."""

    KIND = "repair_begun"
    pieces: tuple[Piece, ...]
    waiting: tuple[Piece, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, kw_only=True)
class NothingMissing(Done):
    """Everything exists, or is on its way."""

    KIND = "nothing_missing"
    waiting: tuple[Piece, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, kw_only=True)
class ChangedMeanwhile(Refused):
    """Something changed since somebody looked."""

    KIND = "changed_meanwhile"


@dataclass(frozen=True, kw_only=True)
class NobodyLooked(Refused):
    """There is no chat here to look into."""

    KIND = "nobody_looked"


def on_repair(draft: Draft, signal: Repair) -> Step:
    """Order what is missing and not on its way; for a finished incident, only messages that were lost."""
    incident, found = draft.incident(signal.incident), signal.found
    if found is None:
        return draft.refuse(NobodyLooked(incident=incident.number))
    if (found.room, found.repairs) != (incident.room, incident.repairs):
        return draft.refuse(ChangedMeanwhile(incident=incident.number))
    said = [one for one in incident.undelivered if _is_due(one, incident)]
    missing = [piece for piece in Piece if piece not in found.waiting and _is_missing(piece, incident, found)]
    untold = [channel for channel, post in incident.broadcasts.items() if post.gone]
    lost = [*(PIECES[e.EFFECTS[one.what]] for one in said), *([Piece.BROADCAST] if untold else [])]
    pieces = tuple(dict.fromkeys([*missing, *lost]))
    if not pieces:
        return draft.done(NothingMissing(incident=incident.number, waiting=found.waiting, unknown=found.unknown))
    fact = draft.add(incident.stream, Repaired(pieces))
    for piece in missing:
        _order(draft, piece, missing, found, fact)
    for channel in untold:  # before the replies to it
        draft.send_again(e.PostBroadcast(channel), e.About(fact.stream, fact.seq, fact.incident), fact)
    for one in said:
        about = e.About(one.stream, one.seq, incident.number)
        draft.send_again(_body(one), about, fact)
    return draft.done(
        RepairStarted(incident=incident.number, pieces=pieces, waiting=found.waiting, unknown=found.unknown)
    )  # fmt: skip


def _is_missing(piece: Piece, incident: Incident, found: FoundPieces) -> bool:
    room = incident.room
    if piece in SAID or not incident.phase.open:
        return False
    if piece in IN_CHANNEL and not room.channel:
        return False
    if piece in found.missing or any(_piece(one) is piece for one in incident.undelivered):
        return True
    match piece:
        case Piece.CHANNEL:
            return not room.channel or bool(found.lost_channel)
        case Piece.CARD:
            return not room.card.ts or room.card.channel != (room.channel or room.card.channel)
        case Piece.ALERT:
            return not room.alert.ts
        case Piece.EVIDENCE:
            return not room.evidence.ts
    return False


def _piece(one: Undelivered) -> Piece | None:
    kind = e.EFFECTS.get(one.what)
    return PIECES.get(kind) if kind else None


def _body(one: Undelivered) -> e.EffectBody:
    return e.decode_effect(one.what, json.loads(one.fields))


def _is_due(one: Undelivered, incident: Incident) -> bool:
    """Whether a lost message should still be sent. An update by the bot is obsolete once another one was posted."""
    if _piece(one) not in SAID or not one.fields:
        return False
    body = _body(one)
    return not (isinstance(body, e.PostUpdate) and body.newest_only and body.number < incident.updates)


def _order(draft: Draft, piece: Piece, missing: list[Piece], found: FoundPieces, fact: Fact) -> None:
    """Order one piece. Topic and edits follow with the refresh after any change; a new channel is filled once it is open."""
    incident = draft.incident(fact.incident or 0)
    about, room = e.About(fact.stream, fact.seq, fact.incident), incident.room
    match piece:
        case Piece.CHANNEL:
            if room.channel:
                draft.add(incident.stream, ChannelRefused(found.lost_channel, room.channel))
            draft.send(e.OpenChannel(again=True), fact)
        case Piece.CARD:
            forget_card(draft, incident)
            if Piece.CHANNEL not in missing:
                post_card(draft, incident.number, fact)
        case Piece.PIN if not {Piece.CARD, Piece.CHANNEL} & set(missing):
            draft.send_again(e.PinCard(room.card.gone + 1), about, fact)
        case Piece.BOOKMARKS if Piece.CHANNEL not in missing:
            draft.send(e.AddBookmarks(), fact)
        case Piece.INVITATIONS if Piece.CHANNEL not in missing:
            draft.send(e.InvitePeople(anew=True), fact)
        case Piece.ALERT:
            alert = room.alert
            draft.add(incident.stream, PostGone(e.PostAlert.KIND, alert.channel, alert.ts, REPAIR, again=True))
            draft.send(e.PostAlert(alert.gone + 2), fact)
            draft.send(e.PostEvidence(alert.gone + 2), fact)
        case Piece.EDITS if room.evidence.ts:
            draft.send(e.EditEvidence(), fact)
        case Piece.EVIDENCE if Piece.ALERT not in missing:
            draft.send_again(e.PostEvidence(room.alert.gone + 1), about, fact)


def forget_card(draft: Draft, incident: Incident) -> None:
    """Record that the card is gone; its edits wait for the new one."""
    card = incident.room.card
    draft.add(incident.stream, PostGone(e.PostCard.KIND, card.channel, card.ts, REPAIR, again=True))


def post_card(draft: Draft, number: int, fact: Fact) -> None:
    """Post the next card, and pin it."""
    card = draft.incident(number).room.card.gone + 1
    draft.send(e.PostCard(card), fact)
    draft.send(e.PinCard(card), fact)


def on_channel_again(draft: Draft, number: int, opened: Fact) -> None:
    """A channel was opened in place of the lost one, or the lost one works again: add whatever it lacks."""
    room = draft.incident(number).room
    if not room.card.ts or room.card.channel != room.channel:
        if room.card.ts:
            forget_card(draft, draft.incident(number))
        post_card(draft, number, opened)
        draft.send(e.SetTopic(), opened)  # the refresh leaves it out if the card is new
        draft.send(e.PostRunbook(), opened)
    draft.send(e.AddBookmarks(), opened)
    draft.send(e.InvitePeople(anew=True), opened)


def on_channel_refused_again(draft: Draft, number: int, refused: Fact) -> None:
    """No channel this time either: a missing card is posted in the alert's thread."""
    if not draft.incident(number).room.card.ts:
        post_card(draft, number, refused)


HANDLERS: Handlers = {Repair: on_repair}
