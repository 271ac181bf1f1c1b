"""The tables of the samples file. Migrations are appended, never edited."""

from sqlite_utils import Database, Migrations

samples = Migrations("understudy-samples")

CHECKS = """
CREATE TABLE checks (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    component TEXT NOT NULL,
    vantage TEXT NOT NULL,
    UNIQUE (name, component, vantage)
) STRICT
"""

# Key (at, check): new rows go at the end, and deleting takes whole pages from the front. About 25 bytes per good sample.
SAMPLES = """
CREATE TABLE samples (
    at INTEGER NOT NULL,        -- microseconds since 1970, UTC
    check_id INTEGER NOT NULL,
    outcome INTEGER NOT NULL,   -- 0 ok, 1 slow, 2 fail, 3 inconclusive
    total_us INTEGER,
    more TEXT,                  -- JSON of error, fault, reason, phases, evidence; only where it was not ok
    PRIMARY KEY (at, check_id)
) STRICT, WITHOUT ROWID
"""

ROLLUPS = """
CREATE TABLE rollups (
    span INTEGER NOT NULL,      -- seconds: 60 or 3600
    at INTEGER NOT NULL,        -- start, seconds since 1970
    check_id INTEGER NOT NULL,
    count INTEGER NOT NULL,
    ok INTEGER NOT NULL,        -- ok and slow
    fail INTEGER NOT NULL,
    sum_us INTEGER NOT NULL,    -- this and below: of ok and slow
    max_us INTEGER NOT NULL,
    histogram TEXT NOT NULL,    -- JSON: bucket -> count
    PRIMARY KEY (span, at, check_id)
) STRICT, WITHOUT ROWID
"""


@samples()
def m001_first(db: Database) -> None:
    """The dictionary of checks, raw samples, roll-ups."""
    for sql in (
        CHECKS,
        SAMPLES,
        ROLLUPS,
    ):
        db.execute(sql)


# Four bytes less per row: a time near 2030 fits in six bytes until 2034 (eight before mid-2025 and after), and a single column
# for the outcome saves two bytes of each row's header.
SHORT_SAMPLES = """
CREATE TABLE short_samples (
    at INTEGER NOT NULL,        -- microseconds since the start of 2030, UTC; negative before
    check_id INTEGER NOT NULL,
    result ANY,                 -- microseconds where it was ok, else text: 1 slow, 2 fail or 3 inconclusive, microseconds, JSON
    PRIMARY KEY (at, check_id)
) STRICT, WITHOUT ROWID
"""

RUNS = """
CREATE VIEW runs AS SELECT
    at,
    check_id,
    CASE typeof(result) WHEN 'text' THEN CAST(substr(result, 1, 1) AS INTEGER) ELSE 0 END AS outcome,
    CASE
        WHEN typeof(result) = 'integer' THEN result
        WHEN substr(result, 2, 1) <> '{' THEN CAST(substr(result, 2, 20) AS INTEGER)
    END AS total_us,
    CASE typeof(result) WHEN 'text' THEN substr(result, instr(result, '{')) END AS more
FROM samples
"""

# By hour only: for a check that runs twice a minute, a roll-up per minute is larger than what it sums up.
HOURS = """
CREATE TABLE hours (
    at INTEGER NOT NULL,        -- start, seconds since 1970
    check_id INTEGER NOT NULL,
    count INTEGER NOT NULL,
    ok INTEGER NOT NULL,        -- ok and slow
    fail INTEGER NOT NULL,
    sum_us INTEGER NOT NULL,    -- this and below: of ok and slow
    max_us INTEGER NOT NULL,
    histogram TEXT NOT NULL,    -- JSON: bucket -> count
    PRIMARY KEY (at, check_id)
) STRICT, WITHOUT ROWID
"""

# Without the hour being rolled up: it is counted again from its raw rows.
ROLLED = """
INSERT INTO marks SELECT 'rolled_until', coalesce(
    (SELECT max(at) + 60 FROM rollups WHERE span = 60), (SELECT max(at) + 3600 FROM rollups WHERE span = 3600), 0
) / 3600 * 3600
"""


@samples()
def m002_short(db: Database) -> None:
    """Rows of twenty-one bytes instead of twenty-five, roll-ups by hour only."""
    for sql in (
        SHORT_SAMPLES,
        "INSERT INTO short_samples SELECT at - 1893456000000000, check_id,"
        " CASE outcome WHEN 0 THEN total_us ELSE outcome || ifnull(total_us, '') || ifnull(more, '{}') END"
        " FROM samples ORDER BY at, check_id",
        "DROP TABLE samples",
        "ALTER TABLE short_samples RENAME TO samples",
        RUNS,
        "CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",
        ROLLED,
        HOURS,
        "INSERT INTO hours SELECT at, check_id, count, ok, fail, sum_us, max_us, histogram"
        " FROM rollups WHERE span = 3600 AND at < (SELECT value FROM marks)",
        "DROP TABLE rollups",
    ):
        db.execute(sql)


# What the detector remembers, so that a restart continues where it was instead of guessing from some samples.
REMEMBERED = """
CREATE TABLE remembered (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL         -- JSON
) STRICT, WITHOUT ROWID
"""


@samples()
def m003_remembered(db: Database) -> None:
    """What the detector remembers."""
    db.execute(REMEMBERED)


WAYS = """
CREATE TABLE ways (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    flag TEXT NOT NULL,
    variant TEXT NOT NULL,
    provider TEXT NOT NULL,
    UNIQUE (service, flag, variant, provider)
) STRICT
"""

OUTCOMES = """
CREATE TABLE outcomes (
    minute INTEGER NOT NULL,    -- since 1970
    way INTEGER NOT NULL,
    ok INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    errors TEXT NOT NULL,       -- JSON: kind of error -> count
    latency TEXT NOT NULL,      -- JSON: bucket -> count
    PRIMARY KEY (minute, way)
) STRICT, WITHOUT ROWID
"""

OUTCOME_KEYS = """
CREATE TABLE outcome_keys (
    key BLOB PRIMARY KEY,
    at INTEGER NOT NULL         -- seconds since 1970
) STRICT, WITHOUT ROWID
"""


@samples()
def m004_outcomes(db: Database) -> None:
    """Outcomes of real requests."""
    for sql in (WAYS, OUTCOMES, OUTCOME_KEYS, "CREATE INDEX outcome_keys_at ON outcome_keys (at)"):
        db.execute(sql)


SERIES = """
CREATE TABLE series (
    key BLOB PRIMARY KEY,
    at INTEGER NOT NULL,        -- seconds since 1970, when it was told last
    start INTEGER NOT NULL,     -- nanoseconds since 1970, as the next one
    upto INTEGER NOT NULL,
    count INTEGER NOT NULL,
    latency TEXT NOT NULL       -- JSON: bucket -> count
) STRICT, WITHOUT ROWID
"""


@samples()
def m005_series(db: Database) -> None:
    """Cumulative series."""
    for sql in (SERIES, "CREATE INDEX series_at ON series (at)"):
        db.execute(sql)
