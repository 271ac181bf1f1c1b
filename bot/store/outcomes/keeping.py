"""Outcomes of real requests, stored beside samples: a row per route and minute, and the keys of requests that reported them."""

import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from bot.core.outcomes.counts import Counts, MinuteCount, Route
from bot.core.outcomes.outcome import Outcome
from bot.core.outcomes.served import RouteTotal
from bot.ports.outcomes import OutcomeBatch
from bot.store.connection import Connection, atomic, one
from bot.store.outcomes import series
from bot.store.outcomes.series import MOST_SERIES
from bot.store.rows import canonical, plain

Make = Callable[[Connection, Collection[datetime]], None]

KEYS_KEPT = timedelta(days=1)
KEYS_CHUNK = 1_000  # old keys deleted with each batch
KEYS_ASKED = 500  # per query
CHUNK = 1_000  # rows deleted in one transaction

ADD = """
INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (minute, way) DO UPDATE
SET ok = excluded.ok, failed = excluded.failed, errors = excluded.errors, latency = excluded.latency
"""
# The digest of a request is a row of its own, whose key is that of the request, this, and the digest. Earlier versions know
# none, and go by the request's key.
DIGEST, BEHIND_DIGESTS = b"/", b"0"  # the next byte
REMEMBER = "INSERT INTO outcome_keys VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET at = excluded.at"
BETWEEN = """
SELECT o.minute, o.ok, o.failed, o.errors, o.latency, w.service, w.flag, w.variant, w.provider
FROM outcomes o JOIN ways w ON w.id = o.way WHERE o.minute >= ? AND o.minute < ? ORDER BY o.minute, o.way
"""
TOTALS = """
SELECT w.service, w.flag, w.variant, w.provider, sum(o.ok), sum(o.failed)
FROM outcomes o JOIN ways w ON w.id = o.way WHERE o.minute >= ? AND o.minute < ? GROUP BY w.id ORDER BY w.id
"""


def add(
    conn: Connection, counts: Sequence[MinuteCount], told: Collection[OutcomeBatch], now: datetime, *,
    began: datetime | None = None, make: Make = lambda conn, moments: None, most_series: int = MOST_SERIES,
) -> list[Outcome]:  # fmt: skip
    """Add a batch, and delete some expired keys. `make` prepares storage for these minutes."""
    at = _seconds(now)
    with atomic(conn):
        known = _known_keys(conn, [request.key for request in told])
        fresh = [request for request in told if request.key not in known]  # another replica may have received the same report
        readings = [reading for request in fresh for reading in request.readings]
        news = series.grown_by(conn, readings, now, began or now, most=most_series)
        sums = _summed([*counts, *(count for request in fresh for count in request.counts)], news)
        make(conn, {count.at for count in sums})
        for count in sums:
            _add(conn, count)
        digests = [request.key + DIGEST + request.digest for request in fresh if request.digest]
        conn.executemany(REMEMBER, [(key, at) for key in (*(request.key for request in fresh), *digests)])
        old = (at - int(KEYS_KEPT.total_seconds()), KEYS_CHUNK)
        conn.execute("DELETE FROM outcome_keys WHERE key IN (SELECT key FROM outcome_keys WHERE at < ? LIMIT ?)", old)
    return news


