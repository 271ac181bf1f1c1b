"""Statements that share a round trip: whatever fails, each caller learns the result of its own work."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import psycopg
import pytest

from bot.ports import Conflict, Store, StoreError
from bot.store.connection import Connection
from bot.store.postgres.connection import PostgresConnection, Raw
from bot.store.postgres.ledgers import PostgresLedger, open_postgres_ledger
from bot.store.postgres.place import place_of
from bot.store.writer import Writer
from tests.ledger_facts import commit, fact, texts

FAILS = "INSERT INTO settings (name, value) VALUES ('a', NULL)"


@pytest.fixture
async def ledger(postgres: str) -> AsyncIterator[PostgresLedger]:
    opened = await open_postgres_ledger(postgres, "one")
    yield opened
    await opened.close()


def conn_of(store: Store) -> Connection:
    conn: Connection = store.conn  # type: ignore[attr-defined]
    return conn


def adds(seq: int) -> Callable[[Store], object]:
    return lambda store: store.commit(commit(fact("flag/a", seq)))


async def in_one_batch(ledger: PostgresLedger, *works: Callable[[Store], object]) -> list[object]:
    """The result of each; they gather while other work is under way."""
    gathered = threading.Event()
    before = asyncio.create_task(ledger.write(lambda store: gathered.wait(5)))
    await asyncio.sleep(0.05)  # the writer has taken it
    tries = [asyncio.create_task(ledger.write(work)) for work in works]
    await asyncio.sleep(0)  # these wait in its queue
    gathered.set()
    assert await before
    return list(await asyncio.gather(*tries, return_exceptions=True))


async def test_error_before_the_commit_is_raised(ledger: PostgresLedger) -> None:
    """Nobody may be told that all is well."""
    with pytest.raises((StoreError, psycopg.IntegrityError)):
        await ledger.write(lambda store: conn_of(store).later(FAILS))


async def test_error_after_the_work_is_raised_to_the_whole_batch(ledger: PostgresLedger) -> None:
    """The work before it had reported success, so all of it is rolled back, and all callers learn so."""
    results = await in_one_batch(
        ledger, adds(1), lambda store: conn_of(store).later(FAILS), lambda store: conn_of(store).execute("SELECT 1")
    )

    assert [True] * 3 == [isinstance(result, Exception) for result in results]
    assert [] == await ledger.read(lambda store: store.all_facts())
    await ledger.write(adds(1))


async def test_swallowed_rollback_does_not_count_as_a_commit(ledger: PostgresLedger) -> None:
    """PostgreSQL reports success for a COMMIT of nothing."""

    def goes_on(store: Store) -> None:
        with suppress(psycopg.Error):
            conn_of(store).execute("SELECT 1")

    results = await in_one_batch(ledger, adds(1), lambda store: conn_of(store).later(FAILS), goes_on)

    assert isinstance(results[0], Exception)
    assert [] == await ledger.read(lambda store: store.all_facts())


async def test_absent_server_is_tried_once_for_all_waiting_callers(postgres: str) -> None:
    """Each attempt may take seconds, and the one writing thread would make them one by one."""
    tries = 0

    def connect() -> Raw:
        nonlocal tries
        tries += 1
        if tries > 1:
            raise psycopg.OperationalError("connection refused")
        return psycopg.connect(postgres, autocommit=True, cursor_factory=psycopg.ClientCursor)

    conn = PostgresConnection(place_of(postgres), connect, 7)
    writer = Writer("a ledger", lambda: (conn, conn))
    await writer.open()
    try:
        await writer.run(lambda conn: conn.close())
        conn._closed = False  # as one that broke
        results = await asyncio.gather(*(writer.run(asks) for _ in range(20)), return_exceptions=True)

        assert [True] * 20 == [isinstance(result, StoreError) for result in results]
        assert tries <= 3  # the first of them may have gone alone
    finally:
        await writer.close()


def asks(conn: PostgresConnection) -> object:
    return conn.execute("SELECT 1").fetchone()


async def test_abandoned_work_leaves_no_unsent_statements(ledger: PostgresLedger) -> None:
    """Nor their errors."""

    def work(store: Store) -> None:
        conn_of(store).later("INSERT INTO settings (name, value) VALUES ('a', '1')")
        conn_of(store).later(FAILS)
        raise Conflict("somebody was quicker")

    results = await in_one_batch(ledger, adds(1), work, adds(2))

    assert [False, True, False] == [isinstance(result, Conflict) for result in results]
    assert ["note 1", "note 2"] == texts(await ledger.read(lambda store: store.all_facts()))
    assert await ledger.read(lambda store: store.setting("a")) is None


async def test_work_that_fails_at_its_first_statement_fails_alone(ledger: PostgresLedger) -> None:
    """Although the shared transaction began with it."""

    def breaks(store: Store) -> None:
        conn_of(store).execute(FAILS)

    results = await in_one_batch(ledger, breaks, adds(1))

    assert [True, False] == [isinstance(result, Exception) for result in results]
    assert ["note 1"] == texts(await ledger.read(lambda store: store.all_facts()))


async def test_deferred_statements_are_sent(ledger: PostgresLedger) -> None:
    """Even if the transaction has no other statement."""
    await ledger.write(lambda store: conn_of(store).later("INSERT INTO settings (name, value) VALUES ('a', '1')"))

    assert "1" == await ledger.read(lambda store: store.setting("a"))


async def test_writers_see_each_other_whatever_the_default_isolation(postgres: str) -> None:
    """A writer that waited for its turn must see what was committed meanwhile."""
    address = f"{postgres}?options=-c%20default_transaction_isolation%3Dserializable"
    one, two = await open_postgres_ledger(address, "one"), await open_postgres_ledger(address, "two")

    def follows(store: Store) -> None:
        store.commit(commit(fact("flag/a", len(store.facts("flag/a")) + 1)))

    try:
        await asyncio.gather(*(ledger.write(follows) for ledger in (one, two) * 20))

        assert 40 == await one.read(lambda store: store.position())
    finally:
        await one.close()
        await two.close()
