"""Checks that the ledger's facts are intact and that its states follow from them: at start for open streams, daily for all.

A state that disagrees is rebuilt from its facts. A fact that was edited, removed or cannot be read is named, and nothing is
built on it.
"""

from collections.abc import Iterator
from typing import Any

from bot.core.codec import decode, encode
from bot.core.model import Phase
from bot.core.record.fact import Fact
from bot.core.record.streams import STREAMS as KINDS
from bot.core.record.streams import evolve, folded, state_of
from bot.core.record.world import World
from bot.ports import Audited, Flaw, StateRow, StoreError, StoreTrouble
from bot.store import marks
from bot.store.connection import Connection, one
from bot.store.rows import canonical, fact_hash, read_fact, read_state

MOST_AT_START = 20_000  # facts of one stream
OVER = tuple(phase.value for phase in Phase if not phase.open)

# Stream by stream along the index: a million facts are in a few thousand streams.
STREAMS = """
WITH RECURSIVE found(stream) AS (
    SELECT min(stream) FROM facts
    UNION ALL SELECT (SELECT min(stream) FROM facts WHERE stream > found.stream) FROM found WHERE found.stream IS NOT NULL
) SELECT stream FROM found WHERE stream IS NOT NULL
"""
# Facts are numbered in commit order without gaps, and the database remembers the last number. Facts removed on purpose are
# counted in a setting.
REMOVED_SETTING = "facts taken out on purpose"
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError, StoreError)
# An incident's state also counts its vendor's updates, which are in the vendor's stream.
OF_INCIDENT = "SELECT * FROM facts WHERE stream = ? OR (incident = ? AND substr(stream, 1, 9) = 'provider/') ORDER BY id"


def streams(conn: Connection) -> list[str]:
    """Every stream with facts, or with a state but no facts."""
    with_facts = {row[0] for row in conn.execute(STREAMS)}
    return sorted(with_facts | {row[0] for row in conn.execute("SELECT stream FROM states")})


def streams_about(conn: Connection, incident: int) -> list[str]:
    """An incident's own stream, and those with a fact that names it, even an unreadable one."""
    rows = conn.execute(
        "SELECT DISTINCT stream FROM facts WHERE stream = ? OR incident = ?", (f"incident/{incident}", incident)
    )
    return sorted(row[0] for row in rows)


def open_streams(conn: Connection) -> list[str]:
    """The streams that decisions depend on: all except incidents that are over according to both facts and states."""
    return sorted(set(streams(conn)) - _over(conn))


def _over(conn: Connection) -> set[str]:
    """The incidents that are over according to their last phase change as written, and to their state."""
    try:
        return _closed(conn)
    except conn.Error as error:
        conn.require_odd_text(error)
        with conn.forgiving("surrogateescape"):  # slower; text that is invalid gets a different hash than was written
            return _closed(conn)


def _closed(conn: Connection) -> set[str]:
    return {
        row["stream"] for row in conn.execute(conn.dialect.closed) if row["phase"] in OVER and row["hash"] == fact_hash(row)
    }


def examine(conn: Connection, stream: str) -> Flaw | None:
    """Read one whole stream; returns what is wrong with it, if anything."""
    return _audited(conn, stream, marks.AuditStart()).flaw


def audit(conn: Connection, stream: str, *, from_mark: bool) -> Audited:
    """The same, with a mark if one is worth keeping; with `from_mark` it reads only what follows the last mark.

    Reading from a mark is for starts: those leave a very long stream without a mark to the full audit.
    """
    begun = marks.begin(conn, stream) if from_mark else marks.AuditStart()
    if from_mark and _length(conn, stream) - begun.seq > MOST_AT_START:
        return Audited(None)
    return _audited(conn, stream, begun)


def _length(conn: Connection, stream: str) -> int:
    return int(one(conn, "SELECT coalesce(max(seq), 0) FROM facts WHERE stream = ?", stream)[0])


def _audited(conn: Connection, stream: str, begun: marks.AuditStart) -> Audited:
    try:
        seq, state = _folded(conn, stream, begun)
    except _Break as found:
        return _broken(stream, f"do not hold from number {found.seq} on: {found.why}")
    except UNREADABLE as error:
        if _newer(error):
            raise
        return _broken(stream, f"do not add up to a state ({error})")
    except conn.Error as error:
        conn.require_odd_text(error)
        return _broken(stream, "do not hold: one is no longer text")
    held = one(conn, "SELECT seq FROM states WHERE stream = ?", stream)
    if held is not None and held["seq"] > seq:
        return _broken(stream, f"do not hold from number {seq + 1} on: later ones were removed")
    if held is not None and state is None:
        return _broken(stream, "do not hold: it has a state, and none of them led to it")
    worth = seq - begun.seq >= marks.WORTH and not KINDS[stream.partition("/")[0]].ends
    return Audited(_compare(conn, stream, state, seq), marks.made(conn, stream, seq, state) if worth else None)


