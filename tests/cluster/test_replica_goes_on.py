"""A replica's background work survives single failures of the ledger or of a listener."""

import asyncio
from typing import Any

import pytest

from bot.cluster.replica import MOST_UNTOLD, Replica, ReplicaTiming
from bot.ports import ReplicaInfo, StoreError, StoreTrouble
from tests.cluster.stand import Its, Scene

AWAY = StoreError("away", kind=StoreTrouble.AWAY, permanent=False)
OURS = LookupError("a fault of ours")


@pytest.mark.parametrize("error", [AWAY, OURS])
async def test_renewals_go_on_after_one_failed(error: Exception) -> None:
    """A replica that stopped renewing would do nothing any more."""
    scene = Scene()
    clock = Its(scene)
    one = Replica(scene.ledger, ReplicaInfo("a", "boot-a"), clock, clock, timing=ReplicaTiming(every_s=0.001))
    await one.start()
    failed, given = asyncio.Event(), asyncio.Event()

    def fails_once() -> None:
        if not failed.is_set():
            failed.set()
            raise error
        given.set()

    scene.ledger.before_write = fails_once
    async with asyncio.timeout(10):
        await given.wait()
    scene.ledger.before_write = None
    await one.stop()

    assert failed.is_set() and given.is_set()


@pytest.mark.parametrize("error", [AWAY, OURS])
async def test_messages_go_on_after_one_could_not_be_handled(error: Exception) -> None:
    """It may be of another version, or the ledger may be away."""
    scene, heard = Scene(), list[Any]()

    async def hear(body: Any) -> None:
        if body == "bad":
            raise error
        heard.append(body)

    one, other = await scene.joins("a"), scene.add("b")
    other.hear("word", hear)
    await other.start()
    one.tell("word", "bad")
    one.tell("word", "good")
    await scene.passes(2, "a", "b")
    await asyncio.sleep(0)
    await other.stop()

    assert ["good"] == heard


async def test_oldest_waiting_messages_are_dropped_first() -> None:
    """While the ledger is away for long they would fill the memory."""
    scene, heard = Scene(), list[Any]()

    async def hear(body: Any) -> None:
        heard.append(body)

    one, other = await scene.joins("a"), scene.add("b")
    other.hear("word", hear)
    await other.start()

    def away() -> None:
        for n in (MOST_UNTOLD, MOST_UNTOLD + 1):  # told while the sign of life was on its way
            one.tell("word", n)
        raise AWAY

    for n in range(MOST_UNTOLD):
        one.tell("word", n)
    scene.ledger.before_write = away
    with pytest.raises(StoreError):
        await one.beat()
    scene.ledger.before_write = None
    await scene.passes(2, "a", "b")
    while len(heard) < MOST_UNTOLD:
        await asyncio.sleep(0)
    await other.stop()

    assert list(range(2, MOST_UNTOLD + 2)) == heard
