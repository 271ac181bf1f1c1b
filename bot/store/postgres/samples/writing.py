"""Writes samples with COPY, and rolls up finished hours."""

import json
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

from bot.core.codec import encode
from bot.core.histogram import WIDTH
from bot.core.model import Outcome, Sample
from bot.ports import Remembered
from bot.store.connection import atomic, one
from bot.store.postgres.connection import PostgresConnection
from bot.store.postgres.samples.schema import HOURS, RESULTS
from bot.store.rows import canonical, micros, moment, plain
from bot.store.samples.rollups import FAIL, GRACE_S, HOUR_S, SLOW, US, Tally, read_tally, rolled_until
from bot.store.samples.sampling import KEPT, OUTCOMES

Row = tuple[int, int, int, int | None, str | None]  # as in the table `samples`

BUCKET = f"CAST(round(ln(greatest(total_us, 1)) / {WIDTH!r}) AS integer)"
FROM_COPIED = """
INSERT INTO samples SELECT * FROM copied ON CONFLICT DO NOTHING RETURNING at, check_id
"""
ROLL_UP = f"""
WITH counted AS (
    SELECT check_id, outcome, CASE WHEN outcome <= {SLOW} THEN {BUCKET} END AS bucket,
        count(*) AS n, coalesce(sum(total_us), 0) AS sum_us, coalesce(max(total_us), 0) AS max_us
    FROM samples WHERE at >= :since AND at < :until GROUP BY 1, 2, 3
)
INSERT INTO hours
SELECT :hour, check_id, sum(n), coalesce(sum(n) FILTER (WHERE outcome <= {SLOW}), 0),
    coalesce(sum(n) FILTER (WHERE outcome = {FAIL}), 0), coalesce(sum(sum_us) FILTER (WHERE outcome <= {SLOW}), 0),
    coalesce(max(max_us) FILTER (WHERE outcome <= {SLOW}), 0), coalesce((
        SELECT jsonb_object_agg(b.bucket, b.n) FROM (
            SELECT bucket, sum(n) AS n FROM counted again
            WHERE again.check_id = counted.check_id AND bucket IS NOT NULL GROUP BY bucket
        ) b
    ), '{{}}')
FROM counted GROUP BY check_id ON CONFLICT DO NOTHING
"""  # noqa: S608 # numbers of our own
PUT_HOUR = """
INSERT INTO hours VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (at, check_id) DO UPDATE SET count = excluded.count,
ok = excluded.ok, fail = excluded.fail, sum_us = excluded.sum_us, max_us = excluded.max_us, histogram = excluded.histogram
"""


PUT_MARK = "INSERT INTO marks VALUES ('rolled_until', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
REMEMBER = "INSERT INTO remembered VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
NEW_CHECK = "INSERT INTO checks (name, component, vantage) VALUES (?, ?, ?) RETURNING id"
HELD = "SELECT count, ok, fail, sum_us, max_us, CAST(histogram AS text) AS histogram FROM hours WHERE at = ? AND check_id = ?"


