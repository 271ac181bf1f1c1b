"""A response whose bytes are made already: head and body go to the connection in one piece.

aiohttp's own response is built for everything that HTTP may want, and takes longer than all else that reading a flag takes.
"""

from email.utils import formatdate
from functools import lru_cache
from time import time
from typing import cast

from aiohttp import web

HEADERS = {
    "Server": "understudy",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
REASONS = {200: "OK", 304: "Not Modified"}

_ALWAYS = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())


def ready(status: int, headers: str, body: bytes) -> web.StreamResponse:
    """Status 200 or 304 with a body that is there, for a client that speaks HTTP/1.1 and keeps its connection.

    `headers` are whole lines, each with its end.
    """
    return cast(web.StreamResponse, _Ready(_head(status, headers, len(body), int(time())) + body))


class _Ready:
    """All that aiohttp's server asks of a response once a handler has returned it."""

    __slots__ = ("_bytes", "_request")
    keep_alive = True

    def __init__(self, whole: bytes) -> None:
        self._bytes = whole
        self._request: web.BaseRequest | None = None

    async def prepare(self, request: web.BaseRequest) -> None:
        """Remember where to write."""
        self._request = request

    async def write_eof(self, data: bytes = b"") -> None:
        """Send everything; a reader that takes nothing is waited for."""
        request = self._request
        if request is None or request.transport is None:
            raise ConnectionResetError("the reader is gone")
        request.transport.write(self._bytes)
        await request.writer.drain()


@lru_cache(maxsize=256)
def _head(status: int, headers: str, size: int, now: int) -> bytes:
    length = "" if status == 304 else f"Content-Length: {size}\r\n"
    lines = f"HTTP/1.1 {status} {REASONS[status]}\r\n{headers}{length}Date: {formatdate(now, usegmt=True)}\r\n{_ALWAYS}\r\n"
    return lines.encode("latin-1")
