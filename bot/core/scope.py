"""A part of a flag's readers: those whose evaluation context has a certain value under a certain name, `env=eu`.

A part that is switched apart from the rest is a flag of its own in the record, `support-chat.llm@env=eu`, so that all that
holds for a flag holds for it too. No key of the configuration has an @ in it.
"""

import re

from bot.core.lazy_dataclass import dataclass

MOST_AT_ONCE = 16  # of one flag; a read looks at each of them
MOST_CHARS = 64  # of a value

_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)
_VALUE = re.compile(rf"[^ \x60]{{1,{MOST_CHARS}}}")


@dataclass(frozen=True)
class Scope:
    """The readers with this value, as text, under this name of their context."""

    attribute: str
    value: str

    def __str__(self) -> str:
        return f"{self.attribute}={self.value}"


def read_scope(text: str) -> Scope | None:
    """`env=eu`; None for what is none. The value is 1 to 64 printable characters, and may have a = in it.

    No space, where the next word begins, and no backtick, between which messages put what there is to type.
    """
    attribute, _, value = text.partition("=")
    fits = _ATTRIBUTE.fullmatch(attribute) and _VALUE.fullmatch(value) and value.isprintable()
    return Scope(attribute, value) if fits else None


def scoped(key: str, scope: Scope) -> str:
    """What a part of the readers of the flag `key` is called in the record."""
    return f"{key}@{scope}"


def whole(key: str) -> str:
    """The flag that a key is of: itself, or the one that this is a part of."""
    return key.partition("@")[0]


def scope_of(key: str) -> Scope | None:
    """Which part of the readers a key is of; None for all of them."""
    return read_scope(key.partition("@")[2])


def typed(key: str) -> str:
    """How people type it: `support-chat.llm scope env=eu`."""
    flag, _, part = key.partition("@")
    return f"{flag} scope {part}" if part else flag
