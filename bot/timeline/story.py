"""The timeline for people: entries with their current text, in order of time, without the bot's own bookkeeping.

`rows` has every fact as recorded; this is made from the same rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

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
    OfEntry,
)
from bot.core.record.fact import Fact
from bot.core.record.incident_facts import NoteAdded
from bot.timeline.entries import links, wrote
from bot.timeline.rows import Change, Row, rows


class _Entry:
    """One entry by people while its facts are processed."""

    def __init__(self, row: Row, fact: Fact) -> None:
        self.body = fact.body
        self.row = replace(row, entry=fact.seq)
        self.hidden = False
        self._corrected = False
        self.words = ""
        match fact.body:
            case MessageAdded(message=message):
                self.words = message.text
                self.row = replace(self.row, at=message.written_at, links=links(message), who=message.author.name)
            case NoteAdded(text=text):
                self.words = text

    def take(self, fact: Fact) -> None:
        """Apply a later change."""
        match fact.body:
            case MessageKept() | MessagePinned() | EntryShown():
                self.hidden = False
            case EntryHidden() | MessageUnpinned(last=True):
                self.hidden = True
            case MessageDeleted():
                self._mark("the message was deleted", fact)
            case MessageEdited(text=text):
                self._mark("edited", fact, was=self.words)
                if not self._corrected:  # a correction by a person stays
                    self._says(text)
            case EntryCorrected() as b:
                self._correct(b, fact)

    def _correct(self, b: EntryCorrected, fact: Fact) -> None:
        words = self.words if b.text is not None else ""
        self._mark(f"corrected by {fact.actor.name or fact.actor.id}", fact, words, self.row.at if b.happened_at else None)
        if b.text is not None:
            self._corrected = True
            self._says(b.text)
        if b.happened_at:
            self.row = replace(self.row, at=b.happened_at)

    def _mark(self, how: str, fact: Fact, was: str = "", was_at: datetime | None = None) -> None:
        self.row = replace(self.row, changes=(*self.row.changes, Change(how, fact.at, was, was_at)))

    def _says(self, text: str) -> None:
        said = wrote(self.body.message, text) if isinstance(self.body, MessageAdded) else f"Note: {text}"
        self.words, self.row = text, replace(self.row, text=said)


def story(facts: Sequence[Fact], names: Mapping[str, str] | None = None) -> list[Row]:
    """The rows for people, oldest first, renumbered from 1. Changes of entries that are not in `facts` are left out."""
    told: list[Row] = []
    entries: dict[tuple[str, int], _Entry] = {}
    for row, fact in zip(rows(facts, names), facts, strict=True):
        if isinstance(fact.body, MessageAdded | NoteAdded):
            entries[fact.stream, fact.seq] = _Entry(row, fact)
        elif isinstance(fact.body, OfEntry):
            if entry := entries.get((fact.stream, fact.body.entry)):
                entry.take(fact)
        elif not row.bookkeeping:
            told.append(row)
    told += [entry.row for entry in entries.values() if not entry.hidden]
    told.sort(key=lambda row: (row.at.astimezone(UTC), row.seq))
    return [replace(row, seq=n) for n, row in enumerate(told, 1)]


def entry_words(facts: Sequence[Fact], stream: str, entry: int) -> tuple[Row, str] | None:
    """An entry by people in its current form, hidden or not, and its text alone; None if the fact is not one."""
    found: _Entry | None = None
    for row, fact in zip(rows(facts), facts, strict=True):
        if fact.stream == stream and fact.seq == entry and isinstance(fact.body, MessageAdded | NoteAdded):
            found = _Entry(row, fact)
        elif found and fact.stream == stream and isinstance(fact.body, OfEntry) and fact.body.entry == entry:
            found.take(fact)
    return (found.row, found.words) if found else None
