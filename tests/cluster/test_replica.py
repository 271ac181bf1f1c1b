"""One of several replicas: until when it may act, what it holds, which shares it has, and what it tells the others."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cluster.replica import Replica
from bot.cluster.shares import owner_of
from bot.cluster.single_replica import SingleReplica
from bot.core.signals.base import Duty
from bot.ports import CLOCK, Fence, StoreError
from tests.cluster.stand import Scene, away

SHARE, OF_THE_CLOCK = Duty.SHARE, Duty.CLOCK
KEYS = [f"vendor.c{n}" for n in range(300)]


async def test_replica_may_act_until_shortly_before_its_lease_expires() -> None:
    """By its own clock, slightly shorter than the others count."""
    scene = Scene()
    one = await scene.joins("a")

    scene.passed += 2.4
    assert one.alive()
    scene.passed += 0.2
    assert not one.alive()


async def test_replica_that_slept_too_long_notices_before_acting() -> None:
    """By its own monotonic clock. It continues in a new epoch."""
    scene = Scene()
    one = await scene.joins("a")
    before = one.epoch

    scene.passed += 60
    assert (False, False) == (one.alive(), one.holds(CLOCK))

    await one.beat()
    assert (True, True, False) == (one.alive(), one.holds(CLOCK), one.alive(before))


async def test_own_decisions_carry_their_epochs() -> None:
    """Its own, and the clock's for what one does for all; nothing if somebody else caused it."""
    scene = Scene()
    first, second = await scene.joins("a"), await scene.joins("b")
    await scene.passes(4, "b")
    await first.beat()

    assert (2, Fence("boot-a", 2), Fence("boot-a", 2, clock=0)) == (first.epoch, *map(first.fence, (SHARE, OF_THE_CLOCK)))
    assert (Fence("boot-b", 1), Fence("boot-b", 1, clock=2)) == (second.fence(SHARE), second.fence(OF_THE_CLOCK))
    assert (None, None) == (first.fence(Duty.HEARD), SingleReplica().fence(OF_THE_CLOCK))


async def is_cut_off(scene: Scene, one: Replica, seconds: int) -> None:
    """Its renewals do not reach the ledger for so long, although it sends them."""
    scene.ledger.before_write = away
    for _ in range(seconds):
        scene.passed += 1
        with suppress(StoreError):
            await one.beat()
    scene.ledger.before_write = None
    await one.beat()


async def test_replica_that_was_cut_off_knows_that_it_was_awake() -> None:
    """Its lease expired as in a pause, but it kept checking everything."""
    scene = Scene()
    one = await scene.joins("a")
    await is_cut_off(scene, one, 30)
    assert (2, True) == (one.epoch, one.awake_since(1))

    scene.passed += 30
    await one.beat()
    assert (3, False, False, True) == (one.epoch, one.awake_since(1), one.awake_since(2), one.awake_since(3))


async def test_replica_paused_while_cut_off_was_not_awake() -> None:
    """Whichever came first."""
    scene = Scene()
    one = await scene.joins("a")
    scene.passed += 2.5  # too short to cost the lease, and then the ledger is away
    await is_cut_off(scene, one, 30)
    assert (2, False) == (one.epoch, one.awake_since(1))


async def test_pause_without_a_lost_lease_is_ignored() -> None:
    """Nobody took over."""
    scene = Scene()
    one = await scene.joins("a")
    scene.passed += 2.5
    await one.beat()
    await is_cut_off(scene, one, 30)
    assert (2, True) == (one.epoch, one.awake_since(1))


async def test_pause_during_a_renewal_counts_as_a_pause() -> None:
    """The replica wakes up with the answer."""
    scene = Scene()
    one = await scene.joins("a")

    def slowly() -> None:
        scene.passed += 60

    scene.ledger.before_write = slowly
    await one.beat()
    assert (2, False) == (one.epoch, one.awake_since(1))


async def test_wall_clock_set_back_hides_no_pause() -> None:
    """The monotonic clock shows it; sleep of the machine is found by the wall clock."""
    scene = Scene()
    one = await scene.joins("a")
    scene.passed += 60
    one._wall.off -= timedelta(seconds=60)  # type: ignore[attr-defined] # the one of the scene
    await one.beat()
    assert (2, False) == (one.epoch, one.awake_since(1))


async def test_sleep_of_the_machine_counts_as_a_pause() -> None:
    """Its monotonic clock stopped too, but the wall clock shows it."""
    scene = Scene()
    one = await scene.joins("a", rate=0.0)
    scene.passed += 60
    await one.beat()
    assert (2, False) == (one.epoch, one.awake_since(1))


