"""What every ledger guarantees about replicas: who is alive, who holds a lease, and whose effects others take over."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.effects import Effect
from bot.ports import Ledger, OutboxRow, Renewal, ReplicaInfo, Settled
from bot.store.ledger import SqlStore
from bot.store.postgres.ledgers import connect_up_to_date
from bot.store.postgres.place import place_of
from bot.store.sqlite.ledgers import InlineLedger
from tests.contracts.clock_by_hand import SHOWN, by_hand, open_by_hand
from tests.contracts.ledgers import a_ledger
from tests.ledger_facts import NOON, OfTomorrow, after, effect, queued

TTL = timedelta(seconds=3)
SETTLE_FOR = timedelta(seconds=30)
CLAIM_FOR = timedelta(seconds=90)


@pytest.fixture(params=["threaded", "inline", "postgres"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    if request.param == "postgres":
        opened: Any = await open_by_hand(request.getfixturevalue("postgres"))
    else:
        opened = await a_ledger(request, tmp_path)
    yield opened
    await opened.close()


@pytest.fixture(params=["inline", "postgres"])
def fresh(request: pytest.FixtureRequest) -> Iterator[Callable[[], Any]]:
    """Gives a store without any replica or effect, as often as it is called."""
    if request.param == "inline":
        opened = InlineLedger.open()
        conn: Any = opened.conn
        store: Any = opened.store
    else:
        conn = connect_up_to_date(place_of(request.getfixturevalue("postgres")), "test")
        conn.execute(SHOWN)
        store = by_hand(SqlStore(conn))

    def emptied() -> Any:
        for table in ("replicas", "leases", "outbox"):
            conn.execute(f"DELETE FROM {table}")  # noqa: S608 # constants
        return store

    yield emptied
    conn.close()


def says(boot: str, name: str = "") -> ReplicaInfo:
    return ReplicaInfo(name or f"host-{boot}", boot, listen="127.0.0.1:8080", version="1", configuration={"flag a": "0f"})


async def renew(ledger: Ledger, boot: str, epoch: int = 0, at: float = 0) -> int:
    renewed = await ledger.write(lambda store: store.renew(says(boot), epoch, TTL, after(at)))
    return renewed.epoch


async def live(ledger: Ledger, at: float) -> list[str]:
    return [one.says.boot for one in await ledger.read(lambda store: store.replicas(after(at)))]


async def lease(ledger: Ledger, holder: str, at: float = 0) -> int | None:
    return await ledger.write(lambda store: store.lease("clock", holder, TTL, after(at)))


async def holder(ledger: Ledger, at: float) -> list[str]:
    return [one.holder for one in await ledger.read(lambda store: store.leases(after(at)))]


async def claim(ledger: Ledger, owner: str, epoch: int, at: float = 0) -> list[OutboxRow]:
    return await ledger.write(lambda store: store.claim(after(at), owner, CLAIM_FOR, 16, epoch))


async def release(ledger: Ledger, at: float) -> int:
    return await ledger.write(lambda store: store.release_claims(after(at), SETTLE_FOR))


async def test_effect_that_only_a_newer_replica_knows_is_left_to_it(ledger: Ledger) -> None:
    """In a rolling upgrade the older replica gives up nothing that it does not understand, and handles the rest."""
    newer: Any = OfTomorrow("wave_flags")
    await ledger.write(lambda store: store.commit(queued(Effect("wave", "flags", newer), effect("post", "posts"))))
    epoch = await renew(ledger, "a")

    assert ["post"] == [row.effect.key for row in await claim(ledger, "a", epoch)]
    assert [] == await ledger.read(lambda store: store.untold())


# --- who is alive


async def test_replica_is_listed_with_its_latest_information(ledger: Ledger) -> None:
    """Other replicas compare it with their own."""
    first = await ledger.write(lambda store: store.renew(says("a"), 0, TTL, NOON))
    changed = ReplicaInfo("host-a", "a", configuration={"flag a": "1e"}, offset=timedelta(seconds=12))
    await ledger.write(lambda store: store.renew(changed, first.epoch, TTL, after(1)))

    [one] = await ledger.read(lambda store: store.replicas(after(1)))
    assert (changed, 1, after(1), after(4)) == (one.says, one.epoch, one.seen_at, one.expires_at)


async def test_renewal_returns_the_ledgers_time(ledger: Ledger) -> None:
    """From it a replica knows how far its clock is off; SQLite uses the clock that it is given."""
    assert Renewal(1, after(7)) == await ledger.write(lambda store: store.renew(says("a"), 0, TTL, after(7)))


async def test_replica_without_renewals_is_dead_after_its_lease(ledger: Ledger) -> None:
    """Not a moment earlier, and nobody has to declare it."""
    await renew(ledger, "a")
    await renew(ledger, "b", at=1)

    assert ["a", "b"] == await live(ledger, 2.9)
    assert ["b"] == await live(ledger, 3)


async def test_replica_keeps_its_epoch_while_it_renews_in_time(ledger: Ledger) -> None:
    """It loses nothing."""
    assert [1, 1, 1] == [await renew(ledger, "a", epoch, at) for epoch, at in ((0, 0), (1, 2), (1, 4))]


@pytest.mark.parametrize(("epoch", "at"), [(1, 3.0), (1, 90_000.0), (0, 1.0), (4, 1.0)])
async def test_replica_that_renews_too_late_gets_a_new_epoch(ledger: Ledger, epoch: int, at: float) -> None:
    """So does one that does not know its epoch or was forgotten; no epoch is used twice."""
    await renew(ledger, "a")
    await renew(ledger, "b", at=at)  # who forgets those that are long dead

    assert max(epoch, 1) < await renew(ledger, "a", epoch, at)


async def test_replica_with_unreadable_information_counts_as_alive(ledger: Ledger) -> None:
    """It may be of another version, or its row was edited."""
    await renew(ledger, "a")
    await ledger.write(lambda store: store.conn.execute("UPDATE replicas SET says = '[]'"))  # type: ignore[attr-defined] # by hand

    assert ["a"] == await live(ledger, 1)


# --- leases


async def test_lease_has_one_holder_until_it_expires(ledger: Ledger) -> None:
    """Its epoch grows only when it changes hands."""
    assert 1 == await lease(ledger, "a")
    assert await lease(ledger, "b", at=2) is None
    assert 1 == await lease(ledger, "a", at=2)
    assert await lease(ledger, "b", at=4.9) is None
    assert 2 == await lease(ledger, "b", at=5)
    assert await lease(ledger, "a", at=5) is None
    assert ["b"] == await holder(ledger, 7.9)
    assert [] == await holder(ledger, 8)


async def test_leases_of_different_names_are_independent(ledger: Ledger) -> None:
    """Each has its own holder."""
    await lease(ledger, "a")

    assert 1 == await ledger.write(lambda store: store.lease("another", "b", TTL, NOON))
    assert ["b", "a"] == await holder(ledger, 0)


async def test_returned_lease_is_free_at_once(ledger: Ledger) -> None:
    """After a clean stop nobody waits for an expiry; the epoch grows all the same."""
    await renew(ledger, "a")
    await lease(ledger, "a")

    await ledger.write(lambda store: store.give_back("a"))

    assert ([], []) == (await live(ledger, 0), await holder(ledger, 0))
    assert 2 == await lease(ledger, "b")


# --- effects


async def test_only_a_live_replica_may_claim(ledger: Ledger) -> None:
    """A replica that was paused on its way, or is in another epoch by now, gets nothing."""
    await ledger.write(lambda store: store.commit(queued(effect("x"))))
    await renew(ledger, "a")

    assert [] == await claim(ledger, "a", 1, at=3)
    await renew(ledger, "a", 1, at=4)
    assert [] == await claim(ledger, "a", 1, at=4)
    assert ["x"] == [row.effect.key for row in await claim(ledger, "a", 2, at=4)]


async def test_rows_of_dead_replicas_become_ambiguous_and_others_stay(ledger: Ledger) -> None:
    """After the settle time, like those of a crashed process."""
    await ledger.write(lambda store: store.commit(queued(effect("x", "x"))))
    await renew(ledger, "a")
    await claim(ledger, "a", 1)
    await ledger.write(lambda store: store.commit(queued(effect("y", "y"))))
    await renew(ledger, "b", at=2)
    [row] = await claim(ledger, "b", 1, at=2)

    assert 0 == await release(ledger, 2.9)
    assert 1 == await release(ledger, 4)

    assert [] == await claim(ledger, "b", 1, at=4)
    await renew(ledger, "b", 1, at=4)
    await renew(ledger, "c", at=30)
    assert [("x", "ambiguous")] == [(row.effect.key, row.state) for row in await claim(ledger, "c", 1, at=30)]
    assert await ledger.write(lambda store: store.settle(row.id, row.attempt, Settled("done"), after(31)))


async def test_rows_from_before_a_pause_no_longer_belong_to_the_replica(ledger: Ledger) -> None:
    """It returned in a new epoch: what it had started is looked up, and its late result does not count."""
    await ledger.write(lambda store: store.commit(queued(effect("x"))))
    await renew(ledger, "a")
    [row] = await claim(ledger, "a", 1)
    await renew(ledger, "a", 1, at=60)

    assert 1 == await release(ledger, 60)
    assert not await ledger.write(lambda store: store.settle(row.id, row.attempt, Settled("done"), after(60)))


# --- news


async def test_messages_reach_the_other_replicas_once_and_in_order(ledger: Ledger) -> None:
    """The sender does not receive its own; reading on from a position repeats nothing."""
    await ledger.write(lambda store: store.pass_on("a", ["1", "2"], NOON))
    place = await ledger.read(lambda store: store.newest_passed_on())
    await ledger.write(lambda store: store.pass_on("a", ["3"], NOON))
    await ledger.write(lambda store: store.pass_on("b", ["4"], NOON))

    assert ["3", "4"] == [one.body for one in await ledger.read(lambda store: store.passed_on(place, "c"))]
    assert ["4"] == [one.body for one in await ledger.read(lambda store: store.passed_on(0, "a"))]


async def test_messages_are_deleted_after_a_minute(ledger: Ledger) -> None:
    """The ledger does not grow, and positions stay valid."""
    await ledger.write(lambda store: store.pass_on("a", ["old"], NOON))
    place = await ledger.read(lambda store: store.newest_passed_on())

    await ledger.write(lambda store: store.pass_on("a", [], after(61)))
    await ledger.write(lambda store: store.pass_on("a", ["new"], after(62)))

    assert ["new"] == [one.body for one in await ledger.read(lambda store: store.passed_on(place, "b"))]


# --- laws

LAWS = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
STEPS = st.lists(
    st.tuples(
        st.sampled_from("abc"),  # who
        st.sampled_from(["renew", "lease", "claim", "back"]),
        st.sampled_from([0.0, 0.3, 1.0, 2.9, 3.0, 8.0]),  # seconds that pass before: on time, late, and paused
    ),
    max_size=60,
)


@LAWS
@given(steps=STEPS)
def test_lease_has_at_most_one_holder_per_epoch(fresh: Callable[[], Any], steps: list[tuple[str, str, float]]) -> None:
    """Whatever arrives late and in whatever order, a holder is alone until its lease expires."""
    store, now = fresh(), 0.0
    epochs: dict[int, str] = {}
    held: tuple[str, float] = ("", 0.0)
    for who, what, passes in steps:
        now += passes
        if what == "back":
            store.give_back(who)
            held = ("", 0.0) if held[0] == who else held
        elif what == "lease":
            epoch = store.lease("clock", who, TTL, after(now))
            free = held[0] in ("", who) or held[1] <= now
            assert free == (epoch is not None)
            if epoch is not None:
                assert who == epochs.setdefault(epoch, who)
                assert max(epochs) == epoch
                held = (who, now + TTL.total_seconds())


@LAWS
@given(steps=STEPS)
def test_row_never_has_two_live_owners(fresh: Callable[[], Any], steps: list[tuple[str, str, float]]) -> None:
    """It goes to another owner only when the first is dead, and then as possibly sent."""
    store, now = fresh(), 0.0
    store.commit(queued(*(effect(str(n), str(n)) for n in range(3))))
    epochs = dict.fromkeys("abc", 0)
    until = dict.fromkeys("abc", 0.0)
    hands: dict[str, tuple[str, int]] = {}
    for who, what, passes in steps:
        now += passes
        if what == "renew":
            epochs[who] = store.renew(says(who), epochs[who], TTL, after(now)).epoch
            until[who] = now + TTL.total_seconds()
        elif what == "back":
            store.give_back(who)
            until[who] = 0.0
        elif what == "lease":
            store.release_claims(after(now), timedelta(0))
        elif epochs[who]:
            for row in store.claim(after(now), who, timedelta(hours=1), 1, epochs[who]):
                assert until[who] > now
                before = hands.get(row.effect.key)
                if before is not None:
                    assert "ambiguous" == row.state
                    assert until[before[0]] <= now or epochs[before[0]] != before[1]
                hands[row.effect.key] = (who, epochs[who])
