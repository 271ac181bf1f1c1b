"""Samples over one SQLite connection: about 21 bytes for a good one, everything for any other."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.core.codec import encode
from bot.core.histogram import middle_ms, percentile
from bot.core.model import Fault, Outcome, Sample
from bot.ports import LatencyPicture, Remembered
from bot.store.connection import atomic, one
from bot.store.rows import canonical, micros, moment, plain
from bot.store.samples.rollups import (
    BASE_S,
    BUCKET,
    FAIL,
    HOUR_S,
    INCONCLUSIVE,
    SLOW,
    US,
    Tally,
    provide_logarithm,
    read_tally,
    roll_up,
    rolled_until,
    start_counting,
)
from bot.store.sqlite.engine import SqliteConnection

OUTCOMES = (Outcome.OK, Outcome.SLOW, Outcome.FAIL, Outcome.INCONCLUSIVE)
BASE_US = BASE_S * US
KEPT = ("last_ok", "started", "run")  # evidence of good ones that a restart needs: when a job last reported, and which run
EXACT_FOR = timedelta(hours=6)  # latencies over up to this span come from raw samples, else from roll-ups

# Counted in a single pass in order of time: ten thousand checks have a million samples in an hour.
COUNTED = """
SELECT check_id, outcome, (total_us + 50) / 100 AS tenths, count(*) FROM runs
WHERE at >= :start AND +check_id IN (SELECT value FROM json_each(:checks)) GROUP BY check_id, outcome, tenths ORDER BY tenths
"""
# A span of single results by component, in two steps: a check's name is looked up once, not for each of its results.
UNROLLED = f"""
SELECT c.component, sum(r.count), sum(r.failed) FROM (
    SELECT check_id, count(*) AS count, sum(CASE WHEN outcome = {FAIL} THEN 1 ELSE 0 END) AS failed
    FROM {{table}} WHERE at >= ? AND at < ? AND outcome <> {INCONCLUSIVE} GROUP BY check_id
) r JOIN checks c ON c.id = r.check_id GROUP BY c.component
"""  # noqa: S608 # numbers of our own

Place = tuple[int, int]  # a raw row's key: its time in the file, its check
START: Place = (-(2**62), 0)

WHOLE = "SELECT s.at, s.check_id, s.result, c.name, c.component, c.vantage FROM samples s JOIN checks c ON c.id = s.check_id"

MEDIANS = """
WITH counted (name, bucket, n) AS ({counted}),
ranked AS (
    SELECT name, bucket, sum(n) OVER (PARTITION BY name ORDER BY bucket) AS upto, sum(n) OVER (PARTITION BY name) AS total
    FROM counted
)
SELECT name, min(bucket) FROM ranked WHERE 2 * upto >= total GROUP BY name
"""
COUNTED_HOURS = """
    SELECT c.name, CAST(b.key AS INTEGER) AS bucket, sum(b.value)
    FROM hours h JOIN checks c ON c.id = h.check_id, json_each(h.histogram) b
    WHERE h.at >= :hour AND (:vantage IS NULL OR c.vantage = :vantage) GROUP BY c.name, bucket
"""
COUNTED_RUNS = f"""
    SELECT c.name, {BUCKET} AS bucket, count(*)
    FROM runs r JOIN checks c ON c.id = r.check_id
    WHERE r.at >= :at AND r.outcome <= {SLOW} AND r.total_us IS NOT NULL AND (:vantage IS NULL OR c.vantage = :vantage)
      AND NOT EXISTS (SELECT 1 FROM hours h WHERE h.at = :last AND h.check_id = c.id)
    GROUP BY c.name, bucket