async def test_clock_lease_moves_when_its_holder_dies() -> None:
    """Within five seconds of the last renewal."""
    scene = Scene()
    first, second = await scene.joins("a"), await scene.joins("b")
    assert (True, False, "a") == (first.holds(CLOCK), second.holds(CLOCK), second.holder(CLOCK))

    await scene.passes(4, "b")

    assert (True, "b", ["b"]) == (second.holds(CLOCK), second.holder(CLOCK), [one.says.name for one in second.live])


async def test_clean_stop_frees_the_lease_by_the_next_renewal() -> None:
    """Without the delay of a death."""
    scene = Scene()
    first, second = await scene.joins("a"), await scene.joins("b")

    await first.stop()
    await scene.passes(1, "b")

    assert (False, True) == (first.alive(), second.holds(CLOCK))


async def test_listeners_hear_of_arrivals_departures_and_returns() -> None:
    """Not of every renewal."""
    scene = Scene()
    one = await scene.joins("a")
    calls: list[float] = []
    one.listen(lambda: calls.append(scene.passed))

    await scene.passes(2, "a")
    await scene.joins("b")
    await scene.passes(4, "a", "b")
    await scene.passes(5, "a")

    assert [3, 9] == calls


# --- shares


async def test_each_share_belongs_to_one_replica() -> None:
    """And each replica has about as many."""
    scene = Scene()
    all_of = [await scene.joins(name) for name in "abc"]
    await scene.passes(1, *"abc")

    owners = [[one.name for one in all_of if one.owns(key)] for key in KEYS]
    assert {1} == {len(found) for found in owners}
    assert all(60 <= sum(found == [name] for found in owners) <= 140 for name in "abc")


@given(names=st.sets(st.sampled_from("abcdefgh"), min_size=2), gone=st.data())
def test_only_the_shares_of_a_departed_replica_move(names: set[str], gone: Any) -> None:
    """Everybody else keeps theirs."""
    leaver = gone.draw(st.sampled_from(sorted(names)))
    before = {key: owner_of(key, sorted(names)) for key in KEYS}
    after = {key: owner_of(key, sorted(names - {leaver})) for key in KEYS}

    assert {key for key in KEYS if before[key] == leaver} == {key for key in KEYS if before[key] != after[key]}


async def test_shares_stay_while_the_ledger_is_away() -> None:
    """Checks go on, but nothing that only one replica may do."""
    scene = Scene()
    one = await scene.joins("a")
    await scene.joins("b")
    await scene.passes(1, "a", "b")
    mine = [key for key in KEYS if one.owns(key)]

    scene.passed += 60

    assert (mine, False) == ([key for key in KEYS if one.owns(key)], one.holds(CLOCK))
    assert 0 < len(mine) < len(KEYS)


@pytest.mark.parametrize("wrong", [{"off_s": 120.0}, {"off_s": -120.0}, {"blind": True}])
async def test_replica_that_cannot_judge_runs_no_checks(wrong: dict[str, Any]) -> None:
    """If its clock is wrong, or its own network fails, it leaves them to others."""
    scene = Scene()
    bad, good = await scene.joins("a", **wrong), await scene.joins("b")
    await scene.passes(4, "a", "b")

    assert (0, len(KEYS)) == (sum(map(bad.owns, KEYS)), sum(map(good.owns, KEYS)))


async def test_if_all_are_blind_all_go_on_checking() -> None:
    """Otherwise nobody would notice that the network is back."""
    scene = Scene()
    blind = [await scene.joins(name, blind=True) for name in "ab"]
    await scene.passes(4, "a", "b")

    assert len(KEYS) == sum(sum(map(one.owns, KEYS)) for one in blind)


def test_every_version_assigns_the_same_shares() -> None:
    """In a rolling upgrade a check that two versions assign differently might be run by neither."""
    owners = "".join(owner_of(f"vendor.c{n}", ("a", "b", "c")) for n in range(12))
    assert ("abbaccbbbbbb", "") == (owners, owner_of("vendor.c0", ()))


async def test_replica_with_a_wrong_clock_does_not_hold_the_clock_lease() -> None:
    """Deadlines would be handled too early or too late."""
    scene = Scene()
    bad = await scene.joins("a", off_s=120)
    assert bad.holds(CLOCK)  # somebody has to

    good = await scene.joins("b")
    await scene.passes(5, "a", "b")

    assert (False, True) == (bad.holds(CLOCK), good.holds(CLOCK))


