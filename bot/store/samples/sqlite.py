"""Samples as async code reaches them: threaded for production, inline for simulations and tests."""

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
from bot.store.sqlite.access import Access, Ways
from bot.store.sqlite.engine import NORMAL, DatabaseError, SqliteConnection, connect_alone, connect_read_only
from bot.store.sqlite.errors import explained
from bot.store.sqlite.migrations import SAMPLES, migrate, require
from bot.store.sqlite.opening import opened

T = TypeVar("T")

log = structlog.get_logger(__name__)

SAMPLES_FILE = "samples.db"
PAGE = 2_000  # samples read in one go: the log can be written back in between, and other readers have their turn
BEGUN_ANEW = frozenset({StoreTrouble.CORRUPT, StoreTrouble.GONE})  # no results are worth a bot that stands still
IDLE_WAL = 8 * 1024 * 1024  # bytes; the budget has room for that much


async def open_samples(folder: Path, *, readers: int = 1) -> "SqliteSamples":
    """Open (or make) `folder/samples.db` and its threads; the caller holds the folder's DataLock.

    A damaged file is set aside under another name, and a new one begun: only check results are lost. Raises StoreError for a
    file that is newer or that cannot be made.
    """
    samples = SqliteSamples(folder / SAMPLES_FILE, readers)
    try:
        await samples.open()
    except BaseException:
        await samples.close()
        raise
    return samples


class SqliteSamples:
    """`bot.ports.Samples` with a writer thread of its own: a busy ledger does not wait for samples, nor they for it."""

    def __init__(self, path: Path, readers: int) -> None:
        self.path = path
        self.set_aside = ""  # what became of a damaged or lost file, in a sentence
        self._generation = 0  # how often a new file was begun
        self._missing: StoreError | None = None  # why there is no file that could be written or read
        self._fate = ""  # what became of the one before, while there is no new one
        self._renewing = asyncio.Lock()
        ways: Ways[SampleStore] = Ways(lambda: _open(path), lambda: _open_reader(path), lambda: _open_alone(path))
        self._access: Access[SampleStore] = Access(path, ways, readers)
        self.outcomes: StoredOutcomes[SampleStore] = StoredOutcomes(self._write, self._read)

    @property
    def trouble(self) -> StoreError | None:
        """Why it could only be opened for reading, if so."""
        return self._access.trouble

    @property
    def complaint(self) -> str:
        """What people should know of it; empty where it is as it should be."""
        if trouble := self._missing or self.trouble:
            return f"Check results are not kept: {trouble}."
        return self.set_aside and f"{self.set_aside}."

    async def open(self) -> None:
        """Open the file; on a disk that takes nothing for reading alone, which `trouble` says then."""
        try:
            await self._access.open()
        except StoreError as error:
            if error.kind is not StoreTrouble.CORRUPT:
                raise
            await self._begin_anew(error, self._generation)

    async def reopen(self) -> None:
        """Where it could only be read: try again. Raises StoreError while it can not be written."""
        await self._access.reopen()

    def be_patient(self, patient: bool) -> None:
        """A file is never away."""

    async def _write(self, work: Callable[[SampleStore], T]) -> T:
        generation = self._generation
        try:
            if self._missing:
                await self._begin_anew(self._missing, generation)
            return await self._access.write(work)
        except StoreError as error:
            if error.kind not in BEGUN_ANEW:
                raise
            await self._begin_anew(error, generation)
        return await self._access.write(work)

    async def _read(self, work: Callable[[SampleStore], T]) -> T:
        generation = self._generation
        try:
            if self._missing:
                await self._begin_anew(self._missing, generation)
            return await self._access.read(work)
        except StoreError as error:
            if error.kind not in BEGUN_ANEW:
                raise
            await self._begin_anew(error, generation)
        return await self._access.read(work)

    async def _begin_anew(self, why: StoreError, generation: int) -> None:
        """Set the damaged file aside and open a new one; who comes meanwhile finds it done."""
        async with self._renewing:
            if self._generation != generation:
                return
            self._missing = self._missing or why  # until the new one is there each access tries again
            try:
                if not self._fate:
                    await self._access.close()
                    self._fate = _fate(_moved_away(self.path), why)
                    log.error("samples.db is begun anew", why=str(why), what=f"it {self._fate}")
                await self._access.open()
            except OSError as error:
                self._missing = StoreError(f"{self.path} cannot be set aside: {error.strerror}", kind=StoreTrouble.IO)
                raise self._missing from error
            except StoreError as error:
                self._missing = error
                raise
            self._generation += 1
            self.set_aside = f"samples.db {self._fate}; a new one is begun"
            self._missing, self._fate = None, ""

    async def add(self, samples: Sequence[Sample], remembered: Sequence[Remembered] = ()) -> None:
        """Write a batch. It outlives the process at once, and a power cut after the next checkpoint."""
        if samples or remembered:
            await self._write(lambda store: store.add(samples, remembered))

    async def remembered(self) -> dict[str, str]:
        """What was concluded, by name."""
        return await self._read(lambda store: store.remembered())

    async def forget_remembered(self, names: Collection[str]) -> None:
        """Forget what was concluded under these names."""
        await self._write(lambda store: store.forget_remembered(names))

    async def recent(self, check: str, limit: int, vantage: str | None = None) -> list[Sample]:
        """The newest results of a check, from one vantage or from all, oldest first.

        A good one comes back without reason, evidence and single phases.
        """
        return await self._read(lambda store: store.recent(check, limit, vantage))

    async def since(self, at: datetime) -> list[Sample]:
        """The results of all checks since a moment, oldest first; read page by page, some 5 µs each."""
        found, place = await self._read(lambda store: store.page(at, START, PAGE))
        while place is not None:
            more, place = await self._read(lambda store, after=place: store.page(at, after, PAGE))  # type: ignore[misc]
            found += more
        return found

    async def medians(self, since: datetime, vantage: str | None = None) -> dict[str, float]:
        """By check, the median duration in ms (within 5 %) of runs that succeeded, from one vantage or from all."""
        return await self._read(lambda store: store.medians(since, vantage))

    async def latencies(self, components: Collection[str], since: datetime) -> dict[str, LatencyPicture]:
        """The latency of each since a moment: to 0.1 ms up to six hours back, within 5 % beyond; inconclusive runs aside."""
        return await self._read(lambda store: store.latencies(components, since))

    async def rolled(self, since: datetime, until: datetime, *, timed: bool) -> dict[str, LatencyPicture]:
        """By component, the hours that began in a span and are summed up; percentiles (within 5 %) only with `timed`."""
        return await self._read(lambda store: store.rolled(since, until, timed=timed))

    async def trim(self, before: datetime) -> int:
        """Forget results older than `before`, chunk by chunk, with other writes in between; says how many went.

        Roll-ups stay. Counts of real requests of that age go too.
        """
        await self.outcomes.forget(before)
        gone, at = 0, retention.before(before)
        while await self._read(lambda store: retention.anything_before(store.conn, at)):
            gone += await self._write(lambda store: retention.forget_raw(store.conn, at))
        return gone

    async def keep_within(self, budget_bytes: int, now: datetime) -> int:
        """Forget the oldest, step by step, until the file keeps the budget; says how many single results went.

        Raw results go first; when a day of them is left, the oldest roll-ups. Free pages are given back where the file is
        larger than its budget. The write-ahead log stays below it too, but for a storm or a long reading.
        """
        gone = 0
        while not await self._read(lambda store: retention.within(store.conn, budget_bytes)):
            step = await self._write(lambda store: retention.make_room(store.conn, budget_bytes, now))
            if step is None:
                break
            gone += step
        return gone

    async def size_bytes(self) -> int:
        """What the rows take on disk, without freed pages that wait to be used again."""
        return (await self._read(lambda store: retention.room(store.conn))).live

    async def close(self) -> None:
        """Finish what was asked for and close; a second call does nothing."""
        await self._access.close()


