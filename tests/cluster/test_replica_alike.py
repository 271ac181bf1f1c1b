"""What a replica knows of itself and the others: its clock, its own start before, and what is whose once somebody went."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

from bot.cluster.replica import Replica
from bot.ports import CLOCK, ReplicaInfo, StoreError, StoreTrouble
from tests.cluster.stand import BY_HAND, Its, Scene

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


async def test_the_shares_of_who_went_are_somebodys_at_once() -> None:
    """Who they were was known, and is not believed any longer."""
    scene = Scene()
    one, other = await scene.joins("a"), await scene.joins("b")
    await scene.passes(1, "a", "b")
    left = [key for key in KEYS if other.owns(key)]
    assert left and not any(one.owns(key) for key in left)
    await scene.passes(4, "a")

    assert all(one.owns(key) for key in KEYS)


# --- who holds what


async def test_whoever_holds_the_clock_is_named() -> None:
    """By all of them, also where others come before it in every order."""
    scene = Scene()
    for name in "bac":
        await scene.joins(name)
    await scene.passes(1, *"abc")

    assert ["b", "b", "b"] == [scene.replicas[name].holder(CLOCK) for name in "abc"]


async def test_nobody_is_named_where_nobody_holds_it() -> None:
    """Both gave a first sign of life, and neither knows yet whether its clock is right."""
    scene = Scene()
    one, other = scene.add("a"), scene.add("b")
    for replica in (one, other):
        await replica.beat()

    assert 2 == len(other.live)
    assert "" == other.holder(CLOCK)


async def test_who_gives_its_signs_of_life_stays_in_its_epoch() -> None:
    """Whatever it began then, it may finish."""
    scene = Scene()
    one = await scene.joins("a")
    began = one.epoch
    await scene.passes(10, "a")

    assert one.alive(began)


async def test_a_pause_that_cost_no_lease_hides_no_watch_of_before() -> None:
    """It was cut off before that, and awake; what it saw since its first epoch it saw itself."""
    scene = Scene()
    one = await scene.joins("a")
    sign = scene.ledger.write_at_once

    async def away(work: Any) -> Any:
        raise StoreError("away", kind=StoreTrouble.AWAY, permanent=False)

    scene.ledger.write_at_once = away  # type: ignore[method-assign]
    for _ in range(5):
        scene.passed += 1
        with suppress(StoreError):
            await one.beat()
    scene.ledger.write_at_once = sign  # type: ignore[method-assign]
    await one.beat()
    scene.passed += 2.5
    await one.beat()

    assert (2, True) == (one.epoch, one.awake_since(1))


# --- a start


async def test_who_starts_alone_may_act_at_once() -> None:
    """The first sign of life says how far its clock is off, and the second makes it the one that lets time pass."""
    scene = Scene()
    one = scene.add("a")
    await one.start()
    try:
        assert (True, True) == (one.alive(), one.holds(CLOCK))
    finally:
        await one.stop()


async def test_who_leads_knows_first_that_its_clock_is_right() -> None:
    """With its very first sign nobody can tell yet, so somebody else may take the clock."""
    one = Scene().add("a")
    await one.beat()

    assert (True, False) == (one.alive(), one.holds(CLOCK))


async def test_our_own_start_of_before_is_no_namesake() -> None:
    """It counts as alive for three seconds after it was killed."""
    scene = Scene()
    await scene.joins("a")
    again = await began(restarted(scene, "a"))

    assert {"boot-a", "boot-a-again"} == {one.says.boot for one in again.live}
    assert [] == again.troubles()


async def test_a_copy_of_our_data_folder_is_told() -> None:
    """The other one goes on with its signs of life, so it is no start of before."""
    scene = Scene()
    await scene.joins("a")
    again = await began(restarted(scene, "a"))
    await scene.passes(4, "a", "a again")

    assert ["Another replica is called a too"] == [trouble.partition(",")[0] for trouble in again.troubles()]


async def test_another_one_that_differs_is_told_at_once() -> None:
    """It is nobody's start of before: whoever starts a second replica sees it in its first lines."""
    scene = Scene()
    await scene.joins("a", configuration={"flags": "1"})
    other = await scene.joins("b", configuration={"flags": "2"})

    assert 1 == len(other.troubles())


async def test_who_could_give_no_sign_of_life_says_so() -> None:
    """It acts on nothing, and whoever looks at it should know why."""
    scene = Scene()
    one = await scene.joins("a")
    before = one.troubles()
    scene.passed += 60

    assert ([], 1) == (before, len(one.troubles()))
    assert "a could not give a sign of life for too long" in one.troubles()[0]


# --- the ledger's time


def takes(scene: Scene, before_s: float, after_s: float) -> None:
    """From now on a sign of life is so long on its way to the ledger, and its answer so long on its way back."""
    sign = scene.ledger.write_at_once

    async def slow(work: Any) -> Any:
        scene.passed += before_s
        found = await sign(work)
        scene.passed += after_s
        return found

    scene.ledger.write_at_once = slow  # type: ignore[method-assign]


async def test_how_long_the_ledgers_answer_took_does_not_put_its_clock_off() -> None:
    """It looked at its clock half way."""
    scene = Scene()
    takes(scene, 0.4, 0.4)
    one = await scene.joins("a", off_s=100)

    assert scene.now == one.time(Its(scene, off=timedelta(seconds=100)).now())


async def test_a_slow_answer_says_nothing_of_the_ledgers_clock() -> None:
    """Nobody knows where it waited; what was known before stays."""
    scene = Scene()
    one = await scene.joins("a", off_s=100)
    takes(scene, 0.0, 2.0)
    await one.beat()

    assert scene.now == one.time(Its(scene, off=timedelta(seconds=100)).now())


async def test_a_slow_answer_is_better_than_none() -> None:
    """At the start nothing is known yet."""
    scene = Scene()
    takes(scene, 1.0, 1.0)
    one = scene.add("a", off_s=100)
    await one.beat()

    assert scene.now == one.time(Its(scene, off=timedelta(seconds=100)).now())


async def test_before_anything_is_known_the_own_clock_counts() -> None:
    """There is no other."""
    scene = Scene()
    assert scene.now == scene.add("a").time(scene.now)


# --- telling


class Hears:
    """Keeps what was told."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def __call__(self, body: Any) -> None:
        self.heard.append(body)


async def test_what_is_told_during_a_start_is_heard_once_somebody_listens() -> None:
    """Parts of a bot start one after the other."""
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


async def test_who_joins_later_hears_nothing_old() -> None:
    """What was told before its start it has read from the ledger."""
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


async def test_a_clock_that_was_set_right_is_believed_from_then_on() -> None:
    """Nobody has to restart the bot after that, however long it and its machine ran before."""
    scene = Scene(passed=86_400.0)
    await scene.joins("b")
    clock = Its(scene, off=timedelta(minutes=2))
    one = await began(Replica(scene.ledger, ReplicaInfo("a", "boot-a"), clock, clock, timing=BY_HAND))
    wrong = one.troubles()
    clock.off = timedelta(0)
    await began(one)

    assert (1, []) == (len(wrong), one.troubles())
    assert scene.now == one.time(clock.now())
