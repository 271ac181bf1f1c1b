"""Two tests side by side over one kind of sign (failed, or slow): when trouble stands, and when it is over. Pure.

The sequential test sums up how much likelier each look is in trouble than in health: quick with a full outage, and patient
with one answer in five that fails. The window counts failed rounds, so that what people set as "3 of 5" holds whatever the
score says. Either may speak; neither before the signs span a least time.

The way back is a test of the same kind: what failed again since its first good look must answer for so long that it is hardly
trouble of that share any more.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.model import Sample
from bot.core.rule import Rule

SURE = math.log(300)  # how much likelier health must be than trouble that goes on, once it failed again on its way back
SHARES = 0.15, 0.30  # of failed looks on the way back, at least and at most: a few looks tell too little of a larger one
REMEMBERED = 40  # looks of the way back; then older ones count half

KEPT = 10  # signs; enough to tell the usual fault from an odd one

SEQUENTIAL = "sequential test"
WINDOW = "window"
POOLED = "pooled test"  # over all checks of the component
LEDGER = "ledger"  # it stood before the restart


@dataclass(frozen=True, slots=True)
class Moment:
    """When a look was and how it lies in its round: how many of the round came so far, and whether it begins one."""

    at: datetime
    end: datetime
    every: timedelta
    begins: bool
    looks: int


@dataclass(frozen=True, slots=True)
class Gauge:
    """What one kind of sign came to so far.

    `rounds` holds a bit for each round of the window, the newest lowest, 1 = failed. `since` is the first sign of the
    present rise of the score and `onset` where the trouble that stands began.
    """

    stands: bool = False
    spoke: str = ""  # which test: SEQUENTIAL, WINDOW, POOLED or LEDGER
    onset: datetime | None = None
    score: float = 0.0
    since: datetime | None = None
    looks: int = 0  # since then
    bad: int = 0  # of them
    rounds: int = 0
    bad_in_round: int = 0
    signs: tuple[Sample, ...] = ()
    good: int = 0  # looks in a row without a sign
    good_at: datetime | None = None
    back: int = 0  # looks since the first good one of this trouble: its way back
    back_bad: int = 0  # of them
    share: float = 0.0  # of them, when the last sign came; 0 = nothing failed on the way back so far
    clear: float = 0.0  # score of the test whether it is over
    changes: tuple[datetime, ...] = ()  # when it began and ended lately

    @property
    def at_rest(self) -> bool:
        """Whether a look without a sign changes nothing."""
        return not self.stands and self.score == 0.0 and self.rounds == 0 and not self.signs

    def flaps(self, at: datetime, rule: Rule) -> int:
        """How often it changed lately, if that is often enough to be held; else 0."""
        changes = len(_lately(self.changes, at, rule))
        return changes if changes >= rule.flap_changes else 0


REST = Gauge()


def turn(gauge: Gauge, sign: Sample | None, moment: Moment, rule: Rule, at_least: timedelta, *, hold: bool = False) -> Gauge:
    """The gauge after one conclusive look; `sign` is the sample when it is a sign of this kind of trouble.

    With `hold`, trouble that stands does not end: a worse kind stands as well.
    """
    if sign is None and gauge.at_rest:
        return gauge
    gauge = _counted(gauge, sign, moment, rule)
    if gauge.stands:
        return gauge if hold else _ended(gauge, moment.at, rule)
    if sign is None:
        return gauge
    if gauge.score >= rule.threshold and gauge.since is not None and moment.end - gauge.since >= at_least:
        return begun(gauge, SEQUENTIAL, gauge.since, moment.at, rule)
    if gauge.rounds.bit_count() >= rule.failures:
        onset = next(s.at for s in gauge.signs if moment.at - s.at <= moment.every * rule.window)
        if moment.end - onset >= at_least or rule.failures == 1:
            return begun(gauge, WINDOW, onset, moment.at, rule)
    return gauge


def _counted(gauge: Gauge, sign: Sample | None, moment: Moment, rule: Rule) -> Gauge:
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
    signs = gauge.signs
    back, back_bad, share, clear = (0, 0, 0.0, 0.0) if fresh else _way_back(gauge, sign, rule)
    if sign is not None:
        signs = (*signs, sign)[-max(KEPT, rule.failures) :]
    elif score == 0.0 and rounds == 0 and not gauge.stands:
        return replace(REST, changes=gauge.changes)
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
        back=back,
        back_bad=back_bad,
        share=share,
        clear=clear,
        changes=gauge.changes,
    )


def _way_back(gauge: Gauge, sign: Sample | None, rule: Rule) -> tuple[int, int, float, float]:
    """Looks of the way back, how many of them failed, their share, and the score of the test whether it is over."""
    if sign is not None and gauge.back == 0:
        return 0, 0, 0.0, 0.0
    back, bad = gauge.back + 1, gauge.back_bad + (sign is not None)
    if back > REMEMBERED:
        back, bad = back // 2, (bad + 1) // 2
    if sign is None:
        likelier = math.log((1 - rule.noise) / (1 - gauge.share)) if gauge.share else 0.0
        return back, bad, gauge.share, gauge.clear + likelier
    share = min(max(bad / back, SHARES[0]), SHARES[1])
    return back, bad, share, max(0.0, gauge.clear + math.log(rule.noise / share))


def begun(gauge: Gauge, spoke: str, onset: datetime, at: datetime, rule: Rule) -> Gauge:
    """The gauge as trouble that stands since `onset`."""
    return replace(gauge, stands=True, spoke=spoke, onset=onset, changes=(*_lately(gauge.changes, at, rule), at))


def _ended(gauge: Gauge, at: datetime, rule: Rule) -> Gauge:
    """Over once there were enough good looks in a row for long enough; what changes all the time must be steady first."""
    if gauge.good_at is None or gauge.good < rule.recover_after or (gauge.share and gauge.clear < SURE):
        return gauge
    steady = rule.steady_for if gauge.flaps(at, rule) else rule.recover_for
    if at - gauge.good_at < max(steady, rule.recover_for):
        return gauge
    return Gauge(good_at=gauge.good_at, changes=(*_lately(gauge.changes, at, rule), at))


def _lately(changes: tuple[datetime, ...], at: datetime, rule: Rule) -> tuple[datetime, ...]:
    return tuple(change for change in changes if at - change <= rule.flap_within)
