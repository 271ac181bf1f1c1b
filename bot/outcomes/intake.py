"""Gathers what services tell and writes it once a second, as counts by minute; while nothing comes, nothing wakes up for it.

A process that is killed loses what came in within that last second, though it was answered: these are figures, and services
that had to wait for a disk would be the worse trade.
"""

import asyncio
import hashlib
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from itertools import islice

import structlog

from bot.core.outcomes.counts import Counts, MinuteCount, Route
from bot.core.outcomes.outcome import Outcome
from bot.core.outcomes.series import Reading
from bot.outcomes.measured import Measured
from bot.ports import Outcomes, StoreError, StoreTrouble
from bot.ports.outcomes import Told
from bot.system.clock import Clock
from bot.system.logs import Sparingly

EVERY_S = 1.0  # real seconds between two writes
MOST_ROWS = 20_000  # ways and minutes held in memory, some 10 MB; then nothing more is taken until the disk took them
MOST_KEYS = 20_000  # likewise
MOST_SERVICES = 200  # told apart within a day; the rest are counted together
OTHER_SERVICES = "other"
A_DAY = timedelta(days=1)

log = structlog.get_logger(__name__)


class Taken(Enum):
    """What became of a batch."""

    COUNTED = auto()
    BEFORE = auto()  # its key was counted already
    FULL = auto()  # what came before is not on the disk yet, and there is no room for more


Rows = dict[tuple[int, Route], Counts]  # by minute and way


@dataclass(slots=True)
class _Told:
    """What came with one key; another replica may have been told the same, which shows when it is written."""

    rows: Rows = field(default_factory=dict)
    readings: Sequence[Reading] = ()

    @property
    def size(self) -> int:
        return len(self.rows) + len(self.readings)


Part = tuple[Rows, dict[bytes, _Told]]  # what came without a key, and with one


