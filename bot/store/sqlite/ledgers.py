"""The ledger for async code: with threads in production, inline for simulations and tools, read-only for exports."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from bot.ports import Store
from bot.store import identity
from bot.store.connection import Connection, atomic, snapshot
from bot.store.errors import StoreError
from bot.store.ledger import SqlStore
from bot.store.lock import DataLock
from bot.store.sqlite.access import Access, Openers
from bot.store.sqlite.engine import DatabaseError, SqliteConnection, connect_alone, connect_read_only
from bot.store.sqlite.errors import explained
from bot.store.sqlite.migrations import LEDGER, migrate, require
from bot.store.sqlite.opening import opened

T = TypeVar("T")

LEDGER_FILE = "ledger.db"
SAMPLES_FILE = "samples.db"  # exists if there was a ledger here


async def open_ledger(
    folder: Path, *, lock: DataLock | None = None, readers: int = 2, new_ledger: bool = False
) -> "SqliteLedger":  # fmt: skip
    """Open (or create) `folder/ledger.db` and its threads.

    Takes the folder's lock and releases it at `close`; a `lock` passed in stays its owner's. With `new_ledger`, an existing
    ledger is renamed first. Raises StoreError if another process owns the folder, if the file is newer, damaged or not ours,
    or if the ledger that was here is gone or was replaced.
    """
    own = DataLock(folder).take() if lock is None else None
    path = folder / LEDGER_FILE
    ledger = SqliteLedger(path, own, readers)
    try:
        if new_ledger:
            identity.move_aside(path)
        else:
            identity.require_there(path, folder / SAMPLES_FILE)
        await ledger.open()
        await ledger.be_recognised()
    except BaseException:
        await ledger.close()
        raise
    return ledger


class _Alone:
    """A ledger that only one process commits to."""

    shared = False

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Never called."""


class SqliteLedger(_Alone):
    """`bot.ports.Ledger` with one writer thread and a few reader threads."""

    def __init__(self, path: Path, lock: DataLock | None, readers: int) -> None:
        self.path = path
        self._lock = lock
        ways: Openers[Store] = Openers(lambda: _open(path), lambda: _open_reader(path), lambda: _open_alone(path))
        self._access: Access[Store] = Access(path, ways, readers)

    @property
    def trouble(self) -> StoreError | None:
        """Why it is read-only, if it is."""
        return self._access.trouble

    async def open(self) -> None:
        """Open the file; read-only on a disk that refuses writes, as `trouble` then says."""
        await self._access.open()

    async def be_recognised(self) -> None:
        """Raise StoreError if this is not the ledger that was here before; give an id to one without."""
        marker = self.path.with_name(identity.MARKER)
        id = await self.read(lambda store: identity.recognise(store, store.any_fact(), marker, str(self.path)))
        if self.trouble is None:
            with suppress(StoreError, OSError):  # the disk may be full by now; the next start writes it
                if await self.read(lambda store: store.setting(identity.SETTING)) is None:
                    id = await self.write(lambda store: identity.named(store, id))
                identity.name(marker, id)

    async def reopen(self) -> None:
        """If it is read-only, try again. Raises StoreError while it cannot be written."""
        await self._access.reopen()

    def be_patient(self, patient: bool) -> None:
        """Does nothing: a file is always reachable."""

    def check_place(self) -> None:
        """Raise StoreError if the file was deleted or replaced since it was opened."""
        self._access.check_place()

    async def write(self, work: Callable[[Store], T]) -> T:
        """Run `work` on the writing store; returns when it is durable. An error in `work` is raised here alone."""
        return await self._access.write(work)

    async def write_at_once(self, work: Callable[[Store], T]) -> T:
        """The same as `write`: there are no other replicas."""
        return await self.write(work)

    async def read(self, work: Callable[[Store], T]) -> T:
        """Run `work` on a read-only store, in a snapshot of everything written before."""
        return await self._access.read(work)

    async def close(self) -> None:
        """Finish pending work and close; a second call does nothing."""
        await self._access.close()
        if self._lock:
            self._lock.release()


