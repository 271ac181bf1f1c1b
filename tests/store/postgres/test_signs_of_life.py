"""Renewals, leases and messages in PostgreSQL wait for no other writer and no disk, and no message is missed."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from functools import partial

import pytest

from bot.ports import ReplicaMessage, Store
from bot.store.postgres.ledgers import PostgresLedger, open_postgres_ledger
from tests.ledger_facts import NOON


@pytest.fixture
async def ledgers(postgres: str) -> AsyncIterator[list[PostgresLedger]]:
    """Those of two replicas and of a listener."""
    opened = [await open_postgres_ledger(postgres, name) for name in "abc"]
    yield opened
    for ledger in opened:
        await ledger.close()


async def test_renewals_do_not_wait_for_a_long_commit(ledgers: list[PostgresLedger]) -> None:
    """Neither the replica's own nor another's."""
    one, other, _ = ledgers
    writes, over = threading.Event(), threading.Event()

    def slow(store: object) -> None:
        writes.set()
        over.wait(1.5)  # the server ends it after two seconds

    writing = asyncio.create_task(one.write(slow))
    await asyncio.to_thread(writes.wait)
    for ledger in (one, other):
        await ledger.write_at_once(lambda store: store.pass_on("boot", ["news"], NOON))
    waited = writing.done()
    over.set()
    await writing

    assert not waited


async def test_only_renewals_and_messages_may_be_lost_in_a_server_crash(ledgers: list[PostgresLedger]) -> None:
    """Everything that somebody relies on is flushed."""

    def flushed(store: object) -> str:
        [(value,)] = store.conn.execute("SHOW synchronous_commit").fetchall()  # type: ignore[attr-defined] # a database's
        return str(value)

    assert ("off", "on") == (await ledgers[0].write_at_once(flushed), await ledgers[0].write(flushed))


async def test_no_message_is_missed_if_one_sender_is_slow(ledgers: list[PostgresLedger]) -> None:
    """Reading from the last position finds everything: no message appears later with a lower one."""
    slow, quick, listener = ledgers
    told = threading.Event()

    def tells_slowly(store: Store) -> None:
        store.pass_on("slow", ["first"], NOON)
        told.set()
        time.sleep(0.3)  # its commit is on its way

    telling = [asyncio.create_task(slow.write_at_once(tells_slowly))]
    await asyncio.to_thread(told.wait)
    telling.append(asyncio.create_task(quick.write_at_once(lambda store: store.pass_on("quick", ["second"], NOON))))
    heard: list[ReplicaMessage] = []
    while len(heard) < 2 and not (telling[0].done() and telling[1].done() and heard):
        heard += await listener.read(partial(news_behind, heard[-1].id if heard else 0))
    heard += await listener.read(partial(news_behind, heard[-1].id))
    await asyncio.gather(*telling)

    assert ["first", "second"] == [one.body for one in heard]


def news_behind(place: int, store: Store) -> list[ReplicaMessage]:
    return store.passed_on(place, "listener")
