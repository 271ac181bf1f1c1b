"""How samples are deleted: by age and by size, a few milliseconds at a time, never with a VACUUM of the whole file.

New rows reuse freed pages, so a file at its budget keeps its size. A file above its budget (which was lowered) releases free
pages in small steps.
"""

from datetime import datetime, timedelta

from bot.core.lazy_dataclass import dataclass
from bot.store.connection import Connection, atomic, one
from bot.store.outcomes import keeping as outcomes
from bot.store.rows import micros
from bot.store.samples.rollups import BASE_S, HOUR_S, US

CHUNK = 5_000  # raw rows deleted in one transaction: under 10 ms, so that nobody waits
HOURS_CHUNK = 1_000  # roll-ups are larger
PAGES = 256  # released in one transaction
LARGEST_SLACK = 32_000_000  # bytes of the budget without rows: half for free pages, half for the write-ahead log
A_MINUTE = timedelta(minutes=1)
A_DAY = timedelta(days=1)  # of raw rows, kept while there are older roll-ups to delete
ROW_BYTES, HOURS_BYTES = 22, 40  # per row, without its texts
INCREMENTAL = 2  # PRAGMA auto_vacuum


@dataclass(frozen=True)
class FileSize:
    """A file's size in bytes: `live` counts rows, `file` free pages too; the write-ahead log is extra."""

    live: int
    file: int


def file_size(conn: Connection) -> FileSize:
    """Measure the size; this is nearly free."""
    pages, free, size = (int(one(conn, f"PRAGMA {name}")[0]) for name in ("page_count", "freelist_count", "page_size"))
    return FileSize((pages - free) * size, pages * size)


def slack(budget_bytes: int) -> int:
    """How much of a budget to leave free, so that file and log together stay below it."""
    return min(LARGEST_SLACK, budget_bytes // 8)


@dataclass(frozen=True)
class DailyGrowth:
    """What arrives per day at the rate of the newest hour, and how many hours of roll-ups are stored."""

    samples: float
    raw_bytes: float
    rolled_bytes: float
    rolled_hours: int


def daily_growth(conn: Connection) -> DailyGrowth | None:
    """Measure the newest hour; None while it covers less than a minute."""
    newest = one(conn, "SELECT max(at) FROM samples")[0] or 0
    since = newest - HOUR_S * US
    texts = "sum(CASE typeof(result) WHEN 'text' THEN length(result) ELSE 0 END)"
    count, first, longer = one(conn, f"SELECT count(*), min(at), {texts} FROM samples WHERE at > ?", since)  # noqa: S608 # our own
    if not count or newest - first < 60 * US:
        return None
    days = (newest - first) / US / 86_400
    last, hours = one(conn, "SELECT max(at), (max(at) - min(at)) / 3600 + 1 FROM hours")
    rolled = one(conn, "SELECT sum(? + length(histogram)) FROM hours WHERE at = ?", HOURS_BYTES, last)[0] or 0
    raw = (count * ROW_BYTES + longer) / days
    return DailyGrowth(count / days, raw, rolled * 24, hours or 0)


def within(conn: Connection, budget_bytes: int) -> bool:
    """Whether `make_room` has nothing to do."""
    taken = file_size(conn)
    spare = slack(budget_bytes)
    return taken.live <= budget_bytes - spare and (taken.file <= budget_bytes - spare // 2 or not _can_shrink(conn))


def make_room(conn: Connection, budget_bytes: int, now: datetime) -> int | None:
    """One small step towards the budget; returns how many raw rows it deleted, or None if nothing is left to do.

    The oldest raw rows go first; when a day of them is left, the oldest counts of real requests up to a day ago, then the
    oldest roll-ups; then the rest, counts last. Rows dated after `now` do not make others older.
    """
    if within(conn, budget_bytes):
        return None
    with atomic(conn):
        if file_size(conn).live > budget_bytes - slack(budget_bytes) and (gone := _forget(conn, now)) is not None:
            return gone
        if not _can_shrink(conn):
            return None
        conn.execute(f"PRAGMA incremental_vacuum({PAGES})").fetchall()
        return 0


def _forget(conn: Connection, now: datetime) -> int | None:
    oldest, newest = one(conn, "SELECT (SELECT min(at) FROM samples), (SELECT max(at) FROM samples)")
    hour = one(conn, "SELECT min(at) FROM hours")[0]
    if oldest is None:
        return _forget_outcomes(conn, A_MINUTE) if hour is None else _forget_hours(conn)
    day_ago = min(newest, before(now)) - A_DAY // timedelta(microseconds=1)
    if oldest < day_ago:
        return forget_raw(conn, day_ago)
    if (gone := _forget_outcomes(conn, -A_DAY)) is not None:
        return gone
    if hour is not None and hour + HOUR_S <= day_ago // US + BASE_S:
        return _forget_hours(conn)
    return forget_raw(conn, newest + 1)


def before(at: datetime) -> int:
    """A time as stored in raw rows."""
    return micros(at) - BASE_S * US


def anything_before(conn: Connection, at: int) -> bool:
    """Whether there are raw rows older than `at`."""
    return one(conn, "SELECT 1 FROM samples WHERE at < ? LIMIT 1", at) is not None


def forget_raw(conn: Connection, at: int) -> int:
    """Delete up to CHUNK raw rows older than `at`, oldest first; returns how many. Roll-ups stay."""
    cut = one(conn, "SELECT at FROM samples WHERE at < ? ORDER BY at LIMIT 1 OFFSET ?", at, CHUNK - 1)
    with atomic(conn):
        return conn.execute("DELETE FROM samples WHERE at < ?", (cut["at"] + 1 if cut else at,)).rowcount


def _forget_hours(conn: Connection) -> int:
    cut = one(conn, "SELECT at, check_id FROM hours ORDER BY at, check_id LIMIT 1 OFFSET ?", HOURS_CHUNK - 1)
    if cut:
        conn.execute("DELETE FROM hours WHERE (at, check_id) <= (?, ?)", tuple(cut))
    else:
        conn.execute("DELETE FROM hours")
    return 0


def _forget_outcomes(conn: Connection, after_newest: timedelta) -> int | None:
    """Delete some minutes of real requests, except those within this span of the newest; None if there are none."""
    span = outcomes.oldest_and_newest(conn)
    if span is None or span[0] >= span[1] + after_newest:
        return None
    outcomes.forget(conn, span[1] + after_newest)
    return 0


def _can_shrink(conn: Connection) -> bool:
    return bool(one(conn, "PRAGMA auto_vacuum")[0] == INCREMENTAL and one(conn, "PRAGMA freelist_count")[0] > 0)
