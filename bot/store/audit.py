"""Are the ledger's facts whole, and do its states follow from them? Asked at start of what is open, and daily of everything.

A state that does not agree is rebuilt from its facts. A fact that was edited, removed or cannot be read is named: nothing is
built on it.
"""

from collections.abc import Iterator
from typing import Any

from bot.core.codec import decode, encode
from bot.core.evolve import evolve
from bot.core.facts import Fact
from bot.core.model import Phase
from bot.core.state import STATE_TYPES, Incident, World
from bot.ports import Flaw, StateRow, StoreError
from bot.store.engine import Connection, one
from bot.store.rows import canonical, fact_hash, read_fact, read_state

ALWAYS_OPEN = ("component", "provider", "flag", "sight")
MOST_AT_START = 20_000  # facts of one stream
OVER = tuple(phase.value for phase in Phase if not phase.open)

# Stream by stream along the index: a million facts hold a few thousand streams.
STREAMS = """
WITH RECURSIVE found(stream) AS (
    SELECT min(stream) FROM facts
    UNION ALL SELECT (SELECT min(stream) FROM facts WHERE stream > found.stream) FROM found WHERE found.stream IS NOT NULL
) SELECT stream FROM found WHERE stream IS NOT NULL
"""
LAST_PHASE = """
SELECT json_extract(body, '$.phase') FROM facts
WHERE stream = ? AND kind = 'incident.phase_changed' AND json_valid(body) ORDER BY seq DESC LIMIT 1
"""
# An incident's state also counts what its vendor said, which stands in the vendor's own stream.
OF_INCIDENT = "SELECT * FROM facts WHERE stream = ? OR (incident = ? AND stream GLOB 'provider/*') ORDER BY id"


def streams(conn: Connection) -> list[str]:
    """Every stream that has facts, or a state without any."""
    with_facts = {row[0] for row in conn.execute(STREAMS)}
    return sorted(with_facts | {row[0] for row in conn.execute("SELECT stream FROM states")})


def open_streams(conn: Connection) -> list[str]:
    """Those that decisions are made on: all but the incidents that are over, by their facts as by their states.

    Very long ones, some 35 µs a fact, would keep a start waiting; they are left to the audit of everything.
    """
    return [stream for stream in streams(conn) if not _is_over(conn, stream) and _length(conn, stream) <= MOST_AT_START]


def _length(conn: Connection, stream: str) -> int:
    return int(one(conn, "SELECT coalesce(max(seq), 0) FROM facts WHERE stream = ?", stream)[0])


def _is_over(conn: Connection, stream: str) -> bool:
    if stream.partition("/")[0] in ALWAYS_OPEN:
        return False
    phase = one(conn, LAST_PHASE, stream)
    row = one(conn, "SELECT dedup FROM states WHERE stream = ? AND json_valid(body)", stream)
    return phase is not None and phase[0] in OVER and row is not None and row["dedup"] == ""


def examine(conn: Connection, stream: str) -> Flaw | None:
    """One stream: what is wrong with it, if anything."""
    try:
        seq, state = _folded(conn, stream)
    except _Break as found:
        return Flaw(stream, f"the facts of {stream} do not hold from number {found.seq} on: {found.why}", None)
    except (ValueError, KeyError, TypeError, AttributeError, StoreError) as error:
        return Flaw(stream, f"the facts of {stream} come to no state ({error})", None)
    held = one(conn, "SELECT * FROM states WHERE stream = ?", stream)
    if held is not None and held["seq"] > seq:
        return Flaw(stream, f"the facts of {stream} do not hold from number {seq + 1} on: later ones were removed", None)
    return _compare(stream, held, state, seq)


def rebuild(conn: Connection, stream: str) -> None:
    """Write the state that follows from the facts, where another one stands."""
    flaw = examine(conn, stream)
    if flaw is None or flaw.state is None:
        return
    row = flaw.state
    conn.execute(
        "INSERT INTO states (stream, seq, kind, dedup, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (stream) DO UPDATE"
        " SET seq = excluded.seq, kind = excluded.kind, dedup = excluded.dedup, body = excluded.body",
        (row.stream, row.seq, row.kind, row.dedup, canonical(row.body)),
    )


def _whole(conn: Connection, stream: str) -> Iterator[Fact]:
    """The facts of a stream, as long as each follows from the one before; raises a `_Break` where one does not."""
    prev_hash = ""
    for seq, row in enumerate(conn.execute("SELECT * FROM facts WHERE stream = ? ORDER BY seq", (stream,)), 1):
        if row["seq"] != seq:
            raise _Break(seq, "one was removed")
        if row["prev_hash"] != prev_hash or row["hash"] != fact_hash(row):
            raise _Break(seq, "it was edited since it was written")
        prev_hash = row["hash"]
        try:
            yield read_fact(row)
        except StoreError as error:
            raise _Break(seq, str(error)) from error


class _Break(Exception):  # noqa: N818 # what was found, not a fault of ours
    def __init__(self, seq: int, why: str) -> None:
        super().__init__(why)
        self.seq = seq
        self.why = why


def _folded(conn: Connection, stream: str) -> tuple[int, Any]:
    """The number of facts, and the state that they come to; None where they come to none."""
    world, seq = World(), 0
    for fact in _whole(conn, stream):
        world, seq = evolve(world, fact), fact.seq
    if stream.startswith("incident/"):
        world = World()
        for row in conn.execute(OF_INCIDENT, (stream, int(stream.partition("/")[2]))):
            world = evolve(world, read_fact(row))
    return seq, world.state_of(stream)


def _compare(stream: str, held: Any, state: Any, seq: int) -> Flaw | None:
    if state is None:
        return None
    kind = stream.partition("/")[0]
    dedup = state.dedup if isinstance(state, Incident) and state.phase.open else ""
    right = StateRow(stream, seq, kind, dedup, encode(state))
    if held is None:
        return _flaw(right, "it was missing")
    try:
        row = read_state(held)
        known: Any = decode(STATE_TYPES[row.kind], row.body)
    except (ValueError, KeyError, StoreError):
        return _flaw(right, "it could not be read")
    if known == state and (row.seq, row.kind, row.dedup) == (seq, kind, dedup):
        return None
    mine, theirs = encode(state), encode(known)
    fields = tuple(name for name in mine if mine[name] != theirs.get(name)) or ("its columns",)
    return _flaw(right, f"differing in {', '.join(fields)}")


def _flaw(right: StateRow, how: str) -> Flaw:
    return Flaw(right.stream, f"the state of {right.stream} did not follow from its facts ({how})", right)
