"""A PostgreSQL ledger whose database clock is set by hand, as a SQLite ledger uses the clock that it is given."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from bot.ports import Store
from bot.store.ledger import SqlStore
from bot.store.postgres.connection import PostgresConnection
from bot.store.postgres.ledgers import PostgresLedger, open_postgres_ledger
from bot.store.rows import micros

T = TypeVar("T")

# Found before PostgreSQL's own, where the session looks here first.
SHOWN = """
CREATE OR REPLACE FUNCTION understudy.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT 'epoch'::timestamptz + CAST(current_setting('test.now') AS bigint) * interval '1 microsecond'
$$
"""


class StoreByHand:
    """The same store; a call that passes a time sets the database's clock to it."""

    def __init__(self, store: SqlStore, conn: PostgresConnection) -> None:
        self._store = store
        self._conn = conn

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)

        def called(*args: Any) -> Any:
            for moment in args:
                if isinstance(moment, datetime):
                    self._conn.execute("SELECT set_config('test.now', ?, false)", (str(micros(moment)),))
            return found(*args)

        return called if callable(found) else found


def by_hand(store: Any) -> Any:
    """Wrap a store so that its clock is set by hand on this connection from now on."""
    conn = store.conn
    conn._raw.execute("SET search_path = understudy, pg_catalog")  # before a transaction, which would take it back
    return StoreByHand(store, conn)


class LedgerByHand:
    """The ledger over such stores."""

    def __init__(self, ledger: PostgresLedger) -> None:
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def write(self, work: Callable[[Store], T]) -> T:
        return await self._ledger.write(lambda store: work(by_hand(store)))

    async def read(self, work: Callable[[Store], T]) -> T:
        return await self._ledger.read(lambda store: work(by_hand(store)))


async def open_by_hand(address: str) -> LedgerByHand:
    """Open one in an empty database."""
    ledger = await open_postgres_ledger(address, "test")
    await ledger.write(lambda store: store.conn.execute(SHOWN))  # type: ignore[attr-defined] # the store of a database
    return LedgerByHand(ledger)
