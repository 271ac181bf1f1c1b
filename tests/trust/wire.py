"""The network between a replica and its database, which can be cut: at once with an error, or in silence, as networks do."""

import asyncio
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from enum import StrEnum

PIECE = 64 * 1024


class Cut(StrEnum):
    """How it is cut."""

    RESET = "reset"  # connections break, and new ones are refused
    SILENT = "silent"  # nothing comes through, and nobody says so


class Wire:
    """Passes TCP on to a server, as long as it is whole."""

    def __init__(self, host: str, port: int) -> None:
        self._to = host, port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._whole = asyncio.Event()
        self._whole.set()
        self._refuses = False
        self._open: set[StreamWriter] = set()

    async def __aenter__(self) -> "Wire":
        self._server = await asyncio.start_server(self._passes, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        self._abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def cut(self, how: Cut) -> None:
        """Let nothing through until `heal`."""
        self._whole.clear()
        self._refuses = how is Cut.RESET
        if self._refuses:
            self._abort()

    def heal(self) -> None:
        """Let everything through; what was held back in silence arrives late."""
        self._refuses = False
        self._whole.set()

    def _abort(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _passes(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        try:
            if self._refuses:
                return
            await self._whole.wait()
            there, back = await asyncio.open_connection(*self._to)
            self._open.add(back)
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._one_way(reader, back))
                    both.create_task(self._one_way(there, writer))
            finally:
                self._open.discard(back)
                back.transport.abort()
        except* OSError:
            pass  # either side is gone, and the other learns of it
        finally:
            self._open.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()

    async def _one_way(self, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(PIECE):
                await self._whole.wait()
                writer.write(piece)
                await writer.drain()
        raise ConnectionResetError  # one way ends both