class InlineSamples:
    """`bot.ports.Samples` on the caller's own thread, in memory or on a file."""

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
        """What was concluded, by name."""
        return self.store.remembered()

    async def forget_remembered(self, names: Collection[str]) -> None:
        """Forget what was concluded under these names."""
        self.store.forget_remembered(names)

    async def recent(self, check: str, limit: int, vantage: str | None = None) -> list[Sample]:
        """The newest results of a check, from one vantage or from all, oldest first."""
        return self.store.recent(check, limit, vantage)

    async def since(self, at: datetime) -> list[Sample]:
        """The results of all checks since a moment, oldest first."""
        return list(self.store.since(at))

    async def medians(self, since: datetime, vantage: str | None = None) -> dict[str, float]:
        """By check, the median duration in ms of runs that succeeded, from one vantage or from all."""
        return self.store.medians(since, vantage)

    async def latencies(self, components: Collection[str], since: datetime) -> dict[str, LatencyPicture]:
        """The latency of each of these components since a moment."""
        return self.store.latencies(components, since)

    async def rolled(self, since: datetime, until: datetime, *, timed: bool) -> dict[str, LatencyPicture]:
        """By component, the hours that began in a span and are summed up."""
        return self.store.rolled(since, until, timed=timed)

    async def trim(self, before: datetime) -> int:
        """Forget results older than `before`; says how many went."""
        await self.outcomes.forget(before)
        gone, at = 0, retention.before(before)
        while chunk := retention.forget_raw(self.conn, at):
            gone += chunk
        return gone

    async def keep_within(self, budget_bytes: int, now: datetime) -> int:
        """Forget the oldest until the budget is kept; says how many single results went."""
        gone = 0
        while (step := retention.make_room(self.conn, budget_bytes, now)) is not None:
            gone += step
        return gone

    async def size_bytes(self) -> int:
        """What the rows take."""
        return retention.room(self.conn).live

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
        # It is marked as ours, and yet a table or a column is not what it should be.
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


def _fate(aside: Path | None, why: StoreError) -> str:
    how = "deleted or replaced under the running bot" if why.kind is StoreTrouble.GONE else "damaged"
    return f"was {how} and is set aside as {aside.name}" if aside else f"was {how}"


def _moved_away(path: Path) -> Path | None:
    """Give the file and its log another name, the first that is free; None where there is no file."""
    number = 1
    while (aside := path.with_name(f"{path.name}.broken-{number}")).exists():
        number += 1
    for part in ("", "-wal", "-shm"):
        found = path.with_name(f"{path.name}{part}")
        if found.exists():
            found.rename(f"{aside}{part}")
    return aside if aside.exists() else None
