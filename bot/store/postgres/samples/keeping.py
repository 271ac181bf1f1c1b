"""How samples are forgotten: by partitions that are dropped, which takes some milliseconds however much is in them."""

from datetime import datetime, timedelta

from bot.store.connection import Connection, one
from bot.store.postgres.samples.schema import HOURS, OUTCOMES, RESULTS, Parted

# The one of the day, or the month, that runs is never dropped; nor is the one before, which holds the last hours early in it.
KEPT = 2
CLOCKS_DIFFER = timedelta(hours=1)  # then what begins later than now was written by a clock that was wrong
TAKEN = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind = 'r' AND ({which})
"""
RESULTS_TAKE = TAKEN.format(which="starts_with(c.relname, 'samples_')")
ALL_TAKE = TAKEN.format(
    which="c.relname IN ('outcome_keys', 'remembered', 'series') OR starts_with(c.relname, 'samples_') "
    "OR starts_with(c.relname, 'hours_') OR starts_with(c.relname, 'outcomes_')"
)


def forget(conn: Connection, parted: Parted, before: datetime) -> int:
    """Drop what was over before that moment; says how many rows went. Of results, hours were summed up as they ended."""
    return sum(parted.drop(conn, start) for start in parted.held(conn) if parted.end(start) <= before)


def size_bytes(conn: Connection) -> int:
    """What results, sums and counts of real requests take in the database, indexes included."""
    return int(one(conn, ALL_TAKE)[0])


def make_room(conn: Connection, budget_bytes: int, now: datetime) -> int | None:
    """One step towards the budget: how many results went; None where it is kept, or where nothing more may go.

    The oldest results go first, then counts of real requests, then sums by hour. Those two stay where the results of the last
    days alone take more than the budget: it would not help. What lies in days to come goes before anything else of its kind.
    """
    if size_bytes(conn) <= budget_bytes:
        return None
    if (first := _first_to_go(conn, RESULTS, now)) is not None:
        return RESULTS.drop(conn, first)
    if int(one(conn, RESULTS_TAKE)[0]) > budget_bytes:
        return None
    for parted in (OUTCOMES, HOURS):
        if (first := _first_to_go(conn, parted, now)) is not None:
            parted.drop(conn, first)
            return 0
    return None


def _first_to_go(conn: Connection, parted: Parted, now: datetime) -> datetime | None:
    held = parted.held(conn)
    if held and held[-1] > now + CLOCKS_DIFFER:
        return held[-1]
    return held[0] if len(held) > KEPT else None
