"""What people add to a timeline: messages, pins, corrections. The original is always kept."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, Source
from bot.core.record.incident import Entry, Incident, SourceMessage, message_key


@dataclass(frozen=True)
class MessageAdded(Body):
    """A chat message was added as an entry: explicitly, or (`pinned`) with an emoji on it."""

    KIND = "incident.message_added"
    ANNOUNCED = True
    message: SourceMessage
    pinned: bool = False

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The seq of this fact identifies the entry."""
        key, pins = message_key(self.message.channel, self.message.ts), (fact.actor.id,) if self.pinned else ()
        entry = Entry(key, kept=not self.pinned, pins=pins, edited_ts=self.message.edited_ts)
        return replace(state, entries={**state.entries, fact.seq: entry})


class OfEntry:
    """A fact about an existing entry."""

    entry: int


@dataclass(frozen=True)
class MessageKept(OfEntry, Body):
    """A message that is already an entry was added explicitly: it stays without pins, and is shown again."""

    KIND = "incident.message_kept"
    BOOKKEEPING = True
    entry: int

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The entry no longer depends on its pins."""
        return _changed(state, self.entry, kept=True, hidden=False)


@dataclass(frozen=True)
class MessagePinned(OfEntry, Body):
    """Another person pinned a message that is already an entry."""

    KIND = "incident.message_pinned"
    BOOKKEEPING = True
    entry: int

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Add the pin and show the entry again."""
        pinned = state.entries[self.entry].pinned(fact.actor.id)
        return replace(state, entries={**state.entries, self.entry: pinned})


@dataclass(frozen=True)
class MessageUnpinned(OfEntry, Body):
    """A person removed their pin. `last`: that hid the entry."""

    KIND = "incident.message_unpinned"
    BOOKKEEPING = True
    entry: int
    last: bool = False

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Remove the pin."""
        unpinned = state.entries[self.entry].unpinned(fact.actor.id)
        return replace(state, entries={**state.entries, self.entry: unpinned})


@dataclass(frozen=True)
class MessageEdited(OfEntry, Body):
    """The message behind an entry was edited."""

    KIND = "incident.message_edited"
    SOURCE = Source.SLACK
    BOOKKEEPING = True
    entry: int
    text: str
    edited_ts: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """An older edit that arrives late is recognized by its time."""
        return _changed(state, self.entry, edited_ts=self.edited_ts)


@dataclass(frozen=True)
class MessageDeleted(OfEntry, Body):
    """The message behind an entry was deleted; its text stays here."""

    KIND = "incident.message_deleted"
    SOURCE = Source.SLACK
    BOOKKEEPING = True
    entry: int

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The entry no longer follows its message."""
        return _changed(state, self.entry, deleted=True)


@dataclass(frozen=True)
class EntryCorrected(OfEntry, Body):
    """A person corrected an entry's text (`text`) or time (`happened_at`); None leaves it unchanged."""

    KIND = "incident.entry_corrected"
    BOOKKEEPING = True
    entry: int
    text: str | None = None
    happened_at: datetime | None = None


@dataclass(frozen=True)
class EntryHidden(OfEntry, Body):
    """A person hid an entry."""

    KIND = "incident.entry_hidden"
    BOOKKEEPING = True
    entry: int

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Keep the entry, but hide it."""
        return _changed(state, self.entry, hidden=True)


@dataclass(frozen=True)
class EntryShown(OfEntry, Body):
    """A person showed an entry again."""

    KIND = "incident.entry_shown"
    BOOKKEEPING = True
    entry: int

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Show the entry again."""
        return _changed(state, self.entry, hidden=False)


def _changed(state: Incident, entry: int, **changes: Any) -> Incident:
    before = state.entries.get(entry, Entry(kept=True))
    return replace(state, entries={**state.entries, entry: replace(before, **changes)})
