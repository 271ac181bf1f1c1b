"""Copies a ledger between SQLite and PostgreSQL, or within one of them, while no bot runs on either.

Facts are copied byte for byte with their numbers, so their hash chains stay valid, which is checked before and after. Samples
and information about running replicas are not copied.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.ports import StoreError
from bot.store import identity
from bot.store.connection import Connection, atomic, one, snapshot
from bot.store.home import Home
from bot.store.ledger import SqlStore
from bot.store.lock import DataLock
from bot.store.rows import plain
from bot.store.sqlite.engine import connect, connect_read_only
from bot.store.sqlite.ledgers import LEDGER_FILE
from bot.store.sqlite.migrations import LEDGER, current, migrate
from bot.store.sqlite.opening import opened

AT_ONCE = 500  # rows
# Each with its columns, the key first.
TABLES = {
    "facts": "id stream seq at kind version actor incident body prev_hash hash",
    "states": "stream seq kind dedup body",
    "outbox": (
        "id key kind lane slot incident stream seq args state attempt created_at started_at first_started_at not_before"
        " lease_until owner ambiguous_rounds result error epoch"
    ),
    "signals": "id at",
    "seen": "id until",
    "settings": "name value",
}


@dataclass(frozen=True)
class Copied:
    """The number of rows copied per table, and the number of streams."""

    rows: dict[str, int]
    streams: int


def copy(source: Home, target: Home, now: datetime) -> Copied:
    """Copy a whole ledger. Raises StoreError and then leaves the target empty."""
    if (source.folder.resolve(), source.store) == (target.folder.resolve(), target.store):
        raise StoreError(f"{source} cannot be copied onto itself; name two places")
    with ExitStack() as stack:
        from_conn = stack.enter_context(_source(source, now))
        streams = _require_whole(from_conn, str(source))
        to_conn = stack.enter_context(_target(target, now))
        try:
            return _copied(from_conn, to_conn, target, streams)
        except (from_conn.Error, to_conn.Error) as error:
            which = from_conn if isinstance(error, from_conn.Error) else to_conn
            raise which.explained(error, str(source if which is from_conn else target)) from error


def _copied(source: Connection, target: Connection, home: Home, streams: int) -> Copied:
    rows: dict[str, int] = {}
    with atomic(target):
        for conn in (source, target):
            conn.take_time()
        if any(one(target, f"SELECT 1 FROM {table} LIMIT 1") for table in TABLES):  # noqa: S608 # constants
            raise StoreError(f"there is already a ledger in {home}; name an empty place to copy to")
        for table, columns in TABLES.items():
            rows[table] = _copy_table(source, target, table, columns.split())
        target.count_from(int(one(source, source.dialect.numbered)[0] or 0))
        if _digest(source) != _digest(target) or _require_whole(target, str(home)) != streams:
            raise StoreError(f"the copy in {home} differs from the original, so it was discarded")
    return Copied(rows, streams)


def _copy_table(source: Connection, target: Connection, table: str, columns: list[str]) -> int:
    marks = ", ".join("?" * len(columns))
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 # constants
    count = 0
    for rows in _pages(source, table, columns):
        # Older ids may contain text that PostgreSQL cannot store; facts never do, and stay as they were hashed.
        target.executemany(insert, [row if table == "facts" else _plain(row) for row in rows])
        count += len(rows)
    return count


def _pages(conn: Connection, table: str, columns: list[str]) -> Iterator[list[tuple[Any, ...]]]:
    key = columns[0]
    rows = conn.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {key} LIMIT {AT_ONCE}").fetchall()  # noqa: S608 # constants
    behind = f"SELECT {', '.join(columns)} FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT {AT_ONCE}"  # noqa: S608 # constants
    while rows:
        yield [tuple(row) for row in rows]
        rows = conn.execute(behind, (rows[-1][0],)).fetchall()


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(plain(value) if isinstance(value, str) else value for value in row)


def _digest(conn: Connection) -> str:
    """A digest of all facts in order; each fact's hash covers everything it says."""
    digest = hashlib.sha256()
    for rows in _pages(conn, "facts", ["id", "stream", "seq", "hash"]):
        digest.update(repr(rows).encode())
    return digest.hexdigest()


def _require_whole(conn: Connection, name: str) -> int:
    """The number of streams; refuses facts that are not intact, since the copy would hide it.

    A state that does not follow from its facts is rebuilt when a bot starts.
    """
    store = SqlStore(conn)
    streams = store.streams()
    flaws = [flaw.sentence for flaw in map(store.examine, streams) if flaw and not flaw.facts_hold]
    if store.missing():
        flaws.append(f"{store.missing():,} facts are gone")
    if flaws:
        raise StoreError(f"{name} is damaged: {flaws[0]}. `understudy verify` shows more; nothing was copied")
    return len(streams)


@contextmanager
def _source(home: Home, now: datetime) -> Iterator[Connection]:
    """A snapshot of the source, upgraded to this version; the source itself is not changed."""
    if home.shared:
        with closing(home.connect()) as conn, snapshot(conn):
            _require_idle(conn, home, now)
            yield conn
        return
    path = home.folder / LEDGER_FILE
    if not path.is_file():
        raise StoreError(f"there is no ledger in {home.folder}")
    with DataLock(home.folder), tempfile.TemporaryDirectory() as scratch, closing(connect_read_only(path)) as read:
        if current(read, LEDGER, str(path)):
            with snapshot(read):
                yield read
            return
        with closing(connect(Path(scratch) / LEDGER_FILE)) as lifted:  # an older ledger: upgrade a copy
            read.backup(lifted)
            migrate(lifted, LEDGER, str(path))
            with snapshot(lifted):
                yield lifted


@contextmanager
def _target(home: Home, now: datetime) -> Iterator[Connection]:
    if home.shared:
        with closing(home.connect(writing=True)) as conn:
            _require_idle(conn, home, now)
            yield conn
        return
    path = home.folder / LEDGER_FILE
    with DataLock(home.folder):
        if path.exists() and path.stat().st_size > 0:
            raise StoreError(f"there is already a ledger in {home.folder}; name an empty folder to copy to")
        try:
            with closing(opened(path, LEDGER)) as conn:
                yield conn
                held = SqlStore(conn).setting(identity.SETTING)
        except BaseException:
            for part in identity.PARTS:
                path.with_name(f"{path.name}{part}").unlink(missing_ok=True)
            raise
        if held is not None:
            identity.name(path.with_name(identity.MARKER), held)


def _require_idle(conn: Connection, home: Home, now: datetime) -> None:
    if names := [replica.says.name for replica in SqlStore(conn).replicas(now)]:
        raise StoreError(f"replicas run over {home} ({', '.join(names)}); stop them first")
