"""The HTTP check: one request over a fresh connection, and how its answer is judged."""

import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import httpx

from bot.checks.judging.answers import challenged
from bot.checks.judging.evidence import BODY_CAP, evidence_of, secrets_of, those_in
from bot.checks.judging.exceptions import CheckError, Failure, classify_status
from bot.checks.judging.expect import unmet
from bot.checks.judging.keys import KeyMemory
from bot.checks.kind import Kind, ProberResources
from bot.checks.net.address_guard import Guard
from bot.checks.net.redirects import REDIRECTS, Hop, next_hop
from bot.checks.net.resolve import Resolver
from bot.checks.net.resumption import WITHIN_S, Resumption
from bot.checks.net.stopwatch import Stopwatch
from bot.checks.net.transport import PreparedRequest, Reply, Transport, Way
from bot.checks.run import RunResult, measured
from bot.config.checks import http as config
from bot.config.checks.http import plain
from bot.config.checks.json_rules import JsonExpectation, parse_expectation
from bot.core.model import Sample
from bot.system.clock import Clock

JSON_CAP = 1024 * 1024  # truncated JSON cannot be parsed at all; lists of models are half this size
PREPARED_AT_MOST = 50_000
RESUMING_AT_MOST = 2_000  # checks; only the first ones keep a session, which takes 7 KB
RESUMING_EVERY = timedelta(seconds=WITHIN_S / 2)  # with a longer interval, no session would be young enough to resume


@dataclass(frozen=True)
class Statuses:
    """Which HTTP statuses are good; call it with one. Inclusive ranges, 2xx by default."""

    ranges: tuple[tuple[int, int], ...] = ((200, 299),)

    def __call__(self, status: int) -> bool:
        return any(low <= status <= high for low, high in self.ranges)

    @staticmethod
    def of(*wanted: int) -> "Statuses":
        """Exactly these statuses."""
        return Statuses(tuple((status, status) for status in wanted))


