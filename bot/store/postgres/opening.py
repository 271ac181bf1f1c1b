"""How connections to PostgreSQL are made, and their settings on the server."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import ClientCursor

from bot.ports import StoreError
from bot.store.postgres.connection import PostgresConnection, Raw, rows
from bot.store.postgres.errors import explained
from bot.store.postgres.migrations import LOCK_TIMEOUT
from bot.store.postgres.place import Place

# libpq options unless the address sets them. A silent network failure is noticed within seconds.
OPTIONS: dict[str, Any] = {
    "connect_timeout": 5, "keepalives_idle": 3, "keepalives_interval": 1, "keepalives_count": 3, "tcp_user_timeout": 5_000,
}  # fmt: skip
# A process that hangs must not block the others: the server ends its transaction.
WRITES = {"lock_timeout": LOCK_TIMEOUT, "statement_timeout": "10s", "idle_in_transaction_session_timeout": "2s"}
# Summing up an hour of ten thousand checks takes some seconds. A server crash may lose the latest results.
WRITES_SAMPLES = {**WRITES, "statement_timeout": "60s", "lock_timeout": "60s", "synchronous_commit": "off"}
# Heartbeats are worthless after three seconds, and leases on outbox rows are written elsewhere.
SIGNS = {**WRITES, "synchronous_commit": "off"}
READS = {"statement_timeout": "60s", "idle_in_transaction_session_timeout": "60s"}
SEES = {
    "standard_conforming_strings": "on", "TimeZone": "UTC", "DateStyle": "ISO", "client_min_messages": "warning",
    "jit": "off",  # none of our queries gains from it
}  # fmt: skip
# A commit that was reported must be durable, whatever the server's default is.
DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"


def writing(place: Place, name: str) -> PostgresConnection:
    """A writing connection, to whichever of several hosts accepts writes. Raises StoreError."""
    options = {"target_session_attrs": "read-write", **place.options}
    return _made(place, _opener(place, options, name, {**SEES, **WRITES}, DURABLE))


def signing(place: Place, name: str) -> PostgresConnection:
    """A connection for heartbeats, whose writers take turns among themselves. Raises StoreError."""
    options = {"target_session_attrs": "read-write", **place.options}
    return _made(place, _opener(place, options, name, {**SEES, **SIGNS}), "signs of life")


def writing_samples(place: Place, name: str) -> PostgresConnection:
    """A connection for writing samples, whose writers take turns among themselves. Raises StoreError."""
    options = {"target_session_attrs": "read-write", **place.options}
    return _made(place, _opener(place, options, name, {**SEES, **WRITES_SAMPLES}), "samples")


def reading(place: Place, name: str) -> PostgresConnection:
    """A connection for reading what was written before, so to the writable host. Raises StoreError."""
    options = {"target_session_attrs": "read-write", **place.options}
    return _made(place, _opener(place, options, name, {**SEES, **READS, "default_transaction_read_only": "on"}))


def looking(place: Place, name: str) -> PostgresConnection:
    """A connection for tools that only read, to any host. Raises StoreError."""
    return _made(place, _opener(place, place.options, name, {**SEES, **READS, "default_transaction_read_only": "on"}))


def lock_of(schema: str, what: str = "ledger") -> int:
    """The advisory lock with which a schema's writers take turns; the same for every replica and version."""
    digest = hashlib.sha256(f"understudy/{schema}/{what}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _made(place: Place, open: Callable[[], Raw], what: str = "ledger") -> PostgresConnection:
    try:
        return PostgresConnection(place, open, lock_of(place.schema, what))
    except psycopg.Error as error:
        raise explained(error, place) from error


def _opener(place: Place, options: Any, name: str, settings: dict[str, str], more: str = "") -> Callable[[], Raw]:
    asks = "; ".join(f"SET {setting} = '{value}'" for setting, value in settings.items())
    first = f"{asks}; SET search_path = {place.schema}" + (f"; {more}" if more else "")

    def open() -> Raw:
        every = {**OPTIONS, "application_name": f"understudy/{name}"[:63], **options}
        raw: Raw = psycopg.connect(**every, autocommit=True, cursor_factory=ClientCursor, row_factory=rows)
        try:
            raw.prepare_threshold = None
            raw.execute(first)
        except BaseException:
            raw.close()
            raise
        return raw

    return open


@contextmanager
def usable(conn: PostgresConnection, place: Place) -> Iterator[PostgresConnection]:
    """Inside, check whether a connection is usable; if not, it is closed. Raises StoreError."""
    try:
        yield conn
    except conn.Error as error:
        conn.close()
        raise conn.explained(error, str(place)) from error
    except BaseException:
        conn.close()
        raise


def require_usable(conn: PostgresConnection, place: Place) -> None:
    """Refuse a server that is too old, or a database that cannot store every text."""
    [(version, encoding)] = conn.execute(
        "SELECT current_setting('server_version_num'), current_setting('server_encoding')"
    ).fetchall()
    if int(version) < 130_000:  # the sentence below says why
        raise StoreError(f"{place}: its PostgreSQL is older than 13; upgrade it")
    if encoding != "UTF8":
        raise StoreError(f"{place}: its encoding is {encoding}; make a database with ENCODING 'UTF8' and TEMPLATE template0")
