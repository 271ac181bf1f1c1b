"""What people add to the timeline: messages, added in any way and any number of times, and corrections. Nothing is lost."""

from bot.core.answers.base import Done, KnownAlready, NoWords, Refused, Words
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.lazy_dataclass import dataclass
from bot.core.record.entry_facts import (
    EntryCorrected,
    EntryHidden,
    EntryShown,
    MessageAdded,
    MessageDeleted,
    MessageEdited,
    MessageKept,
    MessagePinned,
    MessageUnpinned,
)
from bot.core.record.incident import Entry, Incident, message_key
from bot.core.signals.entries import AddMessage, CorrectEntry, HideEntry, SourceDeleted, SourceEdited, UnpinMessage


@dataclass(frozen=True, kw_only=True)
class MessageInTimeline(Done):
    """The message is in the timeline; `before` = it already was, and is visible."""

    KIND = "message_in_timeline"
    before: bool = False


@dataclass(frozen=True, kw_only=True)
class MessageTakenOut(Done):
    """The last pin is gone, and the message is hidden."""

    KIND = "message_taken_out"


@dataclass(frozen=True, kw_only=True)
class EntryIsCorrected(Done):
    """The entry has the new text or time."""

    KIND = "entry_corrected"


@dataclass(frozen=True, kw_only=True)
class EntryIsHidden(Done):
    """The entry is hidden, or visible again (`back`)."""

    KIND = "entry_hidden"
    back: bool = False


@dataclass(frozen=True, kw_only=True)
class NothingToCorrect(Refused):
    """Neither text nor time would change."""

    KIND = "nothing_to_correct"


@dataclass(frozen=True, kw_only=True)
class NotYet(Refused):
    """The given time lies in the future."""

    KIND = "not_yet"


@dataclass(frozen=True, kw_only=True)
class NoEntry(Refused):
    """The timeline has no such entry written by people."""

    KIND = "no_entry"


def on_add(draft: Draft, signal: AddMessage) -> Step:
    """One entry per message, also after the end. Whoever added it first is kept; later pins only keep it visible."""
    incident = draft.incident(signal.incident)
    done = MessageInTimeline(incident=incident.number)
    seq = incident.entry_of(message_key(signal.message.channel, signal.message.ts))
    if seq is None:
        # The incident's own channel shows the message anyway.
        elsewhere = signal.message.channel != incident.room.channel
        draft.add(incident.stream, MessageAdded(signal.message, signal.pinned), told=elsewhere)
        return draft.done(done)
    entry = incident.entries[seq]
    before = MessageInTimeline(incident=incident.number, before=not entry.hidden)
    if signal.pinned and (entry.hidden or signal.actor.id not in entry.pins):
        draft.add(incident.stream, MessagePinned(seq))
    elif not signal.pinned and (entry.hidden or not entry.kept):
        draft.add(incident.stream, MessageKept(seq))
    return draft.done(before)


def on_unpin(draft: Draft, signal: UnpinMessage) -> Step:
    """Only a pin that was recorded can be taken back."""
    incident = draft.incident(signal.incident)
    seq = incident.entry_of(signal.message)
    if seq is None or signal.actor.id not in incident.entries[seq].pins:
        return draft.done(KnownAlready())
    entry = incident.entries[seq]
    last = not entry.hidden and entry.unpinned(signal.actor.id).hidden
    draft.add(incident.stream, MessageUnpinned(seq, last))
    return draft.done(MessageTakenOut(incident=incident.number) if last else KnownAlready())


def on_edited(draft: Draft, signal: SourceEdited) -> Step:
    """The newest edit wins, in whatever order edits arrive; nothing follows a deletion."""
    incident = draft.incident(signal.incident)
    seq = incident.entry_of(signal.message)
    if seq is not None and not incident.entries[seq].deleted and _newer(signal.edited_ts, incident.entries[seq]):
        draft.add(incident.stream, MessageEdited(seq, signal.text, signal.edited_ts))
    return draft.done(KnownAlready())


def _newer(edited_ts: str, entry: Entry) -> bool:
    """Whether the edit is newer. Slack's times are seconds and a counter; link previews change a message without one."""
    return bool(edited_ts) and _time(edited_ts) > _time(entry.edited_ts)


def _time(ts: str) -> tuple[int, int]:
    seconds, _, counter = ts.partition(".")
    return int(seconds or 0), int(counter or 0)


def on_deleted(draft: Draft, signal: SourceDeleted) -> Step:
    """Recorded once."""
    incident = draft.incident(signal.incident)
    seq = incident.entry_of(signal.message)
    if seq is not None and not incident.entries[seq].deleted:
        draft.add(incident.stream, MessageDeleted(seq))
    return draft.done(KnownAlready())


def on_correct(draft: Draft, signal: CorrectEntry) -> Step:
    """Correct text, time or both; the original stays in the ledger."""
    incident, text = draft.incident(signal.incident), signal.text
    if not _stands(draft, incident, signal.entry):
        return draft.refuse(NoEntry(incident=incident.number))
    if text is None and signal.happened_at is None:
        return draft.refuse(NothingToCorrect(incident=incident.number))
    if text is not None and not text.strip():
        return draft.refuse(NoWords(of=Words.NOTE))
    if signal.happened_at is not None and signal.happened_at > draft.now:
        return draft.refuse(NotYet(incident=incident.number))
    draft.add(incident.stream, EntryCorrected(signal.entry, text.strip() if text else None, signal.happened_at))
    return draft.done(EntryIsCorrected(incident=incident.number))


def on_hide(draft: Draft, signal: HideEntry) -> Step:
    """Hide or show an entry; repeating it changes nothing."""
    incident = draft.incident(signal.incident)
    if not _stands(draft, incident, signal.entry):
        return draft.refuse(NoEntry(incident=incident.number))
    hidden = incident.entries.get(signal.entry, Entry()).hidden
    if hidden == signal.back:
        draft.add(incident.stream, EntryShown(signal.entry) if signal.back else EntryHidden(signal.entry))
    return draft.done(EntryIsHidden(incident=incident.number, back=signal.back))


def _stands(draft: Draft, incident: Incident, entry: int) -> bool:
    newest: int = draft.world.seqs.get(incident.stream, 0)
    return 1 <= entry <= newest


HANDLERS: Handlers = {
    AddMessage: on_add, UnpinMessage: on_unpin, SourceEdited: on_edited, SourceDeleted: on_deleted, CorrectEntry: on_correct,
    HideEntry: on_hide,
}  # fmt: skip
