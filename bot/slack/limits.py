"""Our own rate limits, so that Slack need not apply its own: calls per second with a short burst, for each key.

Slack accepts about one message a second per channel and tolerates short bursts
(https://docs.slack.dev/apis/web-api/rate-limits). Uses the loop's clock, since Slack's limits are in real time.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf

from bot.ports import ChatError

KEEP_AT_MOST = 1000

# Allowed calls per minute and method, for all channels together. Calls that a person waits for (views.*) are never held back.
# https://docs.slack.dev/apis/web-api/rate-limits; for posts Slack says "several hundred".
PER_MINUTE: Mapping[str, int] = {
    "bookmarks.add": 20, "bookmarks.list": 50, "chat.delete": 50, "chat.postMessage": 300, "chat.update": 50,
    "conversations.create": 20, "conversations.history": 50, "conversations.info": 50, "conversations.invite": 50,
    "conversations.join": 50, "conversations.list": 20, "conversations.members": 100, "conversations.open": 50,
    "conversations.replies": 50, "conversations.setTopic": 20, "files.completeUploadExternal": 100,
    "files.getUploadURLExternal": 100, "files.info": 100, "pins.add": 20, "usergroups.users.list": 20,
    "users.conversations": 20, "users.info": 100,
}  # fmt: skip
WINDOW_S = 61.0  # a minute, plus what a call may take on its way
LONGEST_WAIT_S = 20.0


@dataclass
class Tiers:
    """Turns by method: never more per minute than Slack allows, so that fifty incidents at once are not refused by the dozen.

    A turn further away than `longest_wait_s` is refused with ChatError(code="paced") and its `retry_after`, as by `Pacer`.
    """

    per_minute: Mapping[str, int] = field(default_factory=lambda: PER_MINUTE)
    window_s: float = WINDOW_S
    longest_wait_s: float = LONGEST_WAIT_S
    _taken: dict[str, deque[float]] = field(default_factory=dict)

    async def turn(self, method: str) -> None:
        """Wait until the method may be called; returns at once if it has no limit."""
        limit = self.per_minute.get(method)
        if limit is None:
            return
        now = asyncio.get_running_loop().time()
        taken = self._taken.setdefault(method, deque(maxlen=limit))
        at = max(now, taken[0] + self.window_s) if len(taken) == limit else now
        wait = at - now
        if wait > self.longest_wait_s:
            words = f"{method} was called as often as Slack allows in a minute; next try in {wait:.0f} s"
            raise ChatError(words, code="paced", permanent=False, retry_after=timedelta(seconds=wait))
        taken.append(at)
        if wait > 0:
            await asyncio.sleep(wait)


@dataclass
class Pacer:
    """Gives turns for each key: `burst` at once, then one every `every_s` seconds.

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
        # Turns may lie in the past by as much as the burst, which is what was saved up.
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
        """Give no turn of this key before `wait` has passed, as Slack demanded."""
        until = asyncio.get_running_loop().time() + wait.total_seconds()
        self._free_at[key] = max(self._free_at.get(key, until), until)