def _known_keys(conn: Connection, keys: Sequence[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for start in range(0, len(keys), KEYS_ASKED):
        some = tuple(keys[start : start + KEYS_ASKED])
        sql = f"SELECT key FROM outcome_keys WHERE key IN ({', '.join('?' * len(some))})"  # noqa: S608 # question marks
        found |= {bytes(row[0]) for row in conn.execute(sql, some).fetchall()}
    return found


def _summed(counts: Iterable[MinuteCount], news: Iterable[Outcome]) -> list[MinuteCount]:
    """One row per minute and route."""
    sums: dict[tuple[datetime, Route], Counts] = {}
    for count in counts:
        sums.setdefault((count.at, count.route), Counts()).add(count.counts)
    for new in news:
        sums.setdefault((new.at.replace(second=0, microsecond=0), new.route), Counts()).add(new.counts)
    return [MinuteCount(at, route, found) for (at, route), found in sums.items()]


def _add(conn: Connection, count: MinuteCount) -> None:
    key, whole = (_seconds(count.at) // 60, _way(conn, count.route)), count.counts
    held = conn.execute("SELECT ok, failed, errors, latency FROM outcomes WHERE minute = ? AND way = ?", key).fetchone()
    if held:
        whole = _counts(held)
        whole.add(count.counts)
    conn.execute(ADD, (*key, whole.ok, whole.failed, _json(whole.errors), _json(whole.latency)))


def _way(conn: Connection, route: Route) -> int:
    values = tuple(plain(part) for part in route)
    sql = "SELECT id FROM ways WHERE service = ? AND flag = ? AND variant = ? AND provider = ?"
    if (known := conn.execute(sql, values).fetchone()) is not None:
        return int(known[0])
    return int(one(conn, "INSERT INTO ways (service, flag, variant, provider) VALUES (?, ?, ?, ?) RETURNING id", *values)[0])


def digest_of(conn: Connection, key: bytes) -> bytes | None:
    """The digest remembered for this key, empty if it has none; None if the key is not remembered."""
    sql = "SELECT key FROM outcome_keys WHERE key = ? OR (key >= ? AND key < ?)"
    rows = conn.execute(sql, (key, key + DIGEST, key + BEHIND_DIGESTS)).fetchall()
    return max((bytes(row[0])[len(key + DIGEST) :] for row in rows), default=None)


def between(conn: Connection, start: datetime, end: datetime) -> Iterator[MinuteCount]:
    """The counts of minutes that begin from `start` until before `end`."""
    for row in conn.execute(BETWEEN, (-(-_seconds(start) // 60), -(-_seconds(end) // 60))):
        route = Route(row["service"], row["flag"], row["variant"], row["provider"])
        yield MinuteCount(datetime.fromtimestamp(row["minute"] * 60, UTC), route, _counts(row))


def totals(conn: Connection, start: datetime, end: datetime) -> list[RouteTotal]:
    """Each route's totals in the minutes from that of `start` until before `end`."""
    rows = conn.execute(TOTALS, (_seconds(start) // 60, -(-_seconds(end) // 60)))
    return [RouteTotal(Route(*row[:4]), int(row[4]), int(row[5])) for row in rows]


def services(conn: Connection, since: datetime) -> set[str]:
    """The services that reported anything since then."""
    sql = "SELECT DISTINCT w.service FROM outcomes o JOIN ways w ON w.id = o.way WHERE o.minute >= ?"
    return {str(row[0]) for row in conn.execute(sql, (_seconds(since) // 60,))}


def forget(conn: Connection, before: datetime) -> int:
    """Delete up to CHUNK rows of minutes before that time, oldest first; returns how many."""
    with atomic(conn):
        chosen = "SELECT minute, way FROM outcomes WHERE minute < ? ORDER BY minute, way LIMIT ?"
        sql = f"DELETE FROM outcomes WHERE (minute, way) IN ({chosen})"  # noqa: S608 # our own
        return conn.execute(sql, (_seconds(before) // 60, CHUNK)).rowcount


def oldest_and_newest(conn: Connection) -> tuple[datetime, datetime] | None:
    """The first and last minute with any data; None if there is none."""
    first, last = one(conn, "SELECT min(minute), max(minute) FROM outcomes")
    if first is None:
        return None
    return datetime.fromtimestamp(first * 60, UTC), datetime.fromtimestamp(last * 60, UTC)


def _counts(row: Any) -> Counts:
    latency = {int(bucket): count for bucket, count in json.loads(row["latency"]).items()}
    return Counts(row["ok"], row["failed"], json.loads(row["errors"]), latency)


def _json(counts: dict[Any, int]) -> str:
    return canonical({str(key): count for key, count in counts.items()}) if counts else "{}"


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


class _HasConnection(Protocol):
    @property
    def conn(self) -> Connection: ...


S = TypeVar("S", bound=_HasConnection)
T = TypeVar("T")


class StoredOutcomes(Generic[S]):
    """`bot.ports.Outcomes` over the writer and readers of the samples file."""

    def __init__(
        self, write: Callable[[Callable[[S], Any]], Awaitable[Any]], read: Callable[[Callable[[S], Any]], Awaitable[Any]],
        make: Make = lambda conn, moments: None,
    ) -> None:  # fmt: skip
        self._write = write
        self._read = read
        self._make = make

    async def add(
        self,
        counts: Sequence[MinuteCount],
        told: Collection[OutcomeBatch] = (),
        *,
        now: datetime,
        began: datetime | None = None,
    ) -> list[Outcome]:
        """Add a batch and the reports whose request keys are new, all or nothing."""
        if not counts and not told:
            return []
        found: list[Outcome] = await self._write(lambda store: add(store.conn, counts, told, now, began=began, make=self._make))
        return found

    async def digest_of(self, key: bytes) -> bytes | None:
        """The digest of the request that was counted under this key within a day; None if none was."""
        found: bytes | None = await self._read(lambda store: digest_of(store.conn, key))
        return found

    async def between(self, start: datetime, end: datetime) -> list[MinuteCount]:
        """The counts of minutes that begin from `start` until before `end`, in order of time."""
        found: list[MinuteCount] = await self._read(lambda store: list(between(store.conn, start, end)))
        return found

    async def totals(self, start: datetime, end: datetime) -> list[RouteTotal]:
        """The same summed up per route, including the minute that contains `start`."""
        found: list[RouteTotal] = await self._read(lambda store: totals(store.conn, start, end))
        return found

    async def services(self, since: datetime) -> set[str]:
        """The services that reported anything since then."""
        found: set[str] = await self._read(lambda store: services(store.conn, since))
        return found

    async def forget(self, before: datetime) -> None:
        """Delete older data, chunk by chunk."""
        while (span := await self._read(lambda store: oldest_and_newest(store.conn))) and span[0] + timedelta(
            minutes=1
        ) <= before:
            await self._write(lambda store: forget(store.conn, before))
