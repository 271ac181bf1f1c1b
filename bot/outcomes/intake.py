"""Gathers what services tell and writes it once a second, as counts by minute; while nothing comes, nothing wakes up for it.

A process that is killed loses what came in within that last second, though it was answered: these are figures, and services
that had to wait for a disk would be the worse trade.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

import structlog

from bot.core.outcomes.counts import Counts, MinuteCount, Route
from bot.core.outcomes.outcome import Outcome
from bot.ports import Outcomes, StoreError
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


class OutcomeIntake:
    """Takes batches between `start()` and `stop()`; `observe` hears of everything that is counted."""

    def __init__(
        self, outcomes: Outcomes, clock: Clock, observe: Callable[[Route, Counts], None] = lambda *_: None, *,
        every_s: float = EVERY_S, most_rows: int = MOST_ROWS,
    ) -> None:  # fmt: skip
        self._outcomes = outcomes
        self._clock = clock
        self._observe = observe
        self._every_s = every_s
        self._most_rows = most_rows
        self._rows: dict[tuple[int, Route], Counts] = {}
        self._keys: set[bytes] = set()
        self._writing: set[bytes] = set()
        self._asking: set[bytes] = set()
        self._one_at_a_time = asyncio.Lock()
        self._services: set[str] = set()
        self._services_at: datetime | None = None
        self._sparingly = Sparingly(clock, timedelta(minutes=10))
        self._told = asyncio.Event()  # something waits for the disk
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
        return len(self._rows) >= self._most_rows or len(self._keys) >= MOST_KEYS

    async def take(self, outcomes: Sequence[Outcome], *, sender: str = "", key: str = "") -> Taken:
        """Count a batch. A `key` that this sender used within a day counts nothing again, also across a restart."""
        if self.full:
            return Taken.FULL
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
            self._keys.add(hashed)  # only now, so that it is written with its counts
            self._told.set()
        for outcome in outcomes:
            self._count(outcome)
        return Taken.COUNTED

    async def knows(self, key: str, *, sender: str = "") -> bool:
        """Whether a batch with this key was counted within a day."""
        hashed = _hashed(sender, key)
        return self._holds(hashed) or await self._was_counted(hashed)

    def _holds(self, key: bytes) -> bool:
        return key in self._keys or key in self._writing or key in self._asking

    async def _was_counted(self, key: bytes) -> bool:
        try:
            return await self._outcomes.known_key(key)
        except StoreError:  # better counted twice than not at all; the file's trouble is said where it is watched
            return False

    def _count(self, outcome: Outcome) -> None:
        route = outcome.route
        if route.service not in self._services:
            if len(self._services) >= MOST_SERVICES:
                route = route._replace(service=OTHER_SERVICES)
            else:
                self._services.add(route.service)
        row = (int(outcome.at.timestamp()) // 60, route)
        held = self._rows.get(row)
        if held is None:
            self._rows[row] = held = Counts()
        held.add(outcome.counts)
        self._told.set()
        self._observe(route, outcome.counts)

    async def flush(self) -> None:
        """Write what was taken; what the disk does not take is kept for the next time."""
        async with self._one_at_a_time:
            await self._write()

    async def _write(self) -> None:
        if not self._rows and not self._keys:
            return
        rows, self._rows = self._rows, {}
        keys, self._keys = self._keys, set()
        self._writing = keys
        batch = [
            MinuteCount(datetime.fromtimestamp(minute * 60, UTC), route, counts) for (minute, route), counts in rows.items()
        ]
        try:
            await self._outcomes.add(batch, keys, now=self._clock.now())
        except StoreError as error:
            self._keep(rows, keys)
            if (unsaid := self._sparingly.may("outcomes")) is not None:
                log.warning("outcomes are not written yet", why=str(error), rows=len(self._rows), since_last=unsaid)
        finally:
            self._writing = set()

    def _keep(self, rows: dict[tuple[int, Route], Counts], keys: set[bytes]) -> None:
        for row, counts in self._rows.items():
            if row in rows:
                rows[row].add(counts)
            else:
                rows[row] = counts
        self._rows = rows
        self._keys |= keys
        self._told.set()

    async def _know_services(self) -> None:
        """Forget who told nothing for a day, so that there is room for others."""
        now = self._clock.now()
        if self._services_at is None or now - self._services_at >= A_DAY:
            try:
                held = {route.service for _, route in self._rows}
                self._services = await self._outcomes.services(now - A_DAY) | held
                self._services_at = now
            except StoreError as error:
                log.debug("the services are not known", why=str(error))

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(A_DAY.total_seconds()):  # then those are forgotten who tell nothing any more
                    await self._told.wait()
            await asyncio.sleep(self._every_s)
            self._told.clear()
            try:
                await self.flush()
                await self._know_services()
            except Exception:  # the root of a task: one batch that cannot be written must not end all others
                log.exception("outcomes could not be written")


def _hashed(sender: str, key: str) -> bytes:
    """Keys of two senders never meet."""
    return hashlib.sha256(f"{sender}\0{key}".encode("utf-8", "surrogateescape")).digest()[:16]
