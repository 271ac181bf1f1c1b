"""The metronome: APScheduler beats, and a timer of the loop's beats for it when the wall clock was set back.

Nothing that must happen is kept here: each beat looks at the ledger and at monotonic phases for what is due.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = structlog.get_logger(__name__)

LONG_LOOK_S = 1.0  # real seconds; the time between two beats of a bot in production
SAY_EVERY_S = 60.0
MOST_BEGINNINGS = 10  # as good as no limit: each ends in the turn of the loop in which it runs
LATE_BEATS, LATE_S = 2, 1.0  # when both have passed without a beat, the wall clock was stepped, or we are very busy
TICK_S = 0.002  # timers of uvloop run by whole milliseconds, and may so come up to one and a half too early


class _Scheduler(AsyncIOScheduler):  # type: ignore[misc] # APScheduler has no types
    """Wakes up when a job is due, not just before: too early, it looks again and again until it is."""

    def _start_timer(self, wait_seconds: float | None) -> None:
        super()._start_timer(None if wait_seconds is None else wait_seconds + TICK_S)


class ApTicker:
    """A `Ticker` on APScheduler: one in-memory interval job in UTC.

    A beat waits for nobody. The look after it may wait for a database: it is left out while the one before is under way, and
    the next one does what is due. One that takes a second or more is named in the log, at most once a minute. APScheduler
    reckons in wall time: after a step back of an hour it would be silent for an hour. A timer in the loop's monotonic time, set
    anew by each beat, takes over until the job's next run lies in reach.
    """

    def __init__(self) -> None:
        self._scheduler: _Scheduler | None = None
        self._late: asyncio.TimerHandle | None = None
        self._late_after_s = LATE_S
        self._beat: Callable[[], None] | None = None
        self._look: Callable[[], Awaitable[None]] | None = None
        self._under_way: asyncio.Task[None] | None = None
        self._last = 0.0
        self._left_out = 0
        self._unsaid = (0.0, 0)  # the longest look since the last word about it, and how many were left out meanwhile
        self._said_at = self._late_said_at = -SAY_EVERY_S

    def start(self, beat: Callable[[], None], look: Callable[[], Awaitable[None]], every_s: float) -> None:
        """Begin to beat on the running loop."""
        self._beat, self._look = beat, look
        self._last = asyncio.get_running_loop().time()
        self._scheduler = _Scheduler(timezone=UTC)
        # The job only begins a beat. APScheduler counts it as running until a turn of the loop after its end, so that on a busy
        # machine a few can seem to run at once.
        self._scheduler.add_job(
            self._begin, "interval", seconds=every_s, id="beat", misfire_grace_time=None, coalesce=True,
            max_instances=MOST_BEGINNINGS,
        )  # fmt: skip
        self._scheduler.start()
        self._late_after_s = max(LATE_BEATS * every_s, LATE_S)
        self._expect_a_beat()

    async def stop(self) -> None:
        """Silence both, after the look that is under way."""
        if self._scheduler:
            self._scheduler.remove_all_jobs()
        self._beat = self._look = None
        if self._late:
            self._late.cancel()
        if self._under_way:
            await self._under_way
        if self._scheduler:
            self._scheduler.shutdown(wait=False)

    async def _begin(self) -> None:
        """For APScheduler, which runs in threads whatever is no coroutine."""
        self._begin_now()

    def _begin_now(self) -> None:
        if self._beat is None or self._look is None:
            return
        self._expect_a_beat()
        try:
            self._beat()
        except Exception:  # the root of the beat: one bad beat must not end the watching
            log.exception("beat failed")
        self._last = asyncio.get_running_loop().time()
        if self._under_way and not self._under_way.done():
            self._left_out += 1
        else:
            self._under_way = asyncio.create_task(self._run(self._look), name="look of the beat")

    async def _run(self, look: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await look()
        except Exception:  # the root of a task: one bad look must not end the watching
            log.exception("look failed")
        self._ended(loop.time(), loop.time() - began)

    def _ended(self, now: float, took_s: float) -> None:
        left_out, self._left_out = self._left_out, 0
        if took_s < LONG_LOOK_S:
            return
        self._unsaid = (max(self._unsaid[0], took_s), self._unsaid[1] + left_out)
        if now - self._said_at >= SAY_EVERY_S:
            longest_s, in_all = self._unsaid
            log.warning(
                "a look at ledger and samples took long, so what falls due may be late: disk, database or machine are busy",
                took_s=round(longest_s, 1), left_out=in_all,
            )  # fmt: skip
            self._unsaid, self._said_at = (0.0, 0), now

    def _expect_a_beat(self) -> None:
        if self._late:
            self._late.cancel()
        self._late = asyncio.get_running_loop().call_later(self._late_after_s, self._no_beat_came)

    def _no_beat_came(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._last < self._late_after_s:
            self._expect_a_beat()  # one that took long and has just ended is no beat that did not come
            return
        if now - self._late_said_at >= SAY_EVERY_S:
            self._late_said_at, late_s = now, round(now - self._last, 1)
            log.warning("no beat came: a stepped wall clock or a busy machine; beating without it", late_s=late_s)
        self._begin_now()