class InlineLedger(_Alone):
    """`bot.ports.Ledger` on the caller's thread: for simulations in virtual time and for tools.

    It blocks while it works. `reopened` simulates a crash: only the file remains. With `shared` it is one of several on the
    same file, none of which is notified of the others' commits.
    """

    def __init__(self, conn: SqliteConnection, name: str = ":memory:", *, shared: bool = False) -> None:
        migrate(conn, LEDGER, name)
        self.shared = shared
        self.conn = conn
        self.store: Store = SqlStore(conn)

    @staticmethod
    def open(path: Path | str = ":memory:") -> "InlineLedger":
        """Open a file, or a ledger in memory. Takes no lock: in a data folder, hold its DataLock."""
        return InlineLedger(opened(path, LEDGER), str(path))

    def reopened(self) -> "InlineLedger":
        """A new ledger over the same connection, without uncommitted work."""
        if self.conn.in_transaction:
            self.conn.execute("ROLLBACK")
        return InlineLedger(self.conn, shared=self.shared)

    async def write(self, work: Callable[[Store], T]) -> T:
        """Run `work` in a transaction of its own."""
        with atomic(self.conn):
            return work(self.store)

    async def write_at_once(self, work: Callable[[Store], T]) -> T:
        """The same as `write`: nothing waits here."""
        return await self.write(work)

    async def read(self, work: Callable[[Store], T]) -> T:
        """Run `work`; writing in it is an error, as with the threaded ledger."""
        self.conn.execute("PRAGMA query_only = ON")
        try:
            with snapshot(self.conn):
                return work(self.store)
        finally:
            self.conn.execute("PRAGMA query_only = OFF")

    async def close(self) -> None:
        """Close the connection."""
        self.conn.close()


class ReadOnlyLedger(_Alone):
    """`bot.ports.Ledger` for exports beside a running bot: it takes no lock and writes nothing."""

    def __init__(self, conn: SqliteConnection, path: Path) -> None:
        require(conn, LEDGER, str(path))
        self.path = path
        self._conn = conn
        self._store: Store = SqlStore(conn)

    async def write(self, work: Callable[[Store], T]) -> T:
        """Always refused."""
        raise StoreError(f"{self.path} was opened for reading only")

    async def write_at_once(self, work: Callable[[Store], T]) -> T:
        """Always refused."""
        return await self.write(work)

    async def read(self, work: Callable[[Store], T]) -> T:
        """Run `work` in one snapshot."""
        with snapshot(self._conn):
            return work(self._store)

    async def close(self) -> None:
        """Close the connection."""
        self._conn.close()


def open_read_only(folder: Path) -> ReadOnlyLedger:
    """Open `folder/ledger.db` for reading, whether or not a bot is using it. Raises StoreError if that is impossible."""
    path = folder / LEDGER_FILE
    if not path.is_file():
        raise StoreError(f"there is no ledger in {folder}; check --data")
    try:
        conn = connect_read_only(path)
    except DatabaseError as error:
        raise StoreError(f"{path} cannot be opened ({error}); check who may read it") from error
    try:
        return ReadOnlyLedger(conn, path)
    except StoreError:
        conn.close()
        raise


def _open(path: Path) -> tuple[Connection, Store]:
    conn = opened(path, LEDGER)
    return conn, SqlStore(conn)


def _open_reader(path: Path) -> tuple[Connection, Store]:
    conn = connect_read_only(path)
    return conn, SqlStore(conn)


def _open_alone(path: Path) -> tuple[Connection, Store]:
    try:
        conn = connect_alone(path)
    except DatabaseError as error:
        raise explained(error, path) from error
    try:
        require(conn, LEDGER, str(path))
    except BaseException:
        conn.close()
        raise
    return conn, SqlStore(conn)
