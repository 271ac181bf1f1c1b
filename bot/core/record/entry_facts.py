"""Facts about what people put into a timeline: messages, pins, corrections. What was written first always stays."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Body, Fact, Source
from bot.core.record.incident import Entry, Incident, SourceMessage, message_key


@dataclass(frozen=True)
class MessageAdded(Body):
    """A message of the chat became an entry: by name, or (`pinned`) by an emoji on it."""

    KIND = "incident.message_added"
    ANNOUNCED = True
    message: SourceMessage
    pinned: bool = False

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The entry is named by this fact."""
        key, pins = message_key(self.message.channel, self.message.ts), (fact.actor.id,) if self.pinned else ()
        entry = Entry(key, kept=not self.pinned, pins=pins, edited_ts=self.message.edited_ts)
        return replace(state, entries={**state.entries, fact.seq: entry})


class OfEntry:
    """A fact about an entry that is there already."""

    entry: int


@dataclass(frozen=True)
class MessageKept(OfEntry, Body):
    """A message that is an entry already was added by name: it stays without any pin, and is seen again."""

    KIND = "incident.message_kept"
    BOOKKEEPING = True
    entry: int

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """It no longer hangs on its pins."""
        return _changed(state, self.entry, kept=True, hidden=False)


@dataclass(frozen=True)
class MessagePinned(OfEntry, Body):
    """One more person pinned a message that is an entry already."""

    KIND = "incident.message_pinned"
    BOOKKEEPING = True
    entry: int

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """It is held by one more pin, and seen again."""
        pinned = state.entries[self.entry].pinned(fact.actor.id)
        return replace(state, entries={**state.entries, self.entry: pinned})


@dataclass(frozen=True)
class MessageUnpinned(OfEntry, Body):
    """A person took their pin off. `last`: the entry went out of sight with it."""

    KIND = "incident.message_unpinned"
    BOOKKEEPING = True
    entry: int
    last: bool = False

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """One pin fewer."""
        unpinned = state.entries[self.entry].unpinned(fact.actor.id)
        return replace(state, entries={**state.entries, self.entry: unpinned})


@dataclass(frozen=True)
class MessageEdited(OfEntry, Body):
    """The message behind an entry reads differently."""

    KIND = "incident.message_edited"
    SOURCE = Source.SLACK
    BOOKKEEPING = True
    entry: int
    text: str
    edited_ts: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """An older edit that arrives late is known by its time."""
        return _changed(state, self.entry, edited_ts=self.edited_ts)


@dataclass(frozen=True)
class MessageDeleted(OfEntry, Body):
    """The message behind an entry is gone; its text stays here."""

    KIND = "incident.message_deleted"
    SOURCE = Source.SLACK
    BOOKKEEPING = True
    entry: int

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Nothing of it changes any more."""
        return _changed(state, self.entry, deleted=True)


@dataclass(frozen=True)
class EntryCorrected(OfEntry, Body):
    """A person says what an entry should read (`text`) or when it happened (`happened_at`); None leaves it as it is."""

    KIND = "incident.entry_corrected"
    BOOKKEEPING = True
    entry: int
    text: str | None = None
    happened_at: datetime | None = None


@dataclass(frozen=True)
class EntryHidden(OfEntry, Body):
    """A person took an entry out of sight."""

    KIND = "incident.entry_hidden"
    BOOKKEEPING = True
    entry: int

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """It is kept, and not shown."""
        return _changed(state, self.entry, hidden=True)


@dataclass(frozen=True)
class EntryShown(OfEntry, Body):
    """A person brought an entry back."""

    KIND = "incident.entry_shown"
    BOOKKEEPING = True
    entry: int

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """It is shown again."""
        return _changed(state, self.entry, hidden=False)


def _changed(state: Incident, entry: int, **changes: Any) -> Incident:
    before = state.entries.get(entry, Entry(kept=True))
    return replace(state, entries={**state.entries, entry: replace(before, **changes)})
