"""Results waiting to be stored: in batches, each with the tracks that it changed. Measuring never waits for the store."""

import asyncio
from collections import deque

import structlog

from bot.core.model import Sample
from bot.ports import Samples, StoreError
from bot.system.clock import Clock
from bot.watch.memory import Memory
from bot.watch.plan import Courier

log = structlog.get_logger(__name__)

MOST = 20_000  # results kept while the store fails, and as many new ones; the oldest are dropped first


class SampleBuffer:
    """Holds results until they are written; `courier` sends each batch to other Understudies too."""

    def __init__(self, samples: Samples, memory: Memory, clock: Clock, courier: Courier | None, *, most: int = MOST) -> None:
        self._samples = samples
        self._memory = memory
        self._clock = clock
        self._courier = courier
        self._most = most
        self._new: deque[Sample] = deque(maxlen=most)
        self._refused: list[Sample] = []
        self._writing = asyncio.Lock()

    def keep(self, sample: Sample) -> None:
        """Add it to the next batch."""
        self._new.append(sample)

    async def flush(self, *, everything: bool = False) -> None:
        """Write everything waiting as one batch, with what is remembered; `everything`: calm tracks too.

        Waits for the store. If it fails, which is reported elsewhere, the next batch includes these results.
        """
        async with self._writing:
            batch = list(self._new)
            self._new.clear()
            if self._courier and batch:
                self._courier.offer(batch)
            waiting = [*self._refused, *batch]
            if not waiting and not everything:
                return
            taken = self._memory.take(self._clock.now(), everything=everything)
            try:
                await self._samples.add(waiting, taken.remembered)
                self._refused = []
            except StoreError as error:
                self._memory.lost(taken)
                self._refused = waiting[-self._most :]  # for when it works again
                log.debug("samples are not written", why=str(error), waiting=len(self._refused))
