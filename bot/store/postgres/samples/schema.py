"""The tables of samples. Growing tables have daily or monthly partitions, so that old data can be dropped."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bot.store.connection import Connection, atomic, one
from bot.store.postgres.connection import PostgresConnection
from bot.store.postgres.migrations import Shape
from bot.store.rows import EPOCH, micros

A_DAY = timedelta(days=1)

PARTITIONS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = CAST(? AS regclass)
"""
TABLES = (
    """
    CREATE TABLE checks (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text COLLATE "C" NOT NULL,
        component text COLLATE "C" NOT NULL,
        vantage text COLLATE "C" NOT NULL,
        UNIQUE (name, component, vantage)
    )
    """,
    """
    CREATE TABLE samples (
        at bigint NOT NULL,         -- microseconds since 1970, UTC
        check_id integer NOT NULL,
        outcome smallint NOT NULL,  -- 0 ok, 1 slow, 2 fail, 3 inconclusive
        total_us bigint,
        more text,                  -- JSON: evidence and all else; only where it was not plainly ok
        PRIMARY KEY (at, check_id)
    ) PARTITION BY RANGE (at)
    """,
    """
    CREATE TABLE hours (
        at bigint NOT NULL,         -- start, seconds since 1970
        check_id integer NOT NULL,
        count integer NOT NULL,
        ok integer NOT NULL,        -- ok and slow
        fail integer NOT NULL,
        sum_us bigint NOT NULL,     -- this and below: of ok and slow
        max_us bigint NOT NULL,
        histogram jsonb NOT NULL,   -- bucket -> count
        PRIMARY KEY (at, check_id)
    ) PARTITION BY RANGE (at)
    """,
    'CREATE TABLE marks (name text COLLATE "C" PRIMARY KEY, value bigint NOT NULL)',
    'CREATE TABLE remembered (name text COLLATE "C" PRIMARY KEY, value text NOT NULL)',
    """
    CREATE TABLE ways (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        service text COLLATE "C" NOT NULL,
        flag text COLLATE "C" NOT NULL,
        variant text COLLATE "C" NOT NULL,
        provider text COLLATE "C" NOT NULL,
        UNIQUE (service, flag, variant, provider)
    )
    """,
    """
    CREATE TABLE outcomes (
        minute bigint NOT NULL,     -- since 1970
        way integer NOT NULL,
        ok bigint NOT NULL,
        failed bigint NOT NULL,
        errors text NOT NULL,       -- JSON: kind of error -> count
        latency text NOT NULL,      -- JSON: bucket -> count
        PRIMARY KEY (minute, way)
    ) PARTITION BY RANGE (minute)
    """,
    "CREATE TABLE outcome_keys (key bytea PRIMARY KEY, at bigint NOT NULL)",
    "CREATE INDEX outcome_keys_at ON outcome_keys (at)",
)

SERIES = (
    """
    CREATE TABLE series (
        key bytea PRIMARY KEY,
        at bigint NOT NULL,         -- seconds since 1970, when it was told last
        start bigint NOT NULL,      -- nanoseconds since 1970, as the next one
        upto bigint NOT NULL,
        count bigint NOT NULL,
        latency text NOT NULL       -- JSON: bucket -> count
    )
    """,
    "CREATE INDEX series_at ON series (at)",
)


def m001_first(conn: PostgresConnection) -> None:
    """Checks, samples, roll-ups, what is remembered, and outcomes of real requests."""
    for table in TABLES:
        conn.execute(table)


def m002_series(conn: PostgresConnection) -> None:
    """Cumulative series, which any replica may receive."""
    for sql in SERIES:
        conn.execute(sql)


SAMPLES = Shape("samples", (m001_first, m002_series))


class Partitions(NamedTuple):
    """A table with daily or monthly partitions; `written` formats a time for its key."""

    table: str
    monthly: bool
    written: Callable[[datetime], int]

    def start(self, at: datetime) -> datetime:
        """The start of the partition that contains this time."""
        day = at.replace(hour=0, minute=0, second=0, microsecond=0)
        return day.replace(day=1) if self.monthly else day

    def end(self, start: datetime) -> datetime:
        """The start of the next partition."""
        return self.start(start + timedelta(days=32)) if self.monthly else start + A_DAY

    def name(self, start: datetime) -> str:
        """The partition's name."""
        return f"{self.table}_{start:%Y%m%d}"

    def held(self, conn: Connection) -> list[datetime]:
        """The starts of existing partitions, oldest first."""
        names = (str(row[0]) for row in conn.execute(PARTITIONS, (self.table,)).fetchall())
        return sorted(datetime.strptime(name.rpartition("_")[2], "%Y%m%d").replace(tzinfo=UTC) for name in names)

    def make(self, conn: Connection, moments: Iterable[datetime]) -> None:
        """Create missing partitions for these times."""
        for start in sorted({self.start(at) for at in moments} - set(self.held(conn))):
            span = f"FROM ({self.written(start)}) TO ({self.written(self.end(start))})"
            conn.execute(f"CREATE TABLE IF NOT EXISTS {self.name(start)} PARTITION OF {self.table} FOR VALUES {span}")

    def drop(self, conn: Connection, start: datetime) -> int:
        """Drop a partition; returns how many rows it had."""
        with atomic(conn):
            count = int(one(conn, f"SELECT count(*) FROM {self.name(start)}")[0])  # noqa: S608 # a name of our own
            conn.execute(f"DROP TABLE {self.name(start)}")
        return count


RESULTS = Partitions("samples", False, micros)
HOURS = Partitions("hours", True, lambda at: (at - EPOCH) // timedelta(seconds=1))
OUTCOMES = Partitions("outcomes", False, lambda at: (at - EPOCH) // timedelta(minutes=1))
