"""Each component's checks over the last day and the last 90: read from hourly roll-ups, and cached.

The current hour has no roll-up yet: its single results are counted once a minute.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain

import structlog
from aiohttp import web

from bot.core.lazy_dataclass import dataclass
from bot.engine.latencies import KNOWN_WITHIN_S
from bot.ports import LatencyPicture, Samples, StoreError

log = structlog.get_logger(__name__)

HOURS, DAYS = 24, 90
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
READ_EVERY = timedelta(minutes=1)
UNSUMMED = 2  # hours that may have no roll-up yet: the current one, and for some minutes the one before
SETTLED_AFTER = 2 * HOUR  # an hour is rolled up minutes after its end; later samples do not visibly change a bar

Pictures = Mapping[str, LatencyPicture]  # by component


@dataclass(frozen=True)
class PastLatency:
    """Hours and days, oldest first, up to the current one; None if not read yet.

    `day` is the last 24 full hours together. `trouble` is a sentence on why the rest is missing; empty if nothing is.
    """

    hours: Sequence[Pictures | None]
    days: Sequence[Pictures | None]
    day: Pictures
    trouble: str


class History:
    """Reads each hour and day once, in the background: 90 days of hundreds of components take seconds."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._hours = _Spans(HOUR, timed=True)
        self._days = _Spans(DAY, timed=False)
        self._unsummed: dict[datetime, Pictures] = {}  # by hour, what is in no roll-up yet
        self._day: Pictures = {}
        self._day_of: dict[datetime, Pictures] = {}  # the hours that it was read with
        self._read_at: datetime | None = None
        self._reading: asyncio.Task[None] | None = None
        self._trouble = ""

    async def past(self, now: datetime) -> PastLatency:
        """The history as far as it is known within a second; the rest follows next time."""
        if self._reading is None and not self._is_fresh(now):
            self._reading = asyncio.create_task(self._read(now), name="the board reads history")
        if (reading := self._reading) is not None:
            await asyncio.wait({reading}, timeout=KNOWN_WITHIN_S)
            if reading.done() and self._reading is reading:
                self._reading = None
                reading.result()
        trouble = self._trouble or ("The rest of the history is still being read." if self._reading else "")
        hours = [self._with_unsummed(self._hours.pictures.get(at), at, HOUR) for at in _hours(now)]
        days = [self._with_unsummed(self._days.pictures.get(at), at, DAY) for at in _days(now)]
        return PastLatency(hours, days, self._day, trouble)

    async def stop(self, app: web.Application) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _is_fresh(self, now: datetime) -> bool:
        return self._read_at is not None and timedelta(0) <= now - self._read_at < READ_EVERY

    def _with_unsummed(self, summed: Pictures | None, since: datetime, span: timedelta) -> Pictures | None:
        more = [pictures for at, pictures in self._unsummed.items() if since <= at < since + span]
        if summed is None or not more:
            return summed
        return {id: _together([held[id] for held in (summed, *more) if id in held]) for id in {*summed, *chain(*more)}}

    async def _read(self, now: datetime) -> None:
        self._read_at = now
        try:
            await self._read_hours(now)
            await self._days.read(self._samples, _days(now), now)
        except StoreError as error:
            log.info("the history of checks cannot be read", why=str(error))
            self._trouble = "The history of checks cannot be read right now."
        else:
            self._trouble = ""

    async def _read_hours(self, now: datetime) -> None:
        wanted = _hours(now)
        self._unsummed = {at: held for at, held in self._unsummed.items() if at in wanted[-UNSUMMED:]}
        for at in wanted[-UNSUMMED:]:
            self._unsummed[at] = await self._samples.unrolled(at, at + HOUR)
        await self._hours.read(self._samples, wanted, now)
        if self._hours.pictures != self._day_of:
            self._day = await self._samples.rolled(wanted[-1] - DAY, wanted[-1], timed=True)
            self._day_of = dict(self._hours.pictures)


class _Spans:
    """What is known about spans of one length. Each is read again until it is settled, and once after that."""

    def __init__(self, each: timedelta, *, timed: bool) -> None:
        self.pictures: dict[datetime, Pictures] = {}
        self._settled: set[datetime] = set()
        self._each = each
        self._timed = timed

    async def read(self, samples: Samples, wanted: Sequence[datetime], now: datetime) -> None:
        """Read the wanted spans that are not settled, newest first; forget all others."""
        self.pictures = {at: held for at, held in self.pictures.items() if at in wanted}
        self._settled &= set(wanted)
        for at in reversed(wanted):
            if at not in self._settled:
                self.pictures[at] = await samples.rolled(at, at + self._each, timed=self._timed)
                if now - at - self._each >= SETTLED_AFTER:
                    self._settled.add(at)


def _together(pictures: Sequence[LatencyPicture]) -> LatencyPicture:
    """The sum of several pictures; percentiles cannot be added up, so only a single picture keeps them."""
    if len(pictures) == 1:
        return pictures[0]
    return LatencyPicture(sum(one.count for one in pictures), None, None, sum(one.failed for one in pictures))


def _hours(now: datetime) -> list[datetime]:
    newest = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return [newest - HOUR * back for back in reversed(range(HOURS))]


def _days(now: datetime) -> list[datetime]:
    newest = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [newest - DAY * back for back in reversed(range(DAYS))]


HISTORY = web.AppKey("history", History)
