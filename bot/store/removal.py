"""Removes a stream from the ledger: only one that was changed by hand, and only after saving it to a file."""

from typing import Any

from bot.store.audit import REMOVED_SETTING, gone, removed_on_purpose
from bot.store.connection import Connection

# An incident's effects may also belong to facts of other streams.
WHERE = {
    "facts": "stream = :stream",
    "states": "stream = :stream",
    "outbox": "(stream = :stream OR incident = :incident)",
}
# The highest number that the stream is known to have reached, even if facts are gone already.
LENGTHS = "SELECT max(seq) FROM facts WHERE stream = :stream UNION ALL SELECT seq FROM states WHERE stream = :stream"


def everything_about(conn: Connection, stream: str) -> list[dict[str, Any]]:
    """The stream's rows, table by table; invalid text is escaped."""
    with conn.forgiving("backslashreplace"):
        return [
            {"table": table, **{name: row[name] for name in row.keys()}}  # noqa: SIM118 # a Row is no mapping
            for table, where in WHERE.items()
            for row in conn.execute(f"SELECT * FROM {table} WHERE {where}", _values(stream))  # noqa: S608 # constants
        ]


def remove(conn: Connection, stream: str) -> None:
    """Delete the stream's rows, and the ids of signals about its effects, since its numbers will be reused."""
    values, known = _values(stream), removed_on_purpose(conn)
    length = max(row[0] or 0 for row in conn.execute(LENGTHS, values).fetchall())
    effects = f"SELECT key FROM outbox WHERE {WHERE['outbox']}"  # noqa: S608 # constants
    for word in ("done", "refused"):
        conn.execute(f"DELETE FROM signals WHERE id IN (SELECT '{word}/' || key FROM ({effects}) AS effects)", values)  # noqa: S608 # constants
    with conn.deleting_facts():
        for table, where in WHERE.items():
            conn.execute(f"DELETE FROM {table} WHERE {where}", values)  # noqa: S608 # constants
    accept_missing(conn, known + length)


def accept_missing(conn: Connection, number: int | None = None) -> None:
    """Record that this many facts are gone on purpose: at most as many as are gone; without a number, all of those."""
    now = gone(conn)
    conn.execute(
        "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (REMOVED_SETTING, str(now if number is None else min(number, now))),
    )


def _values(stream: str) -> dict[str, Any]:
    kind, _, name = stream.partition("/")
    return {"stream": stream, "incident": int(name) if kind == "incident" and name.isdecimal() else None}
