"""Results that the store refuses wait, up to a limit, and the newest are kept."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.core.detection.settings import Rule
from bot.core.model import Sample
from bot.ports import Remembered, StoreError
from bot.sandbox.world import EPOCH
from bot.store.samples.sqlite import InlineSamples
from bot.system.clock import ManualClock
from bot.watch.blindness import BlindnessMonitor, BlindnessRule
from bot.watch.check_states import Tracks
from bot.watch.memory import Memory
from bot.watch.related_checks import RelatedChecks
from bot.watch.sample_buffer import SampleBuffer
from tests.engine.stand import WELL, Check, sample

CHECK = Check("vendor.api.front")
MOST = 5


class Fussy(InlineSamples):
    """Refuses writes while told to, or until its gate is open."""

    away = False
    gate: asyncio.Event

    async def add(self, samples: Sequence[Sample], remembered: Sequence[Remembered] = ()) -> None:
        self.asked.append([(one.at - EPOCH).seconds for one in samples])
        await self.gate.wait()
        if self.away:
            raise StoreError("away", permanent=False)
        await super().add(samples, remembered)

    asked: list[list[int]]


class Taken:
    """A `Courier`."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def offer(self, samples: Sequence[Sample]) -> int:
        self.batches.append(len(samples))
        return 0


class Desk:
    def __init__(self) -> None:
        async def look(control: str) -> None:
            return

        clock = ManualClock(EPOCH)
        self.store = Fussy.open()
        self.store.asked, self.store.gate = [], asyncio.Event()
        self.store.gate.set()
        tracks = Tracks([CHECK], {CHECK.id: timedelta(seconds=30)}, Rule(), {}, {}, "local")
        memory = Memory(tracks, BlindnessMonitor((), look, clock, BlindnessRule()), RelatedChecks([CHECK], {}, clock), {})
        self.courier = Taken()
        self.buffer = SampleBuffer(self.store, memory, clock, self.courier, most=MOST)
        self._count = 0

    def measures(self, many: int) -> None:
        for _ in range(many):
            self._count += 1
            self.buffer.keep(sample(CHECK.id, WELL, EPOCH + timedelta(seconds=self._count)))

    async def stored(self) -> list[int]:
        return [(one.at - EPOCH).seconds for one in await self.store.recent(CHECK.id, 100)]


@pytest.fixture
async def desk() -> Desk:
    return Desk()


async def test_each_result_is_handed_over_once(desk: Desk) -> None:
    """To the store and to other Understudies."""
    for many in (2, 0, 1):
        desk.measures(many)
        await desk.buffer.flush()
    assert [[1, 2], [3]] == desk.store.asked
    assert [2, 1] == desk.courier.batches


async def test_refused_results_come_with_the_next_batch(desk: Desk) -> None:
    """In order; peers get them only once."""
    desk.store.away = True
    desk.measures(2)
    await desk.buffer.flush()
    desk.store.away = False
    desk.measures(1)
    await desk.buffer.flush()
    assert [1, 2, 3] == await desk.stored()
    assert [2, 1] == desk.courier.batches


async def test_oldest_results_are_dropped_if_nothing_is_accepted_for_long(desk: Desk) -> None:
    """Memory is bounded for refused results, and for those that arrive during a write."""
    desk.store.away = True
    for _ in range(4):
        desk.measures(3)
        await desk.buffer.flush()
    desk.store.gate.clear()
    asking = asyncio.create_task(desk.buffer.flush())
    await asyncio.sleep(0)
    desk.measures(MOST + 2)
    assert [8, 9, 10, 11, 12] == desk.store.asked[-1]
    desk.store.away = False
    desk.store.gate.set()
    await asking
    await desk.buffer.flush()
    assert [8, 9, 10, 11, 12, 15, 16, 17, 18, 19] == await desk.stored()


async def test_measuring_does_not_wait_for_the_store(desk: Desk) -> None:
    """And two writers take turns."""
    desk.store.gate.clear()
    desk.measures(1)
    writing = [asyncio.create_task(desk.buffer.flush()) for _ in range(2)]
    await asyncio.sleep(0)
    desk.measures(1)
    await asyncio.sleep(0)
    assert [[1]] == desk.store.asked
    desk.store.gate.set()
    await asyncio.gather(*writing)
    assert [[1], [2]] == desk.store.asked
