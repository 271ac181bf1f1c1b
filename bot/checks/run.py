"""The frame around every run: a total deadline, phases, and a sample whatever happens."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

import httpx

from bot.checks.deadline import Deadline
from bot.checks.judging.exceptions import CheckError, Failure, classify_exception
from bot.checks.net.stopwatch import Stopwatch
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Fault, Outcome, Sample
from bot.system.clock import Clock

# If a deadline is noticed later than this, the loop was blocked; the answer may have arrived in time.
STALL_AT_LEAST_S = 0.02
STALL_SHARE = 0.1
UNSENT = frozenset({"address_refused", "bad_check"})  # nothing was sent, so no time is given
TIMEOUTS: Mapping[str, str] = MappingProxyType(
    {
        "dns": "dns_timeout",
        "connect": "connect_timeout",
        "tls": "tls_timeout",
        "body": "body_timeout",
        "first_token": "body_timeout",
    }
)


class Check(Protocol):
    """What the frame needs of a check. Both spans are in domain time; a good answer slower than `under` is SLOW."""

    @property
    def id(self) -> str:
        """Unique name: provider.component.check."""

    @property
    def component(self) -> str:
        """The component that it checks."""

    @property
    def deadline(self) -> timedelta:
        """The limit for the whole run."""

    @property
    def under(self) -> timedelta | None:
        """The longest time for a good answer that is not SLOW."""


@dataclass(frozen=True)
class RunResult:
    """The result of a run: `did` is a clause that a time follows ("connected"), `failure` what is wrong."""

    did: str
    failure: Failure | None = None
    evidence: Mapping[str, str] = field(default_factory=dict)


Look = Callable[[Stopwatch, float], Awaitable[RunResult]]


async def measured(check: Check, clock: Clock, look: Look) -> Sample:
    """Run a check once, with a stopwatch and the deadline in real seconds. Any failure but cancellation is in the sample."""
    at = clock.now()
    watch = Stopwatch(clock.speed)
    deadline_s = check.deadline.total_seconds() / clock.speed
    seen: RunResult | None = None
    failure: Failure | None = None
    try:
        with Deadline(deadline_s) as limit:
            try:
                seen = await look(watch, deadline_s)
            except (OSError, ValueError, CheckError, httpx.TransportError, httpx.InvalidURL) as exc:
                failure = classify_exception(exc)
    except TimeoutError:
        if not limit.over:
            raise
        failure = out_of_time(watch, deadline_s)
    if "total" not in watch.phases_ms:  # a run may stop it earlier, before judging the answer
        watch.stop()
    if seen is not None and failure is None:
        return _judged(check, at, watch, seen)
    return _failed(check, at, watch, failure or Failure("deadline"), late=limit.over)


def out_of_time(watch: Stopwatch, deadline_s: float) -> Failure:
    """What a passed deadline means: what was being awaited, unless our own loop was too late to tell."""
    if watch.elapsed_s > deadline_s + max(STALL_AT_LEAST_S, deadline_s * STALL_SHARE):
        return Failure("stalled")
    return Failure(TIMEOUTS.get(watch.waits_for, "deadline"))


def span(ms: float) -> str:
    """Milliseconds for people: `3 ms`, `2.1 s`."""
    if ms < 1000:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.1f} s".replace(".0 s", " s")


def ms_of(length: timedelta) -> float:
    """A span in milliseconds."""
    return length.total_seconds() * 1000


def _failed(check: Check, at: datetime, watch: Stopwatch, failure: Failure, *, late: bool) -> Sample:
    total, deadline = span(watch.phases_ms["total"]), span(ms_of(check.deadline))
    if failure.error in UNSENT:
        reason = failure.sentence
    elif failure.error == "stalled":
        reason = f"{failure.sentence} ({total} for a deadline of {deadline})"
    else:
        reason = f"{failure.sentence} within {deadline}" if late else f"{failure.sentence} after {total}"
    evidence = {"waited_for": watch.waits_for} if late and failure.error != "stalled" else {}
    return _sample(check, at, watch, failure.outcome, failure, reason, evidence)


def _judged(check: Check, at: datetime, watch: Stopwatch, seen: RunResult) -> Sample:
    total_ms = watch.phases_ms["total"]
    reason = f"{seen.did} after {span(total_ms)}"
    slow = check.under is not None and total_ms > ms_of(check.under)
    if seen.failure is not None:
        reason += f": {seen.failure.sentence}"
        return _sample(check, at, watch, seen.failure.outcome, seen.failure, reason, seen.evidence)
    if slow and check.under is not None:
        reason += f", expected under {span(ms_of(check.under))}"
    return _sample(check, at, watch, Outcome.SLOW if slow else Outcome.OK, None, reason, seen.evidence)


def _sample(
    check: Check,
    at: datetime,
    watch: Stopwatch,
    outcome: Outcome,
    failure: Failure | None,
    reason: str,
    evidence: Mapping[str, str],
) -> Sample:
    fault = failure.fault if failure else Fault.THEIRS if outcome is Outcome.SLOW else Fault.NONE
    return Sample(
        check=check.id,
        component=check.component,
        at=at,
        outcome=outcome,
        error=failure.error if failure else None,
        fault=fault,
        reason=reason,
        phases_ms=watch.phases_ms,
        evidence={**evidence, "dns": "stale"} if watch.stale_dns else evidence,
        inside=watch.inside,
    )
