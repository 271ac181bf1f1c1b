"""Samples for async code: with threads in production, inline for simulations and tests."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self, TypeVar

import structlog

from bot.core.model import Sample
from bot.ports import LatencyPicture, Remembered
from bot.store.connection import Connection
from bot.store.errors import StoreError, StoreTrouble
from bot.store.outcomes.keeping import StoredOutcomes
from bot.store.samples import retention
from bot.store.samples.sampling import START, SampleStore
from bot.store.sqlite.access import Access, Openers
from bot.store.sqlite.engine import NORMAL, DatabaseError, SqliteConnection, connect_alone, connect_read_only
from bot.store.sqlite.errors import explained
from bot.store.sqlite.migrations import SAMPLES, migrate, require
from bot.store.sqlite.opening import opened

T = TypeVar("T")

log = structlog.get_logger(__name__)

SAMPLES_FILE = "samples.db"
PAGE = 2_000  # samples per read: in between, the log can be checkpointed and other readers run
BEGUN_ANEW = frozenset({StoreTrouble.CORRUPT, StoreTrouble.GONE})  # samples are not worth a bot that stops
IDLE_WAL = 8 * 1024 * 1024  # bytes; the budget leaves room for it


async def open_samples(folder: Path, *, readers: int = 1) -> "SqliteSamples":
    """Open (or create) `folder/samples.db` and its threads; the caller holds the folder's DataLock.

    A damaged file is renamed and replaced by a new one: only samples are lost. Raises StoreError for a file that is newer or
    cannot be created.
    """
    samples = SqliteSamples(folder / SAMPLES_FILE, readers)
    try:
        await samples.open()
    except BaseException:
        await samples.close()
        raise
    return samples


class SqliteSamples:
    """`bot.ports.Samples` with its own writer thread: ledger and samples never wait for each other."""

    def __init__(self, path: Path, readers: int) -> None:
        self.path = path
        self.set_aside = ""  # what happened to a damaged or lost file, in a sentence
        self._generation = 0  # number of new files begun
        self._missing: StoreError | None = None  # why there is no usable file
        self._what_happened = ""  # what happened to the previous file, while there is no new one
        self._renewing = asyncio.Lock()
        ways: Openers[SampleStore] = Openers(lambda: _open(path), lambda: _open_reader(path), lambda: _open_alone(path))
        self._access: Access[SampleStore] = Access(path, ways, readers)
        self.outcomes: StoredOutcomes[SampleStore] = StoredOutcomes(self._write, self._read)

    @property
    def trouble(self) -> StoreError | None:
        """Why it is read-only, if it is."""
        return self._access.trouble

    @property
    def complaint(self) -> str:
        """What people should know about it; empty if all is well."""
        if trouble := self._missing or self.trouble:
            return f"Check results are not kept: {trouble}."
        return self.set_aside and f"{self.set_aside}."

    async def open(self) -> None:
        """Open the file; read-only on a disk that refuses writes, as `trouble` then says."""
        try:
            await self._access.open()
        except StoreError as error:
            if error.kind is not StoreTrouble.CORRUPT:
                raise
            await self._recreate(error, self._generation)

    async def reopen(self) -> None:
        """If it is read-only, try again. Raises StoreError while it cannot be written."""
        await self._access.reopen()

    def be_patient(self, patient: bool) -> None:
        """Does nothing: a file is always reachable."""

    async def _write(self, work: Callable[[SampleStore], T]) -> T:
        generation = self._generation
        try:
            if self._missing:
                await self._recreate(self._missing, generation)
            return await self._access.write(work)
        except StoreError as error:
            if error.kind not in BEGUN_ANEW:
                raise
            await self._recreate(error, generation)
        return await self._access.write(work)

    async def _read(self, work: Callable[[SampleStore], T]) -> T:
        generation = self._generation
        try:
            if self._missing:
                await self._recreate(self._missing, generation)
            return await self._access.read(work)
        except StoreError as error:
            if error.kind not in BEGUN_ANEW:
                raise
            await self._recreate(error, generation)
        return await self._access.read(work)

    async def _recreate(self, why: StoreError, generation: int) -> None:
        """Set the damaged file aside and open a new one; concurrent callers find it done."""
        async with self._renewing:
            if self._generation != generation:
                return
            self._missing = self._missing or why  # until there is a new file, each access tries again
            try:
                if not self._what_happened:
                    await self._access.close()
                    self._what_happened = _what_happened(_moved_away(self.path), why)
                    log.error("samples.db is recreated", why=str(why), what=f"it {self._what_happened}")
                await self._access.open()
            except OSError as error:
                self._missing = StoreError(f"{self.path} cannot be set aside: {error.strerror}", kind=StoreTrouble.IO)
                raise self._missing from error
            except StoreError as error:
                self._missing = error
                raise
            self._generation += 1
            self.set_aside = f"samples.db {self._what_happened}; a new one is begun"
            self._missing, self._what_happened = None, ""

    async def add(self, samples: Sequence[Sample], remembered: Sequence[Remembered] = ()) -> None:
        """Write a batch. It survives the process at once, and a power cut after the next checkpoint."""
        if samples or remembered:
            await self._write(lambda store: store.add(samples, remembered))

    async def remembered(self) -> dict[str, str]:
        """What was remembered, by name."""
        return await self._read(lambda store: store.remembered())

    async def forget_remembered(self, names: Collection[str]) -> None:
        """Delete what was remembered under these names."""
        await self._write(lambda store: store.forget_remembered(names))

    async def recent(self, check: str, limit: int, vantage: str | None = None) -> list[Sample]:
        """The newest samples of a check, from one vantage or all, oldest first.

        Good ones come back without reason, evidence and individual phases.
        """
        return await self._read(lambda store: store.recent(check, limit, vantage))

    async def since(self, at: datetime) -> list[Sample]:
        """The samples of all checks since a time, oldest first; read page by page, about 5 µs each."""
        found, place = await self._read(lambda store: store.page(at, START, PAGE))
        while place is not None:
            more, place = await self._read(lambda store, after=place: store.page(at, after, PAGE))  # type: ignore[misc]
            found += more
        return found

    async def medians(self, since: datetime, vantage: str | None = None) -> dict[str, float]:
        """By check, the median duration in ms (within 5 %) of successful runs, from one vantage or all."""
        return await self._read(lambda store: store.medians(since, vantage))

    async def latencies(self, components: Collection[str], since: datetime) -> dict[str, LatencyPicture]:
        """The latency of each since a time: to 0.1 ms up to six hours back, else within 5 %; without inconclusive runs."""
        return await self._read(lambda store: store.latencies(components, since))

    async def rolled(self, since: datetime, until: datetime, *, timed: bool) -> dict[str, LatencyPicture]:
        """By component, the finished hours that began in a span; percentiles (within 5 %) only with `timed`."""
        return await self._read(lambda store: store.rolled(since, until, timed=timed))

    async def unrolled(self, since: datetime, until: datetime) -> dict[str, LatencyPicture]:
        """By component, the results of a span that are in no roll-up yet, counted."""
        return await self._read(lambda store: store.unrolled(since, until))

    async def trim(self, before: datetime) -> int:
        """Delete samples older than `before`, chunk by chunk, with other writes in between; returns how many.

        Roll-ups stay. Counts of real requests of that age are deleted too.
        """
        await self.outcomes.forget(before)
        gone, at = 0, retention.before(before)
        while await self._read(lambda store: retention.anything_before(store.conn, at)):
            gone += await self._write(lambda store: retention.forget_raw(store.conn, at))
        return gone

    async def keep_within(self, budget_bytes: int, now: datetime) -> int:
        """Delete the oldest data, step by step, until the file meets the budget; returns how many samples were deleted.

        Raw samples go first; when a day of them is left, the oldest roll-ups. A file larger than its budget releases free
        pages. The write-ahead log stays within the budget too, except in a burst of writes or a long read.
        """
        gone = 0
        while not await self._read(lambda store: retention.within(store.conn, budget_bytes)):
            step = await self._write(lambda store: retention.make_room(store.conn, budget_bytes, now))
            if step is None:
                break
            gone += step
        return gone

    async def size_bytes(self) -> int:
        """The size of the rows on disk, without freed pages waiting for reuse."""
        return (await self._read(lambda store: retention.file_size(store.conn))).live

    async def close(self) -> None:
        """Finish pending work and close; a second call does nothing."""
        await self._access.close()


class InlineSamples:
    """`bot.ports.Samples` on the caller's thread, in memory or in a file."""

    def __init__(self, conn: SqliteConnection, name: str = ":memory:") -> None:
        migrate(conn, SAMPLES, name)
        self.conn = conn
        self.store = SampleStore(conn, writing=True)
        self.outcomes: StoredOutcomes[SampleStore] = StoredOutcomes(self._run, self._run)

    async def _run(self, work: Callable[[SampleStore], T]) -> T:
        return work(self.store)

    @classmethod
    def open(cls, path: Path | str = ":memory:") -> Self:
        """Open a file, or samples in memory."""
        return cls(opened(path, SAMPLES, NORMAL), str(path))

    async def add(self, samples: Sequence[Sample], remembered: Sequence[Remembered] = ()) -> None:
        """Write a batch."""
        if samples or remembered:
            self.store.add(samples, remembered)

    async def remembered(self) -> dict[str, str]:
        """What was remembered, by name."""
        return self.store.remembered()

    async def forget_remembered(self, names: Collection[str]) -> None:
        """Delete what was remembered under these names."""
        self.store.forget_remembered(names)

    async def recent(self, check: str, limit: int, vantage: str | None = None) -> list[Sample]:
        """The newest samples of a check, from one vantage or all, oldest first."""
        return self.store.recent(check, limit, vantage)

    async def since(self, at: datetime) -> list[Sample]:
        """The samples of all checks since a time, oldest first."""
        return list(self.store.since(at))

    async def medians(self, since: datetime, vantage: str | None = None) -> dict[str, float]:
        """By check, the median duration in ms of successful runs, from one vantage or all."""
        return self.store.medians(since, vantage)

    async def latencies(self, components: Collection[str], since: datetime) -> dict[str, LatencyPicture]:
        """The latency of each component since a time."""
        return self.store.latencies(components, since)

    async def rolled(self, since: datetime, until: datetime, *, timed: bool) -> dict[str, LatencyPicture]:
        """By component, the finished hours that began in a span."""
        return self.store.rolled(since, until, timed=timed)

    async def unrolled(self, since: datetime, until: datetime) -> dict[str, LatencyPicture]:
        """By component, the results of a span that are in no roll-up yet, counted."""
        return self.store.unrolled(since, until)

    async def trim(self, before: datetime) -> int:
        """Delete samples older than `before`; returns how many."""
        await self.outcomes.forget(before)
        gone, at = 0, retention.before(before)
        while chunk := retention.forget_raw(self.conn, at):
            gone += chunk
        return gone

    async def keep_within(self, budget_bytes: int, now: datetime) -> int:
        """Delete the oldest data until the budget is met; returns how many samples were deleted."""
        gone = 0
        while (step := retention.make_room(self.conn, budget_bytes, now)) is not None:
            gone += step
        return gone

    async def size_bytes(self) -> int:
        """The size of the rows."""
        return retention.file_size(self.conn).live

    async def close(self) -> None:
        """Close the connection."""
        self.conn.close()


