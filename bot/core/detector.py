"""From a check's samples to a judgement: a window of k of n, with a slower rule for recovery. Pure.

The rule sees only conclusive samples. It answers with a reason in words, since the reason reaches people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.core.model import Fault, Outcome, Sample


class Condition(StrEnum):
    """How one check sees its component."""

    WELL = "well"
    SLOW = "slow"
    FAILING = "failing"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class WindowRule:
    """`failures` of the last `window` conclusive samples make a condition; `recover_after` good ones in a row end it."""

    window: int = 5
    failures: int = 3
    recover_after: int = 3


@dataclass(frozen=True)
class Judgement:
    """A check's condition and why. `began_at` is the first sample that speaks for it."""

    condition: Condition
    reason: str
    fault: Fault = Fault.NONE
    began_at: datetime | None = None
    last: Sample | None = None


NOT_YET = Judgement(Condition.UNKNOWN, "no result yet")


def judge(previous: Judgement, samples: Sequence[Sample], rule: WindowRule) -> Judgement:
    """The judgement after the newest of `samples` (oldest first; only the last `window` count).

    A condition starts when `failures` samples of the window show it and ends after `recover_after` others in a row:
    one blip makes no noise, and one lucky answer ends no outage.
    """
    window = [s for s in samples if s.outcome is not Outcome.INCONCLUSIVE][-max(rule.window, rule.recover_after) :]
    if not window:
        return NOT_YET
    recent = window[-rule.window :]
    failed = [s for s in recent if s.outcome is Outcome.FAIL]
    slow = [s for s in recent if s.outcome is not Outcome.OK]  # a failure is at least slow
    if len(failed) >= rule.failures:
        return _bad(previous, Condition.FAILING, failed, recent)
    if previous.condition is Condition.FAILING and not _ended(window, rule, Outcome.FAIL):
        return _bad(previous, Condition.FAILING, failed, recent)
    if len(slow) >= rule.failures:
        return _bad(previous, Condition.SLOW, slow, recent)
    if previous.condition in (Condition.SLOW, Condition.FAILING) and not _ended(window, rule, Outcome.SLOW, Outcome.FAIL):
        return _bad(previous, Condition.SLOW, slow, recent)
    return _well(previous, window, recent, rule)


def _ended(window: Sequence[Sample], rule: WindowRule, *signs: Outcome) -> bool:
    tail = window[-rule.recover_after :]
    return len(tail) >= rule.recover_after and all(s.outcome not in signs for s in tail)


def _bad(previous: Judgement, condition: Condition, signs: Sequence[Sample], recent: Sequence[Sample]) -> Judgement:
    last = _typical(previous, signs) if signs else previous.last
    began = previous.began_at if previous.condition is condition else (signs[0].at if signs else None)
    if condition is Condition.FAILING and not signs:
        words = f"no failure in the last {len(recent)} runs, not yet counted as recovered"
    else:
        word = "failed" if condition is Condition.FAILING else "were slow or failed"
        words = f"{len(signs)} of the last {len(recent)} runs {word}" + (f": {last.reason}" if last and last.reason else "")
    return Judgement(condition, words, last.fault if last else Fault.UNCLEAR, began, last)


def _typical(previous: Judgement, signs: Sequence[Sample]) -> Sample:
    """The newest sign of the fault that most of them show, so that one odd answer does not turn the blame around."""
    faults = [sign.fault for sign in signs]
    usual = max(reversed(faults), key=lambda fault: (faults.count(fault), fault is previous.fault))
    return next(sign for sign in reversed(signs) if sign.fault is usual)


def _well(previous: Judgement, window: Sequence[Sample], recent: Sequence[Sample], rule: WindowRule) -> Judgement:
    good = [s for s in recent if s.outcome is Outcome.OK]
    if previous.condition is Condition.UNKNOWN and not good:
        return Judgement(Condition.UNKNOWN, "no good result yet, and too few to judge", last=window[-1])
    if previous.condition is Condition.WELL:
        began = previous.began_at
    else:
        tail = window[-rule.recover_after :] if previous.condition is not Condition.UNKNOWN else good
        began = tail[0].at
    return Judgement(Condition.WELL, f"{len(good)} of the last {len(recent)} runs were fine", Fault.NONE, began, window[-1])
