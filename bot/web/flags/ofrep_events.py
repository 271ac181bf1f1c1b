"""A stream that tells flag clients to ask again at once, without waiting for their next poll (OFREP, ADR 0008)."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from bot.web.services import SERVICES

PING_S = 15.0  # keeps proxies from closing it, and detects listeners that are gone
TAKEN_WITHIN_S = 5.0  # a listener that accepts nothing for this long is gone
CHANGES_PER_EVENT = 100
REFETCH = json.dumps({"type": "refetchEvaluation"})
HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would buffer events until it has a full page
}


class Streams:
    """The listeners to notify of every change; they are disconnected when the server stops."""

    def __init__(self) -> None:
        self.closing = False
        self._listening: set[asyncio.Event] = set()

    @property
    def count(self) -> int:
        """The current number of listeners."""
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
        """Flags have changed: notify a few listeners at a time, so that flag reads are answered in between."""
        self._tell(list(self._listening))

    def _tell(self, waiting: list[asyncio.Event]) -> None:
        for changed in waiting[:CHANGES_PER_EVENT]:
            changed.set()
        if rest := waiting[CHANGES_PER_EVENT:]:
            asyncio.get_running_loop().call_soon(self._tell, rest)

    async def close(self, app: web.Application) -> None:
        """Disconnect everybody: streams have no end that a server could wait for."""
        self.closing = True
        self.tell()


STREAMS = web.AppKey("streams", Streams)


async def events(request: web.Request) -> web.StreamResponse:
    """Send one event for each change of a flag, and a comment every 15 seconds in between.

    A new listener is notified at once, unless its last event stands for what is served now: flags may have changed since
    it read them, and OpenFeature's web client does not read them again when it reconnects. It then reads them from the endpoint
    for all flags.
    """
    streams, board = request.app[STREAMS], request.app[SERVICES].board
    response = web.StreamResponse(headers=HEADERS)
    with streams.listening() as changed:
        await response.prepare(request)
        if request.headers.get("Last-Event-ID") != board.tag:
            changed.set()
        text = "retry: 3000\n\n"  # sent at once, since headers go out with the first bytes
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
                text = f"id: {board.tag}\ndata: {REFETCH}\n\n"
    return response
