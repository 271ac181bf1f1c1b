"""Which rows of incidents are read: open and recent ones at start, others on demand. There may be tens of thousands."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.ports import StateRow
from bot.store.connection import Connection, one
from bot.store.rows import canonical, iso, read_state

ALL = "stream >= 'incident/' AND stream < 'incident0'"  # along the primary key
MOST_AT_ONCE = 500  # values in one statement

OTHERS = "SELECT * FROM states WHERE stream < 'incident/' OR stream >= 'incident0' ORDER BY stream"
OPEN = f"SELECT * FROM states WHERE dedup <> '' AND {ALL}"  # noqa: S608 # constants; only open ones have a key


def newest(conn: Connection) -> int:
    """The highest incident number; 0 if there is none."""
    return int(one(conn, conn.dialect.newest_incident)[0] or 0)


def others(conn: Connection) -> list[StateRow]:
    """The states of everything except incidents."""
    return [read_state(row) for row in conn.execute(OTHERS)]


def still_open(conn: Connection) -> list[StateRow]:
    """The open incidents."""
    return [read_state(row) for row in conn.execute(OPEN)]


def numbered(conn: Connection, numbers: Sequence[int]) -> list[StateRow]:
    """The existing incidents with these numbers, in that order."""
    found: dict[str, StateRow] = {}
    names = [f"incident/{number}" for number in numbers]
    for start in range(0, len(names), MOST_AT_ONCE):
        some = names[start : start + MOST_AT_ONCE]
        marks = ", ".join("?" * len(some))
        rows = conn.execute(f"SELECT * FROM states WHERE stream IN ({marks})", some)  # noqa: S608 # question marks
        found |= {row["stream"]: read_state(row) for row in rows}
    return [found[name] for name in names if name in found]


def ended_last(conn: Connection, since: Mapping[str, datetime]) -> dict[str, int]:
    """For each of these components, the incident that ended last with it, unless that was before its time."""
    found: dict[str, int] = {}
    times = {component: iso(at) for component, at in since.items()}
    for component, number, ended_at in _ended(conn, min(since.values(), default=None)):
        if component in times and iso(datetime.fromisoformat(ended_at)) >= times[component]:
            found[component] = number
    return found


def _ended(conn: Connection, since: datetime | None) -> Iterable[Any]:
    return () if since is None else conn.execute(conn.dialect.ended, {"since": since.isoformat()})


def with_open_tasks(conn: Connection) -> list[int]:
    """Incidents with an open task."""
    return [int(row[0]) for row in conn.execute(conn.dialect.open_tasks)]


def with_text(conn: Connection, field: str, text: str) -> int | None:
    """The newest incident whose state has this text in this field; scans all, which takes some milliseconds."""
    row = conn.execute(conn.dialect.with_text, {"text": canonical(text), "field": field}).fetchone()
    return int(row[0]) if row else None
