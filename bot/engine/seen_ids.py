"""Which requests were seen before: stored in the ledger, or in memory while the ledger is blocked or refuses writes.

Questions are never stored. Anything that changes the world is kept unique by its signal's id, which is committed with it.
"""

import asyncio
from datetime import datetime, timedelta

import structlog

from bot.ports import Ledger, StoreError
from bot.system.clock import Clock

log = structlog.get_logger(__name__)

MOST_IN_MEMORY = 5_000  # the oldest are dropped first
WAITS_S = 1.0  # real seconds, for the ledger: Slack allows us three, and then tells people that we failed


class SeenIds:
    """Remembers ids for `keep`; waits at most `waits_s` for the ledger."""

    def __init__(self, ledger: Ledger, clock: Clock, keep: timedelta, *, waits_s: float = WAITS_S) -> None:
        self._ledger = ledger
        self._clock = clock
        self._keep = keep
        self._waits_s = waits_s
        self._in_memory: dict[str, datetime] = {}
        self._asking: dict[str, asyncio.Task[bool]] = {}

    async def first_sight(self, id: str) -> bool:
        """Whether this id is new, as far as is known in time."""
        now = self._clock.now()
        if id in self._asking or self._in_memory.get(id, now) > now:
            return False
        if len(self._asking) >= MOST_IN_MEMORY:
            return self._remember(id, now)  # while the ledger is blocked, do not ask again
        asking = asyncio.create_task(self._ask(id, now), name="came before?")
        self._asking[id] = asking
        asking.add_done_callback(lambda task: self._asked(id, task))
        done, _ = await asyncio.wait({asking}, timeout=self._waits_s)
        return asking.result() if done else self._remember(id, now)

    def _asked(self, id: str, task: "asyncio.Task[bool]") -> None:
        del self._asking[id]
        if not task.cancelled() and (error := task.exception()) is not None:  # nobody may be waiting any more to receive it
            log.error("checking for a repeated request crashed: this is a bug in Understudy", exc_info=error)

    async def _ask(self, id: str, now: datetime) -> bool:
        try:
            return await self._ledger.write(lambda store: store.first_sight(id, now, self._keep))
        except StoreError:  # whoever monitors the ledger reports it
            return self._remember(id, now)

    def _remember(self, id: str, now: datetime) -> bool:
        self._in_memory[id] = now + self._keep
        if len(self._in_memory) > MOST_IN_MEMORY:
            del self._in_memory[next(iter(self._in_memory))]
        return True
