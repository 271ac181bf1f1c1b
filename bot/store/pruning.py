"""Deletes what the ledger need not remember for ever: effects carried out, and ids of handled signals.

Effects still happen exactly once. An effect's key is queued with its facts, which are committed once, and no sender repeats a
signal after a month. What was posted is recorded as a fact. Kept are rows with an unclear outcome, their signals, and the
first posts of quiet threads, which later replies look up.
"""

from datetime import datetime, timedelta

from bot.core.effects import OpenThread
from bot.ports import Prunable
from bot.store.connection import Connection
from bot.store.outbox import UNFINISHED
from bot.store.rows import micros

KEEP_ROOTS = timedelta(days=365)  # a component degraded for longer gets a new thread
CHUNK = 500  # deleted in one transaction: some milliseconds
WINDOW = 5_000  # rows examined per query

FINISHED = f"NOT {UNFINISHED}"
# The signal of an unsettled effect prevents a duplicate when the effect is found again.
SIGNALS = f"""
SELECT id FROM signals WHERE at < :before AND id NOT IN (
    SELECT 'done/' || key FROM outbox WHERE {UNFINISHED} UNION ALL SELECT 'refused/' || key FROM outbox WHERE {UNFINISHED}
) LIMIT :chunk
"""  # noqa: S608 # constants


def find_old(conn: Connection, now: datetime, keep: timedelta, after: int) -> Prunable:
    """Find what is older than `keep`, in the outbox from a position on. Rows are in the order of queueing."""
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
    return Prunable(tuple(rows), signals, after if more or len(signals) == CHUNK else None)


def forget(conn: Connection, old: Prunable) -> None:
    """Delete what was found, and release free pages if there are many."""
    conn.executemany(f"DELETE FROM outbox WHERE id = ? AND {FINISHED}", [(id,) for id in old.rows])  # noqa: S608 # constants
    conn.executemany("DELETE FROM signals WHERE id = ?", [(id,) for id in old.signals])
    conn.give_back_room()
