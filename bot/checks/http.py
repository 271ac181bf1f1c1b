"""The HTTP check: one request over a fresh connection, and what its answer says."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx

from bot.checks.errors import Failure, classify_exception, classify_status
from bot.checks.evidence import BODY_CAP, evidence_of, secrets_of
from bot.checks.guard import Guard
from bot.checks.resolve import Resolver
from bot.checks.transport import RefusedAddress, Stopwatch, Transport
from bot.clock import Clock
from bot.core.model import Fault, Outcome, Sample

# A deadline that is noticed later than this was noticed by a loop that stood still; the answer may have been there in time.
STALL_AT_LEAST_S = 0.02
STALL_SHARE = 0.1


@dataclass(frozen=True)
class Statuses:
    """Which HTTP statuses count as well; call it with one. Inclusive ranges, 2xx when nothing is said."""

    ranges: tuple[tuple[int, int], ...] = ((200, 299),)

    def __call__(self, status: int) -> bool:
        return any(low <= status <= high for low, high in self.ranges)

    @staticmethod
    def of(*wanted: int) -> "Statuses":
        """Exactly these statuses."""
        return Statuses(tuple((status, status) for status in wanted))


@dataclass(frozen=True)
class HttpCheck:
    """What to ask for, and what a good answer is. Headers and body stay out of its repr: they hold keys.

    `deadline` bounds the whole probe in domain time. `under` makes a slower good answer SLOW. `contains` must occur in the
    first 64 KiB of the body; more is not read.
    """

    id: str
    component: str
    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    every: timedelta = timedelta(seconds=30)
    deadline: timedelta = timedelta(seconds=10)
    statuses: Callable[[int], bool] = Statuses()
    under: timedelta | None = None
    contains: str | None = None


@dataclass(frozen=True)
class _Reply:
    status: int
    headers: httpx.Headers
    body: bytes
    whole: bool  # False where the body went on behind the cap


class HttpProber:
    """Runs HTTP checks. The deadline and the phases are domain time: real time multiplied by the clock's speed."""

    def __init__(
        self,
        clock: Clock,
        *,
        ssl_context: ssl.SSLContext | None = None,
        resolver: Resolver | None = None,
        guard: Guard | None = None,
        version: str = "dev",
    ) -> None:
        self._clock = clock
        self._transport = Transport(ssl_context=ssl_context, resolver=resolver, guard=guard, version=version)

    async def probe(self, check: HttpCheck) -> Sample:
        """Look once. Whatever goes wrong is in the sample; only cancellation is raised."""
        at = self._clock.now()
        watch = Stopwatch(self._clock.speed)
        deadline_s = check.deadline.total_seconds() / self._clock.speed
        reply: _Reply | None = None
        failure: Failure | None = None
        try:
            async with asyncio.timeout(deadline_s) as limit:
                try:
                    reply = await self._ask(check, watch, deadline_s)
                except RefusedAddress as refused:
                    failure = refused.failure
                except (httpx.TransportError, httpx.InvalidURL, OSError, ValueError) as exc:
                    failure = classify_exception(exc)
        except TimeoutError:
            if not limit.expired():
                raise
            failure = _out_of_time(watch, deadline_s)
        watch.stop()
        if reply is not None and failure is None:
            return _judged(check, at, watch, reply)
        return _failed(check, at, watch, failure or Failure("deadline"), late=limit.expired())

    async def close(self) -> None:
        """Give back the resolver's threads, without waiting for names that hang."""
        self._transport.close()

    async def _ask(self, check: HttpCheck, watch: Stopwatch, deadline_s: float) -> _Reply:
        answer = self._transport.answer(check.method, check.url, check.headers, check.body, watch, deadline_s)
        async with answer as response:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > BODY_CAP:
                    break
            return _Reply(response.status_code, response.headers, bytes(body[:BODY_CAP]), len(body) <= BODY_CAP)


def _out_of_time(watch: Stopwatch, deadline_s: float) -> Failure:
    if watch.elapsed_s > deadline_s + max(STALL_AT_LEAST_S, deadline_s * STALL_SHARE):
        return Failure("stalled")
    match watch.waits_for:
        case "dns":
            return Failure("dns")
        case "connect":
            return Failure("connect_timeout")
    return Failure("deadline")


def _failed(check: HttpCheck, at: datetime, watch: Stopwatch, failure: Failure, *, late: bool) -> Sample:
    waited_for = {"tls": "the TLS handshake", "first_byte": "the first byte", "body": "the rest of the body"}
    evidence: dict[str, str] = {}
    reason = f"{failure.sentence} {'within' if late else 'after'} "
    reason += _span(_ms_of(check.deadline) if late and failure.error != "stalled" else watch.phases_ms["total"])
    if failure.error == "stalled":
        reason = f"{failure.sentence} ({_span(watch.phases_ms['total'])} for a deadline of {_span(_ms_of(check.deadline))})"
    elif failure.error == "deadline":
        evidence["waited_for"] = watch.waits_for
        reason += f" (waited for {waited_for.get(watch.waits_for, watch.waits_for)})"
    return Sample(
        check=check.id,
        component=check.component,
        at=at,
        outcome=failure.outcome,
        error=failure.error,
        fault=failure.fault,
        reason=reason,
        phases_ms=watch.phases_ms,
        evidence=evidence,
    )


def _judged(check: HttpCheck, at: datetime, watch: Stopwatch, reply: _Reply) -> Sample:
    total_ms = watch.phases_ms["total"]
    reason = f"HTTP {reply.status} after {_span(total_ms)}"
    outcome, fault = Outcome.OK, Fault.NONE
    failure = _fault_in(check, reply)
    if failure is not None:
        outcome, fault = failure.outcome, failure.fault
        if failure.error != "http_5xx":  # a 5xx says it all
            reason += f": {failure.sentence}"
    elif check.under is not None and total_ms > _ms_of(check.under):
        outcome, fault = Outcome.SLOW, Fault.THEIRS
        reason += f", expected under {_span(_ms_of(check.under))}"
    return Sample(
        check=check.id,
        component=check.component,
        at=at,
        outcome=outcome,
        error=failure.error if failure else None,
        fault=fault,
        reason=reason,
        phases_ms=watch.phases_ms,
        evidence=evidence_of(
            reply.status, reply.headers, reply.body, secrets_of(check.url, check.headers), failed=failure is not None
        ),
    )


def _fault_in(check: HttpCheck, reply: _Reply) -> Failure | None:
    if not check.statuses(reply.status):
        return classify_status(reply.status, reply.body)
    if check.contains is not None and check.contains.encode() not in reply.body:
        return Failure("body_mismatch" if reply.whole else "too_large")
    return None


def _ms_of(span: timedelta) -> float:
    return span.total_seconds() * 1000


def _span(ms: float) -> str:
    if ms < 1000:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.1f} s".replace(".0 s", " s")
