"""One connection to PostgreSQL, which reconnects after a break as long as no transaction has begun."""

import json
import re
import select
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from bot.ports import StoreError
from bot.store.connection import Cursor
from bot.store.postgres.dialect import CLOCK, POSTGRES
from bot.store.postgres.errors import explained
from bot.store.postgres.place import Place

WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"  # so that a writer that waited for its turn sees what was committed meanwhile
READ = ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",)
PART, RELEASE, UNDO = "SAVEPOINT part", "RELEASE part", "ROLLBACK TO part"
MARKS = frozenset({PART, RELEASE})
OVER = frozenset({TransactionStatus.IDLE, TransactionStatus.UNKNOWN})  # unknown: the connection is broken

Raw = psycopg.Connection[Any]


class Nothing:
    """The cursor of a statement that was not sent, or not sent yet."""

    rowcount = 0

    def fetchone(self) -> None:
        """No row."""

    def fetchall(self) -> list[Any]:
        """No rows."""
        return []

    def __iter__(self) -> Iterator[Any]:
        """Iterate over no rows."""
        return iter(())


class PostgresConnection:
    """`bot.store.connection.Connection` over psycopg.

    Each round trip to the server costs as much as a statement. So savepoints, the start of a transaction and statements that
    may run `later` are held back and sent with the next one. `open` connects; writers take turns with the advisory lock
    `lock`.
    """

    dialect = POSTGRES
    Error = psycopg.Error
    IntegrityError = psycopg.IntegrityError

    def __init__(self, place: Place, open: Callable[[], Raw], lock: int) -> None:
        self._place = place
        self._open = open
        self._lock = lock
        self._raw = open()
        self.pid = self._raw.info.backend_pid  # the server's process for it; also read from other threads
        self._first: tuple[str, ...] = ()  # statements that begin the transaction
        self._waiting: list[str] = []  # statements to send after those
        self._closed = False
        self._notices: list[int] = []  # process ids of the senders

    @property
    def broken(self) -> bool:
        """Whether the next transaction needs a new connection."""
        return bool(self._raw.closed)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open or about to begin."""
        return bool(self._first or self._waiting) or self._raw.pgconn.transaction_status not in OVER

    def execute(self, sql: str, values: Any = (), /) -> Cursor:
        """Run a statement with values for `?` or `:name`. One that ends a transaction or savepoint returns no rows."""
        match sql:
            case "SAVEPOINT part":
                self._waiting.append(PART)
            case "RELEASE part":
                if self._waiting[-1:] == [PART]:
                    self._waiting.pop()  # nothing happened inside it
                else:
                    self._waiting.append(RELEASE)
            case "ROLLBACK TO part":
                while self._waiting and self._waiting[-1] not in MARKS:
                    self._waiting.pop()  # it was not sent yet
                if self._waiting[-1:] != [PART]:
                    self._send(UNDO)
            case "COMMIT":
                self._commit()
            case "ROLLBACK":
                self._first = ()
                self._waiting.clear()
                if self.in_transaction:
                    self._run("ROLLBACK")
            case _:
                return self._send(translated(sql), values or None)
        return Nothing()

    def later(self, sql: str, values: Any = (), /) -> None:
        """Send it with the next statement."""
        self._be_connected()
        self._waiting.append(self._with(translated(sql), values))

    def rows(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], /) -> tuple[str, Any]:
        """As one JSON text, which PostgreSQL parses in half the time that separate values take."""
        texts = json.dumps([dict(zip(columns, row, strict=True)) for row in rows])
        source = f"SELECT {', '.join(columns)} FROM json_populate_recordset(CAST(NULL AS {table}), ?)"  # noqa: S608 # names of ours
        return source, (texts,)

    def executemany(self, sql: str, rows: Any, /) -> Cursor:
        """Run it once for each row of values, in a single message."""
        self._be_connected()
        every = [self._with(translated(sql), values) for values in rows]
        return self._send("; ".join(every)) if every else Nothing()

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Append rows to a table with COPY; inside a transaction."""
        self._send_waiting()
        with self._raw.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def begin(self) -> None:
        """Begin a write transaction. Writers take turns, so that each sees everything written before."""
        self._first = (WRITE, f"SELECT pg_advisory_xact_lock({self._lock})")

    def begin_reading(self) -> None:
        """Begin a transaction that sees a consistent snapshot."""
        self._first = READ

    def forgiving(self, errors: str) -> AbstractContextManager[None]:
        """Does nothing: PostgreSQL never stores invalid text."""
        del errors
        return nullcontext()

    def require_odd_text(self, error: Exception) -> None:
        """Raises every error: PostgreSQL never stores invalid text."""
        raise error

    def take_time(self) -> None:
        """The server waits for the rest of this transaction as long as it takes."""
        self.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")

    def count_from(self, number: int) -> None:
        """Continue numbering facts after this number, and effects after their highest."""
        self.execute("UPDATE counters SET value = ? WHERE name = 'facts'", (number,))
        self.execute("SELECT setval(pg_get_serial_sequence('outbox', 'id'), coalesce(max(id), 0) + 1, false) FROM outbox")

    @contextmanager
    def deleting_facts(self) -> Iterator[None]:
        """Facts may be deleted inside; in a transaction."""
        self.execute("SET LOCAL understudy.deleting_facts = 'on'")
        yield
        self.execute("SET LOCAL understudy.deleting_facts = 'off'")

    def give_back_room(self) -> None:
        """Does nothing: autovacuum does it."""

    def clock(self, now: int) -> int:
        """Microseconds since 1970 by the database's clock, which replicas share."""
        del now
        [(at,)] = self.execute(f"SELECT {CLOCK}").fetchall()
        return int(at)

    def explained(self, error: Exception, name: str) -> StoreError:
        """The error as a sentence with the database's name, the reason and the remedy."""
        del name
        return explained(error, self._place)

    def listen(self, channel: str) -> None:
        """From now on, `wait_for_notice` receives what is sent to this channel."""
        self._raw.add_notify_handler(lambda notice: self._notices.append(notice.pid))
        self.execute(f"LISTEN {channel}")

    def wait_for_notice(self, wake: int, timeout_s: float, mine: int) -> bool:
        """True once a process other than `mine` sent something; False on a timeout, or on a byte at `wake`."""
        ready = [wake]
        while ready:
            heard, self._notices = self._notices, []  # some arrive with the answer to a statement
            if any(pid != mine for pid in heard):
                return True
            ready, _, _ = select.select([self._raw.fileno(), wake], [], [], timeout_s)
            if wake in ready:
                return False
            pgconn = self._raw.pgconn
            pgconn.consume_input()
            while (notice := pgconn.notifies()) is not None:
                self._notices.append(notice.be_pid)
        return False

    def close(self) -> None:
        """Close it; uncommitted work is lost."""
        self._closed = True
        self._raw.close()

    def _commit(self) -> None:
        if all(one in MARKS for one in self._waiting):
            self._waiting.clear()  # pending RELEASEs, which the commit does too
            if self._first:
                self._first = ()
                return
        if self._first:
            self._send_waiting()  # a commit is never sent twice
        if self._raw.pgconn.transaction_status == TransactionStatus.IDLE:
            raise psycopg.InternalError("the transaction had failed and was rolled back")  # and the caller continued regardless
        waiting, self._waiting = self._waiting, []
        if self._run(*waiting, "COMMIT").statusmessage != "COMMIT":
            # One of its statements failed and the caller continued: PostgreSQL rolled back, and calls that success.
            raise psycopg.InternalError("the transaction had failed and was rolled back")

    def _be_connected(self) -> None:
        """Reconnect if necessary, as long as nothing has begun."""
        if self._first and self._raw.closed:
            try:
                self._reconnect()
            except BaseException:
                self._first = ()  # the others in this batch need not try: everything requested together is undone
                self._waiting.clear()
                raise

    def _reconnect(self) -> None:
        if not self._closed:
            self._raw = self._open()
            self.pid = self._raw.info.backend_pid

    def _send(self, query: str, values: Any = None) -> "psycopg.Cursor[Any]":
        self._be_connected()
        query = self._with(query, values)
        self._send_released()
        if self._first and not query.startswith("SELECT"):
            self._begin_with("SELECT 1")  # so that only this statement can fail; a SELECT fails only with the database
        waiting, self._waiting = self._waiting, []
        return self._begin_with(*waiting, query) if self._first else self._run(*waiting, query)

    def _begin_with(self, *statements: str) -> "psycopg.Cursor[Any]":
        """Begin the transaction, reconnecting if the old connection turns out broken. A failure undoes all of it."""
        self._be_connected()
        first, self._first = self._first, ()
        try:
            return self._run(*first, *statements)
        except psycopg.Error:
            self._waiting.clear()
            if not self._raw.closed:
                self._raw.rollback()
                raise
            self._reconnect()  # nothing was committed
            return self._run(*first, *statements)

    def _send_released(self) -> None:
        """Send statements held back by earlier work, which was told that they succeeded: a failure undoes everything."""
        if RELEASE in self._waiting and not all(one in MARKS for one in self._waiting):
            at = len(self._waiting) - self._waiting[::-1].index(RELEASE)
            rest, self._waiting = self._waiting[at:], self._waiting[:at]
            self._send_waiting()
            self._waiting = rest

    def _send_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        if self._first:
            self._begin_with(*waiting, "SELECT 1")
            return
        try:
            if waiting:
                self._run(*waiting)
        except psycopg.Error:
            if not self._raw.closed:
                self._raw.rollback()
            raise

    def _with(self, query: str, values: Any) -> str:
        return psycopg.ClientCursor(self._raw).mogrify(query, values) if values else query

    def _run(self, *statements: str) -> "psycopg.Cursor[Any]":
        """Run them in one round trip; returns the last one's result."""
        cursor = self._raw.cursor()
        cursor.execute("; ".join(statements))
        for _ in statements[1:]:
            cursor.nextset()
        return cursor


NAMED = re.compile(r"(?<![:\w]):([a-z_]+)")


@lru_cache(maxsize=500)
def translated(sql: str) -> str:
    """The statement with psycopg's placeholders."""
    if "%" in sql:
        raise ValueError(f"a percent sign would be taken for a value: {sql}")
    return NAMED.sub(r"%(\1)s", sql.replace("?", "%s"))


class Row(tuple[Any, ...]):
    """A row with values by name and by number."""

    __slots__ = ()
    names: dict[str, int] = {}  # noqa: RUF012 # a subclass per shape

    def __getitem__(self, key: Any) -> Any:
        return tuple.__getitem__(self, self.names[key] if isinstance(key, str) else key)

    def keys(self) -> list[str]:
        """The names, in order."""
        return list(self.names)


@lru_cache(maxsize=500)
def _shape(names: tuple[str, ...]) -> type[Row]:
    return type("Row", (Row,), {"__slots__": (), "names": {name: at for at, name in enumerate(names)}})


def rows(cursor: Any) -> Callable[[Sequence[Any]], Any]:
    """A row factory for psycopg."""
    return _shape(tuple(column.name for column in cursor.description or ()))
