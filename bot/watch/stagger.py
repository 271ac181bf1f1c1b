"""The offset in its interval at which each check runs: checks of one provider take turns, so that one of them runs soon. Pure.

An outage is found no sooner than the next run. Three checks that run in the same second find it no faster than one; evenly
spread, they are three times as fast. Offsets depend only on the checks, so a restart changes nothing.
"""

import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise

from bot.core.ids import CheckId
from bot.watch.plan import Check

TAKE_TURNS = 16  # checks of one provider; any more are close to one of them anyway
LOOKED_THROUGH = 64  # intervals of the most frequent check: after that the pattern repeats, or nearly


def offset(id: str) -> float:
    """A share of an interval, 0 to 1: always the same for one name, and evenly spread over many."""
    return (zlib.crc32(id.encode()) % 10_000) / 10_000


def phases(checks: Sequence[Check], every_s: Mapping[str, float]) -> dict[str, float]:
    """The first run of each check by id, in seconds after the start, less than its interval."""
    found: dict[str, float] = {}
    turns: dict[str, list[tuple[float, float]]] = {}  # provider -> (interval, offset in seconds) of checks already placed
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
    """The offset in the middle of the longest gap between other checks (which run at least as often); the earliest if equal."""
    span = min(every, LOOKED_THROUGH * taken[0][0])
    looks = sorted(at + n * step for step, at in taken for n in range(int(span / step) + 1) if at + n * step < span)
    gaps = [(round(later - at, 6), at) for at, later in pairwise([*looks, looks[0] + span])]
    widest = max(gap for gap, _ in gaps)
    return next(at + gap / 2 for gap, at in gaps if gap == widest) % span
