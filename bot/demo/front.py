"""One address for all replicas, like a load balancer: each connection goes to the next replica that accepts it."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from typing import Any

from bot.web.app import WebError

CHUNK = 65_536

Place = tuple[str, int]


class Front:
    """Passes bytes on between `start()` and `stop()`. `places` returns where replicas listen, or did.

    One that refuses is skipped; if all do, the connection is closed.
    """

    def __init__(self, places: Callable[[], Sequence[Place]]) -> None:
        self.url = ""
        self._places = places
        self._turn = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises WebError."""
        try:
            self._server = await asyncio.start_server(self._serve, host, port)
        except OSError as error:
            sentence = f"Cannot listen on {host}:{port}: {error.strerror or error}. Name another address."
            raise WebError(sentence, permanent=True) from error
        host, port = self._server.sockets[0].getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def stop(self) -> None:
        """Stop listening, and close every connection."""
        if self._server is not None:
            self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._open.add(task)
            task.add_done_callback(self._open.discard)
        try:
            for host, port in self._in_turn():
                with suppress(OSError):
                    behind, to_it = await asyncio.open_connection(host, port)
                    break
            else:
                return
            try:
                await _both(_pass_on(reader, to_it), _pass_on(behind, writer))
            finally:
                to_it.close()
        except asyncio.CancelledError:
            pass  # by `stop`; Python 3.11 would print that as a server error
        finally:
            writer.close()

    def _in_turn(self) -> Iterator[Place]:
        places = self._places()
        self._turn += 1
        return (places[(self._turn + n) % len(places)] for n in range(len(places)))


async def _both(*ways: Coroutine[Any, Any, None]) -> None:
    """Run until either side disconnects; then disconnect the other."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(CHUNK):
            writer.write(piece)
            await writer.drain()
