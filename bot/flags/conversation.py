"""Which reader or conversation a flag is read for, which decides its side of a share.

Evaluation contexts come from outside, and clients in three languages must interpret them identically.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.model import TARGETING_KEY

BEGAN = "conversation_started_at"
MOST_EXACT = 2**53  # from here on, two whole numbers may be equal where JSON numbers are floats
LAST_S = 253_402_300_799  # the end of the year 9999; milliseconds given as seconds are far beyond it

EPOCH, MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
RFC_3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)


def targeting_key(context: Mapping[str, Any]) -> str:
    """The reader's name in an evaluation context; empty if it gave none."""
    key = context.get(TARGETING_KEY)
    return key if isinstance(key, str) else ""


def identity(context: Mapping[str, Any], sticky_by: str) -> str:
    """What decides this reader's side: the attribute `sticky_by`, as text or a whole number, else its targeting key."""
    if sticky_by == TARGETING_KEY:
        return targeting_key(context)
    return _named(context.get(sticky_by)) or targeting_key(context)


def attribute_text(value: Any) -> str | None:
    """An attribute as compared: text, a whole number, or a boolean as in JSON; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else _named(value) or None


def _named(value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return ""
        case int() | float() if -MOST_EXACT < value < MOST_EXACT and value == int(value):
            return str(int(value))  # in JSON, 7 and 7.0 are the same number
    return ""


def began_ms(context: Mapping[str, Any]) -> int | None:
    """When the conversation began, in milliseconds since 1970; None if the context does not say, or says nonsense.

    `conversation_started_at` is a time in RFC 3339 format, or seconds since 1970.
    """
    match context.get(BEGAN):
        case str() as text:
            found = _read(text)
        case bool():
            return None
        case int() | float() as seconds if 0 <= seconds <= LAST_S:
            found = math.floor(seconds * 1000)
        case _:
            return None
    return found if found is not None and 0 <= found <= LAST_S * 1000 else None


def as_ms(at: datetime) -> int:
    """A time in milliseconds since 1970."""
    return (at - EPOCH) // MILLISECOND


def _read(text: str) -> int | None:
    parts = RFC_3339.fullmatch(text)
    if parts is None:
        return None
    fraction, sign, hours, minutes = parts[7] or "", parts[8], int(parts[9] or 0), int(parts[10] or 0)
    if hours > 23 or minutes > 59:
        return None
    try:
        local = as_ms(datetime(*map(int, parts.groups()[:6]), tzinfo=UTC))  # type: ignore[arg-type, misc] # six numbers
    except ValueError:
        return None
    ahead = (hours * 60 + minutes) * 60_000 * (-1 if sign == "-" else 1)
    return local + int(f"{fraction[:3]:0<3}") - ahead
