"""Reads samples: individual ones while they are kept, hourly roll-ups for longer."""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.core.histogram import middle_ms, percentile
from bot.core.model import Fault, Sample
from bot.ports import LatencyPicture
from bot.store.connection import Connection, one
from bot.store.postgres.samples.writing import BUCKET
from bot.store.rows import micros, moment, plain
from bot.store.samples.rollups import HOUR_S, SLOW, US, Tally, read_tally, rolled_until
from bot.store.samples.sampling import EXACT_FOR, OUTCOMES, ROLLED, UNROLLED, Place, hours_between, pictures, rolled_pictures

WHOLE = """
SELECT s.at, s.check_id, s.outcome, s.total_us, s.more, c.name, c.component, c.vantage
FROM samples s JOIN checks c ON c.id = s.check_id
"""
OF_VANTAGE = "(CAST(:vantage AS text) IS NULL OR c.vantage = :vantage)"
RECENT = f"""
SELECT s.at, s.check_id, s.outcome, s.total_us, s.more, c.name, c.component, c.vantage
FROM checks c JOIN samples s ON s.check_id = c.id
WHERE c.name = :check AND {OF_VANTAGE} AND s.at >= :since AND s.at < :end
ORDER BY s.at DESC, s.check_id DESC LIMIT :limit
"""  # noqa: S608 # constants
HOURS_OF = f"""
SELECT DISTINCT h.at FROM hours h JOIN checks c ON c.id = h.check_id
WHERE c.name = :check AND {OF_VANTAGE} AND h.at < :until ORDER BY h.at DESC
"""  # noqa: S608 # constants
PAGE = f"{WHOLE} WHERE (s.at, s.check_id) > (?, ?) AND s.at >= ? ORDER BY s.at, s.check_id LIMIT ?"
MEDIANS = """
WITH counted (name, bucket, n) AS ({counted}),
ranked AS (
    SELECT name, bucket, sum(n) OVER (PARTITION BY name ORDER BY bucket) AS upto, sum(n) OVER (PARTITION BY name) AS total
    FROM counted
)
SELECT name, min(bucket) FROM ranked WHERE 2 * upto >= total GROUP BY name
"""
COUNTED_HOURS = f"""
    SELECT c.name, CAST(b.key AS integer), sum(CAST(b.value AS bigint))
    FROM hours h JOIN checks c ON c.id = h.check_id, jsonb_each_text(h.histogram) b
    WHERE h.at >= :hour AND {OF_VANTAGE} GROUP BY 1, 2
"""  # noqa: S608 # constants
COUNTED_RUNS = f"""
    SELECT c.name, {BUCKET}, count(*)
    FROM samples r JOIN checks c ON c.id = r.check_id
    WHERE r.at >= :at AND r.outcome <= {SLOW} AND r.total_us IS NOT NULL AND {OF_VANTAGE}
      AND NOT EXISTS (SELECT 1 FROM hours h WHERE h.at = :last AND h.check_id = c.id)
    GROUP BY 1, 2
"""  # noqa: S608 # constants
OF_COMPONENT = "check_id IN (SELECT id FROM checks WHERE component = ?)"
RUNS = f"SELECT outcome, total_us FROM samples WHERE at >= ? AND at < ? AND {OF_COMPONENT}"  # noqa: S608 # constants
COUNTED = """
SELECT check_id, outcome, (total_us + 50) / 100 AS tenths, count(*) FROM samples
WHERE at >= ? AND check_id IN (SELECT CAST(value AS integer) FROM json_array_elements_text(CAST(? AS json)) AS value)
GROUP BY check_id, outcome, tenths ORDER BY tenths
"""
HOURS = f"""
SELECT count, ok, fail, sum_us, max_us, CAST(histogram AS text) AS histogram
FROM hours WHERE at >= ? AND at < ? AND {OF_COMPONENT}
"""  # noqa: S608 # constants
ROLLED_TIMES = """
SELECT c.component, CAST(b.key AS integer) AS bucket, sum(CAST(b.value AS bigint))
FROM hours h JOIN checks c ON c.id = h.check_id, jsonb_each_text(h.histogram) b
WHERE h.at >= ? AND h.at < ? GROUP BY c.component, bucket ORDER BY c.component, bucket
"""


def remembered(conn: Connection) -> dict[str, str]:
    """What was remembered, by name."""
    return {str(name): str(value) for name, value in conn.execute("SELECT name, value FROM remembered")}


def recent(conn: Connection, check: str, limit: int, vantage: str | None) -> list[Sample]:
    """The newest samples of a check, oldest first. Hours without any, according to the roll-ups, are skipped."""
    until = rolled_until(conn)
    values = {"check": plain(check), "vantage": vantage, "until": until}
    found: list[Sample] = []
    hours = ((row[0] * US, (row[0] + HOUR_S) * US) for row in conn.execute(HOURS_OF, values).fetchall())
    for start, end in ((until * US, 2**62), *hours):
        span = {"since": start, "end": end, "limit": limit - len(found)}
        found += [read(row) for row in conn.execute(RECENT, {**values, **span})]
        if len(found) >= limit:
            break
    return found[::-1]


