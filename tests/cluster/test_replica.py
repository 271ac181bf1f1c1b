"""One of several replicas: until when it may act, what it holds, whose share something is, and what it tells the others."""

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
from bot.ports import CLOCK, Fence, StoreError, StoreTrouble
from tests.cluster.stand import Scene

SHARE, OF_THE_CLOCK = Duty.SHARE, Duty.CLOCK
KEYS = [f"vendor.c{n}" for n in range(300)]


async def test_a_replica_may_act_while_its_last_sign_of_life_counts() -> None:
    """A little less long than the others believe it, by its own clock."""
    scene = Scene()
    one = await scene.joins("a")

    scene.passed += 2.4
    assert one.alive()
    scene.passed += 0.2
    assert not one.alive()


async def test_who_slept_too_long_knows_it_before_it_does_anything() -> None:
    """Nobody has to tell it: its monotonic clock ran on. It continues in another epoch."""
    scene = Scene()
    one = await scene.joins("a")
    before = one.epoch

    scene.passed += 60
    assert (False, False) == (one.alive(), one.holds(CLOCK))

    await one.beat()
    assert (True, True, False) == (one.alive(), one.holds(CLOCK), one.alive(before))


async def test_a_decision_of_its_own_names_what_it_was_made_by() -> None:
    """The epoch, and the epoch of the clock, where it is about what one does for all; nothing where somebody else spoke."""
    scene = Scene()
    first, second = await scene.joins("a"), await scene.joins("b")
    await scene.passes(4, "b")
    await first.beat()

    assert (2, Fence("boot-a", 2), Fence("boot-a", 2, clock=0)) == (first.epoch, *map(first.fence, (SHARE, OF_THE_CLOCK)))
    assert (Fence("boot-b", 1), Fence("boot-b", 1, clock=2)) == (second.fence(SHARE), second.fence(OF_THE_CLOCK))
    assert (None, None) == (first.fence(Duty.HEARD), SingleReplica().fence(OF_THE_CLOCK))


async def is_cut_off(scene: Scene, one: Replica, seconds: int) -> None:
    """Its signs of life do not reach the ledger for so long, and it gives them all the same."""
    sign = scene.ledger.write_at_once

    async def away(work: Any) -> Any:
        raise StoreError("away", kind=StoreTrouble.AWAY, permanent=False)

    scene.ledger.write_at_once = away  # type: ignore[method-assign]
    for _ in range(seconds):
        scene.passed += 1
        with suppress(StoreError):
            await one.beat()
    scene.ledger.write_at_once = sign  # type: ignore[method-assign]
    await one.beat()


async def test_who_was_cut_off_knows_that_it_was_awake() -> None:
    """Its time was over as that of one that was paused, but it looked at everything itself."""
    scene = Scene()
    one = await scene.joins("a")
    await is_cut_off(scene, one, 30)
    assert (2, True) == (one.epoch, one.awake_since(1))

    scene.passed += 30
    await one.beat()
    assert (3, False, False, True) == (one.epoch, one.awake_since(1), one.awake_since(2), one.awake_since(3))


async def test_who_was_paused_in_the_midst_of_being_cut_off_was_not_awake() -> None:
    """Whatever came first."""
    scene = Scene()
    one = await scene.joins("a")
    scene.passed += 2.5  # too short to cost the lease, and then the ledger is away
    await is_cut_off(scene, one, 30)
    assert (2, False) == (one.epoch, one.awake_since(1))


async def test_a_pause_that_cost_no_lease_is_forgotten() -> None:
    """Nobody took over."""
    scene = Scene()
    one = await scene.joins("a")
    scene.passed += 2.5
    await one.beat()
    await is_cut_off(scene, one, 30)
    assert (2, True) == (one.epoch, one.awake_since(1))


async def test_who_is_paused_while_its_sign_is_on_its_way_was_paused() -> None:
    """It wakes up with the answer in its hands."""
    scene = Scene()
    one = await scene.joins("a")
    sign = scene.ledger.write_at_once

    async def slowly(work: Any) -> Any:
        scene.passed += 60
        return await sign(work)

    scene.ledger.write_at_once = slowly  # type: ignore[method-assign]
    await one.beat()
    assert (2, False) == (one.epoch, one.awake_since(1))


