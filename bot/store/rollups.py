"""What remains of samples when the raw ones are forgotten: counts and a latency histogram by minute and hour.

A minute is rolled up from the raw rows one minute after it closed, in the transaction of the batch that closes it; so nothing
is held in memory, and a crash loses nothing. A sample that comes later than that is kept raw but not counted here.
"""

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bot.store.engine import Connection, one
from bot.store.rows import canonical

MINUTE_S, HOUR_S = 60, 3_600
GRACE_S = 60  # a probe under its longest deadline still lands in its minute
US = 1_000_000

OK, SLOW, FAIL, INCONCLUSIVE = range(4)  # as in the column `outcome`

WIDTH = math.log(1.1)  # of a histogram's bucket: a percentile read from it is off by 5 % at most


@dataclass
class Tally:
    """One check over one span of time. Latencies (whole microseconds) are those of runs that succeeded."""

    count: int = 0
    ok: int = 0
    fail: int = 0
    sum_us: int = 0
    max_us: int = 0
    histogram: Counter[int] = field(default_factory=Counter)

    def see(self, outcome: int, total_us: int | None) -> None:
        """Count one run; an inconclusive one counts for nothing else."""
        self.count += 1
        self.fail += outcome == FAIL
        if outcome in (OK, SLOW):
            self.ok += 1
            if total_us is not None:
                self.sum_us += total_us
                self.max_us = max(self.max_us, total_us)
                self.histogram[bucket(total_us)] += 1

    def add(self, other: "Tally") -> None:
        """Count what another tally counted."""
        self.count += other.count
        self.ok += other.ok
        self.fail += other.fail
        self.sum_us += other.sum_us
        self.max_us = max(self.max_us, other.max_us)
        self.histogram.update(other.histogram)


def bucket(us: int) -> int:
    """The histogram bucket of a latency."""
    return round(math.log(max(us, 1)) / WIDTH)


def middle_ms(index: int) -> float:
    """The latency that stands for a bucket, in milliseconds."""
    return math.exp(index * WIDTH) / 1_000


def roll_up(conn: Connection) -> None:
    """Roll up every minute that closed since the last one."""
    newest = one(conn, "SELECT max(at) FROM samples")[0]
    if newest is None:
        return
    closed = (newest // US - GRACE_S) // MINUTE_S * MINUTE_S  # minutes before this one
    at = rolled_until(conn)
    while (minute := _next_minute(conn, at)) is not None and minute < closed:
        _roll_minute(conn, minute)
        at = minute + MINUTE_S


def next_close(newest_us: int) -> int:
    """The earliest moment (microseconds) of a sample that closes another minute than `newest_us` did."""
    return ((newest_us // US - GRACE_S) // MINUTE_S * MINUTE_S + MINUTE_S + GRACE_S) * US


def rolled_until(conn: Connection) -> int:
    """Where raw samples begin that no roll-up counts yet; seconds since 1970."""
    last = one(conn, "SELECT max(at) FROM rollups WHERE span = ?", MINUTE_S)[0]
    return 0 if last is None else int(last) + MINUTE_S


def read_tally(row: Any) -> Tally:
    """A tally from its row."""
    buckets = Counter({int(index): count for index, count in json.loads(row["histogram"]).items()})
    return Tally(row["count"], row["ok"], row["fail"], row["sum_us"], row["max_us"], buckets)


def _next_minute(conn: Connection, since: int) -> int | None:
    at = one(conn, "SELECT min(at) FROM samples WHERE at >= ?", since * US)[0]
    return None if at is None else int(at) // US // MINUTE_S * MINUTE_S


def _roll_minute(conn: Connection, minute: int) -> None:
    tallies: dict[int, Tally] = {}
    span = (minute * US, (minute + MINUTE_S) * US)
    for row in conn.execute("SELECT check_id, outcome, total_us FROM samples WHERE at >= ? AND at < ?", span):
        tallies.setdefault(row["check_id"], Tally()).see(row["outcome"], row["total_us"])
    hour = minute // HOUR_S * HOUR_S
    for check, tally in tallies.items():
        _put(conn, MINUTE_S, minute, check, tally)
        held = one(conn, "SELECT * FROM rollups WHERE span = ? AND at = ? AND check_id = ?", HOUR_S, hour, check)
        if held:
            tally.add(read_tally(held))
        _put(conn, HOUR_S, hour, check, tally)


def _put(conn: Connection, span: int, at: int, check: int, tally: Tally) -> None:
    conn.execute(
        "INSERT OR REPLACE INTO rollups (span, at, check_id, count, ok, fail, sum_us, max_us, histogram)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            span, at, check, tally.count, tally.ok, tally.fail, tally.sum_us, tally.max_us,
            canonical({str(index): count for index, count in tally.histogram.items()}),
        ),
    )  # fmt: skip
