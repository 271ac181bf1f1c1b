"""Reads vendors' status pages: politely, with a deadline and a size limit, keeping the last reading."""

import asyncio
import hashlib
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

import httpx

from bot.core.lazy_dataclass import dataclass
from bot.core.model import FeedReport, FeedState
from bot.feeds import statuspage
from bot.feeds.errors import FeedError
from bot.system.clock import Clock

DEADLINE = timedelta(seconds=10)  # per address, from resolving its name to the last byte
BODY_CAP = 2 * 1024 * 1024
ASIDE = 256 * 1024  # larger answers are unpacked and parsed in a thread; smaller ones take 15 ms at most
MAX_REDIRECTS = 3
LONGEST_REASON = 200

Parse = Callable[[bytes, str, Mapping[str, str], datetime], FeedReport]


def _statuspage(body: bytes, provider: str, components: Mapping[str, str], at: datetime) -> FeedReport:
    return statuspage.parse(body, provider=provider, component_ids=components, at=at)


DIALECTS: Mapping[str, Parse] = MappingProxyType({"statuspage": _statuspage, "incidentio": _statuspage})


@dataclass(frozen=True)
class FeedSource:
    """A vendor's page: its addresses in the order to try them, and our component ids mapped to the page's."""

    provider: str
    dialect: str
    urls: tuple[str, ...]
    components: Mapping[str, str] = field(default_factory=dict)
    every: timedelta = timedelta(seconds=60)


@dataclass(frozen=True)
class _Kept:
    """An address's last answer: its validator, and the report made from it."""

    etag: str
    report: FeedReport


class FeedReader:
    """Reads pages. A failure is a report too: STALE with the last levels and notices, UNKNOWN if there are none.

    Every request, including redirects, goes through `transport`, which limits the addresses that can be reached; in production
    it is that of the checks. Closing the reader closes it.
    """

    def __init__(
        self, clock: Clock, transport: httpx.AsyncBaseTransport, *, version: str = "dev", deadline: timedelta = DEADLINE
    ) -> None:
        self._clock = clock
        self._deadline_s = deadline.total_seconds() / clock.speed
        self._client = httpx.AsyncClient(
            transport=transport,
            trust_env=False,
            follow_redirects=True,  # vendors move their pages
            max_redirects=MAX_REDIRECTS,
            timeout=self._deadline_s,  # one deadline for the whole; the transport shares it among a name's addresses
            headers={"user-agent": f"understudy/{version} (+status reader)", "accept-encoding": "gzip"},
        )
        self._kept: dict[tuple[str, str], _Kept] = {}  # by provider and address
        self._last: dict[str, FeedReport] = {}  # by provider

    async def read(self, source: FeedSource) -> FeedReport:
        """Read the page from the first address with a usable answer; only cancellation is raised."""
        at = self._clock.now()
        failures: list[str] = []
        for url in source.urls:
            try:
                async with asyncio.timeout(self._deadline_s) as limit:
                    report = await self._read_one(source, url, at)
            except FeedError as failure:
                failures.append(f"{_host(url)}: {failure}")
            except TimeoutError:
                if not limit.expired():
                    raise
                failures.append(f"{_host(url)}: {self._too_late()}")
            else:
                self._last[source.provider] = report
                return replace(report, reason="; ".join([*failures, *([report.reason] if report.reason else [])]))
        why = "; ".join(failures) or "no address is configured"
        last = self._last.get(source.provider)
        if last is None:
            return FeedReport(source.provider, at, FeedState.UNKNOWN, f"never read: {why}")
        since = last.at.strftime("%Y-%m-%d %H:%M UTC")
        return replace(last, at=at, state=FeedState.STALE, reason=f"last read {since}: {why}")

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()

    async def _read_one(self, source: FeedSource, url: str, at: datetime) -> FeedReport:
        parse = DIALECTS.get(source.dialect)
        if parse is None:
            raise FeedError(f"dialect {source.dialect!r} is not known; known are {', '.join(DIALECTS)}")
        kept = self._kept.get((source.provider, url))
        headers = {"if-none-match": kept.etag} if kept and kept.etag else {}
        try:
            async with self._answer(url, headers) as response:
                if response.status_code == 304 and kept is not None:
                    return replace(kept.report, at=at)
                if response.status_code != 200:
                    raise FeedError(f"HTTP {response.status_code}")
                packed = _is_packed(response)
                raw = await _raw(response)
                etag = response.headers.get("etag", "")
        except httpx.TimeoutException as exc:
            raise FeedError(self._too_late()) from exc
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as exc:
            raise FeedError(_in_words(exc)) from exc

        def understand() -> FeedReport:
            body = _unpacked(raw) if packed else raw
            return replace(parse(body, source.provider, source.components, at), page=_digest(url))

        # Compressed ones may be a thousand times as large. Parsing JSON blocks the interpreter even in a thread, which is why
        # the parser limits the number of values; everything after it lets other tasks run.
        aside = packed or len(raw) > ASIDE
        report = await asyncio.to_thread(understand) if aside else understand()
        self._kept[source.provider, url] = _Kept(etag, report)
        return report

    @asynccontextmanager
    async def _answer(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        response = await self._client.send(self._client.build_request("GET", url, headers=headers), stream=True)
        try:
            yield response
        finally:
            await response.aclose()

    def _too_late(self) -> str:
        return f"no answer within {_seconds(self._deadline_s * self._clock.speed)}"


async def _raw(response: httpx.Response) -> bytes:
    raw = bytearray()
    async for chunk in response.aiter_raw():
        raw += chunk
        if len(raw) > BODY_CAP:
            raise FeedError("the answer is larger than 2 MiB")
    return bytes(raw)


def _is_packed(response: httpx.Response) -> bool:
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise FeedError(f"the answer is packed as {encoding!r}, which was not asked for")
    return bool(encoding == "gzip")


def _unpacked(raw: bytes) -> bytes:
    """Inflated here, since httpx inflates a whole chunk before anybody can count it."""
    try:
        body = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(raw, BODY_CAP + 1)
    except zlib.error:
        raise FeedError("the answer is not the gzip it claims to be") from None
    if len(body) > BODY_CAP:
        raise FeedError("the answer is larger than 2 MiB")
    return body


def _in_words(exc: Exception) -> str:
    match exc:
        case httpx.ConnectError():
            return "no connection could be made" + (f": {str(exc)[:LONGEST_REASON]}" if str(exc) else "")
        case httpx.TooManyRedirects():
            return f"it redirects more than {MAX_REDIRECTS} times"
        case httpx.NetworkError() | httpx.RemoteProtocolError():
            return "the connection broke off"
    return "the address cannot be asked as it is configured"


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def _host(url: str) -> str:
    # The query may contain a token, so only the host is named.
    try:
        return httpx.URL(url).host or "address without a host"
    except httpx.InvalidURL:
        return "unreadable address"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s".replace(".0 s", " s")
