"""Rate limits: calls of a method per minute, and messages in a channel per second.

They run on the event loop's time, which is real even when the demo's clock is not.
"""

import asyncio
import math
from dataclasses import dataclass, field

from bot.sandbox.slack.errors import RateLimited
from bot.sandbox.slack.records import Settings


@dataclass
class Limits:
    """Counters of one workspace; a call over its limit raises RateLimited with the seconds to wait."""

    settings: Settings
    _windows: dict[str, tuple[float, int]] = field(default_factory=dict)
    _tokens: dict[str, tuple[float, float]] = field(default_factory=dict)

    def count_call(self, method: str, tier: str) -> None:
        """One call of `method`, in a window that opens with its first call."""
        now = asyncio.get_running_loop().time()
        opened, calls = self._windows.get(method, (now, 0))
        if now - opened >= self.settings.tier_window_s:
            opened, calls = now, 0
        if calls >= self.settings.tier_per_minute[tier]:
            raise RateLimited(max(1, math.ceil(opened + self.settings.tier_window_s - now)))
        self._windows[method] = (opened, calls + 1)

    def count_message(self, channel: str) -> None:
        """One message into `channel`: a bucket of `messages_burst` that refills at `messages_per_s`."""
        now = asyncio.get_running_loop().time()
        burst, rate = float(self.settings.messages_burst), self.settings.messages_per_s
        at, left = self._tokens.get(channel, (now, burst))
        left = min(burst, left + (now - at) * rate)
        if left < 1:
            self._tokens[channel] = (now, left)
            raise RateLimited(max(1, math.ceil((1 - left) / rate)))
        self._tokens[channel] = (now, left - 1)
