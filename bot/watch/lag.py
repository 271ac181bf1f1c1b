"""How late our own event loop is: what was measured while it stood still says nothing of anybody else."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from bot.core.model import Fault, Outcome, Sample
from bot.system.clock import Clock
from bot.system.rhythm import next_round

EVERY_S = 0.05
REST_S = 1.0  # about; in the instant in which all wake up that do so once a second
FASTEST_S = 0.005  # however fast the clock runs
REMEMBERED = 1_200  # a minute at the speed of life
AT_LEAST_S = 0.05  # real seconds; less than this is the common unrest of a loop
SHARE = 0.2  # of what was measured
LATE_WORDS = frozenset({"deadline", "connect_timeout", "tls_timeout", "body_timeout"})  # errors that are a matter of time


class LoopLag:
    """Notes how late the loop gives a turn, 50 ms apart while something is measured. Real seconds of `clock`.

    Else once a second: to wake up twenty times a second costs more than all that an idle bot does. `on_turn` hears of each
    turn: how late it was, and in how many seconds the next one is due. Where domain time runs `speed` times as fast as life,
    deadlines are so many times shorter, and it wakes up the more often.
    """

    def __init__(self, clock: Clock, on_turn: Callable[[float, float], None] | None = None, *, speed: float = 1.0) -> None:
        self._clock = clock
        self._on_turn = on_turn
        self._every_s = max(FASTEST_S, min(EVERY_S, EVERY_S / speed))
        self._late: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next: asyncio.TimerHandle | None = None
        self._due: float | None = None  # when the next turn is
        self._asked = False  # for one sooner than that
        self._measured = 0  # under way

    def start(self) -> None:
        """Begin to watch the running loop."""
        self._loop = asyncio.get_running_loop()
        self._turn()

    def stop(self) -> None:
        """Watch no longer."""
        if self._next:
            self._next.cancel()
        self._loop = self._next = self._due = None

    def begin(self) -> float:
        """Something is measured from now on; the moment, for `end`."""
        self._measured += 1
        if self._measured == 1:
            self._turn()
        return self._clock.monotonic()

    def end(self, began: float) -> float:
        """It was measured. The longest that anything had to wait for its turn meanwhile, the present wait included."""
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
        """Take a turn as soon as there is one. From anywhere: somebody outside of the loop wonders whether it stands still."""
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
