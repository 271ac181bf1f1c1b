"""Samples for async code, shared by all replicas of a cluster."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from bot.core.model import Sample
from bot.ports import LatencyPicture, Remembered, StoreError
from bot.store.connection import Connection
from bot.store.outcomes.keeping import StoredOutcomes
from bot.store.postgres.connection import PostgresConnection
from bot.store.postgres.migrations import migrate, require
from bot.store.postgres.opening import looking, usable, writing_samples
from bot.store.postgres.opening import reading as reading_connection
from bot.store.postgres.patience import Patience
from bot.store.postgres.place import Place, place_of
from bot.store.postgres.samples import keeping, reading, schema
from bot.store.postgres.samples.writing import SampleWriter
from bot.store.samples.sampling import START
from bot.store.writer import Readers, Writer

T = TypeVar("T")

PAGE = 2_000  # samples per query
LONG_S = 90.0  # the longest that dropping a day, or a month of latencies, may take


async def open_postgres_samples(address: str, replica: str, *, readers: int = 1) -> "PostgresSamples":
    """Open the samples at an address, creating tables if necessary. Raises StoreError."""
    place = place_of(address)
    samples = PostgresSamples(place, replica, readers)
    try:
        await samples.open()
    except BaseException:
        await samples.close()
        raise
    return samples


def stored_since(place: Place, at: datetime) -> list[Sample]:
    """The samples of all checks since a time, oldest first, read beside running bots. Raises StoreError."""
    conn = looking(place, "reads samples")
    try:
        require(conn, schema.SAMPLES, place)
        found, after = reading.page(conn, at, START, PAGE)
        while after is not None:
            more, after = reading.page(conn, at, after, PAGE)
            found += more
        return found
    except conn.Error as error:
        raise conn.explained(error, str(place)) from error
    finally:
        conn.close()


class _Reader(NamedTuple):
    conn: Connection


class PartitionedOutcomes(StoredOutcomes["_Reader | SampleWriter"]):
    """`bot.ports.Outcomes` in daily partitions."""

    async def forget(self, before: datetime) -> None:
        """Drop the days that ended before that time."""
        await self._write(lambda store: keeping.forget(store.conn, schema.OUTCOMES, before))


class PostgresSamples:
    """`bot.ports.Samples` over a database. Writers of samples wait for each other, but never for the ledger's.

    Connections reconnect after a break; samples refused meanwhile wait in the watch.
    """

    trouble: StoreError | None = None  # never read-only: it is either open for writing or not open
    complaint = ""
    shared = True  # all replicas read what any one writes

    def __init__(self, place: Place, replica: str, readers: int = 1) -> None:
        name = str(place)
        self._writer: Writer[SampleWriter] = Writer(name, lambda: _writing(place, replica))
        self._readers: Readers[_Reader] = Readers(name, lambda: _reading(place, replica), readers)
        self._patience = Patience(place)
        self.be_patient = self._patience.be_patient
        self.outcomes = PartitionedOutcomes(self._write, self._read, schema.OUTCOMES.make)

    async def open(self) -> None:
        """Connect, and create what is missing. Raises StoreError."""
        await self._writer.open()
        await self._readers.open()

    async def reopen(self) -> None:
        """Does nothing."""

    async def _write(self, work: Callable[[SampleWriter], T]) -> T:
        return await self._patience.over(lambda: self._writer.run(work), within_s=LONG_S)

    async def _read(self, work: Callable[[_Reader], T]) -> T:
        return await self._patience.over(lambda: self._readers.run(work), within_s=LONG_S)

    async def add(self, samples: Sequence[Sample], remembered: Sequence[Remembered] = ()) -> None:
        """Write a batch. It survives the process at once, and a crash of the database after a second."""
        if samples or remembered:
            await self._patience.over(lambda: self._writer.run(lambda store: store.add(samples, remembered)))

    async def remembered(self) -> dict[str, str]:
        """What was remembered, by name."""
        return await self._read(lambda store: reading.remembered(store.conn))

    async def forget_remembered(self, names: Collection[str]) -> None:
        """Delete what was remembered under these names."""
        await self._write(lambda store: store.forget_remembered(names))

    async def recent(self, check: str, limit: int, vantage: str | None = None) -> list[Sample]:
        """The newest samples of a check, from one vantage or all, oldest first.

        Good ones come back without reason, evidence and individual phases.
        """
        return await self._read(lambda store: reading.recent(store.conn, check, limit, vantage))

    async def since(self, at: datetime) -> list[Sample]:
        """The samples of all checks since a time, oldest first; read page by page."""
        found, place = await self._read(lambda store: reading.page(store.conn, at, START, PAGE))
        while place is not None:
            more, place = await self._read(lambda store, after=place: reading.page(store.conn, at, after, PAGE))  # type: ignore[misc]
            found += more
        return found

    async def medians(self, since: datetime, vantage: str | None = None) -> dict[str, float]:
        """By check, the median duration in ms (within 5 %) of successful runs, from one vantage or all."""
        return await self._read(lambda store: reading.medians(store.conn, since, vantage))

    async def latencies(self, components: Collection[str], since: datetime) -> dict[str, LatencyPicture]:
        """The latency of each since a time: to 0.1 ms up to six hours back, else within 5 %; without inconclusive runs."""
        return await self._read(lambda store: reading.latencies(store.conn, components, since))

    async def rolled(self, since: datetime, until: datetime, *, timed: bool) -> dict[str, LatencyPicture]:
        """By component, the finished hours that began in a span; percentiles (within 5 %) only with `timed`."""
        return await self._read(lambda store: reading.rolled(store.conn, since, until, timed=timed))

    async def unrolled(self, since: datetime, until: datetime) -> dict[str, LatencyPicture]:
        """By component, the results of a span that are in no roll-up yet, counted."""
        return await self._read(lambda store: reading.unrolled(store.conn, since, until))

    async def trim(self, before: datetime) -> int:
        """Drop the days that ended before that time; returns how many samples were deleted. Roll-ups stay.

        Counts of real requests of that age are dropped too.
        """
        await self.outcomes.forget(before)
        return await self._write(lambda store: keeping.forget(store.conn, schema.RESULTS, before))

    async def keep_within(self, budget_bytes: int, now: datetime) -> int:
        """Drop days in the future, then the oldest, until the budget is met or two days are left.

        Returns how many samples were deleted.
        """
        gone = 0
        while (step := await self._write(lambda store: keeping.make_room(store.conn, budget_bytes, now))) is not None:
            gone += step
        return gone

    async def size_bytes(self) -> int:
        """Their size in the database, including indexes."""
        return await self._read(lambda store: keeping.size_bytes(store.conn))

    async def close(self) -> None:
        """Finish pending work and close; a second call does nothing."""
        await self._readers.close()
        await self._writer.close()


def _writing(place: Place, replica: str) -> tuple[PostgresConnection, SampleWriter]:
    with usable(writing_samples(place, f"{replica} samples"), place) as conn:
        migrate(conn, schema.SAMPLES, place)
    return conn, SampleWriter(conn)


def _reading(place: Place, replica: str) -> tuple[PostgresConnection, _Reader]:
    conn = reading_connection(place, f"{replica} reads samples")
    return conn, _Reader(conn)
