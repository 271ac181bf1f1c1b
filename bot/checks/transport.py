"""How a probe reaches a host: own resolver, guarded address, a fresh connection, phases measured on the way."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx

from bot.checks.errors import Failure
from bot.checks.guard import Guard
from bot.checks.resolve import Resolver, ThreadResolver

ADDRESSES_TRIED = 3
Trace = Callable[[str, Mapping[str, Any]], Awaitable[None]]


class RefusedAddress(ValueError):  # noqa: N818 # a decision, not a fault
    """The guard does not let checks reach this address; `failure` is its classification."""

    def __init__(self, why_not: str) -> None:
        super().__init__(why_not)
        self.failure = Failure("address_refused", why_not)


class Stopwatch:
    """The phases of one probe by the loop's clock, in domain milliseconds, and what is being waited for now.

    Phases are consecutive spans: `dns`, `connect` (TCP), `tls`, `first_byte` (from sending the request until the head of the
    answer is complete). `total` is the whole probe with its body.
    """

    def __init__(self, speed: float) -> None:
        self._time = asyncio.get_running_loop().time
        self._speed = speed
        self._began = self._time()
        self._starts: dict[str, float] = {}
        self.waits_for = "dns"
        self.phases_ms: dict[str, float] = {}

    @property
    def elapsed_s(self) -> float:
        """Real seconds since the start."""
        return self._time() - self._began

    def begin(self, phase: str) -> None:
        """From here on `phase` is waited for; a second address goes on with the same phase."""
        self.waits_for = phase
        self._starts.setdefault(phase, self._time())

    def end(self, phase: str) -> None:
        """The phase is over."""
        self.phases_ms[phase] = self._ms(self._starts[phase])

    def stop(self) -> None:
        """The probe is over."""
        self.phases_ms["total"] = self._ms(self._began)

    def note(self, event: str) -> None:
        """Take the name of an event of httpcore's `trace` extension."""
        match event:
            case "connection.connect_tcp.started":
                self.begin("connect")
            case "connection.connect_tcp.complete":
                self.end("connect")
            case "connection.start_tls.started":
                self.begin("tls")
            case "connection.start_tls.complete":
                self.end("tls")
            case "http11.send_request_headers.started":
                self.begin("first_byte")
            case "http11.receive_response_headers.complete":
                self.end("first_byte")
                self.begin("body")

    def _ms(self, since: float) -> float:
        return round((self._time() - since) * 1000 * self._speed, 3)


class Transport:
    """Sends one request over one new connection; no redirects, no proxies from the environment, one shared TLS context.

    The caller bounds the whole with `asyncio.timeout`. Heads over 100 KiB are refused (h11's own cap).
    """

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

    @asynccontextmanager
    async def answer(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | None, watch: Stopwatch, deadline_s: float
    ) -> AsyncIterator[httpx.Response]:
        """The answer to a request, its head read and its body still on the wire.

        Raises httpx.TransportError, httpx.InvalidURL, OSError or ValueError; `classify_exception` knows them all.
        """
        url = httpx.URL(address)
        if url.scheme not in ("http", "https") or not url.host:
            raise httpx.InvalidURL("not an http(s) address")
        watch.begin("dns")
        found = (await self._resolver.addresses(_name(url), url.port or 0))[:ADDRESSES_TRIED]
        watch.end("dns")
        async with AsyncExitStack() as stack:
            for left, ip in zip(reversed(range(len(found))), found, strict=True):
                why_not = self._guard.refuses(ip) if self._guard else None
                if why_not is not None:
                    raise RefusedAddress(why_not)
                transport = await stack.enter_async_context(self._connection())
                # A dead address must not eat the time of the ones behind it; the last one has all that is left.
                connect_s = deadline_s / (left + 2) if left else None

                async def trace(event: str, info: Mapping[str, Any]) -> None:
                    watch.note(event)
                    if event == "connection.connect_tcp.complete":
                        # httpcore 1.0.9 forgets the socket when a TLS handshake is cancelled; closing twice is harmless.
                        stack.push_async_callback(info["return_value"].aclose)

                request = self._request(method, url, ip, headers, body, trace, connect_s)
                try:
                    response = await transport.handle_async_request(request)
                except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
                    if left and (watch.waits_for == "connect" or isinstance(exc, httpx.ConnectTimeout)):
                        continue
                    raise
                stack.push_async_callback(response.aclose)
                yield response
                return
        raise httpx.ConnectError("the name has no address")

    def close(self) -> None:
        """Give back the resolver's threads, without waiting for names that hang."""
        self._resolver.close()

    def _connection(self) -> httpx.AsyncHTTPTransport:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=0)
        return httpx.AsyncHTTPTransport(verify=self._ssl_context, trust_env=False, retries=0, limits=limits)

    def _request(
        self,
        method: str,
        url: httpx.URL,
        ip: str,
        headers: Mapping[str, str],
        body: bytes | None,
        trace: Trace,
        connect_s: float | None,
    ) -> httpx.Request:
        ours = {
            "host": url.netloc.decode("ascii"),
            "user-agent": self._user_agent,
            "accept": "*/*",
            "accept-encoding": "identity",  # nothing is inflated, so nothing can explode
            "connection": "close",
        }
        return httpx.Request(
            method,
            url.copy_with(host=ip),
            headers=ours | {name.lower(): value for name, value in headers.items()},
            content=body,
            extensions={
                "trace": trace,
                "sni_hostname": _name(url),  # the certificate is for the name, not for the address
                "timeout": {"connect": connect_s, "read": None, "write": None, "pool": None},
            },
        )


def _name(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii").strip("[]")
