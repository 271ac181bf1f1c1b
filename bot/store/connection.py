"""What the ledger asks of a database: SQL in one transaction at a time, answered in rows that go by name and by number.

Transactions are ours to begin and end. A connection may travel between threads, but is never used by two at once.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from bot.ports import StoreError
from bot.store.dialect import Dialect


class Cursor(Protocol):
    """What a statement came to."""

    @property
    def rowcount(self) -> int:
        """How many rows it wrote."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """The rest of the rows."""

    def __iter__(self) -> Iterator[Any]:
        """Row by row."""


class Connection(Protocol):
    """One connection to a database. Its errors hang on it, as PEP 249 allows."""

    @property
    def Error(self) -> type[Exception]:  # noqa: N802 # the name of PEP 249
        """Whatever the database or its driver complains of."""

    @property
    def IntegrityError(self) -> type[Exception]:  # noqa: N802 # the name of PEP 249
        """What a constraint refused."""

    @property
    def dialect(self) -> Dialect:
        """The SQL that it has of its own."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction runs."""

    def execute(self, sql: str, values: Any = (), /) -> Cursor:
        """Run a statement; values stand in it as `?` or `:name`."""

    def later(self, sql: str, values: Any = (), /) -> None:
        """Run a statement at any time before the next one, or the end of the transaction; nobody looks at what it comes to."""

    def rows(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], /) -> tuple[str, Any]:
        """What stands behind `INSERT INTO table (columns)` for these rows, in their order, and its values; at least one row."""

    def executemany(self, sql: str, rows: Any, /) -> Cursor:
        """Run it once for each row of values."""

    def begin(self) -> None:
        """Begin a transaction that writes: one at a time, and it sees all that was written before."""

    def begin_reading(self) -> None:
        """Begin a transaction that sees one consistent picture."""

    def forgiving(self, errors: str) -> AbstractContextManager[None]:
        """Rows fetched inside may hold bytes that are no text; `errors` says what becomes of them, as for `bytes.decode`."""

    def take_time(self) -> None:
        """What follows in this transaction may take minutes, where a server would end it."""

    def count_from(self, number: int) -> None:
        """Facts were put in with their numbers, of which this is the last that was ever given; effects likewise."""

    def deleting_facts(self) -> AbstractContextManager[None]:
        """Facts may be deleted inside, which the database refuses otherwise; in a transaction, which undoes that too."""

    def give_back_room(self) -> None:
        """Give some of what deleted rows took back to the disk, where nobody else does."""

    def clock(self, now: int) -> int:
        """The database's own time where several processes share it, `now` where it has none; microseconds since 1970."""

    def require_odd_text(self, error: Exception) -> None:
        """Raise whatever is more than bytes that are no text."""

    def explained(self, error: Exception, name: str) -> StoreError:
        """An error of the database as a sentence with the name of the place, the reason and the remedy."""

    def close(self) -> None:
        """Close it; what was not committed is gone."""


@contextmanager
def atomic(conn: Connection) -> Iterator[None]:
    """All or nothing: a transaction that is the only one to write, or a savepoint inside a running one."""
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
        # A full disk makes SQLite roll the whole transaction back by itself; then there is nothing left to undo.
        for sql in undo if conn.in_transaction else ():
            conn.execute(sql)
        raise


@contextmanager
def snapshot(conn: Connection) -> Iterator[None]:
    """One consistent picture for several reads."""
    conn.begin_reading()
    try:
        yield
    finally:
        conn.execute("ROLLBACK")


def one(conn: Connection, sql: str, *values: Any) -> Any:
    """The first row of a query, or None."""
    return conn.execute(sql, values).fetchone()
