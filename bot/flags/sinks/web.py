"""Requests to a sink over HTTP: only to its own host, guarded, with a deadline and a size limit; errors contain no address."""

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from bot.core.lazy_dataclass import dataclass
from bot.ports.sinks import SinkError

DEADLINE_S = 10.0
BODY_CAP = 1024 * 1024
MOST_S = 86_400  # of a `Retry-After`; a longer one is a mistake
SHOWN = 200  # characters of its error text


@dataclass(frozen=True)
class Answer:
    """Status and raw body. `retry_after` is how long it asks us to wait."""

    status: int
    body: bytes
    retry_after: timedelta | None = None

    def json(self, what: str) -> Any:
        """The body as JSON. Raises SinkError for HTML and for invalid JSON, naming `what` it should have been."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            kind = "a web page" if self.body.lstrip()[:1] == b"<" else "no JSON"
            raise SinkError(f"it answered {kind} instead of {what}: is the address right, or is a proxy in between?") from None

    @property
    def words(self) -> str:
        """Its error text on one line; empty if it is a web page."""
        text = self.body.decode("utf-8", "replace").strip()
        if text.startswith("<"):
            return ""
        try:
            found = json.loads(text)
            text = str(found.get("message") or found.get("details") or text) if isinstance(found, dict) else text
        except (ValueError, RecursionError):
            pass  # not JSON: use it unchanged
        return " ".join(text.split())[:SHOWN]


class SinkClient:
    """Sends requests through `transport`, which limits the addresses that can be reached. Follows no redirect."""

    def __init__(self, transport: httpx.AsyncBaseTransport, *, version: str, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._client = httpx.AsyncClient(
            transport=transport, trust_env=False, timeout=deadline_s, follow_redirects=False,
            headers={"user-agent": f"understudy/{version}", "accept-encoding": "identity"},
        )  # fmt: skip

    async def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """Send one request. Any status except a redirect is an answer. Raises SinkError."""
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._ask(method, url, headers, body)
        except (TimeoutError, httpx.TimeoutException):
            raise SinkError(f"no answer within {self._deadline_s:.0f} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise _refused(error) from None  # httpx's message may contain the address, which may be a secret

    async def _ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        async with self._client.stream(method, url, headers=headers, content=body) as response:
            status = response.status_code
            if 300 <= status < 400:
                raise SinkError(f"HTTP {status}: it redirects; write the address that it leads to", permanent=True)
            return Answer(status, await _read(response), retry_after(response.headers))

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > BODY_CAP:
            raise SinkError("its answer is larger than 1 MiB")
    return bytes(body)


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """The wait asked for by `Retry-After`: seconds, or a date by the sender's clock; None if it makes no sense."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return timedelta(seconds=min(int(said[:9]), MOST_S))
    try:
        wait = parsedate_to_datetime(said) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, timedelta(0)), timedelta(seconds=MOST_S))


def _refused(error: Exception) -> SinkError:
    if "allow_private" in str(error):
        return SinkError("its address is a private one; list its network under allow_private", permanent=True)
    match error:
        case httpx.ConnectError():
            return SinkError("no connection could be made")
        case httpx.NetworkError() | httpx.RemoteProtocolError():
            return SinkError("the connection broke off")
    return SinkError(f"it cannot be asked as it is configured ({type(error).__name__})", permanent=True)


def refusal(answer: Answer) -> SinkError:
    """The error for an unsuccessful answer. Permanent if somebody must act; otherwise it may pass by itself."""
    said = f": {answer.words}" if answer.words else ""
    if answer.status in (401, 403):
        return SinkError(f"HTTP {answer.status}: is the token right and allowed to do this{said or '?'}", permanent=True)
    permanent = answer.status in (400, 404, 405, 409, 410, 422)
    wait = None if permanent else answer.retry_after
    asks = f", and asks to wait {wait.total_seconds():.0f} s" if wait else ""
    return SinkError(f"HTTP {answer.status}{asks}{said}", permanent=permanent, retry_after=wait)
