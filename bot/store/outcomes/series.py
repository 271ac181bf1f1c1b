"""The last point of each cumulative series, so that the growth up to the next one is known."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.outcomes.outcome import Outcome
from bot.core.outcomes.series import Point, Reading, counted, grown
from bot.store.connection import Connection, one
from bot.store.rows import canonical

KEPT = timedelta(days=1)  # after the last report
MOST_SERIES = 20_000  # the one silent longest is dropped first
CHUNK = 1_000  # old ones deleted with each batch
ASKED = 500  # per query
NS = 1_000_000_000

SINCE = "series_since"  # setting, in nanoseconds: every series reported since then is known
LAST = "SELECT key, start, upto, count, latency FROM series WHERE key IN"
PUT = """
INSERT INTO series VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE
SET at = excluded.at, start = excluded.start, upto = excluded.upto, count = excluded.count, latency = excluded.latency
"""
PUT_MARK = "INSERT INTO marks VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


def grown_by(
    conn: Connection, readings: Sequence[Reading], now: datetime, began: datetime, *, most: int = MOST_SERIES
) -> list[Outcome]:  # fmt: skip
    """Store these points; returns their growth. A point older than the stored one is ignored."""
    if not readings:
        return []
    at = int(now.timestamp())
    since = max(_since(conn, began), (at - int(KEPT.total_seconds())) * NS)
    known = _known(conn, sorted({reading.key for reading in readings}))
    told: dict[bytes, Point] = {}
    found: list[Outcome] = []
    for reading in sorted(readings, key=lambda reading: reading.point.end):
        last, point = known.get(reading.key), reading.point
        if last is not None and point.end <= last.end:
            continue
        known[reading.key] = told[reading.key] = point
        new = grown(last, point, since)
        if new and new.count > 0 and (outcome := counted(reading.route, reading.error, new, now)):
            found.append(outcome)
    conn.executemany(PUT, [(key, at, p.start, p.end, p.count, _json(p.latency)) for key, p in sorted(told.items())])
    old = (at - int(KEPT.total_seconds()), CHUNK)
    conn.execute("DELETE FROM series WHERE key IN (SELECT key FROM series WHERE at < ? LIMIT ?)", old)
    _bound(conn, most)
    return found


def _since(conn: Connection, began: datetime) -> int:
    held = conn.execute("SELECT value FROM marks WHERE name = ?", (SINCE,)).fetchone()
    if held is not None:
        return int(held[0])
    conn.execute(PUT_MARK, (SINCE, since := int(began.timestamp()) * NS))
    return since


def _known(conn: Connection, keys: Sequence[bytes]) -> dict[bytes, Point]:
    found: dict[bytes, Point] = {}
    for start in range(0, len(keys), ASKED):
        some = tuple(keys[start : start + ASKED])
        for row in conn.execute(f"{LAST} ({', '.join('?' * len(some))})", some).fetchall():
            latency = {int(bucket): count for bucket, count in json.loads(row["latency"]).items()}
            found[bytes(row["key"])] = Point(row["start"], row["upto"], row["count"], latency)
    return found


def _json(latency: dict[int, int]) -> str:
    return canonical({str(bucket): count for bucket, count in latency.items()})


def _bound(conn: Connection, most: int) -> None:
    """Drop those silent longest; a dropped series that returns, and began before that, counts only from its next point."""
    over = int(one(conn, "SELECT count(*) FROM series")[0]) - most
    if over <= 0:
        return
    oldest = "SELECT key FROM series ORDER BY at, key LIMIT ?"
    newest = int(one(conn, f"SELECT max(at) FROM series WHERE key IN ({oldest})", over)[0])  # noqa: S608 # our own
    conn.execute(f"DELETE FROM series WHERE key IN ({oldest})", (over,))  # noqa: S608 # our own
    conn.execute(PUT_MARK, (SINCE, (newest + 1) * NS))
