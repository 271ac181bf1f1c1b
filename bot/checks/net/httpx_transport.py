"""How a request is sent: directly over a fresh connection, or through httpx (HTTP/2, a proxy, a kept connection)."""

import asyncio
import socket
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import httpx

from bot.checks.judging.failure import CheckError
from bot.checks.net.address_guard import Guard
from bot.checks.net.certificate import Certificate, certificate_of
from bot.checks.net.dial import ADDRESSES_TRIED, judged_addresses
from bot.checks.net.http1 import BadAnswer
from bot.checks.net.resolve import Resolver
from bot.checks.net.stopwatch import Stopwatch

KEPT = 1_000  # connections of `reuse` checks; the least recently used is dropped first
KEPT_FOR_S = 600.0
RESOLVING_SHARE = 4  # a proxy resolves names itself, so our own resolver may use at most this fraction (1/n) of the time
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS"})
PHASES: Mapping[str, str] = MappingProxyType(
    {"connect_tcp": "connect", "start_tls": "tls", "send_request_headers": "request", "receive_response_headers": "answer"}
)


@dataclass(frozen=True, slots=True)
class Way:
    """`FRESH` unless something else is requested. `proxy` is a URL (http, https) and may contain credentials."""

    http2: bool = False
    proxy: str | None = field(default=None, repr=False)
    reuse: bool = False

    @property
    def fresh(self) -> bool:
        """Whether it is the probe's own transport: one new HTTP/1.1 connection."""
        return not (self.http2 or self.proxy or self.reuse)


FRESH = Way()


