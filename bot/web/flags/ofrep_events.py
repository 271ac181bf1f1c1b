"""A stream that tells clients of flags to ask again: at once, instead of with their next poll (OFREP, ADR 0008)."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from bot.web.services import SERVICES

PING_S = 15.0  # keeps proxies from closing it, and finds listeners that are gone
TAKEN_WITHIN_S = 5.0  # a listener that takes nothing for so long is gone
TOLD_AT_ONCE = 100
REFETCH = json.dumps({"type": "refetchEvaluation"})
HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold events back until it has a page of them
}


class Streams:
    """Who listens, to be told of every change; when the server stops they are let go at once."""

    def __init__(self) -> None:
        self.closing = False
        self._listening: set[asyncio.Event] = set()

    @property
    def count(self) -> int:
        """How many listen now."""
        return len(self._listening)

    @contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """An event that is set at each change from now on."""
        changed = asyncio.Event()
        self._listening.add(changed)
        try:
            yield changed
        finally:
            self._listening.discard(changed)

    def tell(self) -> None:
        """Flags have changed: some listeners at a time, so that those who read flags are answered in between."""
        self._tell(list(self._listening))

    def _tell(self, waiting: list[asyncio.Event]) -> None:
        for changed in waiting[:TOLD_AT_ONCE]:
            changed.set()
        if rest := waiting[TOLD_AT_ONCE:]:
            asyncio.get_running_loop().call_soon(self._tell, rest)

    async def close(self, app: web.Application) -> None:
        """Let everybody go: a stream has no end of its own that a server could wait for."""
        self.closing = True
        self.tell()


STREAMS = web.AppKey("streams", Streams)


async def events(request: web.Request) -> web.StreamResponse:
    """One event for each change of a flag, and a comment every 15 seconds in between.

    Whoever comes is told at once, unless it says that it heard of this very revision: since it read the flags they may have
    changed, and OpenFeature's client for web pages does not read them anew when it comes back. What it is told of, it reads
    where all flags are read.
    """
    streams, board = request.app[STREAMS], request.app[SERVICES].board
    response = web.StreamResponse(headers=HEADERS)
    with streams.listening() as changed:
        await response.prepare(request)
        if request.headers.get("Last-Event-ID") != str(board.snapshot.revision):
            changed.set()
        text = "retry: 3000\n\n"  # at once: the headers travel with the first bytes
        while not streams.closing:
            try:
                async with asyncio.timeout(TAKEN_WITHIN_S):
                    await response.write(text.encode())
            except (ConnectionError, TimeoutError):
                if request.transport is not None:
                    request.transport.abort()
                break
            try:
                async with asyncio.timeout(PING_S):
                    await changed.wait()
            except TimeoutError:
                text = ": nothing new\n\n"
            else:
                changed.clear()
                text = f"id: {board.snapshot.revision}\ndata: {REFETCH}\n\n"
    return response