class OutcomeIntake:
    """Takes batches between `start()` and `stop()`; `observe` hears of everything that is counted."""

    def __init__(
        self, outcomes: Outcomes, clock: Clock, observe: Callable[[Route, Counts], None] = lambda *_: None, *,
        every_s: float = EVERY_S, most_rows: int = MOST_ROWS, measured: Measured | None = None,
    ) -> None:  # fmt: skip
        self.measured = measured or Measured(clock)
        self._began = clock.now()
        self._outcomes = outcomes
        self._clock = clock
        self._observe = observe
        self._every_s = every_s
        self._most_rows = most_rows
        self._rows: Rows = {}  # of what came without a key
        self._told: dict[bytes, _Told] = {}
        self._held = 0  # rows and readings of those
        self._writing: Collection[bytes] = ()
        self._asking: set[bytes] = set()
        self._one_at_a_time = asyncio.Lock()
        self._services: set[str] = set()
        self._services_at: datetime | None = None
        self._sparingly = Sparingly(clock, timedelta(minutes=10))
        self._wake = asyncio.Event()  # something waits for the disk
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to write."""
        await self._know_services()
        self._task = asyncio.create_task(self._run(), name="outcomes")

    async def stop(self) -> None:
        """End, and write what was taken."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self.flush()

    @property
    def full(self) -> bool:
        """Whether so much waits for the disk that no further batch is taken."""
        return len(self._rows) + self._held >= self._most_rows or len(self._told) >= MOST_KEYS

    async def take(
        self, outcomes: Sequence[Outcome], *, sender: str = "", key: str = "", readings: Sequence[Reading] = ()
    ) -> Taken:
        """Count a batch. A `key` that this sender used within a day counts nothing again, also across a restart, and whichever
        replica it was told; `readings` need one.
        """
        if self.full:
            return Taken.FULL
        rows = self._rows
        if key:
            hashed = _hashed(sender, key)
            if self._holds(hashed):
                return Taken.BEFORE
            self._asking.add(hashed)  # the same key may come twice at once
            try:
                if await self._was_counted(hashed):
                    return Taken.BEFORE
            finally:
                self._asking.discard(hashed)
            told = self._told[hashed] = _Told()  # only now, so that it is written with its counts
            told.readings = [replace(one, route=self._told_apart(one.route)) for one in readings]
            rows = told.rows
            self._wake.set()
        for outcome in outcomes:
            self._count(rows, outcome)
        if key:
            self._held += told.size
        return Taken.COUNTED

    async def knows(self, key: str, *, sender: str = "") -> bool:
        """Whether a batch with this key was counted within a day."""
        hashed = _hashed(sender, key)
        return self._holds(hashed) or await self._was_counted(hashed)

    def _holds(self, key: bytes) -> bool:
        return key in self._told or key in self._writing or key in self._asking

    async def _was_counted(self, key: bytes) -> bool:
        try:
            return await self._outcomes.known_key(key)
        except StoreError:  # better counted twice than not at all; the file's trouble is said where it is watched
            return False

    def _told_apart(self, route: Route) -> Route:
        if route.service in self._services:
            return route
        if len(self._services) >= MOST_SERVICES:
            return route._replace(service=OTHER_SERVICES)
        self._services.add(route.service)
        return route

    def _count(self, rows: Rows, outcome: Outcome) -> None:
        route = self._told_apart(outcome.route)
        row = (int(outcome.at.timestamp()) // 60, route)
        held = rows.get(row)
        if held is None:
            rows[row] = held = Counts()
        held.add(outcome.counts)
        self._wake.set()
        self._observe(route, outcome.counts)

    async def flush(self) -> None:
        """Write what was taken; what the disk does not take is kept for the next time."""
        async with self._one_at_a_time:
            await self._write()

    async def _write(self) -> None:
        if not self._rows and not self._told:
            return
        left: list[Part] = [(self._rows, self._told)]
        self._rows, self._told, self._held = {}, {}, 0
        self._writing = left[0][1].keys()
        try:
            while left:
                left[:1] = await self._put(left[0])
        except StoreError as error:
            for rows, told in reversed(left):
                self._keep(rows, told)
            if (unsaid := self._sparingly.may("outcomes")) is not None:
                log.warning("outcomes are not written yet", why=str(error), rows=len(self._rows), since_last=unsaid)
        finally:
            self._writing = ()

    async def _put(self, part: Part) -> list[Part]:
        """Write it. One that the store cannot hold is written in halves, given back here, until what spoils it is left out."""
        rows, told = part
        batches = [Told(key, _minutes(one.rows), one.readings) for key, one in told.items()]
        try:
            news = await self._outcomes.add(_minutes(rows), batches, now=self._clock.now(), began=self._began)
        except Exception as error:  # of whatever kind: one that cannot be written must not take the others along
            if isinstance(error, StoreError) and error.kind is not StoreTrouble.VALUE:
                raise
            if len(rows) + len(told) > 1:
                return _halves(part)
            if (unsaid := self._sparingly.may("left out")) is not None:
                log.exception("outcomes that cannot be written are left out", since_last=unsaid)
            return []
        for outcome in news:
            self._observe(outcome.route, outcome.counts)
        return []

    def _keep(self, rows: Rows, told: dict[bytes, _Told]) -> None:
        for row, counts in self._rows.items():
            if row in rows:
                rows[row].add(counts)
            else:
                rows[row] = counts
        self._rows = rows
        self._told = {**told, **self._told}
        self._held = sum(one.size for one in self._told.values())
        self._wake.set()

    async def _know_services(self) -> None:
        """Forget who told nothing for a day, so that there is room for others."""
        now = self._clock.now()
        if self._services_at is None or now - self._services_at >= A_DAY:
            try:
                waiting = [self._rows, *(one.rows for one in self._told.values())]
                held = {route.service for rows in waiting for _, route in rows}
                self._services = await self._outcomes.services(now - A_DAY) | held
                self._services_at = now
            except StoreError as error:
                log.debug("the services are not known", why=str(error))

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(A_DAY.total_seconds()):  # then those are forgotten who tell nothing any more
                    await self._wake.wait()
            await asyncio.sleep(self._every_s)
            self._wake.clear()
            try:
                await self.flush()
                await self._know_services()
            except Exception:  # the root of a task: one batch that cannot be written must not end all others
                log.exception("outcomes could not be written")


def _minutes(rows: Rows) -> list[MinuteCount]:
    return [MinuteCount(datetime.fromtimestamp(minute * 60, UTC), route, counts) for (minute, route), counts in rows.items()]


def _halves(part: Part) -> list[Part]:
    rows, told = part
    if rows and told:
        return [(rows, {}), ({}, told)]
    middle = (len(rows) + len(told)) // 2
    some = dict(islice(rows.items(), middle)), dict(islice(told.items(), middle))
    return [some, (dict(islice(rows.items(), middle, None)), dict(islice(told.items(), middle, None)))]


def _hashed(sender: str, key: str) -> bytes:
    """Keys of two senders never meet."""
    return hashlib.sha256(f"{sender}\0{key}".encode("utf-8", "surrogateescape")).digest()[:16]
