"""Flags as a client evaluates them by itself: one answer for all readers, and the two ways in which a reader may differ.

A service that reads thousands of times a second asks for these in the background and gives each of its customers the answer
that `evaluate` would give. `docs/http-api.md` tells the arithmetic; `tests/flags/test_rules.py` holds both to the same answers.
"""

from collections.abc import Mapping
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.flags.evaluate import TARGETING_MATCH, Entry, Evaluation, NotFound, Snapshot, Split, evaluate

VERSION = 1  # of the shape that clients read; a change that an old client would misread is a new number

_NOBODY: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Rule:
    """One flag: what a reader without a name gets, and what others get instead while a hand-back or a drill is under way."""

    plain: Evaluation
    split: Split | None
    drill: Evaluation | None


def rules(picture: Snapshot) -> list[Rule]:
    """All flags of the snapshot, in its order."""
    return [_rule(picture, key, entry) for key, entry in picture.entries.items()]


def _rule(picture: Snapshot, key: str, entry: Entry) -> Rule:
    plain = evaluate(picture, key, _NOBODY)
    assert not isinstance(plain, NotFound)  # noqa: S101 # the key is the snapshot's own
    drill = None
    if entry.drill:
        drill = Evaluation(key, entry.values[entry.drill], entry.drill, TARGETING_MATCH, entry.drill_metadata)
    return Rule(plain, entry.split, drill)
