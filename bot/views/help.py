"""Help, and other plain texts."""

from collections.abc import Sequence

from bot.ports import Message
from bot.views.blocks import section
from bot.views.limits import fit
from bot.views.text import code, escape


def help_text(heading: str, rows: Sequence[tuple[str, str]], *, first: int = 0) -> Message:
    """A heading, then one line per row (what to type, what it does); the `first` ones are separate."""
    lines = [f"• {code(usage, 200)}: {escape(does)}" for usage, does in rows]
    rest = lines[first:]
    parts = ["\n".join(lines[:first])] if first else []
    parts += ["\n".join(rest[n : n + 15]) for n in range(0, len(rest), 15)]
    return fit(Message(escape(heading), (section(f"*{escape(heading)}*"), *(section(part) for part in parts))))