@dataclass(frozen=True)
class HttpCheck:
    """What to request, and what a good answer is. Headers, body and proxy are not in the repr: they contain keys.

    `deadline` bounds the whole probe in domain time, redirects included. A good answer slower than `under` is SLOW. Texts and
    patterns are searched in the first 64 KiB of the body, JSON is read up to 1 MiB; more is not read. `header` maps names to
    patterns. `redirects` is the number to follow (0 to 5).
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
    header: Mapping[str, str] = field(default_factory=dict)
    contains: str | None = None
    excludes: str | None = None
    matches: str | None = None
    json: tuple[JsonExpectation, ...] = ()
    redirects: int = 0
    http2: bool = False
    proxy: str | None = field(default=None, repr=False)
    reuse: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """What is prepared once per check: its request as sent, and secrets to keep out of evidence."""

    check: HttpCheck
    request: PreparedRequest
    way: Way
    secrets: tuple[str, ...] = field(repr=False)
    keyed: bool  # whether it sends a key that may be refused
    expects: bool


class HttpProber:
    """Runs HTTP checks. Deadline and phases are in domain time: real time multiplied by the clock's speed.

    Of `known_secrets`, those in a check's path or body are kept out of evidence, like its headers and query.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        ssl_context: ssl.SSLContext | None = None,
        resolver: Resolver | None = None,
        guard: Guard | None = None,
        version: str = "dev",
        keys: KeyMemory | None = None,
        known_secrets: frozenset[str] = frozenset(),
    ) -> None:
        self._known_secrets = known_secrets
        self._clock = clock
        self._keys = keys or KeyMemory(clock)
        self._transport = Transport(ssl_context=ssl_context, resolver=resolver, guard=guard, version=version)
        self._ready: dict[str, _Ready] = {}

    async def probe(self, check: HttpCheck) -> Sample:
        """Run it once. Any failure is in the sample; only cancellation is raised."""
        return await measured(check, self._clock, partial(self._look, check))

    async def close(self) -> None:
        """Close kept connections, and release the resolver's threads without waiting for names that hang."""
        await self._transport.aclose()

    async def _look(self, check: HttpCheck, watch: Stopwatch, deadline_s: float) -> RunResult:
        ready = self._ready_for(check)
        cap = JSON_CAP if check.json else BODY_CAP
        try:
            reply = await self._transport.ask(ready.request, watch, deadline_s, cap=cap)
        except (httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError) as exc:
            if check.proxy and watch.waits_for == "connect":  # the proxy cannot be reached
                raise CheckError("proxy_failed") from exc
            raise
        hops = 0
        failure: Failure | None = None
        if check.redirects and reply.status in REDIRECTS:
            reply, hops, failure = await self._follow(ready, reply, watch, deadline_s, cap)
        watch.stop()
        if failure is None:
            failure = _fault_in(ready, reply)
            if failure is None and ready.expects:
                failure = await unmet(check, reply.headers, reply.body, whole=reply.whole)
            failure = self._with_memory(ready, failure)
        if ready.request.resumption is not None and reply.line is not None and failure is None and not hops:
            ready.request.resumption.answered(reply.line)
        evidence = evidence_of(
            reply.status, reply.headers, reply.body, ready.secrets, failed=failure is not None, failure=failure
        )
        if hops:
            evidence["redirects"] = str(hops)
        if reply.certificate is not None:
            evidence["certificate_expires"] = reply.certificate.expires_at.isoformat()
        if reply.line is not None and reply.line.resumed:
            evidence["tls"] = "resumed"
        return RunResult(f"HTTP {reply.status}", failure, evidence)

    def _with_memory(self, ready: _Ready, failure: Failure | None) -> Failure | None:
        """A refused key that worked recently is not simply our fault."""
        if failure is not None:
            return self._keys.judged(ready.check.id, failure)
        if ready.keyed:
            self._keys.worked(ready.check.id)
        return None

    def _ready_for(self, check: HttpCheck) -> _Ready:
        ready = self._ready.get(check.id)
        if ready is not None and ready.check is check:
            return ready
        if len(self._ready) >= PREPARED_AT_MOST:
            self._ready.clear()
        way = Way(http2=check.http2, proxy=check.proxy, reuse=check.reuse)
        resumes = check.every <= RESUMING_EVERY and len(self._ready) < RESUMING_AT_MOST
        request = self._transport.prepare(
            check.method, check.url, check.headers, check.body, way=way,
            resumption=Resumption(self._clock, check.every.total_seconds()) if resumes else None,
        )  # fmt: skip
        proxy_password = httpx.URL(check.proxy).password if check.proxy else ""
        keys = secrets_of(check.url, check.headers, proxy_password)
        secrets = secrets_of(check.url, check.headers, proxy_password, *those_in(self._known_secrets, check.url, check.body))
        expects = bool(check.header or check.contains or check.excludes or check.matches or check.json)
        ready = self._ready[check.id] = _Ready(check, request, way, secrets, bool(keys), expects)
        return ready

    async def _follow(
        self, ready: _Ready, reply: Reply, watch: Stopwatch, deadline_s: float, cap: int
    ) -> tuple[Reply, int, Failure | None]:
        """Follow redirects: returns the last answer, how many were followed, and why the chain was abandoned, if it was."""
        check = ready.check
        hop = Hop(check.method, check.url, check.headers, check.body)
        seen = {(hop.method, hop.url)}
        hops = 0
        while reply.status in REDIRECTS and "location" in reply.headers:
            there = next_hop(hop, reply.status, reply.headers["location"])
            if isinstance(there, Failure):
                return reply, hops, there
            if (there.method, there.url) in seen:
                return reply, hops, Failure("redirect_loop")
            if hops == check.redirects:
                return reply, hops, Failure("http_unexpected", f"still redirected after {hops}")
            seen.add((there.method, there.url))
            hop, hops = there, hops + 1
            reply = await self._ask_on(hop, ready.way, watch, deadline_s, cap)
        return reply, hops, None

    async def _ask_on(self, hop: Hop, way: Way, watch: Stopwatch, deadline_s: float, cap: int) -> Reply:
        """Request the next hop of a chain; its phases are added to the earlier ones."""
        try:
            request = self._transport.prepare(hop.method, hop.url, hop.headers, hop.body, way=way)
        except (httpx.InvalidURL, ValueError) as exc:
            raise CheckError("redirect_refused", "it leads to no address") from exc
        inner = Stopwatch(self._clock.speed)
        try:
            return await self._transport.ask(request, inner, deadline_s - watch.elapsed_s, cap=cap)
        finally:
            watch.waits_for, watch.stale_dns = inner.waits_for, watch.stale_dns or inner.stale_dns
            watch.inside = inner.inside
            for phase, ms in inner.phases_ms.items():
                watch.phases_ms[phase] = round(watch.phases_ms.get(phase, 0.0) + ms, 3)


def _fault_in(ready: _Ready, reply: Reply) -> Failure | None:
    if not ready.check.statuses(reply.status):
        return classify_status(reply.status, reply.body, reply.headers)
    if reply.status == 202 and challenged(reply.status, reply.headers, reply.body):  # AWS WAF challenges with "Accepted"
        return Failure("challenge")
    return None


def _made(model: config.HttpCheck, **common: Any) -> HttpCheck:
    headers = plain(model.headers)
    body = model.body.encode() if model.body is not None else None
    if model.json_body is not None:
        body = json.dumps(model.json_body).encode()
        headers = {"content-type": "application/json", **headers}
    expect = model.expect
    return HttpCheck(
        **common, url=model.url, method=model.method, headers=headers, body=body, statuses=expect.accepts,
        under=expect.under, header=expect.header, contains=expect.contains, excludes=expect.excludes, matches=expect.matches,
        json=tuple(parse_expectation(rule) for rule in expect.json_rules), redirects=model.redirects, http2=model.http2,
        proxy=model.proxy, reuse=model.reuse,
    )  # fmt: skip


def _prober(shared: ProberResources) -> HttpProber:
    return HttpProber(
        shared.clock, ssl_context=shared.tls, resolver=shared.resolver, guard=shared.guard, keys=shared.keys,
        version=shared.version, known_secrets=shared.secrets,
    )  # fmt: skip


KIND = Kind(config.HttpCheck, HttpCheck, _made, _prober)
