"""The database dies and its standby takes over: everything acknowledged is there, and the bot finds it by itself."""

import asyncio
from collections.abc import Iterator

import pytest

from bot.ports import StoreError
from bot.sandbox.postgres import MISSING, PASSWORD, USER, PostgresServer, a_server, programs
from bot.store.postgres.ledgers import PostgresLedger, open_postgres_ledger
from tests.ledger_facts import commit, fact

pytestmark = pytest.mark.skipif(programs() is None, reason=MISSING)

COMMITS = 30
WITHIN_S = 20.0


@pytest.fixture
def pair() -> Iterator[tuple[PostgresServer, PostgresServer]]:
    """A server and its standby, which has every commit before it is acknowledged."""
    with a_server(durable=True) as primary:
        standby = PostgresServer(durable=True)
        try:
            primary.run("pg_basebackup", "--dbname", primary.url(), "--pgdata", str(standby.data), "--write-recovery-conf")
            standby.start()
            primary.run("psql", "--command", "ALTER SYSTEM SET synchronous_standby_names = '*'", primary.url())
            primary.run("psql", "--command", "SELECT pg_reload_conf()", primary.url())
            yield primary, standby
        finally:
            standby.close()


async def test_acknowledged_facts_are_there_after_a_failover(pair: tuple[PostgresServer, PostgresServer]) -> None:
    """Both hosts are in the address, and libpq chooses the writable one."""
    primary, standby = pair
    hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
    ledger = await open_postgres_ledger(f"postgresql://{USER}:{PASSWORD}@{hosts}/postgres", "one")
    acknowledged: list[int] = []
    try:
        writing = asyncio.create_task(write(ledger, acknowledged))
        while len(acknowledged) < COMMITS // 3:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(primary.stop)
        await asyncio.to_thread(standby.run, "pg_ctl", "promote", "-w", "-D", str(standby.data))
        async with asyncio.timeout(WITHIN_S):
            await writing
        held = [kept.seq for kept in await ledger.read(lambda store: store.facts("incident/1"))]
    finally:
        await ledger.close()
        await asyncio.to_thread(primary.start)  # so that it can be stopped

    assert list(range(1, COMMITS + 1)) == held
    assert set(acknowledged) <= set(held)


async def write(ledger: PostgresLedger, acknowledged: list[int]) -> None:
    """Write facts one after the other; if one's fate is unknown, ask the ledger."""
    seq = 1
    while seq <= COMMITS:
        try:
            await ledger.write(lambda store, seq=seq: store.commit(commit(fact("incident/1", seq))))  # type: ignore[misc] # bound early
            acknowledged.append(seq)
            seq += 1
        except StoreError:
            seq = await next_seq(ledger)


async def next_seq(ledger: PostgresLedger) -> int:
    """The next number in the stream, once the ledger can be asked."""
    while True:
        await asyncio.sleep(0.1)
        try:
            return len(await ledger.read(lambda store: store.facts("incident/1"))) + 1
        except StoreError:
            continue
