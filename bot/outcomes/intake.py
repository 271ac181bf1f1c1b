"""Collects services' reports and stores them once a second, as counts by minute; wakes up only if there are any.

A killed process loses what arrived in its last second, although it was acknowledged: these are statistics, and making services
wait for a disk would be worse.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
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
from bot.ports.outcomes import OutcomeBatch
from bot.system.clock import Clock
from bot.system.logs import RateLimitedLog

EVERY_S = 1.0  # real seconds between writes
MOST_ROWS = 20_000  # routes and minutes in memory, about 10 MB; beyond that nothing is accepted until the disk has caught up
MOST_KEYS = 20_000  # the same for keys
MOST_SERVICES = 200  # counted separately within a day; all others are counted together
OTHER_SERVICES = "other"
A_DAY = timedelta(days=1)

log = structlog.get_logger(__name__)


class IntakeResult(Enum):
    """The result of receiving a batch."""

    COUNTED = auto()
    BEFORE = auto()  # it was already counted
    OTHER = auto()  # another batch was counted under its key
    FULL = auto()  # earlier batches are not stored yet, and there is no more room


Rows = dict[tuple[int, Route], Counts]  # by minute and route


@dataclass(slots=True)
class _Told:
    """The content of one key; if another replica has received the same, that shows when it is stored."""

    digest: bytes = b""
    rows: Rows = field(default_factory=dict)
    readings: Sequence[Reading] = ()

    @property
    def size(self) -> int:
        return len(self.rows) + len(self.readings)


Part = tuple[Rows, dict[bytes, _Told]]  # content without keys, and with keys


class OutcomeIntake:
    """Accepts batches between `start()` and `stop()`; `observe` is called with everything counted."""

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
        self._rows: Rows = {}  # content without keys
        self._told: dict[bytes, _Told] = {}
        self._held = 0  # rows and readings of content with keys
        self._writing: Mapping[bytes, _Told] = {}
        self._asking: dict[bytes, bytes] = {}  # the digest of each key that is looked up
        self._one_at_a_time = asyncio.Lock()
        self._services: set[str] = set()
        self._services_at: datetime | None = None
        self._rate_limited = RateLimitedLog(clock, timedelta(minutes=10))
        self._wake = asyncio.Event()  # something waits to be stored
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start storing."""
        await self._know_services()
        self._task = asyncio.create_task(self._run(), name="outcomes")

    async def stop(self) -> None:
        """Stop, and store what was accepted."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self.flush()

    @property
    def full(self) -> bool:
        """Whether so much is waiting that no further batch is accepted."""
        return len(self._rows) + self._held >= self._most_rows or len(self._told) >= MOST_KEYS

    async def take(
        self, outcomes: Sequence[Outcome], *, sender: str = "", key: str = "", digest: str = "",
        readings: Sequence[Reading] = (),
    ) -> IntakeResult:  # fmt: skip
        """Count a batch. A `key` this sender used within a day counts nothing again, even after a restart or elsewhere.

        `digest` is that of the body, and tells a repeat from another batch. `readings` need a key.
        """
        if self.full:
            return IntakeResult.FULL
        rows = self._rows
        if key:
            hashed, ours = _hashed(sender, key), digest.encode()
            if (counted := self._held_digest(hashed)) is not None:
                return _repeated(ours, counted)
            self._asking[hashed] = ours  # the same key may arrive twice at once
            try:
                if (counted := await self._stored_digest(hashed)) is not None:
                    return _repeated(ours, counted)
            finally:
                del self._asking[hashed]
            told = self._told[hashed] = _Told(ours)  # only now, so that it is stored with its counts
            told.readings = [replace(one, route=self._told_apart(one.route)) for one in readings]
            rows = told.rows
            self._wake.set()
        for outcome in outcomes:
            self._count(rows, outcome)
        if key:
            self._held += told.size
        return IntakeResult.COUNTED

    async def knows(self, key: str, *, sender: str = "") -> bool:
        """Whether a batch with this key was counted within a day."""
        hashed = _hashed(sender, key)
        return self._held_digest(hashed) is not None or await self._stored_digest(hashed) is not None

    def _held_digest(self, key: bytes) -> bytes | None:
        held = self._told.get(key) or self._writing.get(key)
        return held.digest if held else self._asking.get(key)

    async def _stored_digest(self, key: bytes) -> bytes | None:
        try:
            return await self._outcomes.digest_of(key)
        except StoreError:  # better counted twice than not at all; whoever monitors the file reports it
            return None

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
        """Store what was accepted; what the disk refuses is kept for the next time."""
        async with self._one_at_a_time:
            await self._write()

    async def _write(self) -> None:
        if not self._rows and not self._told:
            return
        left: list[Part] = [(self._rows, self._told)]
        self._rows, self._told, self._held = {}, {}, 0
        self._writing = left[0][1]
        try:
            while left:
                left[:1] = await self._put(left[0])
        except StoreError as error:
            for rows, told in reversed(left):
                self._keep(rows, told)
            if (unsaid := self._rate_limited.may("outcomes")) is not None:
                log.warning("outcomes are not written yet", why=str(error), rows=len(self._rows), since_last=unsaid)
        finally:
            self._writing = {}

    async def _put(self, part: Part) -> list[Part]:
        """Store it. If the store rejects it, return it as halves, so that eventually only what is invalid is dropped."""
        rows, told = part
        batches = [OutcomeBatch(key, _minutes(one.rows), one.readings, one.digest) for key, one in told.items()]
        try:
            news = await self._outcomes.add(_minutes(rows), batches, now=self._clock.now(), began=self._began)
        except Exception as error:  # of any kind: one invalid entry must not take the others with it
            if isinstance(error, StoreError) and error.kind is not StoreTrouble.VALUE:
                raise
            if len(rows) + len(told) > 1:
                return _halves(part)
            if (unsaid := self._rate_limited.may("left out")) is not None:
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
        """Forget services silent for a day, to make room for others."""
        now = self._clock.now()
        if self._services_at is None or now - self._services_at >= A_DAY:
            try:
                waiting = [self._rows, *(one.rows for one in self._told.values())]
                held = {route.service for rows in waiting for _, route in rows}
                self._services = await self._outcomes.services(now - A_DAY) | held
                self._services_at = now
            except StoreError as error:
                log.debug("the names of services cannot be read", why=str(error))

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(A_DAY.total_seconds()):  # then silent services are forgotten
                    await self._wake.wait()
            await asyncio.sleep(self._every_s)
            self._wake.clear()
            try:
                await self.flush()
                await self._know_services()
            except Exception:  # the root of a task: a batch that cannot be stored must not stop all others
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


def _repeated(digest: bytes, counted: bytes) -> IntakeResult:
    """Without a digest, such as one counted by an earlier version, the key alone decides."""
    return IntakeResult.OTHER if digest and counted and digest != counted else IntakeResult.BEFORE


def _hashed(sender: str, key: str) -> bytes:
    """Keys of different senders never collide."""
    return hashlib.sha256(f"{sender}\0{key}".encode("utf-8", "surrogateescape")).digest()[:16]
