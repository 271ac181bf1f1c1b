"""Samples as async code reaches them: threaded for production, inline for simulations and tests."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from bot.core.model import Sample
from bot.ports import LatencyPicture
from bot.store.engine import NORMAL, Connection, connect_read_only
from bot.store.migrations import SAMPLES, migrate
from bot.store.opening import opened
from bot.store.sampling import SampleStore
from bot.store.writer import Readers, Writer

SAMPLES_FILE = "samples.db"
MINUTES_OUTLIVE = timedelta(days=12)  # raw for two days, by minute for two weeks, by hour for ever


async def open_samples(folder: Path, *, readers: int = 1) -> "SqliteSamples":
    """Open (or make) `folder/samples.db` and its threads; the caller holds the folder's DataLock.

    Raises StoreError for a file that is newer, damaged or not ours.
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
        self._writer: Writer[SampleStore] = Writer(str(path), lambda: _open(path))
        self._readers: Readers[SampleStore] = Readers(str(path), lambda: _open_reader(path), readers)

    async def open(self) -> None:
        """Open the file, the writer first."""
        await self._writer.open()
        await self._readers.open()

    async def add(self, samples: Sequence[Sample]) -> None:
        """Write a batch. It outlives the process at once, and a power cut after the next checkpoint."""
        if samples:
            await self._writer.run(lambda store: store.add(samples))

    async def recent(self, check: str, limit: int) -> list[Sample]:
        """The newest results of a check, oldest first. A good one comes back without reason, evidence and single phases."""
        return await self._readers.run(lambda store: store.recent(check, limit))

    async def latency(self, component: str, since: datetime) -> LatencyPicture:
        """The component's latency since a moment: exact up to six hours back, within 5 % beyond; inconclusive runs aside."""
        return await self._readers.run(lambda store: store.latency(component, since))

    async def trim(self, before: datetime) -> int:
        """Forget results older than `before`, chunk by chunk, with other writes in between; says how many went."""
        gone = 0
        while chunk := await self._writer.run(lambda store: store.trim_chunk(before)):
            gone += chunk
        await self._writer.run(lambda store: store.trim_minutes(before - MINUTES_OUTLIVE))
        return gone

    async def size_bytes(self) -> int:
        """What the rows take on disk."""
        return await self._readers.run(lambda store: store.size_bytes())

    async def close(self) -> None:
        """Finish what was asked for and close; a second call does nothing."""
        await self._readers.close()
        await self._writer.close()


class InlineSamples:
    """`bot.ports.Samples` on the caller's own thread, in memory or on a file."""

    def __init__(self, conn: Connection, name: str = ":memory:") -> None:
        migrate(conn, SAMPLES, name)
        self.conn = conn
        self.store = SampleStore(conn)

    @staticmethod
    def open(path: Path | str = ":memory:") -> "InlineSamples":
        """Open a file, or samples in memory."""
        return InlineSamples(opened(path, SAMPLES, NORMAL), str(path))

    async def add(self, samples: Sequence[Sample]) -> None:
        """Write a batch."""
        if samples:
            self.store.add(samples)

    async def recent(self, check: str, limit: int) -> list[Sample]:
        """The newest results of a check, oldest first."""
        return self.store.recent(check, limit)

    async def latency(self, component: str, since: datetime) -> LatencyPicture:
        """The component's latency since a moment."""
        return self.store.latency(component, since)

    async def trim(self, before: datetime) -> int:
        """Forget results older than `before`; says how many went."""
        gone = 0
        while chunk := self.store.trim_chunk(before):
            gone += chunk
        self.store.trim_minutes(before - MINUTES_OUTLIVE)
        return gone

    async def size_bytes(self) -> int:
        """What the rows take."""
        return self.store.size_bytes()

    async def close(self) -> None:
        """Close the connection."""
        self.conn.close()


def _open(path: Path) -> tuple[Connection, SampleStore]:
    conn = opened(path, SAMPLES, NORMAL)
    return conn, SampleStore(conn)


def _open_reader(path: Path) -> tuple[Connection, SampleStore]:
    conn = connect_read_only(path)
    return conn, SampleStore(conn)