class HttpxWays:
    """Sends requests through httpx's transport. The guard judges the target as everywhere else.

    The proxy's own address is exempt: the operator named it. How a proxy resolves the target's name is its own business.
    """

    def __init__(self, ssl_context: ssl.SSLContext, resolver: Resolver, guard: Guard | None) -> None:
        self._ssl_context = ssl_context
        self._resolver = resolver
        self._guard = guard
        self._kept: OrderedDict[tuple[object, ...], httpx.AsyncHTTPTransport] = OrderedDict()  # those not in use
        self._closed = False

    @asynccontextmanager
    async def answer(
        self, way: Way, request: httpx.Request, watch: Stopwatch, deadline_s: float
    ) -> AsyncIterator[tuple[httpx.Response, Certificate | None]]:
        """The answer, its body still on the wire. Raises httpx.TransportError, OSError, RefusedAddress or ssl.SSLError."""
        name = request.url.raw_host.decode("ascii").strip("[]")
        if way.proxy is None:
            addresses = await judged_addresses(name, request.url.port or 0, watch, self._resolver, self._guard)
        else:
            await self._judge_behind_proxy(name, request.url.port or 0, watch, deadline_s)
            addresses = ()
        async with AsyncExitStack() as stack:
            response = await self._first_that_answers(way, request, name, addresses, watch, deadline_s, stack)
            stack.push_async_callback(response.aclose)
            yield response, _certificate(response)

    async def close(self) -> None:
        """Close kept connections, and those in use when they are returned."""
        self._closed = True
        while self._kept:
            await self._kept.popitem()[1].aclose()

    async def _judge_behind_proxy(self, name: str, port: int, watch: Stopwatch, deadline_s: float) -> None:
        try:
            async with asyncio.timeout(deadline_s / RESOLVING_SHARE):
                await judged_addresses(name, port, watch, self._resolver, self._guard)
        except (socket.gaierror, TimeoutError):
            return  # only the proxy can resolve the name, as some proxies are for

    async def _first_that_answers(
        self,
        way: Way,
        request: httpx.Request,
        name: str,
        addresses: tuple[str, ...],
        watch: Stopwatch,
        deadline_s: float,
        stack: AsyncExitStack,
    ) -> httpx.Response:
        """Try the addresses in turn; behind a proxy there are none, and the URL keeps its name."""
        tried = addresses[:ADDRESSES_TRIED]
        for left, address in zip(range(len(tried) - 1, 0, -1), tried, strict=False):
            try:
                return await self._send(way, request, name, address, watch, deadline_s / (left + 2), stack)
            except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
                if watch.waits_for != "connect" and not isinstance(exc, httpx.ConnectTimeout):
                    raise
        return await self._send(way, request, name, tried[-1] if tried else None, watch, None, stack)

    async def _send(
        self,
        way: Way,
        request: httpx.Request,
        name: str,
        address: str | None,
        watch: Stopwatch,
        connect_s: float | None,
        stack: AsyncExitStack,
    ) -> httpx.Response:
        async with AsyncExitStack() as opened:  # closed at once on any error, including cancellation
            trace = _Trace(watch, opened)
            addressed = httpx.Request(
                request.method,
                request.url.copy_with(host=address) if address else request.url,
                headers=request.headers,
                content=request.content,
                extensions={
                    "trace": trace.note,
                    "sni_hostname": name.removesuffix("."),  # the certificate is for the name, not the address
                    "timeout": {"connect": connect_s, "read": None, "write": None, "pool": None},
                },
            )
            key = (way, request.method, str(request.url), address)
            kept = self._kept.pop(key, None)
            transport = await opened.enter_async_context(kept or self._made(way))
            try:
                response = await transport.handle_async_request(addressed)
            except ValueError as exc:  # a status that is not a number; our own request was validated before
                raise BadAnswer("protocol") from exc
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                # A kept connection that the peer has closed meanwhile proves nothing; a new one does (RFC 9110, 9.2.2).
                if trace.connected or not way.reuse or request.method not in IDEMPOTENT:
                    raise
                response = await transport.handle_async_request(addressed)
            went_well = opened.pop_all()
            if way.reuse:
                stack.push_async_callback(self._keep, key, transport)
            else:
                await stack.enter_async_context(went_well)
        return response

    async def _keep(self, key: tuple[object, ...], transport: httpx.AsyncHTTPTransport) -> None:
        """Take back an unused connection; of two for the same request, the one returned first stays."""
        if self._closed or key in self._kept:
            await transport.aclose()
            return
        self._kept[key] = transport
        while len(self._kept) > KEPT:
            await self._kept.popitem(last=False)[1].aclose()

    def _made(self, way: Way) -> httpx.AsyncHTTPTransport:
        try:
            return httpx.AsyncHTTPTransport(
                verify=self._ssl_context,
                trust_env=False,
                http2=way.http2,
                proxy=self._proxy(way.proxy) if way.proxy else None,
                retries=0,
                limits=httpx.Limits(
                    max_connections=1, max_keepalive_connections=1 if way.reuse else 0, keepalive_expiry=KEPT_FOR_S
                ),
            )
        except ImportError as exc:  # h2 or socksio
            raise CheckError("bad_check", "a package for this way is not installed") from exc

    def _proxy(self, address: str) -> httpx.Proxy:
        url = httpx.URL(address)
        return httpx.Proxy(url, ssl_context=self._ssl_context if url.scheme == "https" else None)


class _Trace:
    """Turns httpcore's events into phases. Talking to a proxy before the target is reached counts as connecting."""

    def __init__(self, watch: Stopwatch, opened: AsyncExitStack) -> None:
        self.connected = False
        self._watch = watch
        self._opened = opened
        self._asks_proxy = False

    async def note(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by httpcore."""
        kind, _, state = event.rpartition(".")
        phase = PHASES.get(kind.rpartition(".")[2], "")
        if phase in ("connect", "tls"):
            self._span(phase, state, info)
        elif phase == "request" and state == "started":
            self._asks_proxy = info["request"].method == b"CONNECT"
            if not self._asks_proxy:
                self._watch.begin("first_byte")
        elif phase == "answer" and state == "complete" and not self._asks_proxy:
            self._watch.end("first_byte")
            self._watch.begin("body")

    def _span(self, phase: str, state: str, info: Mapping[str, Any]) -> None:
        if state == "started":
            self._watch.begin(phase)
        elif state == "complete":
            self._watch.end(phase)
        if phase == "connect" and state == "complete":
            self.connected = True
            # httpcore 1.0.9 leaks the socket if a TLS handshake is cancelled; closing twice is harmless.
            self._opened.push_async_callback(info["return_value"].aclose)


def _certificate(response: httpx.Response) -> Certificate | None:
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream is not None else None
    return certificate_of(tls) if isinstance(tls, ssl.SSLObject) else None