class SampleWriter:
    """Writes over one connection, used by one thread at a time; only one replica writes at any time."""

    def __init__(self, conn: PostgresConnection) -> None:
        self.conn = conn
        self._committed: dict[tuple[str, str, str], int] = {}  # ids by check, component and vantage
        self._pid = conn.pid

    def add(self, samples: Sequence[Sample], remembered: Sequence[Remembered] = ()) -> None:
        """Write a batch, and roll up finished hours. A check's sample at the same microsecond counts once."""
        with atomic(self.conn):
            if self.conn.pid != self._pid:  # a server that crashed, or its standby, may have lost the newest ids
                self._pid, self._committed = self.conn.pid, {}
            checks = {who: self._check(who) for who in sorted({(s.check, s.component, s.vantage) for s in samples})}
            rows = {row[:2]: row for s in samples for row in [_row(s, checks[s.check, s.component, s.vantage])]}
            if rows:
                self._join_late(self._write(list(rows.values())))
                self.close_hours(max(at for at, _ in rows))
            if remembered:
                self.conn.executemany(REMEMBER, sorted((plain(one.name), one.text) for one in remembered))

    def forget_remembered(self, names: Collection[str]) -> None:
        """Delete what was remembered under these names."""
        with atomic(self.conn):
            self.conn.executemany("DELETE FROM remembered WHERE name = ?", sorted((plain(name),) for name in names))

    def _write(self, rows: Sequence[Row]) -> list[Row]:
        """Write rows; returns those that were not there yet."""
        try:
            with atomic(self.conn):
                _copy(self.conn, "samples", rows)
            return list(rows)
        except self.conn.IntegrityError:  # a new day needs a partition, or some rows already exist
            RESULTS.make(self.conn, {moment(row[0]) for row in rows})
            self.conn.execute("CREATE TEMP TABLE copied (LIKE samples) ON COMMIT DROP")
            _copy(self.conn, "copied", rows)
            new = {tuple(row) for row in self.conn.execute(FROM_COPIED).fetchall()}
            self.conn.execute("DROP TABLE copied")
            return [row for row in rows if row[:2] in new]

    # An id is cached once it is found, not when it is created: one rolled back with its batch would refer to nothing.
    def _check(self, who: tuple[str, str, str]) -> int:
        if who in self._committed:
            return self._committed[who]
        values = [plain(part) for part in who]
        known = one(self.conn, "SELECT id FROM checks WHERE name = ? AND component = ? AND vantage = ?", *values)
        if known is None:
            return int(one(self.conn, NEW_CHECK, *values)[0])
        return self._committed.setdefault(who, int(known[0]))

    # --- hours

    def close_hours(self, newest_us: int) -> None:
        """Roll up each finished hour; with 10,000 checks twice a minute, an hour takes about two seconds of the database."""
        closed = (newest_us // US - GRACE_S) // HOUR_S * HOUR_S
        while (hour := self._first_open_hour()) is not None and hour < closed:
            HOURS.make(self.conn, [moment(hour * US)])
            self.conn.execute(ROLL_UP, {"hour": hour, "since": hour * US, "until": (hour + HOUR_S) * US})
            self.conn.execute(PUT_MARK, (hour + HOUR_S,))

    def _first_open_hour(self) -> int | None:
        """The first hour with samples that no roll-up counts yet."""
        first = one(self.conn, "SELECT min(at) FROM samples WHERE at >= ?", rolled_until(self.conn) * US)[0]
        return None if first is None else int(first) // US // HOUR_S * HOUR_S

    def _join_late(self, rows: Iterable[Row]) -> None:
        """Add late samples to the roll-up of their hour."""
        until = rolled_until(self.conn)
        late = sorted(
            (at // US // HOUR_S * HOUR_S, check, outcome, total or 0, total)
            for at, check, outcome, total, _ in rows
            if at // US < until
        )
        for (hour, check), group in groupby(late, lambda row: row[:2]):
            tally = Tally()
            for _, _, outcome, _, total in group:
                tally.see(outcome, total)
            if (held := one(self.conn, HELD, hour, check)) is not None:
                tally.add(read_tally(held))
            HOURS.make(self.conn, [moment(hour * US)])
            histogram = json.dumps({str(bucket): count for bucket, count in tally.histogram.items()})
            values = (tally.count, tally.ok, tally.fail, tally.sum_us, tally.max_us, histogram)
            self.conn.execute(PUT_HOUR, (hour, check, *values))


def _copy(conn: PostgresConnection, table: str, rows: Sequence[Row]) -> None:
    conn.copy(table, ("at", "check_id", "outcome", "total_us", "more"), rows)


def _row(sample: Sample, check: int) -> Row:
    total = sample.phases_ms.get("total")
    outcome = OUTCOMES.index(sample.outcome)
    return micros(sample.at), check, outcome, None if total is None else round(total * 1_000), _more(sample)


def _more(sample: Sample) -> str | None:
    if sample.outcome is Outcome.OK:
        kept = {key: sample.evidence[key] for key in KEPT if key in sample.evidence}
        return canonical({"evidence": kept}) if kept else None
    return canonical(
        {
            "error": sample.error, "fault": sample.fault.value, "reason": sample.reason,
            "phases_ms": encode(sample.phases_ms), "evidence": encode(sample.evidence),
        }
    )  # fmt: skip
