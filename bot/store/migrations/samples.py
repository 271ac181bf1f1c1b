"""The shape of the samples file. Migrations are appended, never edited."""

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

# Key (at, check): new rows go to the end, and forgetting takes whole pages from the front. About 25 bytes a good sample.
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
