"""What remains after raw samples are deleted: counts and a latency histogram by check and hour.

A trigger counts every new row into an in-memory table, `tally`, in the same transaction and without any Python. A minute after
an hour ends, its tallies move to the file, some checks with each batch, so that nobody waits. A crash loses only the memory:
raw rows since the mark `rolled_until` are counted again at the next start. A late sample joins its hour in its batch's
transaction.
"""

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bot.core.histogram import WIDTH, bucket
from bot.store.connection import Connection, atomic, one
from bot.store.rows import canonical
from bot.store.sqlite.engine import SqliteConnection

HOUR_S = 3_600
GRACE_S = 60  # a probe with the longest deadline still lands in its hour
US = 1_000_000
BASE_S = 1_893_456_000  # the start of 2030: times in the file count from there
CHECKS_A_STEP = 250  # moved to the file with one batch: about 5 ms

OK, SLOW, FAIL, INCONCLUSIVE = range(4)  # as in the view `runs`

UNTIMED, FAILED, UNKNOWN = -1, -2, -3  # in place of a bucket

BUCKET = f"CAST(round(ln(max(total_us, 1)) / {WIDTH!r}) AS INTEGER)"  # the same as `bucket`, for the column total_us

TALLY = """
CREATE TEMP TABLE tally (
    hour INTEGER NOT NULL,      -- start, seconds since 1970
    check_id INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    count INTEGER NOT NULL,
    sum_us INTEGER NOT NULL,
    max_us INTEGER NOT NULL,
    PRIMARY KEY (hour, check_id, bucket)
) WITHOUT ROWID
"""

COUNT = f"""
INSERT INTO tally
SELECT
    (at / {US} + {BASE_S} - (at % {US} < 0)) / {HOUR_S} * {HOUR_S},
    check_id,
    CASE
        WHEN outcome = {FAIL} THEN {FAILED}
        WHEN outcome = {INCONCLUSIVE} THEN {UNKNOWN}
        WHEN total_us IS NULL THEN {UNTIMED}
        ELSE {BUCKET}
    END,
    1,
    CASE WHEN outcome <= {SLOW} THEN ifnull(total_us, 0) ELSE 0 END,
    CASE WHEN outcome <= {SLOW} THEN ifnull(total_us, 0) ELSE 0 END
FROM runs WHERE {{which}}
ON CONFLICT DO UPDATE SET
    count = count + 1, sum_us = sum_us + excluded.sum_us, max_us = max(max_us, excluded.max_us)
"""  # noqa: S608 # numbers of our own

COLLECTED = f"""
SELECT
    hour AS at,
    check_id,
    sum(count) AS count,
    sum(CASE WHEN bucket >= {UNTIMED} THEN count ELSE 0 END) AS ok,
    sum(CASE WHEN bucket = {FAILED} THEN count ELSE 0 END) AS fail,
    sum(sum_us) AS sum_us,
    max(max_us) AS max_us,
    '{{' || ifnull(group_concat(CASE WHEN bucket >= 0 THEN '"' || bucket || '":' || count END), '') || '}}' AS histogram
FROM tally WHERE hour = ? AND check_id BETWEEN ? AND ? GROUP BY check_id
"""  # noqa: S608 # numbers of our own

# The first hour in the tally, and the start of raw samples that no finished hour counts: queried at each batch.
STANDING = """
SELECT (SELECT hour FROM tally ORDER BY hour LIMIT 1), ifnull((SELECT value FROM marks WHERE name = 'rolled_until'), 0)
"""


@dataclass
class Tally:
    """One check over a span of time. Latencies (whole microseconds) are those of successful runs."""

    count: int = 0
    ok: int = 0
    fail: int = 0
    sum_us: int = 0
    max_us: int = 0
    histogram: Counter[int] = field(default_factory=Counter)

    def see(self, outcome: int, total_us: int | None) -> None:
        """Count one run; an inconclusive one counts only as such."""
        self.count += 1
        self.fail += outcome == FAIL
        if outcome in (OK, SLOW):
            self.ok += 1
            if total_us is not None:
                self.sum_us += total_us
                self.max_us = max(self.max_us, total_us)
                self.histogram[bucket(total_us)] += 1

    def add(self, other: "Tally") -> None:
        """Add another tally."""
        self.count += other.count
        self.ok += other.ok
        self.fail += other.fail
        self.sum_us += other.sum_us
        self.max_us = max(self.max_us, other.max_us)
        self.histogram.update(other.histogram)


