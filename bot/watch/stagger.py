"""At which offset of its interval each check looks: those of one provider take turns, so that one of them looks soon. Pure.

An outage is found no sooner than somebody looks. Three checks that look in the same second are as late as one; spread evenly
they look three times as often. The offsets depend on the checks alone, so a restart changes nothing.
"""

import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise

from bot.core.ids import CheckId
from bot.watch.plan import Check

TAKE_TURNS = 16  # of one provider; what comes on top is close to one of them anyway
LOOKED_THROUGH = 64  # intervals of the most frequent check: beyond them the pattern repeats itself, or nearly


def offset(id: str) -> float:
    """A share of an interval, 0 to 1: the same for the same name, evenly spread over many."""
    return (zlib.crc32(id.encode()) % 10_000) / 10_000


def phases(checks: Sequence[Check], every_s: Mapping[str, float]) -> dict[str, float]:
    """The first look of each check by id, in seconds after the start, less than its interval."""
    found: dict[str, float] = {}
    turns: dict[str, list[tuple[float, float]]] = {}  # provider -> (interval, offset in seconds) of those that have theirs
    for check in sorted(checks, key=lambda one: (every_s[one.id], one.id)):
        provider = CheckId(check.id).provider
        taken, every = turns.setdefault(provider, []), every_s[check.id]
        if not taken:
            at = offset(provider) * every
        elif len(taken) < TAKE_TURNS:
            at = _middle_of_largest_gap(taken, every)
        else:
            found[check.id] = offset(check.id) * every
            continue
        taken.append((every, at))
        found[check.id] = at
    return found


def _middle_of_largest_gap(taken: Sequence[tuple[float, float]], every: float) -> float:
    """Within one interval, where the others (who look at least as often) are quiet for longest; the earliest of equals."""
    span = min(every, LOOKED_THROUGH * taken[0][0])
    looks = sorted(at + n * step for step, at in taken for n in range(int(span / step) + 1) if at + n * step < span)
    gaps = [(round(later - at, 6), at) for at, later in pairwise([*looks, looks[0] + span])]
    widest = max(gap for gap, _ in gaps)
    return next(at + gap / 2 for gap, at in gaps if gap == widest) % span