"""  # noqa: S608 # a number and an expression of our own
ROLLED = """
SELECT c.component, sum(h.ok + h.fail), sum(h.fail) FROM hours h JOIN checks c ON c.id = h.check_id
WHERE h.at >= ? AND h.at < ? GROUP BY c.component
"""
ROLLED_TIMES = """
SELECT c.component, CAST(b.key AS INTEGER) AS bucket, sum(b.value)
FROM hours h JOIN checks c ON c.id = h.check_id, json_each(h.histogram) b
WHERE h.at >= ? AND h.at < ? GROUP BY c.component, bucket ORDER BY c.component, bucket
"""


class SampleStore:
    """Reads `samples.db` over one connection, used by one thread at a time; with `writing`, writes it too."""

    def __init__(self, conn: SqliteConnection, *, writing: bool = False) -> None:
        self.conn = conn
        self._committed: dict[tuple[str, str, str], int] = {}  # ids by check, component and vantage
        provide_logarithm(conn)
        if writing:
            start_counting(conn)

    def add(self, samples: Sequence[Sample], remembered: Sequence[Remembered] = ()) -> None:
        """Write a batch and continue rolling up. A check's sample at the same microsecond counts once."""
        with atomic(self.conn):
            checks = {who: self._check(who) for who in {(s.check, s.component, s.vantage) for s in samples}}
            rows = [(micros(s.at) - BASE_US, checks[s.check, s.component, s.vantage], _result(s)) for s in samples]
            self.conn.executemany("INSERT INTO samples VALUES (?, ?, ?) ON CONFLICT DO NOTHING", rows)
            if rows:
                roll_up(self.conn, max(at for at, _, _ in rows) + BASE_US)
            if remembered:
                said = sorted((plain(one.name), one.text) for one in remembered)
                self.conn.executemany("INSERT OR REPLACE INTO remembered VALUES (?, ?)", said)

    def remembered(self) -> dict[str, str]:
        """What was remembered, by name."""
        return {row[0]: str(row[1]) for row in self.conn.execute("SELECT name, value FROM remembered")}

    def forget_remembered(self, names: Collection[str]) -> None:
        """Delete what was remembered under these names."""
        with atomic(self.conn):
            self.conn.executemany("DELETE FROM remembered WHERE name = ?", [(plain(name),) for name in names])

    # An id is cached once it is found, not when it is created: one rolled back with its batch would refer to nothing.
    def _check(self, who: tuple[str, str, str]) -> int:
        if who in self._committed:
            return self._committed[who]
        values = tuple(plain(part) for part in who)
        known = one(self.conn, "SELECT id FROM checks WHERE name = ? AND component = ? AND vantage = ?", *values)
        if known is None:
            self.conn.execute("INSERT INTO checks (name, component, vantage) VALUES (?, ?, ?)", values)
            return int(one(self.conn, "SELECT last_insert_rowid()")[0])
        return self._committed.setdefault(who, int(known[0]))

    def recent(self, check: str, limit: int, vantage: str | None = None) -> list[Sample]:
        """The newest samples of a check, from one vantage or all, oldest first."""
        sql = "SELECT id FROM checks WHERE name = ? AND (? IS NULL OR vantage = ?)"
        ids = [int(row[0]) for row in self.conn.execute(sql, (plain(check), vantage, vantage))]
        found: list[Sample] = []
        for start, end in self._spans_with(ids):
            rows = self.conn.execute(
                f"{WHOLE} WHERE s.at >= ? AND s.at < ? AND s.check_id IN ({','.join('?' * len(ids))})"
                " ORDER BY s.at DESC, s.check_id DESC LIMIT ?",
                (start, end, *ids, limit - len(found)),
            )
            found += [_read(row) for row in rows]
            if len(found) >= limit:
                break
        return found[::-1]

    def _spans_with(self, ids: Sequence[int]) -> Iterator[tuple[int, int]]:
        """The spans that may hold raw rows of these checks, newest first, skipping hours without any according to roll-ups."""
        oldest = one(self.conn, "SELECT at FROM samples ORDER BY at LIMIT 1")
        if oldest is None or not ids:
            return
        until = rolled_until(self.conn)
        yield (until - BASE_S) * US, 2**62
        sql = f"SELECT 1 FROM hours WHERE at = ? AND check_id IN ({','.join('?' * len(ids))}) LIMIT 1"  # noqa: S608 # only ?
        hour = one(self.conn, "SELECT max(at) FROM hours WHERE at < ?", until)[0]
        while hour is not None and (hour + HOUR_S - BASE_S) * US > oldest[0]:
            if one(self.conn, sql, hour, *ids):
                yield (hour - BASE_S) * US, (hour + HOUR_S - BASE_S) * US
            hour = one(self.conn, "SELECT max(at) FROM hours WHERE at < ?", hour)[0]

    def since(self, at: datetime) -> Iterator[Sample]:
        """The samples of all checks since a time, oldest first."""
        for row in self.conn.execute(f"{WHOLE} WHERE s.at >= ? ORDER BY s.at, s.check_id", (micros(at) - BASE_US,)):
            yield _read(row)

    def page(self, at: datetime, after: Place, limit: int) -> tuple[list[Sample], Place | None]:
        """The same in pages, each a separate read: the next `limit` after a position, and the position of the last one."""
        start = max(after, (micros(at) - BASE_US, -1))
        sql = f"{WHOLE} WHERE (s.at, s.check_id) > (?, ?) ORDER BY s.at, s.check_id LIMIT ?"
        rows = self.conn.execute(sql, (*start, limit)).fetchall()
        return [_read(row) for row in rows], (rows[-1][0], rows[-1][1]) if len(rows) == limit else None

    def medians(self, since: datetime, vantage: str | None = None) -> dict[str, float]:
        """By check, the median duration in ms (within 5 %) of successful runs, from one vantage or all.

        From the finished hours since then; for checks missing in the last of those, from raw rows since.
        """
        until = rolled_until(self.conn)
        values = {
            "hour": micros(since) // US // HOUR_S * HOUR_S, "last": until - HOUR_S, "vantage": vantage,
            "at": max(micros(since), until * US) - BASE_US,
        }  # fmt: skip
        found: dict[str, float] = {}
        for counted in (COUNTED_RUNS, COUNTED_HOURS):
            found |= {name: middle_ms(bucket) for name, bucket in self.conn.execute(MEDIANS.format(counted=counted), values)}
        return found

    def latencies(self, components: Collection[str], since: datetime) -> dict[str, LatencyPicture]:
        """The latency of each since a time: to 0.1 ms over the last hours, within 5 % over longer spans."""
        start = micros(since) - BASE_US
        newest = one(self.conn, "SELECT max(at) FROM samples")[0]
        recently = newest is not None and newest - start <= EXACT_FOR // timedelta(microseconds=1)
        whole = self._holds_raw(start)
        if recently and whole:
            return self._exact(components, start)
        return {component: self._rolled(component, start, whole=whole) for component in components}

    def rolled(self, since: datetime, until: datetime, *, timed: bool) -> dict[str, LatencyPicture]:
        """By component, the finished hours that began in a span; percentiles (within 5 %) only with `timed`."""
        span = hours_between(since, until, rolled_until(self.conn))
        times = self.conn.execute(ROLLED_TIMES, span).fetchall() if timed else ()
        return rolled_pictures(self.conn.execute(ROLLED, span), times)

    def unrolled(self, since: datetime, until: datetime) -> dict[str, LatencyPicture]:
        """By component, the results of a span that are in no roll-up yet, without percentiles."""
        start = max(micros(since), rolled_until(self.conn) * US)
        span = (start - BASE_US, micros(until) - BASE_US)
        return rolled_pictures(self.conn.execute(UNROLLED.format(table="runs"), span), ())

    def _holds_raw(self, start: int) -> bool:
        """Whether no raw row since then was deleted: no roll-up is older than the oldest row."""
        oldest = one(self.conn, "SELECT min(at) FROM samples")[0]
        if oldest is not None and oldest <= start:
            return True
        end = 2**62 if oldest is None else _hour(oldest)
        return one(self.conn, "SELECT 1 FROM hours WHERE at >= ? AND at <= ? LIMIT 1", _hour(start), end) is None

    def _exact(self, components: Collection[str], start: int) -> dict[str, LatencyPicture]:
        named = {plain(component): component for component in components}
        checks = {id: named[name] for id, name in self.conn.execute("SELECT id, component FROM checks") if name in named}
        rows = self.conn.execute(COUNTED, {"start": start, "checks": json.dumps([*checks])})
        return pictures(components, checks, rows)

    def _rolled(self, component: str, start: int, *, whole: bool) -> LatencyPicture:
        until = rolled_until(self.conn)
        first = _hour(start) + (HOUR_S if whole and start % (HOUR_S * US) else 0)  # BASE_S is a full hour
        tally = Tally()
        for row in self.conn.execute(
            "SELECT * FROM hours WHERE at >= ? AND at < ? AND check_id IN (SELECT id FROM checks WHERE component = ?)",
            (first, until, plain(component)),
        ):
            tally.add(read_tally(row))
        edge = max(start, (until - BASE_S) * US)
        spans = ((start, min(edge, (first - BASE_S) * US)), (edge, 2**62))
        for span in spans:
            for outcome, total_us in self._raw(component, *span):
                tally.see(outcome, total_us)
        ranked = [(middle_ms(index), count) for index, count in sorted(tally.histogram.items())]
        return LatencyPicture(tally.ok + tally.fail, percentile(ranked, 0.50), percentile(ranked, 0.95), tally.fail)

    def _raw(self, component: str, start: int, end: int) -> Iterable[tuple[int, int | None]]:
        sql = (
            "SELECT outcome, total_us FROM runs"
            " WHERE at >= ? AND at < ? AND +check_id IN (SELECT id FROM checks WHERE component = ?)"
        )
        return ((row[0], row[1]) for row in self.conn.execute(sql, (start, end, plain(component))))


