"""How late our own event loop is: what was measured while it was blocked says nothing about others."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from bot.core.model import Fault, Outcome, Sample
from bot.system.clock import Clock
from bot.system.rhythm import next_round

EVERY_S = 0.05
REST_S = 1.0  # roughly; aligned with everything else that wakes once a second
FASTEST_S = 0.005  # however fast the clock runs
REMEMBERED = 1_200  # a minute at real speed
AT_LEAST_S = 0.05  # real seconds; less is normal jitter of a loop
SHARE = 0.2  # of the measured time
LATE_WORDS = frozenset({"deadline", "connect_timeout", "tls_timeout", "body_timeout"})  # errors that depend on time


class LoopLag:
    """Records how late the loop runs callbacks: every 50 ms during measurements. In real seconds of `clock`.

    Otherwise once a second, since twenty wake-ups a second would cost more than everything else in an idle bot. `on_turn` is
    called at each turn with how late it was and when the next is due, in seconds. If domain time runs `speed` times as fast as
    real time, deadlines are that much shorter, so it wakes up more often.
    """

    def __init__(self, clock: Clock, on_turn: Callable[[float, float], None] | None = None, *, speed: float = 1.0) -> None:
        self._clock = clock
        self._on_turn = on_turn
        self._every_s = max(FASTEST_S, min(EVERY_S, EVERY_S / speed))
        self._late: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next: asyncio.TimerHandle | None = None
        self._due: float | None = None  # when the next turn is due
        self._asked = False  # to run earlier than that
        self._measured = 0  # measurements in progress

    def start(self) -> None:
        """Start watching the running loop."""
        self._loop = asyncio.get_running_loop()
        self._turn()

    def stop(self) -> None:
        """Stop watching."""
        if self._next:
            self._next.cancel()
        self._loop = self._next = self._due = None

    def begin(self) -> float:
        """A measurement begins; returns its time, for `end`."""
        self._measured += 1
        if self._measured == 1:
            self._turn()
        return self._clock.monotonic()

    def end(self, began: float) -> float:
        """A measurement ended; returns the longest delay of the loop meanwhile, including a current one."""
        worst = 0.0 if self._due is None else max(0.0, self._clock.monotonic() - self._due)
        for at, late in reversed(self._late):
            if at < began:
                break
            worst = max(worst, late)
        self._measured -= 1
        if not self._measured:
            self._turn()
        return worst

    def ask(self) -> None:
        """Run as soon as the loop does. Callable from any thread, by somebody outside who suspects that it is blocked."""
        if self._loop and not self._measured and not self._asked:
            self._asked, self._due = True, self._clock.monotonic()
            self._loop.call_soon_threadsafe(self._turn)

    def _turn(self) -> None:
        if self._loop is None:
            return
        now, late_s = self._clock.monotonic(), 0.0
        if self._due is not None:
            late_s = max(0.0, now - self._due)
            self._late.append((now, late_s))
        if self._next:
            self._next.cancel()
        in_loop = self._loop.time()
        next_s = self._every_s if self._measured else next_round(in_loop, REST_S) - in_loop
        self._asked, self._due = False, now + next_s
        self._next = self._loop.call_later(next_s, self._turn)
        if self._on_turn is not None:
            self._on_turn(late_s, next_s)


def doubted(sample: Sample, late_s: float, took_s: float, speed: float = 1.0) -> Sample:
    """The sample as it counts, given how late our own loop was compared with what it measured.

    An answer still counts, without its latency. Slow or missing answers become inconclusive; for those even a short delay
    counts if the clock runs `speed` times as fast as real time, since their deadlines are that much shorter.
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
