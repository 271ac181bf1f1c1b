"""What replicas share: files of SQLite, or a PostgreSQL server that is made for one storm."""

import asyncio
from pathlib import Path
from typing import Protocol

from bot.core.record.fact import Fact
from bot.ports import Ledger, OutboxRow
from bot.sandbox.postgres import PostgresServer
from bot.store.errors import StoreError
from bot.store.postgres.ledgers import PostgresReadOnlyLedger
from bot.store.postgres.place import place_of
from bot.store.sqlite.ledgers import ReadOnlyLedger, open_read_only

Written = tuple[list[Fact], list[OutboxRow]]


class Database(Protocol):
    """A ledger from outside."""

    port: int  # where it listens; 0 = it is a file
    restarts: int

    def url(self, port: int) -> str:
        """What a replica's `store` is, reached at this port."""

    async def ledger(self) -> Written:
        """Every fact and every row; nothing where there is none yet."""

    async def flaws(self) -> tuple[str, ...]:
        """Streams whose facts do not hold, a sentence each."""

    async def restart(self) -> None:
        """Kill it and start it again, where that can be done."""


class Files:
    """SQLite in one data folder."""

    port = 0
    restarts = 0

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def url(self, port: int) -> str:
        return ""

    async def ledger(self) -> Written:
        if not (self._folder / "ledger.db").exists():
            return [], []
        try:
            ledger = open_read_only(self._folder)
        except StoreError:  # the file is there, its tables are not yet
            return [], []
        try:
            return await _written(ledger)
        finally:
            await ledger.close()

    async def flaws(self) -> tuple[str, ...]:
        return await _flaws(open_read_only(self._folder))

    async def restart(self) -> None:
        return


class Server:
    """A PostgreSQL that flushes what it commits."""

    def __init__(self) -> None:
        self._server = PostgresServer(durable=True)
        self.restarts = 0

    async def __aenter__(self) -> "Server":
        await asyncio.to_thread(self._server.create)
        await asyncio.to_thread(self._server.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._server.close)

    @property
    def port(self) -> int:
        return self._server.port

    def url(self, port: int) -> str:
        return self._server.url(port=port)

    async def ledger(self) -> Written:
        try:
            ledger = PostgresReadOnlyLedger(place_of(self.url(self.port)))
        except StoreError:  # its tables are not there yet
            return [], []
        try:
            return await _written(ledger)
        finally:
            await ledger.close()

    async def flaws(self) -> tuple[str, ...]:
        return await _flaws(PostgresReadOnlyLedger(place_of(self.url(self.port))))

    async def restart(self) -> None:
        """As after a crash."""
        self.restarts += 1
        await self._server.restart()


async def _written(ledger: Ledger) -> Written:
    return await ledger.read(lambda store: (store.all_facts(), store.outbox()))


async def _flaws(ledger: ReadOnlyLedger | PostgresReadOnlyLedger) -> tuple[str, ...]:
    try:
        found = await ledger.read(lambda store: [store.examine(stream) for stream in store.streams()])
        return tuple(flaw.sentence for flaw in found if flaw)
    finally:
        await ledger.close()
