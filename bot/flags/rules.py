"""Flags as rules for clients that evaluate themselves: one answer for all readers, and three ways in which a reader may differ.

A service that reads thousands of times a second fetches these in the background and gives each customer the answer that
`evaluate` would give. `docs/http-api.md` specifies the arithmetic; `tests/flags/test_rules.py` holds both to the same answers.
"""

from collections.abc import Mapping
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.flags.evaluate import TARGETING_MATCH, Entry, Evaluation, NotFound, Part, Snapshot, Split, evaluate

# Of the format that clients read. Scopes were added without a new number: an older client ignores them, and its readers get
# what the whole serves. If it refused the format instead, no switch would reach it at all.
VERSION = 1

_NOBODY: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Rule:
    """One flag: the answer for a reader without a name, and what may differ from it.

    Readers in a switched scope (the first that matches) differ, and all readers during a drill or a hand-back.
    """

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
