"""The metronome: ticks on the event loop, plus an APScheduler job for the ledger's next deadline.

Nothing that must happen is stored here: each tick compares the ledger and monotonic phases with the time. So after the wall
clock was set back, no deadline is later than the next tick.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.system.rhythm import next_round

log = structlog.get_logger(__name__)

LONG_LOOK_S = 1.0  # real seconds; the time between two ticks in production
SAY_EVERY_S = 60.0
DEADLINE = "deadline"


class ApTicker:
    """A `Ticker`: a timer aligned with all others of its interval, and one in-memory date job of APScheduler, in UTC.

    A tick never waits. The look after it may wait for a database: while one is running, the next is skipped and a later one
    does what is due. Looks of a second or more are logged, at most once a minute.
    """

    def __init__(self) -> None:
        self._scheduler: AsyncIOScheduler | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._beat: Callable[[], None] | None = None
        self._look: Callable[[], Awaitable[None]] | None = None
        self._expected: datetime | None = None
        self._under_way: asyncio.Task[None] | None = None
        self._left_out = 0
        self._unsaid = (0.0, 0)  # the longest look since the last log line, and how many were skipped
        self._said_at = -SAY_EVERY_S

    def start(self, beat: Callable[[], None], look: Callable[[], Awaitable[None]], every_s: float) -> None:
        """Start ticking on the running loop."""
        self._beat, self._look = beat, look
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._scheduler.start()
        self._arm(every_s)

    def expect(self, at: datetime | None) -> None:
        """Also look at this real time, replacing any time set earlier."""
        if at == self._expected or self._scheduler is None:
            return
        self._expected = at
        if at is not None:
            self._scheduler.add_job(
                self._ring, "date", run_date=at, id=DEADLINE, replace_existing=True, misfire_grace_time=None
            )
        elif self._scheduler.get_job(DEADLINE):
            self._scheduler.remove_job(DEADLINE)

    async def stop(self) -> None:
        """Stop both, after the current look."""
        self._beat = self._look = None
        if self._timer:
            self._timer.cancel()
        if self._scheduler:
            self._scheduler.remove_all_jobs()
        if self._under_way:
            await self._under_way
        if self._scheduler:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None

    def _arm(self, every_s: float) -> None:
        """Schedule at whole multiples of the interval, so that everything that runs once a second shares one wake-up."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(next_round(loop.time(), every_s), self._beats, every_s)

    def _beats(self, every_s: float) -> None:
        self._arm(every_s)
        if self._beat is None:
            return
        try:
            self._beat()
        except Exception:  # the root of the tick: one failure must not end the watching
            log.exception("beat failed")
        self._look_now()

    async def _ring(self) -> None:
        """A coroutine, since APScheduler runs plain functions in threads."""
        self._look_now()

    def _look_now(self) -> None:
        if self._look is None:
            return
        if self._under_way and not self._under_way.done():
            self._left_out += 1
            return
        self._under_way = asyncio.create_task(self._run(self._look), name="look")

    async def _run(self, look: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await look()
        except Exception:  # the root of a task: one failure must not end the watching
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
                "reading the ledger and samples took long, so deadlines may be met late: disk, database or machine are busy",
                took_s=round(longest_s, 1), left_out=in_all,
            )  # fmt: skip
            self._unsaid, self._said_at = (0.0, 0), now
