"""Messages that people added to the timeline, and changes of entries, as people read them."""

from collections.abc import Mapping
from datetime import UTC

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
from bot.core.record.fact import Fact
from bot.core.record.incident import SourceMessage


def sentence(fact: Fact, names: Mapping[str, str]) -> str:
    """A fact about an entry; empty for others."""
    name = fact.actor.name or fact.actor.id
    match fact.body:
        case MessageAdded(message=message):
            return wrote(message, message.text)
        case MessageKept(entry=entry):
            return f"{name} added the message of entry {entry} as well"
        case MessagePinned(entry=entry):
            return f"{name} pinned the message of entry {entry} as well"
        case MessageUnpinned(entry=entry, last=last):
            return f"{name} took a pin off the message of entry {entry}" + (", which is out of sight now" if last else "")
        case MessageEdited(entry=entry, text=text):
            return f"The message of entry {entry} was edited: {text}"
        case MessageDeleted(entry=entry):
            return f"The message of entry {entry} was deleted"
        case EntryCorrected() as b:
            when = f" happened at {b.happened_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if b.happened_at else ""
            return f"{name} corrected entry {b.entry}{when}" + (f": {b.text}" if b.text is not None else "")
        case EntryHidden(entry=entry):
            return f"{name} hid entry {entry}"
        case EntryShown(entry=entry):
            return f"{name} brought entry {entry} back"
    return ""


def wrote(message: SourceMessage, text: str) -> str:
    """`bob wrote: it was DNS`; for a message without text, its file names."""
    said = text or ", ".join(file.name for file in message.files) or "(no text)"
    return f"{message.author.name or message.author.id} wrote: {said}"


def links(message: SourceMessage) -> tuple[tuple[str, str], ...]:
    """The message and its files, each with name and address."""
    own = (("message", message.link),) if message.link else ()
    return (*own, *((file.name, file.link) for file in message.files))
