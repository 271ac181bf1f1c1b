"""Finds what still refers to facts that are gone: effects, marks of the audit, and references in incidents and other streams.

A stream that lost its last facts together with its state looks like one that never had them. Used only if facts are missing.
"""

import json

from bot.core.record.streams import STREAMS
from bot.store import marks
from bot.store.connection import Connection

# Each stream with the highest number of a fact that something refers to.
SPOKEN_OF = """
SELECT stream, max(seq) FROM outbox GROUP BY stream
UNION ALL SELECT 'incident/' || incident, 1 FROM outbox WHERE incident IS NOT NULL GROUP BY incident
UNION ALL SELECT 'incident/' || incident, 1 FROM facts WHERE incident IS NOT NULL GROUP BY incident
"""
HELD = "SELECT stream, max(seq) FROM facts GROUP BY stream"


def missing_from(conn: Connection) -> tuple[str, ...]:
    """The streams with missing facts, as far as the rest tells."""
    with conn.forgiving("backslashreplace"):
        spoken_of = {**_marked(conn)}
        for stream, seq in conn.execute(f"{SPOKEN_OF} UNION ALL {conn.dialect.affected}"):
            spoken_of[stream] = max(seq, spoken_of.get(stream, 0))
        held = dict(conn.execute(HELD).fetchall())
    return tuple(
        sorted(stream for stream, seq in spoken_of.items() if seq > held.get(stream, 0) and stream.partition("/")[0] in STREAMS)
    )


def forget(conn: Connection) -> None:
    """Delete the effects of missing facts, and the ids of signals about them, since those numbers will be reused.

    Otherwise the effects of a later fact with the same number would count as done.
    """
    held = dict(conn.execute(HELD).fetchall())
    found = conn.execute("SELECT id, key, stream, seq FROM outbox").fetchall()
    gone = [row for row in found if row["seq"] > held.get(row["stream"], 0)]
    conn.executemany(
        "DELETE FROM signals WHERE id = ?", [(f"{word}/{row['key']}",) for row in gone for word in ("done", "refused")]
    )
    conn.executemany("DELETE FROM outbox WHERE id = ?", [(row["id"],) for row in gone])


def _marked(conn: Connection) -> dict[str, int]:
    """Up to which fact each stream was audited; an edited mark is ignored."""
    found: dict[str, int] = {}
    size = len(marks.PREFIX)
    for name, value in conn.execute("SELECT name, value FROM settings WHERE substr(name, 1, ?) = ?", (size, marks.PREFIX)):
        try:
            found[name[size:]] = int(json.loads(value)["seq"])
        except (*marks.UNREADABLE, OverflowError):
            continue
    return found
