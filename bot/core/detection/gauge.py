"""Two tests side by side for one kind of sign (failed, or slow): when trouble begins, and when it is over. Pure.

The sequential test sums how much likelier each result is in trouble than in health: fast for a full outage, and patient when
one answer in five fails. The window counts failed rounds, so a configured "3 of 5" holds whatever the score is. Either test
may decide, but only once the signs span a minimum time.

That minimum is shorter when every sign is clearly the provider's fault: problems of our own network do not look like that.

A burst that ends before the minimum is a hiccup: once good results follow, its doubt is dropped, so that one stray failure
later does not become an outage. Another burst within minutes is not forgiven.

Recovery is a test of the same kind: a check that failed again after its first good result must answer until health is much
likelier than trouble that continues in part.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.detection.blindness import clearly_theirs
from bot.core.detection.settings import Rule
from bot.core.model import Sample

SURE = math.log(1_000)  # how much likelier health must be than partial trouble, after a relapse during recovery
PART = 0.20  # share of failing results in partial trouble: the smallest that can be told from health within minutes
EARLY = 0.25  # of an interval: a run may come this much early and still count as a full interval

FORGIVEN_EVERY = timedelta(minutes=5)  # one hiccup per this time; more often is trouble
KEPT = 10  # signs; enough to tell the usual fault from an odd one

SEQUENTIAL = "sequential test"
WINDOW = "window"
POOLED = "pooled test"  # over all checks of the component
LEDGER = "ledger"  # committed before the restart


@dataclass(frozen=True, slots=True)
class Moment:
    """When a run took place, whether it begins a round, and how many runs that round has had so far."""

    at: datetime
    end: datetime
    every: timedelta
    begins: bool
    looks: int


@dataclass(frozen=True, slots=True)
class Gauge:
    """The running totals for one kind of sign.

    `rounds` holds one bit for each round of the window, the newest lowest, 1 = failed. `since` is the first sign of the
    current rise of the score, and `onset` the time at which the current trouble began.
    """

    stands: bool = False
    spoke: str = ""  # the deciding test: SEQUENTIAL, WINDOW, POOLED or LEDGER
    onset: datetime | None = None
    score: float = 0.0
    since: datetime | None = None
    looks: int = 0  # results since then
    bad: int = 0  # of those, with a sign
    rounds: int = 0
    bad_in_round: int = 0
    signs: tuple[Sample, ...] = ()
    good: int = 0  # results in a row without a sign
    good_at: datetime | None = None
    relapses: int = 0  # how often it failed again after good results during this trouble
    clear: float = 0.0  # score of the recovery test since the first relapse
    changes: tuple[datetime, ...] = ()  # recent times at which trouble began or ended
    forgiven_at: datetime | None = None  # when the newest hiccup was over

    @property
    def at_rest(self) -> bool:
        """Whether a result without a sign changes nothing."""
        return not self.stands and self.score == 0.0 and self.rounds == 0 and not self.signs

    @property
    def signs_of_rise(self) -> tuple[Sample, ...]:
        """The signs of the current rise of the score, as far as they are kept."""
        return self.signs[-self.bad :]

    def flaps(self, at: datetime, rule: Rule) -> int:
        """The number of recent changes, if that is enough to count as flapping; else 0."""
        changes = len(_lately(self.changes, at, rule))
        return changes if changes >= rule.flap_changes else 0


REST = Gauge()


def turn(
    gauge: Gauge, sign: Sample | None, moment: Moment, rule: Rule, at_least: timedelta, *,
    if_clear: timedelta | None = None, hold: bool = False,
) -> Gauge:  # fmt: skip
    """The gauge after one conclusive result; `sign` is the sample if it is a sign of this kind of trouble.

    Signs must span `at_least`, or `if_clear` if that is shorter and each of them is clearly the provider's fault. With `hold`,
    trouble does not end, because a worse kind continues.
    """
    if sign is None and gauge.at_rest:
        return gauge
    gauge = _counted(gauge, sign, moment, rule, at_least)
    if gauge.stands:
        return gauge if hold else _ended(gauge, moment, rule)
    if sign is None:
        return gauge
    if (
        gauge.since is not None
        and gauge.score >= rule.threshold
        and moment.end - gauge.since >= must_span(gauge.signs_of_rise, at_least, if_clear)
    ):
        return begun(gauge, SEQUENTIAL, gauge.since, moment.at, rule)
    if gauge.rounds.bit_count() >= rule.failures:
        signs = [s for s in gauge.signs if moment.at - s.at <= moment.every * rule.window]
        onset = signs[0].at
        if moment.end - onset >= must_span(signs, at_least, if_clear) or rule.failures == 1:
            return begun(gauge, WINDOW, onset, moment.at, rule)
    return gauge


def must_span(signs: Sequence[Sample], at_least: timedelta, if_clear: timedelta | None) -> timedelta:
    """How long trouble with these signs must last before it counts."""
    if if_clear is None or not all(map(clearly_theirs, signs)):
        return at_least
    return min(if_clear, at_least)


def _counted(gauge: Gauge, sign: Sample | None, moment: Moment, rule: Rule, at_least: timedelta) -> Gauge:
    rounds, in_round = gauge.rounds, gauge.bad_in_round
    if moment.begins:
        rounds, in_round = (rounds << 1) & ((1 << rule.window) - 1), 0
    in_round += sign is not None
    rounds = rounds & ~1 | (in_round > 0 and in_round * 2 >= moment.looks)
    if gauge.stands:
        score, fresh = gauge.score, gauge.since is None
    else:
        score = max(0.0, gauge.score + rule.weights[sign is None])
        fresh = sign is not None and gauge.score == 0.0
    forgiven_at = gauge.forgiven_at
    if sign is None and not gauge.stands and _drops_doubt(gauge, moment, rule, at_least):
        score, forgiven_at = 0.0, moment.at
    signs = gauge.signs
    relapses, clear = _way_back(gauge, sign, rule)
    if sign is not None:
        signs = (*signs, sign)[-max(KEPT, rule.failures) :]
    elif score == 0.0 and rounds == 0 and not gauge.stands:
        return replace(REST, changes=gauge.changes, forgiven_at=forgiven_at)
    return Gauge(
        stands=gauge.stands,
        spoke=gauge.spoke,
        onset=gauge.onset,
        score=score,
        since=moment.at if fresh else gauge.since,
        looks=1 if fresh else gauge.looks + 1,
        bad=int(sign is not None) if fresh else gauge.bad + (sign is not None),
        rounds=rounds,
        bad_in_round=in_round,
        signs=signs,
        good=0 if sign is not None else gauge.good + 1,
        good_at=None if sign is not None else gauge.good_at or moment.at,
        relapses=relapses,
        clear=clear,
        changes=gauge.changes,
        forgiven_at=forgiven_at,
    )


def _drops_doubt(gauge: Gauge, moment: Moment, rule: Rule, at_least: timedelta) -> bool:
    """Whether this good result drops the doubt: the hiccup is over, but one more stray failure would make it an outage."""
    if gauge.score + rule.weights[0] < rule.threshold:
        return False
    if gauge.forgiven_at is not None and moment.at - gauge.forgiven_at < FORGIVEN_EVERY:
        return False
    return hiccup_over(replace(gauge, good=gauge.good + 1, looks=gauge.looks + 1), rule, at_least)


def hiccup_over(gauge: Gauge, rule: Rule, at_least: timedelta) -> bool:
    """Whether it was a burst (signs in a row, with no good result between) shorter than the minimum time, and is over."""
    if gauge.stands or gauge.since is None or gauge.good < rule.recover_after:
        return False
    in_a_row = gauge.bad >= 2 and gauge.bad == gauge.looks - gauge.good
    return in_a_row and gauge.signs[-1].at - gauge.since < at_least


def _way_back(gauge: Gauge, sign: Sample | None, rule: Rule) -> tuple[int, float]:
    """The number of relapses during this recovery, and the score of the recovery test."""
    if not gauge.stands:
        return 0, 0.0
    relapses = gauge.relapses + (gauge.good > 0 and sign is not None)
    if not relapses:
        return 0, 0.0
    likelier = math.log(rule.noise / PART) if sign is not None else math.log((1 - rule.noise) / (1 - PART))
    return relapses, max(0.0, gauge.clear + likelier)


def begun(gauge: Gauge, spoke: str, onset: datetime, at: datetime, rule: Rule) -> Gauge:
    """The gauge with trouble that began at `onset`."""
    return replace(gauge, stands=True, spoke=spoke, onset=onset, changes=(*_lately(gauge.changes, at, rule), at))


def _ended(gauge: Gauge, moment: Moment, rule: Rule) -> Gauge:
    """The gauge without trouble, once enough good results in a row span enough time; one that flaps must be steady for longer.

    Quick rechecks add evidence but do not speed this up: good results must span as long as that many scheduled ones.
    """
    if gauge.good_at is None or gauge.good < rule.recover_after or (gauge.relapses and gauge.clear < SURE):
        return gauge
    on_schedule = moment.every * (0 if gauge.relapses else rule.recover_after - 1 - EARLY)
    steady = rule.steady_for if gauge.flaps(moment.at, rule) else rule.recover_for
    if moment.at - gauge.good_at < max(steady, rule.recover_for, on_schedule):
        return gauge
    return Gauge(good_at=gauge.good_at, changes=(*_lately(gauge.changes, moment.at, rule), moment.at))


def _lately(changes: tuple[datetime, ...], at: datetime, rule: Rule) -> tuple[datetime, ...]:
    return tuple(change for change in changes if at - change <= rule.flap_within)