async def test_a_wall_clock_that_was_set_back_hides_no_pause() -> None:
    """As one that slept is found by it, others are found by the steady clock."""
    scene = Scene()
    one = await scene.joins("a")
    scene.passed += 60
    one._wall.off -= timedelta(seconds=60)  # type: ignore[attr-defined] # the one of the scene
    await one.beat()
    assert (2, False) == (one.epoch, one.awake_since(1))


async def test_a_machine_that_slept_was_paused() -> None:
    """Its monotonic clock stood still as well; the wall tells."""
    scene = Scene()
    one = await scene.joins("a", rate=0.0)
    scene.passed += 60
    await one.beat()
    assert (2, False) == (one.epoch, one.awake_since(1))


async def test_the_clock_goes_to_another_one_when_its_holder_dies() -> None:
    """Within five seconds of its last sign of life."""
    scene = Scene()
    first, second = await scene.joins("a"), await scene.joins("b")
    assert (True, False, "a") == (first.holds(CLOCK), second.holds(CLOCK), second.holder(CLOCK))

    await scene.passes(4, "b")

    assert (True, "b", ["b"]) == (second.holds(CLOCK), second.holder(CLOCK), [one.says.name for one in second.live])


async def test_who_leaves_is_followed_at_the_next_sign_of_life() -> None:
    """A clean stop costs nobody the time that a death does."""
    scene = Scene()
    first, second = await scene.joins("a"), await scene.joins("b")

    await first.stop()
    await scene.passes(1, "b")

    assert (False, True) == (first.alive(), second.holds(CLOCK))


async def test_listeners_hear_when_somebody_comes_goes_or_returns() -> None:
    """And not of every sign of life."""
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


async def test_each_share_is_one_replicas() -> None:
    """And about as many are everybody's."""
    scene = Scene()
    all_of = [await scene.joins(name) for name in "abc"]
    await scene.passes(1, *"abc")

    owners = [[one.name for one in all_of if one.owns(key)] for key in KEYS]
    assert {1} == {len(found) for found in owners}
    assert all(60 <= sum(found == [name] for found in owners) <= 140 for name in "abc")


@given(names=st.sets(st.sampled_from("abcdefgh"), min_size=2), gone=st.data())
def test_only_the_shares_of_who_went_move(names: set[str], gone: Any) -> None:
    """Whoever stays keeps what it had."""
    leaver = gone.draw(st.sampled_from(sorted(names)))
    before = {key: owner_of(key, sorted(names)) for key in KEYS}
    after = {key: owner_of(key, sorted(names - {leaver})) for key in KEYS}

    assert {key for key in KEYS if before[key] == leaver} == {key for key in KEYS if before[key] != after[key]}


async def test_shares_stay_as_they_were_while_the_ledger_is_away() -> None:
    """Checks go on; nothing that may be done by one alone does."""
    scene = Scene()
    one = await scene.joins("a")
    await scene.joins("b")
    await scene.passes(1, "a", "b")
    mine = [key for key in KEYS if one.owns(key)]

    scene.passed += 60

    assert (mine, False) == ([key for key in KEYS if one.owns(key)], one.holds(CLOCK))
    assert 0 < len(mine) < len(KEYS)


@pytest.mark.parametrize("wrong", [{"off_s": 120.0}, {"off_s": -120.0}, {"blind": True}])
async def test_who_cannot_judge_does_no_checks(wrong: dict[str, Any]) -> None:
    """One whose clock is off, or that sees its own network instead of vendors, leaves them to the others."""
    scene = Scene()
    bad, good = await scene.joins("a", **wrong), await scene.joins("b")
    await scene.passes(4, "a", "b")

    assert (0, len(KEYS)) == (sum(map(bad.owns, KEYS)), sum(map(good.owns, KEYS)))


async def test_where_nobody_sees_anything_everybody_goes_on_with_checks() -> None:
    """Else nobody would notice that the network is back."""
    scene = Scene()
    blind = [await scene.joins(name, blind=True) for name in "ab"]
    await scene.passes(4, "a", "b")

    assert len(KEYS) == sum(sum(map(one.owns, KEYS)) for one in blind)


