"""Which SQLite is used, and how a file is opened.

Every connection of this process comes from here: two SQLite libraries on one file would release each other's locks.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.core.lazy_dataclass import dataclass
from bot.ports import StoreError
from bot.store.sqlite.dialect import SQLITE
from bot.store.sqlite.errors import explained

if TYPE_CHECKING:
    import sqlite3
else:
    try:  # its wheel includes a SQLite newer than most systems'
        from pysqlite3 import dbapi2 as sqlite3
    except ImportError:
        import sqlite3

Row = sqlite3.Row
DatabaseError = sqlite3.Error

BUSY_TIMEOUT_MS = 5_000
LARGEST_IDLE_WAL = 64 * 1024 * 1024  # bytes; a WAL that grew in a burst is cut back to this
SPARE_PAGES = 1_000  # free pages kept for new rows
PAGES = 64  # released in one transaction
FULL, NORMAL = "FULL", "NORMAL"  # durable on return; durable after the next checkpoint
FACTS_LAST = "CREATE TRIGGER facts_last BEFORE DELETE ON facts BEGIN SELECT RAISE(ABORT, 'a fact is never deleted'); END"


class SqliteConnection(sqlite3.Connection):
    """`bot.store.connection.Connection` over a file."""

    dialect = SQLITE

    def later(self, sql: str, values: Any = (), /) -> None:
        """Run it at once: there is no round trip to save."""
        self.execute(sql, values)

    def rows(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], /) -> tuple[str, Any]:
        """With a placeholder for each value."""
        row = f"({', '.join('?' * len(columns))})"
        return f"VALUES {', '.join([row] * len(rows))}", [value for values in rows for value in values]

    def begin(self) -> None:
        """Begin a transaction that takes the write lock at once."""
        self.execute("BEGIN IMMEDIATE")

    def begin_reading(self) -> None:
        """Begin a transaction that sees a consistent snapshot."""
        self.execute("BEGIN")

    @contextmanager
    def forgiving(self, errors: str) -> Iterator[None]:
        """Inside, fetched rows may contain bytes that are not valid text; `errors` handles them as in `bytes.decode`."""
        before = self.text_factory
        self.text_factory = lambda raw: raw.decode("utf-8", errors)
        try:
            yield
        finally:
            self.text_factory = before

    def take_time(self) -> None:
        """Does nothing: no server limits the time."""

    def count_from(self, number: int) -> None:
        """Needed only if the last facts were removed: SQLite itself continues from the highest number present."""
        self.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'facts'", (number,))
        self.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'facts', ?"
            " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'facts')",
            (number,),
        )

    @contextmanager
    def deleting_facts(self) -> Iterator[None]:
        """Inside, in a transaction, facts may be deleted; rolling back undoes that too."""
        self.execute("DROP TRIGGER IF EXISTS facts_last")
        yield
        self.execute(FACTS_LAST)

    def give_back_room(self) -> None:
        """Release free pages if there are many."""
        (free,), (pages,) = (self.execute(f"PRAGMA {name}").fetchone() for name in ("freelist_count", "page_count"))
        if free > max(SPARE_PAGES, pages // 4):
            self.execute(f"PRAGMA incremental_vacuum({PAGES})").fetchall()

    def clock(self, now: int) -> int:
        """Return `now`: a file has no clock."""
        return now

    def require_odd_text(self, error: Exception) -> None:
        """Raise this error unless it is about bytes that are not valid text: for those, Python raises one without a code."""
        if hasattr(error, "sqlite_errorcode"):
            raise error

    def explained(self, error: Exception, name: str) -> StoreError:
        """The error with the file's name, the reason and the remedy."""
        return explained(error, name)


@dataclass(frozen=True)
class SqliteReport:
    """The SQLite that this process uses, for `understudy doctor`."""

    module: str
    version: str
    vulnerable: bool
    journal_mode: str
    sentence: str


def sqlite_report() -> SqliteReport:
    """Report which SQLite is linked, whether it has the WAL-reset bug, and which journal mode is used because of it."""
    module = sqlite3.__name__.partition(".")[0]
    version = sqlite3.sqlite_version
    if not vulnerable(_numbers(version)):
        return SqliteReport(module, version, False, "WAL", f"SQLite {version} ({module}), write-ahead log.")
    sentence = (
        f"SQLite {version} ({module}) can lose committed pages in its write-ahead log (sqlite.org/wal.html#walresetbug), so a "
        "rollback journal is used: safe, and a few times slower. Install pysqlite3 or SQLite 3.51.3 to get the faster one."
    )
    return SqliteReport(module, version, True, "TRUNCATE", sentence)


def vulnerable(version: tuple[int, ...]) -> bool:
    """Whether this SQLite has the WAL-reset bug: 3.7.0 to 3.51.2, except the fixed 3.44.6+ and 3.50.7+."""
    if version[:2] == (3, 44):
        return version < (3, 44, 6)
    if version[:2] == (3, 50):
        return version < (3, 50, 7)
    return (3, 7, 0) <= version < (3, 51, 3)


def connect(path: Path | str, *, synchronous: str = FULL) -> SqliteConnection:
    """Open a file for writing, creating it (mode 0600) if necessary; `:memory:` works too.

    The caller begins and ends transactions. The connection may move between threads, but two never use it at once.
    """
    if path != ":memory:":
        _make_private(Path(path))
    conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256, factory=SqliteConnection)
    return _prepared(
        conn,
        "auto_vacuum = INCREMENTAL",  # first: it has no effect after the first table
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        f"journal_mode = {sqlite_report().journal_mode}",
        f"synchronous = {synchronous}",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "cell_size_check = ON",
        "wal_autocheckpoint = 1000",
        f"journal_size_limit = {LARGEST_IDLE_WAL}",
    )


def connect_read_only(path: Path) -> SqliteConnection:
    """Open an existing file for reading only; it neither writes nor checkpoints."""
    uri = f"{path.resolve().as_uri()}?mode=ro"
    conn = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=256, factory=SqliteConnection
    )
    return _prepared(
        conn,
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "query_only = ON",
        "trusted_schema = OFF",
        "cell_size_check = ON",
        "wal_autocheckpoint = 0",
    )


def connect_alone(path: Path) -> SqliteConnection:
    """Open an existing file for reading on a full disk: without the shared index, which would need space.

    Nobody else can use the file meanwhile, so close it soon.
    """
    uri = f"{path.resolve().as_uri()}?mode=rw"
    conn = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, factory=SqliteConnection)
    return _prepared(
        conn,
        "locking_mode = EXCLUSIVE",  # before the first access: then the log's index is kept in memory
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "query_only = ON",
        "trusted_schema = OFF",
        "cell_size_check = ON",
    )


def _prepared(conn: SqliteConnection, *pragmas: str) -> SqliteConnection:
    conn.row_factory = Row
    try:
        for pragma in pragmas:
            conn.execute(f"PRAGMA {pragma}")
    except DatabaseError:
        conn.close()
        raise
    return conn


def _make_private(path: Path) -> None:
    """Only the owner may read what teams write during an outage. SQLite gives its side files the main file's mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        # Not opened: closing any descriptor of a live database releases this process's locks on it.
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
