"""The detector's reasons in words: how many checks of how many failed, in what time, and the error itself. Pure."""

from datetime import datetime, timedelta

from bot.core.detection.gauge import POOLED, WINDOW, Gauge
from bot.core.detection.settings import Rule
from bot.core.model import Sample


def why_bad(gauge: Gauge, at: datetime, rounds: int, rule: Rule, last: Sample | None, *, failed: bool) -> str:
    """`4 of 5 checks failed in 15 s: HTTP 502 after 40 ms`.

    `last` is the sign that represents all of them; if `failed` is false, the signs are slow answers.
    """
    flaps = gauge.flaps(at, rule)
    often = f"it changed {flaps} times within {span(rule.flap_within)}"
    held = f"{often}, so it counts as recovered only once it was steady for {span(rule.steady_for)}"
    if gauge.good:
        checks = "check" if gauge.good == 1 else f"{gauge.good} checks"
        said = f"no {'failure' if failed else 'slow answer'} in the last {checks}"
        return f"{said}; {held}" if flaps else f"{said}, not yet counted as recovered"
    because = f": {last.reason or last.error}" if last and (last.reason or last.error) else ""
    said = _in_rounds(gauge, at, rounds, failed) if gauge.spoke == WINDOW else _in_looks(gauge, at, failed)
    said += (" (other checks fail too)" if gauge.spoke == POOLED else "") + because
    return f"{said}; {held}" if flaps else said


def why_well(failing: Gauge, slow: Gauge, at: datetime, rounds: int) -> str:
    """`5 of 5 checks passed`, `the first check passed`, or what is still in doubt."""
    for gauge in (failing, slow):
        if gauge.score > 0.0:
            return f"{_in_looks(gauge, at, gauge is failing)}, too few to judge"
    if rounds == 1:
        return "the first check passed"
    good = rounds - (failing.rounds | slow.rounds).bit_count()
    return f"{good} of {rounds} checks passed"


def span(length: timedelta) -> str:
    """`45 s`, `41 min`, `4 h 02 min`; rounded, not cut: 44 min 57 s are `45 min`."""
    seconds = max(0, round(length.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    minutes = (seconds + 30) // 60
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" + (f" {minutes % 60:02d} min" if minutes % 60 else "")


def _in_looks(gauge: Gauge, at: datetime, failed: bool) -> str:
    if gauge.looks <= 1 or gauge.since is None:
        return f"the last check {'failed' if failed else 'was slow or failed'}"
    return f"{gauge.bad} of {gauge.looks} checks {_did(failed)} in {span(at - gauge.since)}"


def _in_rounds(gauge: Gauge, at: datetime, rounds: int, failed: bool) -> str:
    within = f" in {span(at - gauge.onset)}" if gauge.onset else ""
    return f"{gauge.rounds.bit_count()} of {rounds} checks {_did(failed)}{within}"


def _did(failed: bool) -> str:
    return "failed" if failed else "were slow or failed"
