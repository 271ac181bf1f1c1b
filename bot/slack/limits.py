"""Our own pace, so that Slack need not slow us: so many calls a second, with a short burst, for each key.

Slack takes about one message a second in a channel and tolerates short bursts
(https://docs.slack.dev/apis/web-api/rate-limits). The pace runs on the loop's time: Slack's limits know no other.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf

from bot.ports import ChatError

KEEP_AT_MOST = 1000


@dataclass
class Pacer:
    """Gives out turns: `burst` at once, then one every `every_s` seconds, for each key.

    A turn further away than `longest_wait_s` is refused with ChatError(code="paced") and its `retry_after`, so that no sender
    holds its row for longer than the row's lease.
    """

    every_s: float
    burst: int
    longest_wait_s: float = 20.0
    _free_at: dict[str, float] = field(default_factory=dict)

    async def turn(self, key: str) -> None:
        """Wait for the next turn of this key."""
        now = asyncio.get_running_loop().time()
        # Slots may lie in the past, by as much as the burst: they are what was saved up.
        at = max(self._free_at.get(key, -inf), now - (self.burst - 1) * self.every_s)
        wait = at - now
        if wait > self.longest_wait_s:
            words = f"too much is waiting to be posted here; next try in {wait:.0f} s"
            raise ChatError(words, code="paced", permanent=False, retry_after=timedelta(seconds=wait))
        self._free_at[key] = at + self.every_s
        if len(self._free_at) > KEEP_AT_MOST:
            self._free_at = {key: free for key, free in self._free_at.items() if free > now - self.burst * self.every_s}
        if wait > 0:
            await asyncio.sleep(wait)

    def hold(self, key: str, wait: timedelta) -> None:
        """No turn of this key before `wait` has passed: Slack said so."""
        until = asyncio.get_running_loop().time() + wait.total_seconds()
        self._free_at[key] = max(self._free_at.get(key, until), until)
