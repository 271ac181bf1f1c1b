"""What replicas share: SQLite files, or a PostgreSQL server created for one storm."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

import psycopg

from bot.core.record.fact import Fact
from bot.ports import Ledger, OutboxRow
from bot.sandbox.postgres import PostgresServer
from bot.store.errors import StoreError
from bot.store.postgres.ledgers import PostgresReadOnlyLedger
from bot.store.postgres.place import place_of
from bot.store.sqlite.ledgers import ReadOnlyLedger, open_read_only
from tests.trust.laws import FactKey

Contents = tuple[list[Fact], list[OutboxRow]]
COMMITTED = "SELECT stream, seq, pg_xact_commit_timestamp(xmin) FROM understudy.facts"


class Database(Protocol):
    """A ledger, seen from outside."""

    port: int  # where it listens; 0 = it is a file
    restarts: int

    def url(self, port: int) -> str:
        """The replicas' `store` setting to reach it through this port."""

    async def ledger(self) -> Contents:
        """Every fact and every outbox row; nothing if there is no ledger yet."""

    async def commits(self) -> Mapping[FactKey, datetime]:
        """When each fact was committed, if the database knows."""

    async def flaws(self) -> tuple[str, ...]:
        """Streams whose hash chain is broken, one sentence each."""

    async def restart(self) -> None:
        """Kill and restart it, if it is a server."""


class Files:
    """SQLite in one data folder."""

    port = 0
    restarts = 0

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def url(self, port: int) -> str:
        return ""

    async def ledger(self) -> Contents:
        if not (self._folder / "ledger.db").exists():
            return [], []
        try:
            ledger = open_read_only(self._folder)
        except StoreError:  # the file exists, its tables do not yet
            return [], []
        try:
            return await _contents(ledger)
        finally:
            await ledger.close()

    async def commits(self) -> Mapping[FactKey, datetime]:
        return {}

    async def flaws(self) -> tuple[str, ...]:
        return await _flaws(open_read_only(self._folder))

    async def restart(self) -> None:
        return


class Server:
    """A PostgreSQL server that flushes what it commits, and remembers when that was."""

    def __init__(self) -> None:
        self._server = PostgresServer(durable=True, settings={"track_commit_timestamp": "on"})
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

    async def ledger(self) -> Contents:
        try:
            ledger = PostgresReadOnlyLedger(place_of(self.url(self.port)))
        except StoreError:  # its tables do not exist yet
            return [], []
        try:
            return await _contents(ledger)
        finally:
            await ledger.close()

    async def commits(self) -> Mapping[FactKey, datetime]:
        async with await psycopg.AsyncConnection.connect(self.url(self.port)) as connection:
            found = await connection.execute(COMMITTED)
            return {(stream, seq): at for stream, seq, at in await found.fetchall()}

    async def flaws(self) -> tuple[str, ...]:
        return await _flaws(PostgresReadOnlyLedger(place_of(self.url(self.port))))

    async def restart(self) -> None:
        """As after a crash."""
        self.restarts += 1
        await self._server.restart()


async def _contents(ledger: Ledger) -> Contents:
    return await ledger.read(lambda store: (store.all_facts(), store.outbox()))


async def _flaws(ledger: ReadOnlyLedger | PostgresReadOnlyLedger) -> tuple[str, ...]:
    try:
        found = await ledger.read(lambda store: [store.examine(stream) for stream in store.streams()])
        return tuple(flaw.sentence for flaw in found if flaw)
    finally:
        await ledger.close()
