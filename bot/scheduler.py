"""The metronome: APScheduler beats, and a monotonic watchdog beats for it when the wall clock was set back.

Nothing that must happen is kept here: each beat looks at the ledger and at monotonic phases for what is due.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = structlog.get_logger(__name__)

LATE_BEATS = 3  # this many missing beats mean that the wall clock was stepped, not that we are busy


class ApTicker:
    """A `Ticker` on APScheduler: one in-memory interval job in UTC, never two beats at once.

    APScheduler reckons in wall time: after a step back of an hour it would be silent for an hour. The watchdog runs on the
    loop's monotonic time and takes the beat over until the job's next run lies in reach again.
    """

    def __init__(self) -> None:
        self._scheduler: AsyncIOScheduler | None = None
        self._watchdog: asyncio.Task[None] | None = None
        self._beat: Callable[[], Awaitable[None]] | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._last = 0.0

    def start(self, beat: Callable[[], Awaitable[None]], every_s: float) -> None:
        """Begin to beat on the running loop."""
        self._beat = beat
        self._last = asyncio.get_running_loop().time()
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._scheduler.add_job(
            self._run, "interval", seconds=every_s, id="beat", misfire_grace_time=None, coalesce=True, max_instances=2
        )
        self._scheduler.start()
        self._watchdog = asyncio.create_task(self._watch(every_s), name="metronome watchdog")

    async def stop(self) -> None:
        """Silence both, after the beat that is under way."""
        if self._scheduler:
            self._scheduler.remove_all_jobs()
        if self._watchdog:
            self._watchdog.cancel()
            await asyncio.gather(self._watchdog, return_exceptions=True)
        await self._idle.wait()
        if self._scheduler:
            self._scheduler.shutdown(wait=False)

    async def _run(self) -> None:
        if not self._idle.is_set() or self._beat is None:
            return
        self._idle.clear()
        self._last = asyncio.get_running_loop().time()
        try:
            await self._beat()
        except Exception:  # the root of the beat: one bad beat must not end the watching
            log.exception("beat failed")
        finally:
            self._idle.set()

    async def _watch(self, every_s: float) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(every_s)
            if loop.time() - self._last > LATE_BEATS * every_s and self._idle.is_set():
                late_s = round(loop.time() - self._last, 1)
                log.warning("no beat came: a stepped wall clock or a busy process; the watchdog beats", late_s=late_s)
                await self._run()
