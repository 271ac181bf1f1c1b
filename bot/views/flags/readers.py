"""Who reads a flag, and who does not have its last switch yet."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from bot.core.policy import Policy
from bot.ports import Message
from bot.views.blocks import section
from bot.views.limits import fit
from bot.views.names import flag_name
from bot.views.text import code, count, span, spoken

MOST_NAMED = 25


class ReaderSeen(Protocol):
    """One client that reads the flag."""

    @property
    def name(self) -> str:
        """What it is known by."""

    @property
    def silent_for(self) -> float:
        """Seconds since it was heard."""

    @property
    def copy(self) -> bool:
        """Whether it keeps a copy of the flags; else it asks for each evaluation."""

    @property
    def current(self) -> bool:
        """Whether it has what the flag serves now."""


def flag_readers(key: str, policy: Policy, readers: Sequence[ReaderSeen]) -> Message:
    """Those first who do not have it; the rest by when they were heard."""
    name = flag_name(key, policy)
    if not readers:
        return fit(Message(f"Nobody has read {name} in the last 15 minutes."))
    copies = [one for one in readers if one.copy]
    behind = [one for one in copies if not one.current]
    first = f"*{name}* is read by {count(len(readers), 'client')}"
    if copies:
        have = "all have" if not behind else f"{len(copies) - len(behind)} of {len(copies)} have"
        first = f"{first}; {have} its last switch"
    lines = [_line(one) for one in readers[:MOST_NAMED]]
    if (more := len(readers) - len(lines)) > 0:
        lines.append(f"and {more} more")
    return fit(Message(spoken(first), (section(f"{'🟠' if behind else '🟢'} {first}."), section("\n".join(lines)))))


def _line(reader: ReaderSeen) -> str:
    heard = f"{span(timedelta(seconds=reader.silent_for))} ago"
    if not reader.copy:
        return f"🟢 {code(reader.name)} asks each time, {heard}"
    return f"🟢 {code(reader.name)} {heard}" if reader.current else f"🟠 {code(reader.name)} has an older copy, heard {heard}"
