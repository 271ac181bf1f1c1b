"""Which requests came before: remembered in the ledger, and in memory while the ledger takes nothing.

A question needs no write. What changes the world is kept single by its signal's id, which is committed with it.
"""

from datetime import datetime, timedelta

from bot.ports import Ledger, StoreError
from bot.system.clock import Clock

MOST_IN_MEMORY = 5_000  # the oldest go first


class SeenIds:
    """Remembers ids for `keep`."""

    def __init__(self, ledger: Ledger, clock: Clock, keep: timedelta) -> None:
        self._ledger = ledger
        self._clock = clock
        self._keep = keep
        self._in_memory: dict[str, datetime] = {}

    async def first_sight(self, id: str) -> bool:
        """Whether this id is new."""
        now = self._clock.now()
        if self._in_memory.get(id, now) > now:
            return False
        try:
            return await self._ledger.write(lambda store: store.first_sight(id, now, self._keep))
        except StoreError:  # said by whoever watches over the ledger
            self._in_memory[id] = now + self._keep
            if len(self._in_memory) > MOST_IN_MEMORY:
                del self._in_memory[next(iter(self._in_memory))]
            return True
