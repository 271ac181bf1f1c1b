"""The probe's own HTTP transport: one fresh connection a request, everything bounded, every phase measured.

    transport = Transport(ssl_context=, resolver=, guard=, version=)
    prepared = transport.prepare(method, address, headers, body, way=FRESH)      once per check; httpx.InvalidURL, ValueError
    reply = await transport.ask(prepared, watch, deadline_s, cap=BODY_CAP)      Reply(status, headers, body, whole, certificate)
    async with transport.answer(method, address, headers, body, watch, deadline_s, way=FRESH) as response:  an httpx.Response

`ask` is the quick one for a whole answer, `answer` the one for streams. Both raise what `classify_exception` knows: OSError,
ssl.SSLError, socket.gaierror, RefusedAddress, BadAnswer and, on httpx's own ways, httpx.TransportError. The caller bounds both
with a deadline of `deadline_s`. As an httpx transport (`handle_async_request`) it keeps the request's own timeouts instead.
Redirects are not followed: who follows one asks again, and the guard judges again. The environment's proxies play no part.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

import httpx

from bot.checks.net.address_guard import Guard
from bot.checks.net.certificate import Certificate
from bot.checks.net.connection import Line
from bot.checks.net.dial import RefusedAddress as RefusedAddress
from bot.checks.net.dial import dial
from bot.checks.net.exchange import Answer, Body, Exchange, HttpxBody, as_httpx_headers
from bot.checks.net.http1 import AnswerReader, Unpacker, request_bytes
from bot.checks.net.httpx_transport import FRESH as FRESH
from bot.checks.net.httpx_transport import HttpxWays
from bot.checks.net.httpx_transport import Way as Way
from bot.checks.net.resolve import Resolver, ThreadResolver
from bot.checks.net.resumption import Resumption
from bot.checks.net.stopwatch import Stopwatch as Stopwatch

BODY_CAP = 64 * 1024  # of a body, read by `ask`
STREAM_CAP = 4 * 1024 * 1024  # of a stream, before `answer` raises `too_large`
LONGEST_S = 30.0  # for requests without timeouts of their own
ALPN = ("http/1.1",)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedRequest:
    """A request ready to be sent any number of times. Its bytes are not in the repr: they contain keys."""

    method: str
    host: str
    port: int
    tls: bool
    way: Way
    wire: bytes = field(repr=False)
    request: httpx.Request | None = field(repr=False)  # only for ways other than FRESH; ten thousand are heavy
    resumption: Resumption | None = field(default=None, repr=False)  # without it, every handshake is a full one


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer. `headers` has lower-case names; `body` is unpacked; `whole` is False if it was cut at the cap."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool
    certificate: Certificate | None = None
    line: Line | None = field(default=None, repr=False)  # closed, but its handshake can still be inspected


class Transport(httpx.AsyncBaseTransport):
    """Sends probes' requests; see the module. Shares one TLS context, one resolver, one guard."""

    def __init__(
        self,
        *,
        ssl_context: ssl.SSLContext | None = None,
        resolver: Resolver | None = None,
        guard: Guard | None = None,
        version: str = "dev",
    ) -> None:
        self._ssl_context = ssl_context or httpx.create_ssl_context(trust_env=False)
        self._resolver = resolver or ThreadResolver()
        self._guard = guard
        self._user_agent = f"understudy/{version} (+check)"
        self._httpx = HttpxWays(self._ssl_context, self._resolver, guard)

    def prepare(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        way: Way = FRESH,
        resumption: Resumption | None = None,
    ) -> PreparedRequest:
        """Prepare a request. Raises httpx.InvalidURL or ValueError for what cannot be sent; neither quotes it."""
        url = httpx.URL(address)
        if url.scheme not in ("http", "https") or not url.host:
            raise httpx.InvalidURL("not an http(s) address")
        tls = url.scheme == "https"
        port = url.port if url.port is not None else 443 if tls else 80
        if not 0 < port < 65536:
            raise httpx.InvalidURL("no such port")
        ours = {
            "host": url.netloc.decode("ascii"),
            "user-agent": self._user_agent,
            "accept": "*/*",
            "accept-encoding": "identity",  # a body compressed all the same is unpacked, up to the cap
        }
        merged = ours | {name.lower(): value for name, value in headers.items()}
        wire = request_bytes(method, url.raw_path, merged, body)
        return PreparedRequest(
            method=method,
            host=url.raw_host.decode("ascii").strip("[]"),
            port=port,
            tls=tls,
            way=way,
            wire=wire,
            request=None if way.fresh else httpx.Request(method, url, headers=merged, content=body),
            resumption=resumption if tls and way.fresh else None,
        )

    async def ask(self, prepared: PreparedRequest, watch: Stopwatch, deadline_s: float, *, cap: int = BODY_CAP) -> Reply:
        """Send a request and read its answer, up to `cap` bytes of unpacked body."""
        if prepared.request is not None:
            return await self._ask_through_httpx(prepared.way, prepared.request, watch, deadline_s, cap)
        exchange = await self._exchange(prepared, watch, deadline_s)
        try:
            body = await exchange.text(cap)
            reader, line = exchange.reader, exchange.line
            return Reply(reader.status, reader.headers, body[:cap], len(body) <= cap, line.certificate, line)
        finally:
            exchange.close()

    @asynccontextmanager
    async def answer(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str],
        body: bytes | None,
        watch: Stopwatch,
        deadline_s: float,
        *,
        way: Way = FRESH,
        cap: int = STREAM_CAP,
    ) -> AsyncIterator[httpx.Response]:
        """The answer to a request, with its head read and its body still on the wire.

        `aiter_raw()` yields the body without chunking, `aiter_bytes()` unpacked; BadAnswer `too_large` over `cap` bytes.
        `extensions["certificate"]` is the peer's Certificate or None.
        """
        prepared = self.prepare(method, address, headers, body, way=way)
        if prepared.request is not None:
            async with self._httpx.answer(way, prepared.request, watch, deadline_s) as (inner, certificate):
                yield Answer(inner.status_code, inner.headers, HttpxBody(inner), cap, certificate)
            return
        exchange = await self._exchange(prepared, watch, deadline_s)
        try:
            reader = exchange.reader
            yield Answer(reader.status, as_httpx_headers(reader.headers), Body(exchange), cap, exchange.line.certificate)
        finally:
            exchange.close()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer an httpx request; `extensions["phases_ms"]` has the phases. The longest of its timeouts bounds the whole."""
        timeouts = request.extensions.get("timeout") or {}
        deadline_s = max((float(given) for given in timeouts.values() if given is not None), default=LONGEST_S)
        watch = Stopwatch(1.0)
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + deadline_s
        prepared = self.prepare(request.method, str(request.url), request.headers, await request.aread() or None)
        try:
            async with asyncio.timeout_at(ends_at):
                exchange = await self._exchange(prepared, watch, deadline_s)
        except TimeoutError as exc:
            raised = httpx.ReadTimeout if watch.waits_for == "first_byte" else httpx.ConnectTimeout
            raise raised(f"no {watch.waits_for} in time", request=request) from exc
        except OSError as exc:
            raised_for = httpx.ReadError if watch.waits_for == "first_byte" else httpx.ConnectError
            raise raised_for(str(exc), request=request) from exc
        except RefusedAddress as exc:
            raise httpx.ConnectError(str(exc), request=request) from exc
        certificate = exchange.line.certificate
        headers = as_httpx_headers(exchange.reader.headers)
        answer = Answer(exchange.reader.status, headers, Body(exchange, ends_at), STREAM_CAP, certificate)
        answer.extensions["phases_ms"] = watch.phases_ms
        return answer

    def close(self) -> None:
        """Release the resolver's threads, without waiting for names that hang."""
        self._resolver.close()

    async def aclose(self) -> None:
        """Close kept connections, and release the resolver's threads."""
        await self._httpx.close()
        self.close()

    async def _exchange(self, prepared: PreparedRequest, watch: Stopwatch, deadline_s: float) -> Exchange:
        """Send the request and read the response head; whoever takes the exchange closes its connection."""
        line = await dial(
            prepared.host, prepared.port, watch=watch, deadline_s=deadline_s, resolver=self._resolver, guard=self._guard,
            tls=self._ssl_context if prepared.tls else None, alpn=ALPN, resumption=prepared.resumption,
        )  # fmt: skip
        exchange = Exchange(line, AnswerReader(prepared.method))
        try:
            watch.begin("first_byte")
            line.write(prepared.wire)
            while not exchange.reader.head_done:
                await exchange.more()
            watch.end("first_byte")
            watch.waits_for = "body"
        except BaseException:
            exchange.close()
            raise
        return exchange

    async def _ask_through_httpx(
        self, way: Way, request: httpx.Request, watch: Stopwatch, deadline_s: float, cap: int
    ) -> Reply:
        async with self._httpx.answer(way, request, watch, deadline_s) as (response, certificate):
            unpacker = Unpacker(response.headers.get("content-encoding", ""))
            body = b""
            async for piece in response.aiter_raw():
                body += unpacker.unpack(piece, cap - len(body))
                if len(body) > cap:
                    break
            else:
                unpacker.finish()
            headers = MappingProxyType(dict(response.headers))
            return Reply(response.status_code, headers, body[:cap], len(body) <= cap, certificate)
