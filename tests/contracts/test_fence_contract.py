"""Every ledger accepts what a replica decided by itself only while that replica may decide it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.ports import CLOCK, AlreadyHandled, Fence, Fenced, Ledger, ReplicaInfo, Store
from bot.store.ledger import SqlStore
from bot.store.postgres.ledgers import open_postgres_ledger
from tests.contracts.ledgers import a_ledger
from tests.ledger_facts import NOON, declared

AN_HOUR = timedelta(hours=1)  # a database goes by its own clock, and a busy machine must not end a lease


@pytest.fixture(params=["threaded", "inline", "postgres"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    opened = await a_ledger(request, tmp_path)
    await opened.write(_two_replicas)
    yield opened
    await opened.close()


def _two_replicas(store: Store) -> None:
    for boot in ("a", "b"):
        assert 1 == store.renew(ReplicaInfo(f"host-{boot}", boot), 0, AN_HOUR, NOON).epoch
    assert 1 == store.lease(CLOCK, "a", AN_HOUR, NOON)


async def written(ledger: Ledger, fence: Fence | None) -> bool:
    commit = replace(declared(1), fence=fence)
    try:
        await ledger.write(lambda store: store.commit(commit))
    except Fenced:
        return False
    return True


@pytest.mark.parametrize("fence", [None, Fence("a", 1), Fence("b", 1), Fence("a", 1, clock=1)])
async def test_live_replica_with_its_lease_may_commit(ledger: Ledger, fence: Fence | None) -> None:
    """Commits by people are never fenced."""
    assert await written(ledger, fence)


@pytest.mark.parametrize(
    "fence",
    [Fence("a", 2), Fence("a", 0), Fence("nobody", 1), Fence("b", 1, clock=1), Fence("b", 1, clock=0), Fence("a", 1, 2)],
)
async def test_commit_with_a_lost_epoch_or_lease_is_refused(ledger: Ledger, fence: Fence) -> None:
    """Nothing of it is written: no fact, no state, no effect."""
    assert not await written(ledger, fence)
    assert (0, [], []) == await ledger.read(lambda store: (store.position(), store.states(), store.outbox()))


@pytest.mark.parametrize("fence", [Fence("a", 1), Fence("a", 1, clock=1)])
async def test_expired_replica_is_refused(ledger: Ledger, fence: Fence) -> None:
    """Even if it believes that it is alive."""
    await ledger.write(lambda store: store.give_back("a"))
    assert not await written(ledger, fence)


async def test_returned_replica_may_not_commit_earlier_decisions(ledger: Ledger) -> None:
    """In its new epoch it may decide again."""

    def comes_back(store: Store) -> int:
        store.give_back("a")
        return store.renew(ReplicaInfo("host-a", "a"), 1, AN_HOUR, NOON).epoch

    epoch = await ledger.write(comes_back)
    assert 2 == epoch
    assert not await written(ledger, Fence("a", 1))
    assert await written(ledger, Fence("a", epoch))


async def test_lease_that_was_lost_in_between_no_longer_counts(ledger: Ledger) -> None:
    """Its holder did not see what another one did meanwhile."""

    def changes_hands_twice(store: Store) -> tuple[int | None, int | None, int]:
        store.give_back("a")
        theirs = store.lease(CLOCK, "b", AN_HOUR, NOON)
        epoch = store.renew(ReplicaInfo("host-a", "a"), 1, AN_HOUR, NOON).epoch
        store.give_back("b")
        return theirs, store.lease(CLOCK, "a", AN_HOUR, NOON), epoch

    theirs, mine, epoch = await ledger.write(changes_hands_twice)
    assert (2, 3) == (theirs, mine)
    assert not await written(ledger, Fence("a", epoch, clock=1))
    assert await written(ledger, Fence("a", epoch, clock=3))


async def test_refused_signal_may_be_sent_again(ledger: Ledger) -> None:
    """Its id was not stored."""
    assert not await written(ledger, Fence("a", 7))
    assert await written(ledger, Fence("a", 1))
    with pytest.raises(AlreadyHandled):
        await written(ledger, Fence("a", 1))


async def test_two_fences_in_one_commit_must_both_hold() -> None:
    """One may have been created before a lease was lost, the other after."""
    assert Fence("a", 1, clock=4) == Fence("a", 2, clock=4).within(Fence("a", 1))
    assert Fence("a", 1, clock=4) == Fence("a", 1).within(Fence("a", 2, clock=4))
    assert Fence("a", 1, clock=4) == Fence("a", 1, clock=5).within(Fence("a", 1, clock=4))
    assert Fence("a", 1) == Fence("a", 1).within(None)


class Counting:
    """A connection that counts its statements."""

    def __init__(self, conn: Any) -> None:
        self._conn = conn
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)

    def execute(self, sql: str, values: Any = ()) -> Any:
        self.asked += 1
        return self._conn.execute(sql, values)


async def test_fence_costs_one_round_trip(postgres: str) -> None:
    """It precedes every verdict, so the time and both rows are read in one statement."""
    ledger = await open_postgres_ledger(postgres, "test")
    await ledger.write(_two_replicas)

    def asked(store: Any, number: int, fence: Fence | None) -> int:
        conn: Any = Counting(store.conn)
        SqlStore(conn).commit(replace(declared(number, dedup=f"vendor {number}"), fence=fence))
        return conn.asked

    fences = (None, Fence("a", 1), Fence("a", 1, clock=1))
    without, *ways = [await ledger.write(partial(asked, number=n, fence=one)) for n, one in enumerate(fences, start=1)]
    assert [without + 1, without + 1] == ways
    await ledger.close()
