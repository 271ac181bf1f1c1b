"""Flags as a client evaluates them by itself: one answer for all readers, and the three ways in which a reader may differ.

A service that reads thousands of times a second asks for these in the background and gives each of its customers the answer
that `evaluate` would give. `docs/http-api.md` tells the arithmetic; `tests/flags/test_rules.py` holds both to the same answers.
"""

from collections.abc import Mapping
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.flags.evaluate import TARGETING_MATCH, Entry, Evaluation, NotFound, Part, Snapshot, Split, evaluate

# Of the shape that clients read. Parts of the readers came without a new number: a client of before reads past them, and its
# readers get what the whole serves. Refusing it would keep every switch from them, also that of the whole.
VERSION = 1

_NOBODY: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Rule:
    """One flag: what a reader without a name gets, and what others get instead: those of a part that is switched (the first
    that fits), and all while a drill or a hand-back is under way."""

    plain: Evaluation
    split: Split | None
    drill: Evaluation | None
    parts: tuple[Part, ...] = ()


def rules(picture: Snapshot) -> list[Rule]:
    """All flags of the snapshot, in its order."""
    return [_rule(picture, key, entry) for key, entry in picture.entries.items()]


def _rule(picture: Snapshot, key: str, entry: Entry) -> Rule:
    plain = evaluate(picture, key, _NOBODY)
    assert not isinstance(plain, NotFound)  # noqa: S101 # the key is the snapshot's own
    drill = None
    if entry.drill:
        drill = Evaluation(key, entry.values[entry.drill], entry.drill, TARGETING_MATCH, entry.drill_metadata)
    return Rule(plain, entry.split, drill, entry.parts)