def pictures(
    components: Collection[str], checks: Mapping[int, str], counted: Iterable[tuple[int, int, int | None, int]]
) -> dict[str, LatencyPicture]:
    """From counts by component, result and duration in tenths of a millisecond, shortest first."""
    ranked: dict[str, list[tuple[float, int]]] = {component: [] for component in components}
    runs, failed = Counter[str](), Counter[str]()
    for check, outcome, tenths, count in counted:
        component = checks[check]
        runs[component] += count if outcome != INCONCLUSIVE else 0
        failed[component] += count if outcome == FAIL else 0
        if outcome <= SLOW and tenths is not None:
            ranked[component].append((tenths / 10, count))
    return {
        one: LatencyPicture(runs[one], percentile(found, 0.50), percentile(found, 0.95), failed[one])
        for one, found in ranked.items()
    }


def hours_between(since: datetime, until: datetime, rolled: int) -> tuple[int, int]:
    """The first and last hour, in seconds since 1970, leaving out any that are not completely rolled up."""
    first, end = (-(-micros(at) // US // HOUR_S) * HOUR_S for at in (since, until))
    return first, min(end, rolled)


def rolled_pictures(
    counted: Iterable[tuple[str, int, int]], times: Iterable[tuple[str, int, int]]
) -> dict[str, LatencyPicture]:  # fmt: skip
    """From each component's runs and failures, and its number of runs per latency bucket, in order."""
    ranked: dict[str, list[tuple[float, int]]] = {}
    for component, index, count in times:
        ranked.setdefault(component, []).append((middle_ms(index), int(count)))
    return {
        component: LatencyPicture(int(count), *_percentiles(ranked.get(component, [])), int(failed))
        for component, count, failed in counted
    }


def _percentiles(ranked: Sequence[tuple[float, int]]) -> tuple[float | None, float | None]:
    return percentile(ranked, 0.50), percentile(ranked, 0.95)


def _hour(at: int) -> int:
    """The start, in seconds since 1970, of the hour that contains a time in the file."""
    return (at // US + BASE_S) // HOUR_S * HOUR_S


def _result(sample: Sample) -> int | str | None:
    """A run's outcome, as stored in the column `result`."""
    total = sample.phases_ms.get("total")
    total_us = None if total is None else round(total * 1_000)
    if sample.outcome is Outcome.OK:
        kept = {key: sample.evidence[key] for key in KEPT if key in sample.evidence}
        return f"0{'' if total_us is None else total_us}{canonical({'evidence': kept})}" if kept else total_us
    more = {
        "error": sample.error,
        "fault": sample.fault.value,
        "reason": sample.reason,
        "phases_ms": encode(sample.phases_ms),
        "evidence": encode(sample.evidence),
    }
    return f"{OUTCOMES.index(sample.outcome)}{'' if total_us is None else total_us}{canonical(more)}"


def _total(result: str) -> dict[str, float]:
    """The single phase of a good sample with evidence."""
    total = result[1 : result.index("{")]
    return {"total": int(total) / 1_000} if total else {}


def _read(row: Any) -> Sample:
    at, _, result, check, component, vantage = row
    at = moment(at + BASE_US)
    if not isinstance(result, str):
        phases = {} if result is None else {"total": result / 1_000}
        return Sample(check, component, at, Outcome.OK, phases_ms=phases, vantage=vantage)
    more = json.loads(result[result.index("{") :])
    return Sample(
        check=check,
        component=component,
        at=at,
        outcome=OUTCOMES[int(result[0])],
        error=more.get("error"),
        fault=Fault(more.get("fault", Fault.NONE)),
        reason=more.get("reason", ""),
        phases_ms=more["phases_ms"] if "phases_ms" in more else _total(result),
        evidence=more.get("evidence", {}),
        vantage=vantage,
    )
