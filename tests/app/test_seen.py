"""Repeated requests are recognised, even while the ledger accepts nothing."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from bot.engine.seen_ids import MOST_IN_MEMORY, SeenIds
from bot.ports import Store, StoreError, StoreTrouble
from bot.store.sqlite.ledgers import InlineLedger
from bot.system.clock import ManualClock

T = TypeVar("T")

KEEP = timedelta(hours=1)


class Disk:
    """A ledger on a disk that may be full."""

    def __init__(self) -> None:
        self.inner = InlineLedger.open()
        self.full = True
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def write(self, work: Callable[[Store], T]) -> T:
        await self.goes_on.wait()
        if self.full:
            raise StoreError("ledger.db: the disk is full", kind=StoreTrouble.FULL)
        return await self.inner.write(work)

    async def read(self, work: Callable[[Store], T]) -> T:
        return await self.inner.read(work)


async def test_request_received_on_a_full_disk_is_recognised_later() -> None:
    """Slack sends it again, and it is not answered twice; after its time it would be new."""
    disk, clock = Disk(), ManualClock(datetime(2026, 3, 20, 12, 0, tzinfo=UTC))
    seen = SeenIds(disk, clock, KEEP)
    first = await seen.first_sight("a")
    again = await seen.first_sight("a")
    disk.full = False
    with_room = await seen.first_sight("a")
    clock.advance(KEEP)

    assert (True, False, False, True) == (first, again, with_room, await seen.first_sight("a"))


async def test_memory_of_requests_on_a_full_disk_is_bounded() -> None:
    """The oldest are forgotten first."""
    seen = SeenIds(Disk(), ManualClock(datetime(2026, 3, 20, 12, 0, tzinfo=UTC)), KEEP)
    for number in range(MOST_IN_MEMORY + 1):
        await seen.first_sight(f"{number}")

    assert (False, True) == (await seen.first_sight(f"{MOST_IN_MEMORY}"), await seen.first_sight("0"))


async def test_request_does_not_wait_for_a_frozen_ledger() -> None:
    """Slack waits three seconds at most. The request is recognised if it comes again, then and later."""
    disk = Disk()
    disk.full = False
    disk.goes_on.clear()
    seen = SeenIds(disk, ManualClock(datetime(2026, 3, 20, 12, 0, tzinfo=UTC)), KEEP, waits_s=0.01)
    first = await asyncio.wait_for(seen.first_sight("a"), 10)
    again = await asyncio.wait_for(seen.first_sight("a"), 10)
    disk.goes_on.set()
    await asyncio.sleep(0.01)
    after_a_restart = SeenIds(disk, ManualClock(datetime(2026, 3, 20, 12, 0, tzinfo=UTC)), KEEP)

    assert (True, False, False) == (first, again, await after_a_restart.first_sight("a"))


async def test_simultaneous_repetition_is_accepted_once() -> None:
    """While the ledger is frozen, and when it resumes."""
    disk = Disk()
    disk.full = False
    disk.goes_on.clear()
    seen = SeenIds(disk, ManualClock(datetime(2026, 3, 20, 12, 0, tzinfo=UTC)), KEEP, waits_s=0.01)

    assert [True, False] == list(await asyncio.gather(seen.first_sight("a"), seen.first_sight("a")))


async def test_flood_during_a_frozen_ledger_asks_it_within_bounds() -> None:
    """Further requests are only remembered, and the first are still recognised."""
    disk = Disk()
    disk.goes_on.clear()
    seen = SeenIds(disk, ManualClock(datetime(2026, 3, 20, 12, 0, tzinfo=UTC)), KEEP, waits_s=0.0)
    before = len(asyncio.all_tasks())
    flood = [await seen.first_sight(f"{number}") for number in range(MOST_IN_MEMORY + 100)]

    assert all(flood)
    assert len(asyncio.all_tasks()) - before <= MOST_IN_MEMORY
    assert not await seen.first_sight("0")
    disk.goes_on.set()
