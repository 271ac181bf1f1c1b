"""How late our own event loop is: what was measured while it stood still says nothing of anybody else."""

import asyncio
from collections import deque

EVERY_S = 0.05
REMEMBERED = 1_200  # a minute


class LoopLag:
    """Wakes up every 50 ms and notes how much later it got its turn. Real seconds of the loop's clock."""

    def __init__(self) -> None:
        self._late: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        self._next: asyncio.TimerHandle | None = None
        self._due = 0.0

    def start(self) -> None:
        """Begin to watch the running loop."""
        self._arm(asyncio.get_running_loop())

    def stop(self) -> None:
        """Watch no longer."""
        if self._next:
            self._next.cancel()
            self._next = None

    def worst_since(self, began: float) -> float:
        """The longest that anything had to wait for its turn since `began` (loop time), the present wait included."""
        if self._next is None:
            return 0.0
        worst = max(0.0, asyncio.get_running_loop().time() - self._due)
        for at, late in reversed(self._late):
            if at < began:
                break
            worst = max(worst, late)
        return worst

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop.time() + EVERY_S
        self._next = loop.call_at(self._due, self._woken, loop)

    def _woken(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        self._late.append((now, now - self._due))
        self._arm(loop)
