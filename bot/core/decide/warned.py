"""What somebody was warned of before they do a thing all the same: that is overruled, and nothing that failed since.

A mark stands for one thing that was not well. A button carries the marks of what its question said, so a press of it means
the same after a restart and on another replica.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping

from bot.core.model import Level

MARK_CHARS = 9
MOST_MARKS = 50  # of one kind; many more would not go into the 2,000 characters of a button

Marks = tuple[str, ...]


def warned_unwell(levels: Mapping[str, Level], flag: str = "") -> Marks:
    """That these components are as bad as they are, by id: in an incident, or behind what a flag would go back to."""
    return _few(f"{_digest('component', flag, id)}{level.rank}" for id, level in levels.items())


def warned_away(flags: Iterable[str]) -> Marks:
    """That these flags are on a fallback."""
    return _few(f"{_digest('away', flag)}0" for flag in flags)


def warned_unready(flag: str, variant: str, why: str) -> Marks:
    """That a fallback cannot be counted on, for this reason; none where nothing speaks against it."""
    return (f"{_digest('unready', flag, variant, why)}0",) if why else ()


def knew(warned: Collection[str], now: Marks) -> bool:
    """Whether somebody was warned of all of this, or of worse."""
    return all(_warned_of(mark, warned) for mark in now)


def _warned_of(mark: str, warned: Collection[str]) -> bool:
    return any(len(one) == len(mark) and one[:-1] == mark[:-1] and one[-1] >= mark[-1] for one in warned)


def _digest(*what: str) -> str:
    return hashlib.sha256("\0".join(what).encode("utf-8", "surrogatepass")).hexdigest()[: MARK_CHARS - 1]


def _few(marks: Iterable[str]) -> Marks:
    """One mark for all where there are too many: then a change in any of them is news."""
    found = tuple(marks)
    return found if len(found) <= MOST_MARKS else (f"{_digest(*found)}0",)
