"""The network between a replica and its database, which can be cut with an error at once or in silence, as networks do."""

import asyncio
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from enum import StrEnum

PIECE = 64 * 1024


class Cut(StrEnum):
    """How the network is cut."""

    RESET = "reset"  # connections break, and new ones are refused
    SILENT = "silent"  # nothing gets through, and there is no error


class Wire:
    """Forwards TCP to a server until it is cut."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._connected = asyncio.Event()
        self._connected.set()
        self._refuses = False
        self._open: set[StreamWriter] = set()

    async def __aenter__(self) -> "Wire":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
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
        """Where the wire listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def cut(self, how: Cut) -> None:
        """Let nothing through until `heal`."""
        self._connected.clear()
        self._refuses = how is Cut.RESET
        if self._refuses:
            self._abort()

    def heal(self) -> None:
        """Let everything through; what was held back in silence arrives late."""
        self._refuses = False
        self._connected.set()

    def _abort(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        try:
            if self._refuses:
                return
            await self._connected.wait()
            server_reader, server_writer = await asyncio.open_connection(*self._target)
            self._open.add(server_writer)
            try:
                async with asyncio.TaskGroup() as directions:
                    directions.create_task(self.forward(reader, server_writer))
                    directions.create_task(self.forward(server_reader, writer))
            finally:
                self._open.discard(server_writer)
                server_writer.transport.abort()
        except* OSError:
            pass  # one side is gone; the other is closed below
        finally:
            self._open.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()

    async def forward(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Copy one direction until it ends or the wire is cut."""
        with suppress(ConnectionError):
            while piece := await reader.read(PIECE):
                await self._connected.wait()
                writer.write(piece)
                await writer.drain()
        raise ConnectionResetError  # one direction ends the other
