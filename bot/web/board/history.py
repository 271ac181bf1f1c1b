"""Each component's checks over the last day and the last 90 days: read from hourly roll-ups, and cached."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from aiohttp import web

from bot.core.lazy_dataclass import dataclass
from bot.engine.latencies import KNOWN_WITHIN_S
from bot.ports import LatencyPicture, Samples, StoreError

log = structlog.get_logger(__name__)

HOURS, DAYS = 24, 90
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
READ_EVERY = timedelta(minutes=1)
SETTLED_AFTER = 2 * HOUR  # an hour is rolled up minutes after its end; later samples do not visibly change a bar

Pictures = Mapping[str, LatencyPicture]  # by component


@dataclass(frozen=True)
class Past:
    """Hours and days, oldest first, up to the current one; None if not read yet.

    `day` is the last 24 hours together. `trouble` is a sentence on why the rest is missing; empty if nothing is.
    """

    hours: Sequence[Pictures | None]
    days: Sequence[Pictures | None]
    day: Pictures
    trouble: str


class History:
    """Reads each hour and day once, in the background: 90 days of hundreds of components take seconds."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._hours: dict[datetime, Pictures] = {}
        self._days: dict[datetime, Pictures] = {}
        self._day: Pictures = {}
        self._day_until: datetime | None = None
        self._read_at: datetime | None = None
        self._reading: asyncio.Task[None] | None = None
        self._trouble = ""

    async def past(self, now: datetime) -> Past:
        """The history as far as it is known within a second; the rest follows next time."""
        if self._reading is None and not self._is_fresh(now):
            self._reading = asyncio.create_task(self._read(now), name="the board reads history")
        if (reading := self._reading) is not None:
            await asyncio.wait({reading}, timeout=KNOWN_WITHIN_S)
            if reading.done() and self._reading is reading:
                self._reading = None
                reading.result()
        trouble = self._trouble or ("The rest of the history is still being read." if self._reading else "")
        return Past(
            [self._hours.get(at) for at in _hours(now)], [self._days.get(at) for at in _days(now)], self._day, trouble
        )  # fmt: skip

    async def stop(self, app: web.Application) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _is_fresh(self, now: datetime) -> bool:
        return self._read_at is not None and timedelta(0) <= now - self._read_at < READ_EVERY

    async def _read(self, now: datetime) -> None:
        self._read_at = now
        try:
            await self._read_hours(now)
            await self._read_days(now)
        except StoreError as error:
            log.info("the history of checks is not known", why=str(error))
            self._trouble = "The history of checks cannot be read right now."
        else:
            self._trouble = ""

    async def _read_hours(self, now: datetime) -> None:
        wanted = _hours(now)
        self._hours = {at: held for at, held in self._hours.items() if at in wanted}
        for at in reversed(wanted[:-1]):
            if at not in self._hours or now - at - HOUR < SETTLED_AFTER:
                self._hours[at] = await self._samples.rolled(at, at + HOUR, timed=True)
        if self._day_until != wanted[-1] or now - wanted[-1] < SETTLED_AFTER:
            self._day = await self._samples.rolled(wanted[0], wanted[-1], timed=True)
            self._day_until = wanted[-1]

    async def _read_days(self, now: datetime) -> None:
        wanted = _days(now)
        self._days = {at: held for at, held in self._days.items() if at in wanted}
        for at in reversed(wanted):
            if at not in self._days or now - at - DAY < SETTLED_AFTER:
                self._days[at] = await self._samples.rolled(at, at + DAY, timed=False)


def _hours(now: datetime) -> list[datetime]:
    newest = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return [newest - HOUR * back for back in reversed(range(HOURS))]


def _days(now: datetime) -> list[datetime]:
    newest = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [newest - DAY * back for back in reversed(range(DAYS))]


HISTORY = web.AppKey("history", History)