def test_every_version_gives_the_shares_to_the_same_replicas() -> None:
    """In a rolling upgrade two of them run side by side: what each took for the other's, nobody would look at."""
    owners = "".join(owner_of(f"vendor.c{n}", ("a", "b", "c")) for n in range(12))
    assert ("abbaccbbbbbb", "") == (owners, owner_of("vendor.c0", ()))


async def test_who_has_a_wrong_clock_does_not_hold_the_clock() -> None:
    """What falls due would be acted on too early, or too late."""
    scene = Scene()
    bad = await scene.joins("a", off_s=120)
    assert bad.holds(CLOCK)  # somebody has to

    good = await scene.joins("b")
    await scene.passes(5, "a", "b")

    assert (False, True) == (bad.holds(CLOCK), good.holds(CLOCK))


async def test_the_ledgers_time_is_known_by_whoever_has_a_wrong_clock() -> None:
    """Rows of the outbox are due by one clock, whoever claims them."""
    scene = Scene()
    one = await scene.joins("a", off_s=120)

    assert scene.now == one.time(scene.now + timedelta(seconds=120))


async def test_who_is_older_than_the_ledger_leaves_its_work_to_the_others() -> None:
    """In a rolling upgrade: it could commit nothing that it saw, and nothing that falls due."""
    scene = Scene()
    old, new = await scene.joins("a"), await scene.joins("b")
    assert old.holds(CLOCK)

    scene.outdated.add("a")
    await scene.passes(5, "a", "b")

    assert (0, len(KEYS)) == (sum(map(old.owns, KEYS)), sum(map(new.owns, KEYS)))
    assert (False, True) == (old.holds(CLOCK), new.holds(CLOCK))


async def test_where_nobody_understands_the_ledger_checks_go_on() -> None:
    """The newer one is gone again: what fails is at least seen and measured, and nobody acts on what falls due."""
    scene = Scene(outdated={"a", "b"})
    one, other = await scene.joins("a"), await scene.joins("b")
    await scene.passes(4, "a", "b")

    assert len(KEYS) == sum(map(one.owns, KEYS)) + sum(map(other.owns, KEYS))
    assert (False, False) == (one.holds(CLOCK), other.holds(CLOCK))


# --- telling


async def test_what_is_told_reaches_the_others_once() -> None:
    """Not whoever told it, and not who joined later."""
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


async def test_what_could_not_be_told_is_told_later() -> None:
    """The ledger was away for a moment."""
    scene = Scene()
    heard: list[Any] = []

    async def hear(body: Any) -> None:
        heard.append(body)

    one, other = await scene.joins("a"), scene.add("b")
    other.hear("word", hear)
    await other.start()
    one.tell("word", 1)
    kept, scene.ledger.write = scene.ledger.write, _away  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        await one.beat()
    scene.ledger.write = kept  # type: ignore[method-assign]

    await scene.passes(2, "a", "b")

    assert [1] == heard
    await other.stop()


async def _away(work: Any) -> Any:
    raise StoreError("away")


# --- laws

MOVES = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["beat", "stop"]), st.sampled_from([0.1, 0.5, 1.0, 2.4, 2.9, 3.1, 20.0])),
    max_size=40,
)


@given(moves=MOVES, rates=st.tuples(*[st.floats(0.9, 1.1)] * 3))
def test_no_two_replicas_hold_the_clock_at_one_moment(moves: list[tuple[str, str, float]], rates: tuple[float, ...]) -> None:
    """However they are paused, however differently their clocks run, and whoever leaves: as each of them knows by itself."""

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


async def test_who_held_the_clock_comes_first_also_while_the_ledger_is_away() -> None:
    """Then by name, and all know the same order: who tells people what none of them can write."""
    scene = Scene()
    for name in ("b", "c", "a"):
        await scene.joins(name)
    await scene.passes(2, "a", "b", "c")
    scene.passed += 60  # nobody can give a sign of life

    assert {"b": 0, "a": 1, "c": 2} == {name: replica.place() for name, replica in scene.replicas.items()}
    await scene.passes(4, "a", "c")
    assert {"a": 0, "c": 1} == {name: scene.replicas[name].place() for name in "ac"}


def test_one_process_is_alone_by_the_same_interface() -> None:
    """Always alive, everything its own, and nothing written for it."""
    one = SingleReplica()

    assert (True, True, True, True) == (one.alive(0), one.holds(CLOCK), one.owns("x"), one.place() == 0)