async def test_replica_with_a_wrong_clock_knows_the_ledgers_time() -> None:
    """Outbox rows are due by one clock, whoever claims them."""
    scene = Scene()
    one = await scene.joins("a", off_s=120)

    assert scene.now == one.time(scene.now + timedelta(seconds=120))


async def test_outdated_replica_leaves_its_work_to_the_others() -> None:
    """In a rolling upgrade it could commit neither verdicts nor deadlines."""
    scene = Scene()
    old, new = await scene.joins("a"), await scene.joins("b")
    assert old.holds(CLOCK)

    scene.outdated.add("a")
    await scene.passes(5, "a", "b")

    assert (0, len(KEYS)) == (sum(map(old.owns, KEYS)), sum(map(new.owns, KEYS)))
    assert (False, True) == (old.holds(CLOCK), new.holds(CLOCK))


async def test_checks_go_on_if_no_replica_understands_the_ledger() -> None:
    """The newer one is gone again: failures are at least measured, and nobody acts on deadlines."""
    scene = Scene(outdated={"a", "b"})
    one, other = await scene.joins("a"), await scene.joins("b")
    await scene.passes(4, "a", "b")

    assert len(KEYS) == sum(map(one.owns, KEYS)) + sum(map(other.owns, KEYS))
    assert (False, False) == (one.holds(CLOCK), other.holds(CLOCK))


# --- telling


async def test_message_reaches_the_other_replicas_once() -> None:
    """Not its sender, nor a replica that joined later."""
    scene = Scene()
    heard: list[tuple[str, Any]] = []

    def hearer(name: str) -> Any:
        async def hear(body: Any) -> None:
            heard.append((name, body))

        return hear

    for name in "ab":
        one = scene.add(name)
        one.hear("word", hearer(name))
        await one.start()
    scene.replicas["a"].tell("word", {"n": 1})
    await scene.passes(3, "a", "b")

    assert [("b", {"n": 1})] == heard
    for one in scene.replicas.values():
        await one.stop()


async def test_message_is_sent_later_if_the_ledger_was_away() -> None:
    """The ledger was away for a moment."""
    scene = Scene()
    heard: list[Any] = []

    async def hear(body: Any) -> None:
        heard.append(body)

    one, other = await scene.joins("a"), scene.add("b")
    other.hear("word", hear)
    await other.start()
    one.tell("word", 1)
    scene.ledger.before_write = away
    with pytest.raises(StoreError):
        await one.beat()
    scene.ledger.before_write = None

    await scene.passes(2, "a", "b")

    assert [1] == heard
    await other.stop()


# --- laws

MOVES = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["beat", "stop"]), st.sampled_from([0.1, 0.5, 1.0, 2.4, 2.9, 3.1, 20.0])),
    max_size=40,
)


@given(moves=MOVES, rates=st.tuples(*[st.floats(0.9, 1.1)] * 3))
def test_no_two_replicas_hold_the_clock_at_once(moves: list[tuple[str, str, float]], rates: tuple[float, ...]) -> None:
    """However they pause, their clocks run, or they leave: by each replica's own knowledge."""

    async def play() -> None:
        scene = Scene()
        for name, rate in zip("abc", rates, strict=True):
            scene.add(name, rate=rate)
        epochs: dict[int, str] = {}
        for name, what, passes in moves:
            scene.passed += passes
            one = scene.replicas[name]
            await (one.beat() if what == "beat" else one.stop())
            holders = [name for name, one in scene.replicas.items() if one.holds(CLOCK)]
            assert len(holders) <= 1
            for name in holders:
                [lease] = scene.ledger.store.leases(scene.now)
                assert name == epochs.setdefault(lease.epoch, name)
        scene.ledger.conn.close()

    asyncio.run(play())


async def test_replicas_agree_on_an_order_while_the_ledger_is_away() -> None:
    """The clock's holder first, then by name: it decides who tells people that nothing can be written."""
    scene = Scene()
    for name in ("b", "c", "a"):
        await scene.joins(name)
    await scene.passes(2, "a", "b", "c")
    scene.passed += 60  # nobody can give a sign of life

    assert {"b": 0, "a": 1, "c": 2} == {name: replica.place() for name, replica in scene.replicas.items()}
    await scene.passes(4, "a", "c")
    assert {"a": 0, "c": 1} == {name: scene.replicas[name].place() for name in "ac"}


def test_single_process_has_the_same_interface() -> None:
    """Always alive, owner of everything, and nothing is written for it."""
    one = SingleReplica()

    assert (True, True, True, True) == (one.alive(0), one.holds(CLOCK), one.owns("x"), one.place() == 0)
