"""A scope of a flag: the readers whose evaluation context has a certain value for a certain attribute, such as `env=eu`.

A scope that is switched separately is recorded as a flag of its own, `support-chat.llm@env=eu`, so every rule for flags
applies to it too. No configured key contains an @.
"""

import re

from bot.core.lazy_dataclass import dataclass

MOST_AT_ONCE = 16  # per flag; every read checks each of them
MOST_CHARS = 64  # in a value

_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)
_VALUE = re.compile(rf"[^ \x60]{{1,{MOST_CHARS}}}")


@dataclass(frozen=True)
class Scope:
    """The readers whose context has this value, as text, for this attribute."""

    attribute: str
    value: str

    def __str__(self) -> str:
        return f"{self.attribute}={self.value}"


def read_scope(text: str) -> Scope | None:
    """Parse `env=eu`; None if it is not a scope. The value is 1 to 64 printable characters and may contain a =.

    Spaces are excluded because they start the next word of a command; backticks, because messages quote commands in them.
    """
    attribute, _, value = text.partition("=")
    fits = _ATTRIBUTE.fullmatch(attribute) and _VALUE.fullmatch(value) and value.isprintable()
    return Scope(attribute, value) if fits else None


def scoped(key: str, scope: Scope) -> str:
    """The recorded key of a scope of the flag `key`."""
    return f"{key}@{scope}"


def whole(key: str) -> str:
    """The flag that a key belongs to: the key itself, or the flag that it is a scope of."""
    return key.partition("@")[0]


def scope_of(key: str) -> Scope | None:
    """The scope that a key stands for; None for all readers."""
    return read_scope(key.partition("@")[2])


def typed(key: str) -> str:
    """The key as people type it: `support-chat.llm scope env=eu`."""
    flag, _, part = key.partition("@")
    return f"{flag} scope {part}" if part else flag
