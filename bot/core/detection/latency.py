"""How long an answer usually takes, and which answers are slow. Pure.

The usual latency is learned only while healthy: first a median, then a slow average of logarithms in which no single answer
counts for more than a factor of 1.5. So neither a stall nor an incident becomes the new normal.
"""

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import median

from bot.core.detection.settings import Rule
from bot.core.model import Fault, Outcome, Sample

LEARN_FROM = 20  # answers before the usual latency counts
PACE = 1 / 240  # weight of a new answer: about two hours of memory at one every 30 s
CLIP = math.log(1.5)
LEAST_MS = 0.01


@dataclass(frozen=True, slots=True)
class Usual:
    """What is known about the usual latency: the first answers until there are enough, then their average logarithm."""

    first: tuple[float, ...] = ()
    log_ms: float | None = None

    @property
    def ms(self) -> float | None:
        """The usual latency in milliseconds, None while too little is known."""
        return None if self.log_ms is None else math.exp(self.log_ms)


def known(ms: float) -> Usual:
    """The usual latency when it was computed elsewhere."""
    return Usual(log_ms=math.log(max(ms, LEAST_MS)))


def learned(usual: Usual, sample: Sample) -> Usual:
    """The usual latency after one more good answer."""
    ms = sample.phases_ms.get("total")
    if ms is None:
        return usual
    log = math.log(max(ms, LEAST_MS))
    if usual.log_ms is not None:
        return Usual(log_ms=usual.log_ms + PACE * max(-CLIP, min(CLIP, log - usual.log_ms)))
    first = (*usual.first, log)
    return Usual(log_ms=median(first)) if len(first) >= LEARN_FROM else Usual(first)


def slow_above_ms(usual: Usual, rule: Rule) -> float | None:
    """The latency in milliseconds above which an answer is slow; None while it is unknown."""
    fixed_ms = _ms(rule.slow_over or rule.slow_floor)
    if usual.log_ms is None:
        return fixed_ms if rule.slow_over else None
    return max(fixed_ms, rule.slow_factor * math.exp(usual.log_ms))


def slow_sign(sample: Sample, usual: Usual, rule: Rule) -> Sample | None:
    """The sample, with a matching reason, if it is a sign of slowness; a failed one counts as slow at least.

    An answer that is slower than the check's own `under`, but usual for that check, counts as fine. One that is slow for
    another reason (its first token, its certificate) is always a sign.
    """
    if sample.outcome is Outcome.FAIL:
        return sample
    total_ms = sample.phases_ms.get("total")
    limit_ms = slow_above_ms(usual, rule)
    above = total_ms is not None and limit_ms is not None and total_ms > limit_ms
    if sample.outcome is Outcome.SLOW:
        within = rule.slow_over is None or total_ms is None or total_ms <= _ms(rule.slow_over)
        return sample if sample.error or within or above else None
    if not above or total_ms is None:
        return None
    words = f"answered after {_span(total_ms)}" + (f", usually {_span(usual.ms)}" if usual.ms is not None else "")
    return replace(sample, outcome=Outcome.SLOW, fault=Fault.THEIRS, reason=words)


def _ms(span: timedelta) -> float:
    return span.total_seconds() * 1000


def _span(ms: float) -> str:
    return f"{ms / 1000:.1f} s" if ms >= 1000 else f"{ms:.0f} ms"