def _open(path: Path) -> tuple[Connection, SampleStore]:
    try:
        conn = opened(path, SAMPLES, NORMAL)
        try:
            conn.execute(f"PRAGMA journal_size_limit = {IDLE_WAL}")
            return conn, SampleStore(conn, writing=True)
        except BaseException:
            conn.close()
            raise
    except DatabaseError as error:
        known = explained(error, path)
        # It is marked as ours, but a table or column is not as it should be.
        kind = StoreTrouble.CORRUPT if known.kind is StoreTrouble.OTHER else known.kind
        raise StoreError(str(known), kind=kind) from error


def _open_reader(path: Path) -> tuple[Connection, SampleStore]:
    conn = connect_read_only(path)
    return conn, SampleStore(conn)


def _open_alone(path: Path) -> tuple[Connection, SampleStore]:
    try:
        conn = connect_alone(path)
    except DatabaseError as error:
        raise explained(error, path) from error
    try:
        require(conn, SAMPLES, str(path))
    except BaseException:
        conn.close()
        raise
    return conn, SampleStore(conn)


def _what_happened(aside: Path | None, why: StoreError) -> str:
    how = "deleted or replaced under the running bot" if why.kind is StoreTrouble.GONE else "damaged"
    return f"was {how} and is set aside as {aside.name}" if aside else f"was {how}"


def _moved_away(path: Path) -> Path | None:
    """Move the file and its log to the first free name; None if there is no file."""
    number = 1
    while (aside := path.with_name(f"{path.name}.broken-{number}")).exists():
        number += 1
    for part in ("", "-wal", "-shm"):
        found = path.with_name(f"{path.name}{part}")
        if found.exists():
            found.rename(f"{aside}{part}")
    return aside if aside.exists() else None
