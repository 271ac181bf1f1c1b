"""Checks of one component corroborate each other: one test over the signs of all of them, beside the test of each. Pure.

What each check's own score says is added up. A sum that speaks takes every check with a failing sign of its own for failing, so
two that fail half of their looks need not both come to it alone. No check speaks for another: what one of them adds leaves
the threshold more than one sign away, so a dead check and one stray failure beside it never come to it together.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.core.detector import Track, corroborated
from bot.core.gauge import LEDGER, Gauge
from bot.core.rule import Rule

TOGETHER = timedelta(minutes=5)  # between the first signs of one episode; what failed long before says nothing of a new sign
QUESTIONED = timedelta(minutes=2)  # how long the others look quickly once one of them fails
JUST_SHORT = 0.1  # of one sign


def pooled(
    tracks: Mapping[str, Track], rules: Mapping[str, Rule], weights: Mapping[str, float], at: datetime, end: datetime,
    share: float,
) -> dict[str, Track]:  # fmt: skip
    """The tracks (by check, of one vantage) that fail now by what all of them come to; empty where that does not speak.

    The look that came last was at `at` and ended at `end`. Checks with signs must weigh `share` of all at least: in a
    component of many checks somebody always has a stray failure.
    """
    doubtful = {check: track for check, track in tracks.items() if track.suspect and _theirs(track)}
    if not doubtful:
        return {}
    first = min(_began(track.failing) for track in doubtful.values())
    last = max(_began(track.failing) for track in doubtful.values())
    standing = {
        check: track
        for check, track in tracks.items()
        if _fails(track) and first - TOGETHER <= _began(track.failing) <= last + TOGETHER
    }
    signed = {**doubtful, **standing}
    if len(signed) < 2 or sum(weights.get(check, 1.0) for check in signed) < share * sum(weights.get(c, 1.0) for c in tracks):
        return {}
    if end - min(_began(track.failing) for track in signed.values()) < max(rules[check].at_least for check in signed):
        return {}
    if sum(_share(track.failing, rules[check]) for check, track in signed.items()) < 1.0:
        return {}
    return {check: corroborated(track, at, rules[check]) for check, track in doubtful.items()}


def _share(gauge: Gauge, rule: Rule) -> float:
    """What it adds, as a share of the threshold."""
    sign = rule.weights[0]
    return min(gauge.score, max(sign, rule.threshold - sign * (1 + JUST_SHORT))) / rule.threshold


def _began(gauge: Gauge) -> datetime:
    began = gauge.onset if gauge.stands else gauge.since
    return began or datetime.max.replace(tzinfo=gauge.signs[-1].at.tzinfo)


def _theirs(track: Track) -> bool:
    return bool(track.failing.signs) and track.failing.since is not None and not track.failing.signs[-1].fault.ours


def _fails(track: Track) -> bool:
    gauge = track.failing
    return gauge.stands and gauge.spoke != LEDGER and gauge.onset is not None and not track.judgement.fault.ours


def newly_fails(track: Track, now: datetime) -> bool:
    """Whether it began to fail just now, so that the others of its component are to be looked at quickly."""
    return _fails(track) and timedelta(0) <= now - track.failing.changes[-1] <= QUESTIONED
