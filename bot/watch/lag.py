"""How late our own event loop is: what was measured while it stood still says nothing of anybody else."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from bot.core.model import Fault, Outcome, Sample

EVERY_S = 0.05
FASTEST_S = 0.005  # however fast the clock runs
REMEMBERED = 1_200  # a minute at the speed of life
AT_LEAST_S = 0.05  # real seconds; less than this is the common unrest of a loop
SHARE = 0.2  # of what was measured
LATE_WORDS = frozenset({"deadline", "connect_timeout", "tls_timeout", "body_timeout"})  # errors that are a matter of time


class LoopLag:
    """Wakes up every 50 ms and notes how much later it got its turn. Real seconds of the loop's clock.

    `on_turn` hears of each turn, and how late it was. Where the clock runs `speed` times as fast as life, deadlines are so
    many times shorter, and it wakes up the more often.
    """

    def __init__(self, on_turn: Callable[[float], None] | None = None, *, speed: float = 1.0) -> None:
        self._on_turn = on_turn
        self._every_s = max(FASTEST_S, min(EVERY_S, EVERY_S / speed))
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
        self._due = loop.time() + self._every_s
        self._next = loop.call_at(self._due, self._woken, loop)

    def _woken(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        late_s = now - self._due
        self._late.append((now, late_s))
        self._arm(loop)
        if self._on_turn is not None:
            self._on_turn(late_s)


def doubted(sample: Sample, late_s: float, took_s: float, speed: float = 1.0) -> Sample:
    """The sample as it may be counted, where our own loop was late by a good part of what it measured.

    An answer that came is an answer, but how long it took is forgotten. Slow ones and those that never came are inconclusive:
    of these even a short wait counts where the clock runs `speed` times as fast as life, for so do their deadlines.
    """
    least_s = AT_LEAST_S if sample.outcome is Outcome.OK else AT_LEAST_S / speed
    if late_s < max(least_s, SHARE * took_s):
        return sample
    if sample.outcome is Outcome.OK:
        return replace(sample, phases_ms={})
    if sample.outcome is not Outcome.SLOW and not (sample.outcome is Outcome.FAIL and sample.error in LATE_WORDS):
        return sample
    reason = f"our own loop was {late_s * 1000:.0f} ms late meanwhile, so this says nothing; what was seen: {sample.reason}"
    return replace(sample, outcome=Outcome.INCONCLUSIVE, error="lagged", fault=Fault.LOCAL, reason=reason)
