"""The ledger in PostgreSQL for async code: one writer, a few readers, and one connection that listens to other replicas."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from bot.ports import Store, StoreError
from bot.store import identity
from bot.store.connection import Connection, one, snapshot
from bot.store.ledger import SqlStore
from bot.store.lock import DataLock
from bot.store.postgres.connection import PostgresConnection
from bot.store.postgres.listening import Listener
from bot.store.postgres.migrations import migrate, require
from bot.store.postgres.migrations.ledger import LEDGER
from bot.store.postgres.opening import looking, reading, require_usable, signing, usable, writing
from bot.store.postgres.patience import Patience
from bot.store.postgres.place import Place, place_of
from bot.store.writer import Readers, Writer

T = TypeVar("T")


async def open_postgres_ledger(
    address: str, replica: str, *, readers: int = 2, folder: Path | None = None, lock: DataLock | None = None
) -> "PostgresLedger":  # fmt: skip
    """Open the ledger at an address, creating its tables if necessary.

    `folder` is the replica's data folder, which remembers the ledger's id: a different or empty ledger is refused. `lock` is
    the folder's lock, released by `close`. Raises StoreError, also if the database is newer or unreachable.
    """
    try:
        ledger = PostgresLedger(place_of(address), replica, readers, lock)
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    try:
        await ledger.open()
        if folder is not None:
            await ledger.be_recognised(folder)
    except BaseException:
        await ledger.close()
        raise
    return ledger


class PostgresLedger:
    """`bot.ports.Ledger` over a database that other replicas write to as well.

    If a connection breaks, its current work raises StoreError and the next piece of work reconnects. A commit that broke off
    may have succeeded: signals have ids, so that they can be sent again.
    """

    shared = True
    trouble: StoreError | None = None  # never read-only: it is either open for writing or not open

    def __init__(self, place: Place, replica: str, readers: int = 2, lock: DataLock | None = None) -> None:
        self.place = place
        self._lock = lock
        self._replica = replica
        self._away: StoreError | None = None
        self._pid = 0
        self._writer: Writer[SqlStore] | None = None
        self._urgent_writer: Writer[SqlStore] | None = None
        self._readers: Readers[SqlStore] | None = None
        self._size = readers
        self._listener: Listener | None = None
        self._callbacks: list[Callable[[], None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._conn: PostgresConnection | None = None
        self._patience, self._urgent_patience = Patience(place), Patience(place)

    def be_patient(self, patient: bool) -> None:
        """Whether a start is in progress."""
        self._patience.be_patient(patient)
        self._urgent_patience.be_patient(patient)

    async def open(self) -> None:
        """Connect, and upgrade the tables. Raises StoreError."""
        self._loop = asyncio.get_running_loop()
        self._writer = Writer(str(self.place), self._open_writer)
        await self._writer.open()
        self._urgent_writer = Writer(str(self.place), self._open_signer)
        await self._urgent_writer.open()
        self._readers = Readers(str(self.place), self._open_reader, self._size)
        await self._readers.open()
        await self._require_own_connections(self._writer, self._readers)
        listener = Listener(
            self.place, lambda: reading(self.place, f"{self._replica} listens"), self._writers_pid, self._changed, self._stands
        )
        await asyncio.to_thread(listener.start)
        self._listener = listener

    async def _require_own_connections(self, writer: Writer[SqlStore], readers: Readers[SqlStore]) -> None:
        """Refuse a pooler that shares sessions between clients: settings would leak, and notifications be lost."""
        if await writer.run(_session) == await readers.run(_session):
            raise StoreError(
                f"{self.place}: a pooler in front of it shares one session among several clients; "
                "in PgBouncer, set pool_mode = session for this database"
            )

    async def be_recognised(self, folder: Path) -> None:
        """Raise StoreError if this is not the ledger that was here before; give an id to one without."""
        marker = folder / identity.MARKER
        id = await self._recognised(marker)
        if await self.read(lambda store: store.setting(identity.SETTING)) is None:
            await self.write(lambda store: identity.named(store, id))
        id = await self._recognised(marker)  # the first of several starting replicas chose it
        with suppress(OSError):  # the disk may be full by now; the next start writes it
            identity.name(marker, id)

    async def _recognised(self, marker: Path) -> str:
        return await self.read(lambda store: identity.recognise(store, store.any_fact(), marker, str(self.place)))

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` on the loop when another process may have committed: at once if notified, else within a second."""
        self._callbacks.append(callback)

    async def reopen(self) -> None:
        """Raise StoreError while the database is unreachable; connections restore themselves."""
        self.check_place()

    def check_place(self) -> None:
        """Raise StoreError while the database is unreachable, as the listener saw within the last seconds."""
        if self._away is not None:
            raise self._away

    async def write(self, work: Callable[[Store], T]) -> T:
        """Run `work` on the writing store; returns when it is durable. An error in `work` is raised here alone."""
        if (writer := self._writer) is None:
            raise StoreError(f"{self.place} is closed")
        return await self._patience.over(lambda: writer.run(work))

    async def write_at_once(self, work: Callable[[Store], T]) -> T:
        """Run `work`, about heartbeats, leases and news, without waiting for a disk or for other writers.

        On a slow disk all replicas would count as dead otherwise.
        """
        if (writer := self._urgent_writer) is None:
            raise StoreError(f"{self.place} is closed")
        return await self._urgent_patience.over(lambda: writer.run(work))

    async def read(self, work: Callable[[Store], T]) -> T:
        """Run `work` on a read-only store, in a snapshot of everything written before."""
        if (readers := self._readers) is None:
            raise StoreError(f"{self.place} is closed")
        return await self._patience.over(lambda: readers.run(work))

    async def close(self) -> None:
        """Finish pending work and close; a second call does nothing."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await asyncio.to_thread(listener.close)
        if self._readers is not None:
            await self._readers.close()
        for writer in (self._urgent_writer, self._writer):
            if writer is not None:
                await writer.close()
        self._readers = self._urgent_writer = self._writer = None
        if self._lock is not None:
            self._lock.release()

    def _open_writer(self) -> tuple[Connection, SqlStore]:
        conn = self._conn = connect_up_to_date(self.place, self._replica)
        return conn, SqlStore(conn)

    def _open_signer(self) -> tuple[Connection, SqlStore]:
        conn = signing(self.place, f"{self._replica} lives")
        return conn, SqlStore(conn)

    def _open_reader(self) -> tuple[Connection, SqlStore]:
        conn = reading(self.place, f"{self._replica} reads")
        return conn, SqlStore(conn)

    def _writers_pid(self) -> int:
        return self._conn.pid if self._conn else 0

    def _stands(self, away: StoreError | None) -> None:
        self._away = away

    def _changed(self) -> None:
        if self._loop is not None and self._callbacks:
            with suppress(RuntimeError):  # the loop was closed, together with everybody waiting
                self._loop.call_soon_threadsafe(self._call_back)

    def _call_back(self) -> None:
        for callback in self._callbacks:
            callback()


def _session(store: SqlStore) -> int:
    """The server process that works for us."""
    return int(one(store.conn, "SELECT pg_backend_pid()")[0])


def connect_up_to_date(place: Place, name: str) -> PostgresConnection:
    """A writing connection, to tables upgraded to this version. Raises StoreError."""
    with usable(writing(place, name), place) as conn:
        require_usable(conn, place)
        migrate(conn, LEDGER, place)
    return conn


def connect_to_read(place: Place, name: str) -> PostgresConnection:
    """A reading connection, to tables of this version. Raises StoreError."""
    with usable(looking(place, name), place) as conn:
        require(conn, LEDGER, place)
    return conn


class PostgresReadOnlyLedger:
    """`bot.ports.Ledger` for exports beside running bots: it writes nothing, so a standby is enough."""

    shared = False  # nobody waits for later commits

    def __init__(self, place: Place) -> None:
        self.place = place
        self._conn = connect_to_read(place, "reads")
        self._store: Store = SqlStore(self._conn)

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Never called."""

    async def write(self, work: Callable[[Store], T]) -> T:
        """Always refused."""
        raise StoreError(f"{self.place} was opened for reading only")

    async def write_at_once(self, work: Callable[[Store], T]) -> T:
        """Always refused."""
        return await self.write(work)

    async def read(self, work: Callable[[Store], T]) -> T:
        """Run `work` in one snapshot."""
        try:
            with snapshot(self._conn):
                return work(self._store)
        except self._conn.Error as error:
            raise self._conn.explained(error, str(self.place)) from error

    async def close(self) -> None:
        """Close the connection."""
        self._conn.close()
