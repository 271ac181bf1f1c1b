"""One connection to PostgreSQL, which makes itself anew where it broke, as long as nothing was begun on it."""

import re
import select
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from bot.ports import StoreError
from bot.store.postgres.dialect import CLOCK, POSTGRES
from bot.store.postgres.errors import explained
from bot.store.postgres.place import Place

READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
PART, RELEASE, UNDO = "SAVEPOINT part", "RELEASE part", "ROLLBACK TO part"
OVER = frozenset({TransactionStatus.IDLE, TransactionStatus.UNKNOWN})  # unknown: the connection is broken

Raw = psycopg.Connection[Any]


class PostgresConnection:
    """`bot.store.connection.Connection` over psycopg.

    Savepoints, releases and the beginning of a reading wait for the next statement and travel with it, for each way to the
    server and back takes as long as a statement. `open` connects; `lock` is the number under which writers take turns.
    """

    dialect = POSTGRES
    Error = psycopg.Error
    IntegrityError = psycopg.IntegrityError

    def __init__(self, place: Place, open: Callable[[], Raw], lock: int) -> None:
        self._place = place
        self._open = open
        self._lock = lock
        self._raw = open()
        self.pid = self._raw.info.backend_pid  # the server's process behind it; asked for on another thread too
        self._waiting: list[str] = []
        self._closed = False
        self._notices: list[int] = []  # of which process each is

    @property
    def broken(self) -> bool:
        """Whether the next transaction begins on a new one."""
        return bool(self._raw.closed)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction runs, or waits to begin."""
        return bool(self._waiting) or self._raw.pgconn.transaction_status not in OVER

    def execute(self, sql: str, values: Any = (), /) -> "psycopg.Cursor[Any]":
        """Run a statement; values stand in it as `?` or `:name`."""
        match sql:
            case "SAVEPOINT part":
                self._waiting.append(PART)
            case "RELEASE part":
                if self._waiting[-1:] == [PART]:
                    self._waiting.pop()  # nothing was done in it
                else:
                    self._waiting.append(RELEASE)
            case "ROLLBACK TO part":
                if self._waiting[-1:] != [PART]:
                    self._send(UNDO, None)
            case "COMMIT":
                self._commit()
            case "ROLLBACK":
                self._waiting.clear()
                if self.in_transaction:
                    self._send("ROLLBACK", None)
            case _:
                return self._send(translated(sql), values or None)
        return self._raw.cursor()

    def executemany(self, sql: str, rows: Any, /) -> "psycopg.Cursor[Any]":
        """Run it once for each row of values, all in one message."""
        cursor = psycopg.ClientCursor(self._raw)
        query = translated(sql)
        every = [cursor.mogrify(query, values) for values in rows]
        return self._send("; ".join(every), None) if every else cursor

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Append rows to a table, by COPY; inside a transaction."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._run("; ".join(waiting), None, 0)
        with self._raw.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def begin(self) -> None:
        """Begin a transaction that writes. Writers take turns, so that each sees all that was written before."""
        self._connected(f"BEGIN; SELECT pg_advisory_xact_lock({self._lock})")

    def begin_reading(self) -> None:
        """Begin a transaction that sees one consistent picture."""
        self._waiting = [READ]

    def forgiving(self, errors: str) -> AbstractContextManager[None]:
        """PostgreSQL holds nothing that is no text."""
        del errors
        return nullcontext()

    def require_odd_text(self, error: Exception) -> None:
        """The same: whatever is wrong is something else."""
        raise error

    def take_time(self) -> None:
        """The server waits for the rest of this transaction, however long it takes."""
        self.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")

    def count_from(self, number: int) -> None:
        """The next fact gets the number behind it, the next effect the one behind the highest."""
        self.execute("UPDATE counters SET value = ? WHERE name = 'facts'", (number,))
        self.execute("SELECT setval(pg_get_serial_sequence('outbox', 'id'), coalesce(max(id), 0) + 1, false) FROM outbox")

    @contextmanager
    def deleting_facts(self) -> Iterator[None]:
        """Facts may be deleted inside; in a transaction."""
        self.execute("SET LOCAL understudy.deleting_facts = 'on'")
        yield
        self.execute("SET LOCAL understudy.deleting_facts = 'off'")

    def give_back_room(self) -> None:
        """PostgreSQL's autovacuum does."""

    def clock(self, now: int) -> int:
        """Microseconds since 1970 by the database's clock, which all replicas share."""
        del now
        [(at,)] = self.execute(f"SELECT {CLOCK}").fetchall()
        return int(at)

    def explained(self, error: Exception, name: str) -> StoreError:
        """An error as a sentence with the database's name, the reason and the remedy."""
        del name
        return explained(error, self._place)

    def listen(self, channel: str) -> None:
        """From now on `wait_for_notice` hears of what is sent there."""
        self._raw.add_notify_handler(lambda notice: self._notices.append(notice.pid))
        self.execute(f"LISTEN {channel}")

    def wait_for_notice(self, wake: int, timeout_s: float, mine: int) -> bool:
        """Whether another process than `mine` sent something within that time; a byte on `wake` ends it early."""
        if not self._notices:  # none came with the answer to a statement
            select.select([self._raw.fileno(), wake], [], [], timeout_s)
            pgconn = self._raw.pgconn
            pgconn.consume_input()
            while (notice := pgconn.notifies()) is not None:
                self._notices.append(notice.be_pid)
        heard, self._notices = self._notices, []
        return any(pid != mine for pid in heard)

    def close(self) -> None:
        """Close it; what was not committed is gone."""
        self._closed = True
        self._raw.close()

    def _commit(self) -> None:
        if self._waiting == [READ]:
            self._waiting.clear()
            return
        self._waiting.clear()  # releases, which the commit is as well
        if self._send("COMMIT", None).statusmessage != "COMMIT":
            # A statement of it failed, and somebody went on: PostgreSQL rolled back and calls that a success.
            raise psycopg.InternalError("the transaction had failed and was rolled back")

    def _connected(self, first: str) -> None:
        """Send the first statement of a transaction, over a new connection where the old one is found broken."""
        if self._raw.closed:
            self._reconnect()
        try:
            self._send(first, None)
        except psycopg.Error:
            if not self._raw.closed:
                self._raw.rollback()
                raise
            self._reconnect()
            self._send(first, None)

    def _reconnect(self) -> None:
        if not self._closed:
            self._raw = self._open()
            self.pid = self._raw.info.backend_pid

    def _send(self, query: str, values: Any) -> "psycopg.Cursor[Any]":
        waiting, self._waiting = self._waiting, []
        if waiting[:1] == [READ] and self._raw.closed:
            self._reconnect()
        try:
            return self._run("; ".join((*waiting, query)), values, len(waiting))
        except psycopg.Error:
            if waiting[:1] != [READ] or not self._raw.closed:
                raise
            self._reconnect()  # nothing was read yet
            return self._run("; ".join((*waiting, query)), values, len(waiting))

    def _run(self, query: str, values: Any, before: int) -> "psycopg.Cursor[Any]":
        cursor = self._raw.cursor()
        cursor.execute(query, values)
        for _ in range(before):
            cursor.nextset()
        return cursor


NAMED = re.compile(r"(?<![:\w]):([a-z_]+)")


@lru_cache(maxsize=500)
def translated(sql: str) -> str:
    """A statement with the placeholders of psycopg."""
    if "%" in sql:
        raise ValueError(f"a percent sign would be taken for a value: {sql}")
    return NAMED.sub(r"%(\1)s", sql.replace("?", "%s"))


class Row(tuple[Any, ...]):
    """A row whose values go by name and by number."""

    __slots__ = ()
    names: dict[str, int] = {}  # noqa: RUF012 # of a class of its own for each shape

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
