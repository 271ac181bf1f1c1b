"""Turns the results of one check into a judgement with its reason, and says when to run the check next. Pure.

`observe` folds one sample into a track: the same samples in the same order give the same track. A track is a plain value that
is stored, so a restart continues where it was. Inconclusive samples only use up the budget of quick rechecks. See
docs/detection.md.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.detection.gauge import LEDGER, POOLED, REST, Gauge, Moment, begun, turn
from bot.core.detection.latency import Usual, known, learned, slow_sign
from bot.core.detection.reasons import why_bad, why_well
from bot.core.detection.settings import Rule
from bot.core.model import Fault, Level, Outcome, Sample

EVERY = timedelta(seconds=30)
DOUBT_LASTS = timedelta(minutes=15)  # without any result: after a longer gap, old doubts say nothing about now
DOUBT_LASTS_ROUNDS = 10  # intervals; for checks that run too rarely for `DOUBT_LASTS`
SPACED = 0.75  # of an interval, the least gap between runs of different rounds, so that a late run does not swallow the next
BACK_IN_ROUND = 6  # runs per interval during a recovery without failures
RUN_A_RELAPSE, LONGEST_RUN = 2, 8  # good results in a row before quick rechecks; while an outage continues most runs are short


class Condition(StrEnum):
    """How one check judges its component."""

    WELL = "well"
    SLOW = "slow"
    FAILING = "failing"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Judgement:
    """A check's condition and the reason. `began_at` is its first sample, `last` the sample that represents all of them.

    `spoke` names what decided it: `sequential test`, `window`, `pooled test`, or `ledger` for what was committed before a
    restart.
    """

    condition: Condition
    reason: str
    fault: Fault = Fault.NONE
    began_at: datetime | None = None
    last: Sample | None = None
    spoke: str = ""
    recovering: bool = False  # the last result was good, but not enough of them yet


NOT_YET = Judgement(Condition.UNKNOWN, "no result yet")


@dataclass(frozen=True, slots=True)
class Track:
    """What is remembered about one check from one vantage; small, and it does not grow over time."""

    judgement: Judgement = NOT_YET
    failing: Gauge = REST
    slow: Gauge = REST
    usual: Usual = field(default_factory=Usual)
    last_at: datetime | None = None
    round_at: datetime | None = None
    round_looks: int = 0
    rounds: int = 0  # seen so far, at most the window
    spent: float = 0.0  # of the budget of quick rechecks, as of `spent_at`
    spent_at: datetime | None = None
    quick: float = 0.0  # part of `spent` that belongs to the current doubt

    @property
    def suspect(self) -> bool:
        """Whether there were failures, but too few to judge: recheck soon."""
        return not self.failing.stands and self.failing.score > 0.0

    @property
    def promising(self) -> bool:
        """Whether it failed and now answers, so rechecks can tell recovery from luck. After relapses it needs a longer run."""
        gauge = self.failing
        if not gauge.stands:
            return False
        return gauge.good >= max(1, min(RUN_A_RELAPSE * (gauge.relapses - 1), LONGEST_RUN))

    @property
    def hurries(self) -> bool:
        """Whether runs beyond the scheduled ones are useful."""
        return self.suspect or self.promising

    @property
    def looked_at(self) -> datetime | None:
        """Time of the newest run that changed anything: a conclusive one, or one charged to the budget."""
        if self.last_at is None or self.spent_at is None:
            return self.last_at or self.spent_at
        return max(self.last_at, self.spent_at)

    @property
    def baseline_ms(self) -> float | None:
        """The usual latency, None while too little is known."""
        return self.usual.ms


NEW = Track()


def observe(track: Track, sample: Sample, rule: Rule, *, learn: bool = True, every: timedelta = EVERY) -> Track:
    """The track after one more sample of a check whose interval is `every`.

    `learn=False` leaves the usual latency unchanged, for the duration of an incident.
    """
    at = sample.at
    if track.last_at is not None and at < track.last_at - every:
        track = _set_back(track, at - track.last_at)
    if _before_it_began(track, at):
        return track
    if (track.last_at is None or at - track.last_at > DOUBT_LASTS) and _long_ago(track, at, every):
        track = undoubted(track)
    begins = track.round_at is None or at - track.round_at >= every * SPACED
    if track.suspect or not begins:
        track = _charged(track, at, rule, every)
    if sample.outcome is Outcome.INCONCLUSIVE:
        return track
    looks = 1 if begins else track.round_looks + 1
    slowness = slow_sign(sample, track.usual, rule)
    failing, slow = track.failing, track.slow
    if slowness is not None or not (failing.at_rest and slow.at_rest):  # most results change neither
        moment = Moment(at, tells_until(track, sample), every, begins, looks)
        failure = sample if sample.outcome is Outcome.FAIL else None
        failing = turn(track.failing, failure, moment, rule, rule.at_least, if_clear=rule.at_least_clear)
        slow_for = max(rule.slow_for, rule.at_least)  # a failed run counts as slow too, since it is not a good answer
        slow = turn(track.slow, slowness, moment, rule, slow_for, hold=failing.stands)
        if failing.stands and not slow.stands:
            slow = _slow_as_well(slow, failing)
    rounds = min(track.rounds + begins, rule.window)
    judgement = _judged(track.judgement, failing, slow, slowness, at, rounds, rule)
    usual = track.usual
    if learn and slowness is None and judgement.condition is Condition.WELL and failing.score == slow.score == 0.0:
        usual = learned(usual, sample)
    return Track(
        judgement, failing, slow, usual, max(at, track.last_at or at), at if begins else track.round_at, looks, rounds,
        track.spent, track.spent_at,
        track.quick if failing.score > 0.0 else 0.0,
    )  # fmt: skip


def tells_until(track: Track, sample: Sample) -> datetime:
    """The time of which the sample speaks: its end, or its start if a run that began later was already observed."""
    overtaken = track.last_at is not None and sample.at < track.last_at
    return sample.at if overtaken else sample.at + timedelta(milliseconds=sample.phases_ms.get("total", 0.0))


def corroborated(track: Track, at: datetime, rule: Rule) -> Track:
    """The track of a check in doubt, set to failing: its own failures are too few, but other checks of its component agree."""
    failing = begun(track.failing, POOLED, track.failing.since or at, at, rule)
    judgement = _bad(track.judgement, Condition.FAILING, replace(failing, good=0), at, track.rounds, rule)
    slow = track.slow if track.slow.stands else _slow_as_well(track.slow, failing)
    return replace(track, judgement=judgement, failing=failing, slow=slow)


def next_look(track: Track, rule: Rule, every: timedelta, now: datetime) -> timedelta:
    """How long to wait before the next run: briefly while in doubt or recovering, as the budget allows; else the interval.

    A flapping check is held in its state for some time anyway, so quick rechecks would tell nothing.
    """
    if track.suspect:
        return rule.recheck if track.quick < rule.quick_most and may_hurry(track, rule, every, now) else every
    if not track.promising or track.failing.flaps(now, rule) or not may_hurry(track, rule, every, now):
        return every
    return rule.recheck if track.failing.relapses else max(rule.recheck, every / BACK_IN_ROUND)


def may_hurry(track: Track, rule: Rule, every: timedelta, now: datetime) -> bool:
    """Whether the check may run early: its interval is long enough, and budget is left."""
    return rule.recheck < every and _spent(track, now, rule, every) + 1 <= rule.quick_most


def seeded(track: Track, baseline_ms: float) -> Track:
    """The track with a usual latency that was computed from stored samples."""
    return replace(track, usual=known(baseline_ms))


def from_ledger(level: Level, reason: str, fault: Fault, began_at: datetime | None, track: Track = NEW) -> Track:
    """The track adjusted to a bad committed verdict that it knows nothing about.

    An outage ends through good results, not because the track was lost.
    """
    if not level.bad:
        return track
    stands = Gauge(stands=True, spoke=LEDGER, onset=began_at, changes=track.slow.changes)
    failing = replace(stands, changes=track.failing.changes) if level is Level.DOWN else track.failing
    condition = Condition.FAILING if level is Level.DOWN else Condition.SLOW
    judgement = Judgement(condition, reason, fault, began_at, spoke=LEDGER)
    return replace(track, judgement=judgement, failing=failing, slow=stands)


def knows_of(track: Track, began_at: datetime | None) -> bool:
    """Whether the track saw the trouble that began then: it is still in trouble, or recovered since."""
    changes = (*track.failing.changes, *track.slow.changes)
    return track.failing.stands or track.slow.stands or (began_at is not None and any(c >= began_at for c in changes))


def undoubted(track: Track) -> Track:
    """The track without undecided doubts, which are too old or were counted by another rule. Decided trouble is kept."""

    def rested(gauge: Gauge) -> Gauge:
        return gauge if gauge.stands else replace(REST, changes=gauge.changes)

    return replace(track, failing=rested(track.failing), slow=rested(track.slow), rounds=0, quick=0.0)


def settled(track: Track, since: datetime) -> Track:
    """The track adjusted to a ledger that says healthy `since` then: trouble with no later sign and a good result is over."""

    def ended(gauge: Gauge) -> Gauge:
        over = gauge.stands and gauge.good > 0 and not any(sign.at > since for sign in gauge.signs)
        return replace(REST, changes=gauge.changes) if over else gauge

    failing, slow = ended(track.failing), ended(track.slow)
    if failing.stands or slow.stands or not track.slow.stands:
        return track
    judgement = Judgement(Condition.WELL, why_well(failing, slow, since, max(track.rounds, 1)), began_at=since)
    return replace(track, judgement=judgement, failing=failing, slow=slow)


# --- the judgement


def _slow_as_well(slow: Gauge, failing: Gauge) -> Gauge:
    """A failing check counts as slow too: it may be slow for a while as it recovers."""
    return replace(slow, stands=True, spoke=failing.spoke, onset=failing.onset, changes=failing.changes)


def _judged(
    previous: Judgement, failing: Gauge, slow: Gauge, slowness: Sample | None, at: datetime, rounds: int, rule: Rule
) -> Judgement:
    if failing.stands:
        return _bad(previous, Condition.FAILING, failing, at, rounds, rule)
    if slow.stands:
        return _bad(previous, Condition.SLOW, slow, at, rounds, rule)
    if previous.condition is Condition.UNKNOWN and slowness is not None:
        return Judgement(Condition.UNKNOWN, "no good result yet, and too few to judge", last=slowness)
    reason = why_well(failing, slow, at, rounds)
    if previous.condition is Condition.WELL:
        return previous if previous.reason == reason else replace(previous, reason=reason)
    began = at if previous.condition is Condition.UNKNOWN else max(filter(None, (failing.good_at, slow.good_at)))
    return Judgement(Condition.WELL, reason, began_at=began)


def _bad(previous: Judgement, condition: Condition, gauge: Gauge, at: datetime, rounds: int, rule: Rule) -> Judgement:
    last = _typical(previous, gauge.signs) if gauge.signs else previous.last
    fault = last.fault if last else previous.fault
    reason = why_bad(gauge, at, rounds, rule, last, failed=condition is Condition.FAILING)
    return Judgement(condition, reason, fault, gauge.onset, last, gauge.spoke, recovering=gauge.good > 0)


def _typical(previous: Judgement, signs: tuple[Sample, ...]) -> Sample:
    """The newest sign with the most frequent fault, so that one odd answer does not shift the blame."""
    faults = [sign.fault for sign in signs]
    usual = max(reversed(faults), key=lambda fault: (faults.count(fault), fault is previous.fault))
    return next(sign for sign in reversed(signs) if sign.fault is usual)


# --- the budget of quick looks, and clocks


def _spent(track: Track, at: datetime, rule: Rule, every: timedelta) -> float:
    if track.spent_at is None:
        return 0.0
    return max(0.0, track.spent - rule.quick_share * max(0.0, (at - track.spent_at) / every))


def _charged(track: Track, at: datetime, rule: Rule, every: timedelta) -> Track:
    """What a run costs: nothing on schedule, and up to nearly one the earlier it comes."""
    cost = min(1.0, max(0.0, 1 - (at - (track.looked_at or at)) / every))
    return Track(
        track.judgement, track.failing, track.slow, track.usual, track.last_at, track.round_at, track.round_looks, track.rounds,
        _spent(track, at, rule, every) + cost, at, track.quick + cost * track.suspect,
    )  # fmt: skip


def _long_ago(track: Track, at: datetime, every: timedelta) -> bool:
    """Whether the last result is so old that its doubts are meaningless."""
    return at - (track.looked_at or at) > max(DOUBT_LASTS, every * DOUBT_LASTS_ROUNDS)


def _before_it_began(track: Track, at: datetime) -> bool:
    """Whether the sample is older than the outage in the ledger, and so cannot end it."""
    gauge = track.slow
    untouched = gauge.spoke == LEDGER and gauge.good == 0 and not gauge.signs
    return untouched and gauge.onset is not None and at < gauge.onset


def _set_back(track: Track, by: timedelta) -> Track:
    """After the wall clock was set back, shift every remembered time along, so that no span becomes negative."""

    def moved(at: datetime | None) -> datetime | None:
        return at and at + by

    def sign(s: Sample) -> Sample:
        return replace(s, at=s.at + by)

    def gauge(g: Gauge) -> Gauge:
        signs, changes = tuple(map(sign, g.signs)), tuple(c + by for c in g.changes)
        return replace(
            g, onset=moved(g.onset), since=moved(g.since), good_at=moved(g.good_at), forgiven_at=moved(g.forgiven_at),
            signs=signs, changes=changes,
        )  # fmt: skip

    was = track.judgement
    judgement = replace(was, began_at=moved(was.began_at), last=was.last and sign(was.last))
    return replace(
        track, judgement=judgement, failing=gauge(track.failing), slow=gauge(track.slow),
        last_at=moved(track.last_at), round_at=moved(track.round_at), spent_at=moved(track.spent_at),
    )  # fmt: skip


__all__ = [
    "EVERY", "NEW", "NOT_YET", "Condition", "Judgement", "Rule", "Track", "corroborated", "from_ledger", "knows_of",
    "may_hurry", "next_look", "observe", "seeded", "settled", "tells_until", "undoubted",
]  # fmt: skip
