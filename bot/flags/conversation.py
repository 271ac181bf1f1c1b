"""Which reader, or which conversation, a flag is read for: what a share goes by.

An evaluation context comes from outside, and clients in three languages have to read the same from it.
"""

from collections.abc import Mapping
from typing import Any

from bot.core.model import TARGETING_KEY

MOST_EXACT = 2**53  # from here on two whole numbers may be one, where JSON numbers are floats


def targeting_key(context: Mapping[str, Any]) -> str:
    """The reader's own name in an evaluation context; empty when it gave none."""
    key = context.get(TARGETING_KEY)
    return key if isinstance(key, str) else ""


def identity(context: Mapping[str, Any], sticky_by: str) -> str:
    """By what this reader's side is decided: the attribute `sticky_by`, a text or a whole number, else its targeting key."""
    if sticky_by == TARGETING_KEY:
        return targeting_key(context)
    return _named(context.get(sticky_by)) or targeting_key(context)


def _named(value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return ""
        case int() | float() if -MOST_EXACT < value < MOST_EXACT and value == int(value):
            return str(int(value))  # 7 and 7.0 are the same number in JSON
    return ""