def _broken(stream: str, how: str) -> Audited:
    return Audited(Flaw(stream, f"the facts of {stream} {how}", None))


def missing(conn: Connection) -> int:
    """The number of facts that were removed, but not on purpose; 50 ms for a million facts.

    A stream does not show that its last facts, or all of them, were deleted together with its state; the numbers of all facts
    do.
    """
    return gone(conn) - removed_on_purpose(conn)


def gone(conn: Connection) -> int:
    """The number of facts that were removed, on purpose or not."""
    return int(one(conn, conn.dialect.missing)[0])


def removed_on_purpose(conn: Connection) -> int:
    """The number of facts that were set aside or accepted as missing."""
    row = one(conn, "SELECT value FROM settings WHERE name = ?", REMOVED_SETTING)
    return int(row[0]) if row else 0


def rebuild(conn: Connection, stream: str) -> None:
    """Write the state that follows from the facts, if a different one is stored."""
    flaw = examine(conn, stream)
    if flaw is None or flaw.state is None:
        return
    row = flaw.state
    conn.execute(
        "INSERT INTO states (stream, seq, kind, dedup, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (stream) DO UPDATE"
        " SET seq = excluded.seq, kind = excluded.kind, dedup = excluded.dedup, body = excluded.body",
        (row.stream, row.seq, row.kind, row.dedup, canonical(row.body)),
    )


def _chained(conn: Connection, stream: str, begun: marks.AuditStart) -> Iterator[Fact]:
    """A stream's facts, as long as each follows from the one before; raises `_Break` at one that does not."""
    prev_hash = begun.hash
    rows = conn.execute("SELECT * FROM facts WHERE stream = ? AND seq > ? ORDER BY seq", (stream, begun.seq))
    for seq, row in enumerate(rows, begun.seq + 1):
        if row["seq"] != seq:
            raise _Break(seq, "one was removed")
        if row["prev_hash"] != prev_hash or row["hash"] != fact_hash(row):
            raise _Break(seq, "it was edited since it was written")
        prev_hash = row["hash"]
        try:
            yield read_fact(row)
        except StoreError as error:
            if _newer(error):
                raise  # it is intact, but written by a newer version
            raise _Break(seq, str(error)) from error


def _newer(error: Exception) -> bool:
    return isinstance(error, StoreError) and error.kind is StoreTrouble.NEWER


class _Break(Exception):  # noqa: N818 # a finding, not a failure of ours
    def __init__(self, seq: int, why: str) -> None:
        super().__init__(why)
        self.seq = seq
        self.why = why


def _folded(conn: Connection, stream: str, begun: marks.AuditStart) -> tuple[int, Any]:
    """The number of facts and the resulting state; None if they have none."""
    seq, state = folded(stream, _chained(conn, stream, begun), begun.seq, begun.state)
    if not stream.startswith("incident/"):
        return seq, state
    world = World()
    for row in conn.execute(OF_INCIDENT, (stream, int(stream.partition("/")[2]))):
        world = evolve(world, read_fact(row))
    return seq, state_of(world, stream)


def _compare(conn: Connection, stream: str, state: Any, seq: int) -> Flaw | None:
    if state is None:
        return None
    kind = stream.partition("/")[0]
    dedup = KINDS[kind].holds(state)
    right = StateRow(stream, seq, kind, dedup, encode(state))
    try:
        held = one(conn, "SELECT * FROM states WHERE stream = ?", stream)
        if held is None:
            return _flaw(right, "it was missing")
        row = read_state(held)
        known: Any = decode(KINDS[row.kind].state, row.body)
    except UNREADABLE:
        return _flaw(right, "it could not be read")
    except conn.Error as error:
        conn.require_odd_text(error)
        return _flaw(right, "it could not be read")
    if known == state and (row.seq, row.kind, row.dedup) == (seq, kind, dedup):
        return None
    mine, theirs = encode(state), encode(known)
    fields = tuple(name for name in mine if mine[name] != theirs.get(name)) or ("its columns",)
    return _flaw(right, f"differing in {', '.join(fields)}")


def _flaw(right: StateRow, how: str) -> Flaw:
    return Flaw(right.stream, f"the state of {right.stream} did not follow from its facts ({how})", right)
