"""What a replica knows of itself and others: its clock, its own previous start, and who takes over shares."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from bot.cluster.replica import Replica
from bot.ports import CLOCK, ReplicaInfo, StoreError
from tests.cluster.stand import BY_HAND, Its, Scene, away

KEYS = [f"vendor.c{n}" for n in range(50)]


def restarted(scene: Scene, name: str) -> Replica:
    """The same data folder, and so the same name, in another process."""
    clock = Its(scene)
    made = Replica(scene.ledger, ReplicaInfo(name, f"boot-{name}-again"), clock, clock, timing=BY_HAND)
    scene.replicas[f"{name} again"] = made
    return made


async def began(one: Replica) -> Replica:
    await one.beat()
    await one.beat()
    return one


# --- shares


async def test_shares_of_a_departed_replica_are_reassigned_at_once() -> None:
    """Its existence was known, and no longer counts."""
    scene = Scene()
    one, other = await scene.joins("a"), await scene.joins("b")
    await scene.passes(1, "a", "b")
    left = [key for key in KEYS if other.owns(key)]
    assert left and not any(one.owns(key) for key in left)
    await scene.passes(4, "a")

    assert all(one.owns(key) for key in KEYS)


# --- who holds what


async def test_clock_holder_is_named_by_all() -> None:
    """Even if others come first in every order."""
    scene = Scene()
    for name in "bac":
        await scene.joins(name)
    await scene.passes(1, *"abc")

    assert ["b", "b", "b"] == [scene.replicas[name].holder(CLOCK) for name in "abc"]


async def test_no_clock_holder_is_named_if_there_is_none() -> None:
    """Both have renewed once, and neither knows yet whether its clock is right."""
    scene = Scene()
    one, other = scene.add("a"), scene.add("b")
    for replica in (one, other):
        await replica.beat()

    assert 2 == len(other.live)
    assert "" == other.holder(CLOCK)


async def test_replica_that_renews_keeps_its_epoch() -> None:
    """It may finish what it began."""
    scene = Scene()
    one = await scene.joins("a")
    began = one.epoch
    await scene.passes(10, "a")

    assert one.alive(began)


async def test_pause_without_a_lost_lease_does_not_hide_earlier_checks() -> None:
    """Before that it was cut off but awake, and saw everything since its first epoch."""
    scene = Scene()
    one = await scene.joins("a")
    scene.ledger.before_write = away
    for _ in range(5):
        scene.passed += 1
        with suppress(StoreError):
            await one.beat()
    scene.ledger.before_write = None
    await one.beat()
    scene.passed += 2.5
    await one.beat()

    assert (2, True) == (one.epoch, one.awake_since(1))


# --- a start


async def test_replica_alone_may_act_at_once() -> None:
    """Its first renewal measures its clock, and the second gives it the clock lease."""
    scene = Scene()
    one = scene.add("a")
    await one.start()
    try:
        assert (True, True) == (one.alive(), one.holds(CLOCK))
    finally:
        await one.stop()


async def test_clock_lease_needs_a_measured_clock() -> None:
    """After the first renewal it is unknown, so another replica may take the lease."""
    one = Scene().add("a")
    await one.beat()

    assert (True, False) == (one.alive(), one.holds(CLOCK))


async def test_previous_start_of_the_same_replica_is_no_namesake() -> None:
    """It counts as alive for three seconds after it was killed."""
    scene = Scene()
    await scene.joins("a")
    again = await began(restarted(scene, "a"))

    assert {"boot-a", "boot-a-again"} == {one.says.boot for one in again.live}
    assert [] == again.troubles()


async def test_copy_of_the_data_folder_is_reported() -> None:
    """The other one keeps renewing, so it is no previous start."""
    scene = Scene()
    await scene.joins("a")
    again = await began(restarted(scene, "a"))
    await scene.passes(4, "a", "a again")

    assert ["Another replica is called a too"] == [trouble.partition(",")[0] for trouble in again.troubles()]


async def test_different_replica_is_reported_at_once() -> None:
    """It is no previous start: whoever starts it sees the difference in its first lines."""
    scene = Scene()
    await scene.joins("a", configuration={"flags": "1"})
    other = await scene.joins("b", configuration={"flags": "2"})

    assert 1 == len(other.troubles())


async def test_replica_that_cannot_renew_says_so() -> None:
    """It acts on nothing, and people should know why."""
    scene = Scene()
    one = await scene.joins("a")
    before = one.troubles()
    scene.passed += 60

    assert ([], 1) == (before, len(one.troubles()))
    assert "a could not give a sign of life for too long" in one.troubles()[0]


# --- the ledger's time


def takes(scene: Scene, before_s: float, after_s: float) -> None:
    """From now on a renewal takes so long to reach the ledger, and its answer so long to return."""

    def travels(seconds: float) -> None:
        scene.passed += seconds

    scene.ledger.before_write, scene.ledger.after_write = partial(travels, before_s), partial(travels, after_s)


async def test_latency_of_the_answer_does_not_distort_the_measured_offset() -> None:
    """The ledger is assumed to read its clock half way."""
    scene = Scene()
    takes(scene, 0.4, 0.4)
    one = await scene.joins("a", off_s=100)

    assert scene.now == one.time(Its(scene, off=timedelta(seconds=100)).now())


async def test_slow_answer_does_not_replace_a_known_offset() -> None:
    """Nobody knows where the time was spent."""
    scene = Scene()
    one = await scene.joins("a", off_s=100)
    takes(scene, 0.0, 2.0)
    await one.beat()

    assert scene.now == one.time(Its(scene, off=timedelta(seconds=100)).now())


async def test_slow_answer_counts_if_no_offset_is_known() -> None:
    """At the start."""
    scene = Scene()
    takes(scene, 1.0, 1.0)
    one = scene.add("a", off_s=100)
    await one.beat()

    assert scene.now == one.time(Its(scene, off=timedelta(seconds=100)).now())


async def test_own_clock_counts_until_the_ledgers_is_known() -> None:
    """There is no other."""
    scene = Scene()
    assert scene.now == scene.add("a").time(scene.now)


# --- telling


class Hears:
    """Records what it is told."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def __call__(self, body: Any) -> None:
        self.heard.append(body)


async def test_messages_during_a_start_are_delivered_once_somebody_listens() -> None:
    """The parts of a bot start one after the other."""
    scene, hears = Scene(), Hears()
    one, other = await scene.joins("a"), scene.add("b")
    await other.start()
    one.tell("word", 1)
    await scene.passes(2, "a", "b")
    other.hear("word", hears)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert [1] == hears.heard
    await other.stop()


async def test_new_replica_gets_no_old_messages() -> None:
    """It has read their results from the ledger."""
    scene, hears = Scene(), Hears()
    one = await scene.joins("a")
    one.tell("word", 1)
    await scene.passes(1, "a")
    later = scene.add("c")
    later.hear("word", hears)
    await later.start()
    await scene.passes(2, "a", "c")

    assert [] == hears.heard
    await later.stop()


async def test_corrected_clock_is_trusted_at_once() -> None:
    """Without a restart, however long bot and machine had run."""
    scene = Scene(passed=86_400.0)
    await scene.joins("b")
    clock = Its(scene, off=timedelta(minutes=2))
    one = await began(Replica(scene.ledger, ReplicaInfo("a", "boot-a"), clock, clock, timing=BY_HAND))
    wrong = one.troubles()
    clock.off = timedelta(0)
    await began(one)

    assert (1, []) == (len(wrong), one.troubles())
    assert scene.now == one.time(clock.now())