def read_tally(row: Any) -> Tally:
    """A tally from its row."""
    buckets = Counter({int(index): count for index, count in json.loads(row["histogram"]).items()})
    return Tally(row["count"], row["ok"], row["fail"], row["sum_us"], row["max_us"], buckets)


def rolled_until(conn: Connection) -> int:
    """The start, in seconds since 1970, of raw samples that no finished hour counts."""
    mark = one(conn, "SELECT value FROM marks WHERE name = 'rolled_until'")
    return int(mark[0]) if mark else 0


def provide_logarithm(conn: SqliteConnection) -> None:
    """Some builds of SQLite lack math functions; the same in Python is slower, but works."""
    try:
        conn.execute("SELECT ln(2.0)")
    except conn.Error:
        conn.create_function("ln", 1, math.log, deterministic=True)


def start_counting(conn: Connection) -> None:
    """Count what no finished hour counts yet, and from now on every row; called once per writing connection.

    An hour of 10,000 checks twice a minute takes about two seconds, during a start, when nobody waits.
    """
    conn.execute("PRAGMA temp_store = MEMORY")
    until = rolled_until(conn)
    with atomic(conn):
        conn.execute(TALLY)
        conn.execute("DELETE FROM hours WHERE at >= ?", (until,))  # an hour that was partly moved
        conn.execute(COUNT.format(which="at >= ?"), ((until - BASE_S) * US,))
        # The view and the key of the new row: so that trigger and recount cannot differ.
        which = "at = new.at AND check_id = new.check_id"
        conn.execute(f"CREATE TEMP TRIGGER counted AFTER INSERT ON main.samples BEGIN {COUNT.format(which=which)}; END")


def roll_up(conn: Connection, newest_us: int) -> None:
    """Move a slice of a finished hour, if any, and all late samples of earlier hours; inside a transaction.

    `newest_us` is the newest time in the batch. One far in the future closes hours too early, which only makes their other
    samples late.
    """
    late, until = one(conn, STANDING)
    while late is not None and late < until:
        _move(conn, late)
        late, _ = one(conn, STANDING)
    if late is not None and late < (newest_us // US - GRACE_S) // HOUR_S * HOUR_S:
        _move(conn, late)
        if one(conn, STANDING)[0] != late:
            conn.execute("INSERT OR REPLACE INTO marks VALUES ('rolled_until', ?)", (late + HOUR_S,))


def _move(conn: Connection, hour: int) -> None:
    sql = "SELECT DISTINCT check_id FROM tally WHERE hour = ? ORDER BY check_id LIMIT ?"
    last = conn.execute(sql, (hour, CHECKS_A_STEP)).fetchall()[-1][0]
    for held in conn.execute(
        "SELECT * FROM hours WHERE at = ? AND check_id IN (SELECT check_id FROM tally WHERE hour = ? AND check_id <= ?)",
        (hour, hour, last),
    ).fetchall():
        _join(conn, held)
    conn.execute(f"INSERT INTO hours {COLLECTED}", (hour, 0, last))
    conn.execute("DELETE FROM tally WHERE hour = ? AND check_id <= ?", (hour, last))


def _join(conn: Connection, held: Any) -> None:
    """Add late samples to the roll-up of their hour."""
    tally = read_tally(held)
    which = (held["at"], held["check_id"])
    tally.add(read_tally(one(conn, COLLECTED, *which, held["check_id"])))
    conn.execute(
        "UPDATE hours SET count = ?, ok = ?, fail = ?, sum_us = ?, max_us = ?, histogram = ? WHERE at = ? AND check_id = ?",
        (
            tally.count, tally.ok, tally.fail, tally.sum_us, tally.max_us,
            canonical({str(index): count for index, count in tally.histogram.items()}), *which,
        ),
    )  # fmt: skip
    conn.execute("DELETE FROM tally WHERE hour = ? AND check_id = ?", which)
