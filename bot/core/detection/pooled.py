"""Checks of one component corroborate each other: one test over the signs of all of them, beside the test of each. Pure.

What each check in doubt comes to by itself is added up. A sum that speaks takes all of them for failing, so two that fail half
of their looks need not both come to it alone. No check speaks for another: what one in doubt adds leaves the threshold more
than one sign away, so that one about to fail and one stray failure beside it never come to it. What is judged already leaves it
more than two signs away: the rest may be well, and is looked at so often now that two stray failures are no rare thing.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.core.detection.detector import Track, corroborated
from bot.core.detection.gauge import LEDGER, Gauge, hiccup_over, must_span
from bot.core.detection.settings import Rule

TOGETHER = timedelta(minutes=5)  # what failed, or began to fail, longer ago says nothing of a failure now
QUESTIONED = timedelta(minutes=2)  # how long the others look quickly once one of them fails
SHORT_IN_DOUBT, SHORT_JUDGED = 1.1, 2.1  # signs that the others must come to at least


def pooled(
    tracks: Mapping[str, Track], rules: Mapping[str, Rule], weights: Mapping[str, float], at: datetime, end: datetime,
    share: float,
) -> dict[str, Track]:  # fmt: skip
    """The tracks (by check, of one vantage) that fail now by what all of them come to; empty where that does not speak.

    The look that came last was at `at` and ended at `end`. Checks with signs must weigh `share` of all at least: in a
    component of many checks somebody always has a stray failure.
    """
    doubtful = {check: track for check, track in tracks.items() if _in_doubt(track, rules[check], at)}
    judged = {check: track for check, track in tracks.items() if _fails(track) and at - track.failing.changes[-1] <= TOGETHER}
    signed = {**doubtful, **judged}
    if not doubtful or sum(weights.get(c, 1.0) for c in signed) < share * sum(weights.get(c, 1.0) for c in tracks):
        return {}
    began = min(track.failing.since or at for track in signed.values())
    if end - began < max(_must_span(track.failing, rules[check]) for check, track in signed.items()):
        return {}
    if sum(_share(track.failing, rules[check]) for check, track in signed.items()) < 1.0:
        return {}
    return {check: corroborated(track, at, rules[check]) for check, track in doubtful.items()}


def _must_span(gauge: Gauge, rule: Rule) -> timedelta:
    return must_span(gauge.signs_of_rise, rule.at_least, rule.at_least_clear)


def _share(gauge: Gauge, rule: Rule) -> float:
    """What it adds, as a share of the threshold."""
    sign = rule.weights[0]
    most = rule.threshold - sign * (SHORT_JUDGED if gauge.stands else SHORT_IN_DOUBT)
    return min(gauge.score, max(sign, most)) / rule.threshold


def _in_doubt(track: Track, rule: Rule, at: datetime) -> bool:
    """Whether it adds anything: a hiccup that is over does not."""
    return track.suspect and _theirs(track, at) and not hiccup_over(track.failing, rule, rule.at_least)


def _theirs(track: Track, at: datetime) -> bool:
    """Whether it failed lately, and not by our own fault."""
    signs = track.failing.signs
    return bool(signs) and at - signs[-1].at <= TOGETHER and not signs[-1].fault.ours


def _fails(track: Track) -> bool:
    gauge = track.failing
    return gauge.stands and gauge.spoke != LEDGER and not track.judgement.fault.ours


def newly_fails(track: Track, now: datetime) -> bool:
    """Whether it began to fail just now, so that the others of its component are to be looked at quickly."""
    return _fails(track) and timedelta(0) <= now - track.failing.changes[-1] <= QUESTIONED
