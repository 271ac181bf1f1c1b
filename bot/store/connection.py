"""What the ledger needs from a database: SQL in one transaction at a time, with rows indexed by name and by number.

The caller begins and ends transactions. A connection may move between threads, but two never use it at once.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from bot.ports import StoreError
from bot.store.dialect import Dialect


class Cursor(Protocol):
    """The result of a statement."""

    @property
    def rowcount(self) -> int:
        """The number of rows it wrote."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """The rest of the rows."""

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the rows."""


class Connection(Protocol):
    """One connection to a database. Its exception classes are attributes, as PEP 249 allows."""

    @property
    def Error(self) -> type[Exception]:  # noqa: N802 # the name of PEP 249
        """The base class of all errors of the database or its driver."""

    @property
    def IntegrityError(self) -> type[Exception]:  # noqa: N802 # the name of PEP 249
        """The error for a violated constraint."""

    @property
    def dialect(self) -> Dialect:
        """Its own dialect of SQL."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    def execute(self, sql: str, values: Any = (), /) -> Cursor:
        """Run a statement with values for its `?` or `:name` placeholders."""

    def later(self, sql: str, values: Any = (), /) -> None:
        """Run a statement at any time before the next one or the end of the transaction; its result is ignored."""

    def rows(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], /) -> tuple[str, Any]:
        """What follows `INSERT INTO table (columns)` for these rows, in order, and its values; needs at least one row."""

    def executemany(self, sql: str, rows: Any, /) -> Cursor:
        """Run it once for each row of values."""

    def begin(self) -> None:
        """Begin a write transaction: only one exists at a time, and it sees everything written before."""

    def begin_reading(self) -> None:
        """Begin a transaction that sees a consistent snapshot."""

    def forgiving(self, errors: str) -> AbstractContextManager[None]:
        """Inside, fetched rows may contain bytes that are not valid text; `errors` handles them as in `bytes.decode`."""

    def take_time(self) -> None:
        """The rest of this transaction may take minutes, so the server must not end it."""

    def count_from(self, number: int) -> None:
        """Facts were inserted with their numbers, of which this is the last one ever given; the same for effects."""

    def deleting_facts(self) -> AbstractContextManager[None]:
        """Facts may be deleted inside, in a transaction, which the database otherwise refuses; rolling back undoes that too."""

    def give_back_room(self) -> None:
        """Return some space freed by deleted rows to the disk, if nothing else does."""

    def clock(self, now: int) -> int:
        """The database's own time if processes share it, else `now`; microseconds since 1970."""

    def require_odd_text(self, error: Exception) -> None:
        """Raise this error unless it is only about bytes that are not valid text."""

    def explained(self, error: Exception, name: str) -> StoreError:
        """An error of the database as a sentence with its name, the reason and the remedy."""

    def close(self) -> None:
        """Close it; uncommitted work is lost."""


@contextmanager
def atomic(conn: Connection) -> Iterator[None]:
    """All or nothing: a write transaction, or a savepoint inside an open one."""
    inner = conn.in_transaction
    undo = ("ROLLBACK TO part", "RELEASE part") if inner else ("ROLLBACK",)
    if inner:
        conn.execute("SAVEPOINT part")
    else:
        conn.begin()
    try:
        yield
        conn.execute("RELEASE part" if inner else "COMMIT")
    except BaseException:
        # On a full disk SQLite rolls back the whole transaction itself, so nothing is left to undo.
        for sql in undo if conn.in_transaction else ():
            conn.execute(sql)
        raise


@contextmanager
def snapshot(conn: Connection) -> Iterator[None]:
    """A consistent snapshot for several reads."""
    conn.begin_reading()
    try:
        yield
    finally:
        conn.execute("ROLLBACK")


def one(conn: Connection, sql: str, *values: Any) -> Any:
    """The first row of a query, or None."""
    return conn.execute(sql, values).fetchone()
