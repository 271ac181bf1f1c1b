"""What the ledger need not remember for ever: effects that were carried out, and the ids of signals that were acted upon.

Exactly once holds without them. A key is queued with the facts that ask for it, and those are committed once; a signal that
comes again after a month is none that any sender repeats. What was posted stays on record as a fact. Still needed are rows
whose outcome is not known, their signals, and the first posts of quiet threads, which later replies look up.
"""

from datetime import datetime, timedelta

from bot.core.effects import OpenThread
from bot.ports import Old
from bot.store.connection import Connection
from bot.store.outbox import UNFINISHED
from bot.store.rows import micros

KEEP_ROOTS = timedelta(days=365)  # a component that stays degraded for longer is told in a new thread
CHUNK = 500  # deleted in one transaction: some milliseconds
WINDOW = 5_000  # rows looked at in one reading

FINISHED = f"NOT {UNFINISHED}"
# A signal of an effect that is not settled keeps it single when it is found again.
SIGNALS = f"""
SELECT id FROM signals WHERE at < :before AND id NOT IN (
    SELECT 'done/' || key FROM outbox WHERE {UNFINISHED} UNION ALL SELECT 'refused/' || key FROM outbox WHERE {UNFINISHED}
) LIMIT :chunk
"""  # noqa: S608 # constants


def find_old(conn: Connection, now: datetime, keep: timedelta, after: int) -> Old:
    """Look for what is older than `keep`, in the outbox from a place on. Rows stand in the order in which they were queued."""
    before, roots = micros(now - keep), micros(now - max(keep, KEEP_ROOTS))
    window = conn.execute(
        f"SELECT id, created_at, kind, {FINISHED} AS finished FROM outbox WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608 # constants
        (after, WINDOW),
    ).fetchall()
    rows: list[int] = []
    for row in window:
        if row["created_at"] >= before or len(rows) == CHUNK:
            break
        after = row["id"]
        if row["finished"] and (row["kind"] != OpenThread.KIND or row["created_at"] < roots):
            rows.append(row["id"])
    else:
        row = None
    more = len(rows) == CHUNK or (row is None and len(window) == WINDOW)
    signals = tuple(found[0] for found in conn.execute(SIGNALS, {"before": before, "chunk": CHUNK}))
    return Old(tuple(rows), signals, after if more or len(signals) == CHUNK else None)


def forget(conn: Connection, old: Old) -> None:
    """Delete what was found, and give free pages back where there are many."""
    conn.executemany(f"DELETE FROM outbox WHERE id = ? AND {FINISHED}", [(id,) for id in old.rows])  # noqa: S608 # constants
    conn.executemany("DELETE FROM signals WHERE id = ?", [(id,) for id in old.signals])
    conn.give_back_room()
