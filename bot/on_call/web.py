"""Requests to a source over HTTP: guarded, with a deadline and a size limit; errors contain no address."""

import asyncio
from collections.abc import Mapping

import httpx

from bot.core.lazy_dataclass import dataclass
from bot.on_call.shifts import SourceError

DEADLINE_S = 10.0
BODY_CAP = 2 * 1024 * 1024
MAX_REDIRECTS = 3


@dataclass(frozen=True)
class Answer:
    """A 200 with its body, or a 304 without one."""

    status: int
    body: bytes = b""
    etag: str = ""


class Asker:
    """Every request goes through `transport`, which limits the addresses that can be reached. Closing the asker closes it."""

    def __init__(self, transport: httpx.AsyncBaseTransport, *, version: str) -> None:
        self._client = httpx.AsyncClient(
            transport=transport, trust_env=False, timeout=DEADLINE_S, max_redirects=MAX_REDIRECTS,
            headers={"user-agent": f"understudy/{version}", "accept-encoding": "identity"},
        )  # fmt: skip

    async def get(
        self, url: str, headers: Mapping[str, str], params: Mapping[str, str] | None = None, *, follow: bool = False
    ) -> Answer:
        """Send one request. `follow` redirects only if no credential is sent. Raises SourceError."""
        request = self._client.build_request("GET", url, headers=headers, params=params)
        try:
            async with asyncio.timeout(DEADLINE_S):
                response = await self._client.send(request, stream=True, follow_redirects=follow)
                try:
                    return await _read(response)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException):
            raise SourceError(f"no answer within {DEADLINE_S:.0f} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise SourceError(_in_words(error)) from None  # httpx's message contains the address, which may be a secret

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()


async def _read(response: httpx.Response) -> Answer:
    if response.status_code == 304:
        return Answer(304)
    if response.status_code in (401, 403):
        raise SourceError(f"HTTP {response.status_code}: is the token right and allowed to read this?")
    if response.status_code == 404:
        raise SourceError("HTTP 404: is there such a schedule or calendar?")
    if response.status_code != 200:
        raise SourceError(f"HTTP {response.status_code}")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > BODY_CAP:
            raise SourceError("the answer is larger than 2 MiB")
    return Answer(200, bytes(body), response.headers.get("etag", ""))


def _in_words(error: Exception) -> str:
    match error:
        case httpx.ConnectError():
            return "no connection could be made"
        case httpx.TooManyRedirects():
            return f"it redirects more than {MAX_REDIRECTS} times"
        case httpx.NetworkError() | httpx.RemoteProtocolError():
            return "the connection broke off"
    return "the address cannot be asked as it is configured"
