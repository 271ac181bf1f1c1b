"""How samples are deleted: by dropping partitions, which takes some milliseconds whatever their size."""

from datetime import datetime, timedelta

from bot.store.connection import Connection, one
from bot.store.postgres.samples.schema import HOURS, OUTCOMES, RESULTS, Partitions

# The current day or month is never dropped, nor the one before, which holds the last hours just after midnight.
KEPT = 2
CLOCKS_DIFFER = timedelta(hours=1)  # a partition that begins this far ahead was written with a wrong clock
TAKEN = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind = 'r' AND ({which})
"""
RESULTS_TAKE = TAKEN.format(which="starts_with(c.relname, 'samples_')")
ALL_TAKE = TAKEN.format(
    which="c.relname IN ('outcome_keys', 'remembered', 'series') OR starts_with(c.relname, 'samples_') "
    "OR starts_with(c.relname, 'hours_') OR starts_with(c.relname, 'outcomes_')"
)


def forget(conn: Connection, parted: Partitions, before: datetime) -> int:
    """Drop what ended before that time; returns how many rows were deleted. Hours were rolled up as they ended."""
    return sum(parted.drop(conn, start) for start in parted.held(conn) if parted.end(start) <= before)


def size_bytes(conn: Connection) -> int:
    """The size of samples, roll-ups and counts of real requests in the database, including indexes."""
    return int(one(conn, ALL_TAKE)[0])


def make_room(conn: Connection, budget_bytes: int, now: datetime) -> int | None:
    """One step towards the budget: returns how many samples were deleted; None if it is met or nothing more may go.

    The oldest samples go first, then counts of real requests, then roll-ups. Those two stay if the samples of the last days
    alone exceed the budget, since dropping them would not help. Of each kind, partitions in the future go first.
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


def _first_to_go(conn: Connection, parted: Partitions, now: datetime) -> datetime | None:
    held = parted.held(conn)
    if held and held[-1] > now + CLOCKS_DIFFER:
        return held[-1]
    return held[0] if len(held) > KEPT else None
