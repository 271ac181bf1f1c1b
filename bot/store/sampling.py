"""Check results over one SQLite connection: about 25 bytes for a good one, everything there is for any other."""

import json
import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.core.codec import encode
from bot.core.model import Fault, Outcome, Sample
from bot.ports import LatencyPicture
from bot.store.engine import Connection, atomic, one
from bot.store.rollups import (
    FAIL,
    HOUR_S,
    INCONCLUSIVE,
    MINUTE_S,
    SLOW,
    US,
    Tally,
    middle_ms,
    next_close,
    read_tally,
    roll_up,
    rolled_until,
)
from bot.store.rows import canonical, micros, moment, plain

OUTCOMES = (Outcome.OK, Outcome.SLOW, Outcome.FAIL, Outcome.INCONCLUSIVE)
CHUNK = 5_000  # rows forgotten in one transaction: under 10 ms, so that nobody waits
EXACT_FOR = timedelta(hours=6)  # latency over no more than this is read from raw samples, over more from roll-ups
BY_MINUTE_FOR = timedelta(days=2)  # over more than this from those by hour


class SampleStore:
    """Reads and writes `samples.db` over one connection, used by one thread at a time."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self._next_roll_us = 0  # no minute closes before a sample of this moment; only spares the question

    def add(self, samples: Sequence[Sample]) -> None:
        """Write a batch and roll up the minutes that it closes. The same check at the same microsecond counts once."""
        with atomic(self.conn):
            checks = {who: self._check(who) for who in {(s.check, s.component, s.vantage) for s in samples}}
            self.conn.executemany(
                "INSERT OR IGNORE INTO samples (at, check_id, outcome, total_us, more) VALUES (?, ?, ?, ?, ?)",
                [
                    (
                        micros(s.at), checks[s.check, s.component, s.vantage], OUTCOMES.index(s.outcome),
                        _total_us(s), _more(s),
                    )
                    for s in samples
                ],
            )  # fmt: skip
            newest = max((micros(s.at) for s in samples), default=0)
            if newest >= self._next_roll_us:
                roll_up(self.conn)
                self._next_roll_us = next_close(newest)

    # Looked up for each batch and not remembered: an id that was rolled back with its batch would name nothing.
    def _check(self, who: tuple[str, str, str]) -> int:
        values = tuple(plain(part) for part in who)
        known = one(self.conn, "SELECT id FROM checks WHERE name = ? AND component = ? AND vantage = ?", *values)
        if known is None:
            self.conn.execute("INSERT INTO checks (name, component, vantage) VALUES (?, ?, ?)", values)
            known = one(self.conn, "SELECT last_insert_rowid()")
        return int(known[0])

    def recent(self, check: str, limit: int) -> list[Sample]:
        """The newest results of a check, oldest first."""
        rows = self.conn.execute(
            "SELECT s.*, c.name AS check_name, c.component, c.vantage"
            " FROM samples s JOIN checks c ON c.id = s.check_id"
            " WHERE s.check_id IN (SELECT id FROM checks WHERE name = ?) ORDER BY s.at DESC LIMIT ?",
            (plain(check), limit),
        ).fetchall()
        return [_read(row) for row in reversed(rows)]

    def latency(self, component: str, since: datetime) -> LatencyPicture:
        """The component's latency since a moment: exact over the last hours, within 5 % over longer."""
        newest = one(self.conn, "SELECT max(at) FROM samples")[0] or rolled_until(self.conn) * US
        start = micros(since)
        if newest - start <= EXACT_FOR // timedelta(microseconds=1):
            return self._exact(component, start)
        span = MINUTE_S if newest - start <= BY_MINUTE_FOR // timedelta(microseconds=1) else HOUR_S
        return self._rolled(component, start, span)

    def _exact(self, component: str, start: int) -> LatencyPicture:
        count = failed = 0
        totals: list[int] = []
        for outcome, total_us in self._raw(component, start):
            count += outcome != INCONCLUSIVE
            failed += outcome == FAIL
            if outcome <= SLOW and total_us is not None:
                totals.append(total_us)
        totals.sort()
        ranked = [(total / 1_000, 1) for total in totals]
        return LatencyPicture(count, percentile(ranked, 0.50), percentile(ranked, 0.95), failed)

    def _rolled(self, component: str, start: int, span: int) -> LatencyPicture:
        tally = Tally()
        sql = "SELECT * FROM rollups WHERE span = ? AND at >= ? AND check_id IN (SELECT id FROM checks WHERE component = ?)"
        for row in self.conn.execute(sql, (span, start // US // span * span, plain(component))):
            tally.add(read_tally(row))
        for outcome, total_us in self._raw(component, rolled_until(self.conn) * US):
            tally.see(outcome, total_us)
        ranked = [(middle_ms(index), count) for index, count in sorted(tally.histogram.items())]
        return LatencyPicture(tally.ok + tally.fail, percentile(ranked, 0.50), percentile(ranked, 0.95), tally.fail)

    def _raw(self, component: str, start: int) -> Iterable[tuple[int, int | None]]:
        sql = "SELECT outcome, total_us FROM samples WHERE at >= ? AND +check_id IN (SELECT id FROM checks WHERE component = ?)"
        return ((row["outcome"], row["total_us"]) for row in self.conn.execute(sql, (start, plain(component))))

    def trim_chunk(self, before: datetime) -> int:
        """Forget up to CHUNK results older than `before`; says how many went. Roll-ups stay."""
        cut = one(self.conn, "SELECT at FROM samples WHERE at < ? ORDER BY at LIMIT 1 OFFSET ?", micros(before), CHUNK - 1)
        until = cut["at"] + 1 if cut else micros(before)
        with atomic(self.conn):
            return self.conn.execute("DELETE FROM samples WHERE at < ?", (until,)).rowcount

    def trim_minutes(self, before: datetime) -> int:
        """Forget roll-ups by minute older than `before`; those by hour stay for ever."""
        with atomic(self.conn):
            sql = "DELETE FROM rollups WHERE span = ? AND at < ?"
            return self.conn.execute(sql, (MINUTE_S, micros(before) // US)).rowcount

    def size_bytes(self) -> int:
        """What the rows take, without freed pages that wait to be used again."""
        pages, free, size = (one(self.conn, f"PRAGMA {name}")[0] for name in ("page_count", "freelist_count", "page_size"))
        return int((pages - free) * size)


def percentile(ranked: Sequence[tuple[float, int]], share: float) -> float | None:
    """The nearest-rank percentile of (value, how many) pairs in order; None when there are none."""
    rank = math.ceil(share * sum(count for _, count in ranked))
    for value, count in ranked:
        rank -= count
        if rank <= 0:
            return value
    return None


def _total_us(sample: Sample) -> int | None:
    total = sample.phases_ms.get("total")
    return None if total is None else round(total * 1_000)


def _more(sample: Sample) -> str | None:
    if sample.outcome is Outcome.OK:
        return None
    return canonical(
        {
            "error": sample.error,
            "fault": sample.fault.value,
            "reason": sample.reason,
            "phases_ms": encode(sample.phases_ms),
            "evidence": encode(sample.evidence),
        }
    )


def _read(row: Any) -> Sample:
    total = row["total_us"]
    more = json.loads(row["more"]) if row["more"] else {}
    return Sample(
        check=row["check_name"],
        component=row["component"],
        at=moment(row["at"]),
        outcome=OUTCOMES[row["outcome"]],
        error=more.get("error"),
        fault=Fault(more.get("fault", Fault.NONE)),
        reason=more.get("reason", ""),
        phases_ms=more.get("phases_ms", {} if total is None else {"total": total / 1_000}),
        evidence=more.get("evidence", {}),
        vantage=row["vantage"],
    )