def page(conn: Connection, at: datetime, after: Place, limit: int) -> tuple[list[Sample], Place | None]:
    """The next samples since a time, after a position, and the position of the last one; None at the end."""
    rows = conn.execute(PAGE, (*after, micros(at), limit)).fetchall()
    return [read(row) for row in rows], (rows[-1][0], rows[-1][1]) if len(rows) == limit else None


def medians(conn: Connection, since: datetime, vantage: str | None) -> dict[str, float]:
    """By check, the median duration in ms (within 5 %) of successful runs: from finished hours, else from individual runs."""
    until = rolled_until(conn)
    values = {
        "hour": micros(since) // US // HOUR_S * HOUR_S, "last": until - HOUR_S, "vantage": vantage,
        "at": max(micros(since), until * US),
    }  # fmt: skip
    found: dict[str, float] = {}
    for counted in (COUNTED_RUNS, COUNTED_HOURS):
        rows = conn.execute(MEDIANS.format(counted=counted), values)
        found |= {str(name): middle_ms(bucket) for name, bucket in rows}
    return found


def latencies(conn: Connection, components: Collection[str], since: datetime) -> dict[str, LatencyPicture]:
    """The latency of each since a time: to 0.1 ms over the last hours, within 5 % over longer spans."""
    start = micros(since)
    oldest, newest = _span(conn)
    recently = newest is not None and newest - start <= EXACT_FOR // timedelta(microseconds=1)
    whole = _holds_raw(conn, start, oldest)
    if recently and whole:
        return _exact(conn, components, start)
    return {component: _rolled(conn, component, start, whole=whole) for component in components}


def rolled(conn: Connection, since: datetime, until: datetime, *, timed: bool) -> dict[str, LatencyPicture]:
    """By component, the finished hours that began in a span; percentiles (within 5 %) only with `timed`."""
    span = hours_between(since, until, rolled_until(conn))
    times = conn.execute(ROLLED_TIMES, span).fetchall() if timed else ()
    return rolled_pictures(conn.execute(ROLLED, span).fetchall(), times)


def unrolled(conn: Connection, since: datetime, until: datetime) -> dict[str, LatencyPicture]:
    """By component, the results of a span that are in no roll-up yet, without percentiles."""
    span = (max(micros(since), rolled_until(conn) * US), micros(until))
    return rolled_pictures(conn.execute(UNROLLED.format(table="samples"), span).fetchall(), ())


def _span(conn: Connection) -> tuple[int | None, int | None]:
    oldest, newest = one(conn, "SELECT min(at), max(at) FROM samples")
    return oldest, newest


def _holds_raw(conn: Connection, start: int, oldest: int | None) -> bool:
    """Whether no sample since then was deleted: no roll-up is older than the oldest sample."""
    if oldest is not None and oldest <= start:
        return True
    end = 2**62 if oldest is None else _hour(oldest)
    return one(conn, "SELECT 1 FROM hours WHERE at >= ? AND at <= ? LIMIT 1", _hour(start), end) is None


def _exact(conn: Connection, components: Collection[str], start: int) -> dict[str, LatencyPicture]:
    named = {plain(component): component for component in components}
    checks = {id: named[name] for id, name in conn.execute("SELECT id, component FROM checks") if name in named}
    return pictures(components, checks, conn.execute(COUNTED, (start, json.dumps([*checks]))))


def _rolled(conn: Connection, component: str, start: int, *, whole: bool) -> LatencyPicture:
    until = rolled_until(conn)
    first = _hour(start) + (HOUR_S if whole and start % (HOUR_S * US) else 0)
    tally = Tally()
    for row in conn.execute(HOURS, (first, until, plain(component))):
        tally.add(read_tally(row))
    edge = max(start, until * US)
    for span in ((start, min(edge, first * US)), (edge, 2**62)):
        for outcome, total_us in _runs(conn, component, *span):
            tally.see(outcome, total_us)
    ranked = [(middle_ms(index), count) for index, count in sorted(tally.histogram.items())]
    return LatencyPicture(tally.ok + tally.fail, percentile(ranked, 0.50), percentile(ranked, 0.95), tally.fail)


def _runs(conn: Connection, component: str, start: int, end: int) -> Iterable[tuple[int, int | None]]:
    return ((row[0], row[1]) for row in conn.execute(RUNS, (start, end, plain(component))))


def _hour(at: int) -> int:
    return at // US // HOUR_S * HOUR_S


def read(row: Sequence[Any]) -> Sample:
    """A sample from its row. Good ones come back without reason, evidence and individual phases."""
    at, _, outcome, total_us, more, check, component, vantage = row
    said = json.loads(more) if more else {}
    total = {} if total_us is None else {"total": total_us / 1_000}
    return Sample(
        check=check, component=component, at=moment(at), outcome=OUTCOMES[outcome], error=said.get("error"),
        fault=Fault(said.get("fault", Fault.NONE)), reason=said.get("reason", ""), phases_ms=said.get("phases_ms", total),
        evidence=said.get("evidence", {}), vantage=vantage,
    )  # fmt: skip
