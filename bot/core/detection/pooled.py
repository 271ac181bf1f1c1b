"""Checks of one component corroborate each other: one test over the signs of all of them, besides each check's own. Pure.

The scores of all checks in doubt are added up. If the sum passes, all of them count as failing, so two checks that fail half
the time need not each reach the threshold alone. No check decides for another: the part that one in doubt may add is capped
more than one sign short of the threshold, so that it and a single stray failure elsewhere never pass. A check already judged
failing is capped more than two signs short: the rest may be healthy, and now run so often that two stray failures are common.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.core.detection.detector import Track, corroborated
from bot.core.detection.gauge import LEDGER, Gauge, hiccup_over, must_span
from bot.core.detection.settings import Rule

TOGETHER = timedelta(minutes=5)  # failures further apart than this are unrelated
QUESTIONED = timedelta(minutes=2)  # how long the other checks run quickly after one fails
SHORT_IN_DOUBT, SHORT_JUDGED = 1.1, 2.1  # the least number of signs that the others must add


def pooled(
    tracks: Mapping[str, Track], rules: Mapping[str, Rule], weights: Mapping[str, float], at: datetime, end: datetime,
    share: float,
) -> dict[str, Track]:  # fmt: skip
    """The tracks (by check, of one vantage) that fail now by the pooled test; empty if it does not pass.

    The latest run started at `at` and ended at `end`. Checks with signs must make up at least `share` of the total weight: in
    a component with many checks, some check always has a stray failure.
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
    """What the check adds, as a share of the threshold."""
    sign = rule.weights[0]
    most = rule.threshold - sign * (SHORT_JUDGED if gauge.stands else SHORT_IN_DOUBT)
    return min(gauge.score, max(sign, most)) / rule.threshold


def _in_doubt(track: Track, rule: Rule, at: datetime) -> bool:
    """Whether it adds anything: a hiccup that is over does not."""
    return track.suspect and _theirs(track, at) and not hiccup_over(track.failing, rule, rule.at_least)


def _theirs(track: Track, at: datetime) -> bool:
    """Whether it failed recently, and not by our own fault."""
    signs = track.failing.signs
    return bool(signs) and at - signs[-1].at <= TOGETHER and not signs[-1].fault.ours


def _fails(track: Track) -> bool:
    gauge = track.failing
    return gauge.stands and gauge.spoke != LEDGER and not track.judgement.fault.ours


def newly_fails(track: Track, now: datetime) -> bool:
    """Whether it began to fail just now, so that the other checks of its component should run quickly."""
    return _fails(track) and timedelta(0) <= now - track.failing.changes[-1] <= QUESTIONED
