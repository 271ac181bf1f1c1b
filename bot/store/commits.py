"""A commit on its way into the tables: facts behind the newest of their streams, states that name them, effects that wait."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from bot.core.codec import encode
from bot.core.record.fact import Fact
from bot.core.record.kinds import encode_body
from bot.ports import AlreadyHandled, Commit, Conflict, Fenced, NewFact, StateRow
from bot.store import outbox
from bot.store.connection import Connection, one
from bot.store.replicas import stands
from bot.store.rows import canonical, fact_hash, iso, kept_id, micros, moment, plain

POSITION = "SELECT max(id) FROM facts"
LAST = "SELECT seq, hash FROM facts WHERE stream = ? ORDER BY seq DESC LIMIT 1"
INSERT_FACT = """
INSERT INTO facts (stream, seq, at, kind, version, actor, incident, body, prev_hash, hash)
VALUES (:stream, :seq, :at, :kind, :version, :actor, :incident, :body, :prev_hash, :hash)
"""
PUT_STATE = """
INSERT INTO states (stream, seq, kind, dedup, body) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (stream) DO UPDATE SET seq = excluded.seq, dedup = excluded.dedup, body = excluded.body
"""


def write(conn: Connection, commit: Commit) -> list[Fact]:
    """Write all of it, inside the caller's transaction. Raises Fenced, AlreadyHandled or Conflict."""
    # Who takes over has to write, and while this transaction runs nobody else does: what holds now holds at its end.
    if commit.fence is not None and not stands(conn, commit.fence, commit.at):
        raise Fenced(f"{commit.fence.boot} is not alive in epoch {commit.fence.epoch} any more, or lost the clock")
    if commit.signals:
        _remember(conn, commit.signals, commit.at)
    if commit.expects is not None and commit.expects != (at := position(conn)):
        raise Conflict(f"the ledger is at {at}; this was decided at {commit.expects}")
    ends = _Ends(conn)
    facts = _append(conn, ends, commit)
    _name_newest(conn, ends, commit)
    # Keys are given back before they are taken: one incident may end in the step that opens its successor.
    for state in sorted(commit.states, key=lambda row: row.dedup != ""):
        _put_state(conn, ends, state)
    outbox.queue(conn, commit.effects, commit.at)
    return facts


def position(conn: Connection) -> int:
    """The place of the newest fact among all; 0 where there is none."""
    return one(conn, POSITION)[0] or 0


class _Ends:
    """The newest fact of each stream: its seq and hash, 0 and "" where there is none. Each is looked up once."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._known: dict[str, tuple[int, str]] = {}

    def of(self, stream: str) -> tuple[int, str]:
        if stream not in self._known:
            last = one(self._conn, LAST, stream)
            self._known[stream] = (last["seq"], last["hash"]) if last else (0, "")
        return self._known[stream]

    def put(self, row: dict[str, Any]) -> None:
        self._known[row["stream"]] = (row["seq"], row["hash"])


def _remember(conn: Connection, signals: Sequence[str], at: datetime) -> None:
    """All in one statement: a hundred that were decided together are as many ways to a database and back."""
    kept = [kept_id(plain(signal)) for signal in signals]
    # A ledger of an earlier version holds the ids of some as they came.
    as_they_came = [plain(signal) for signal, id in zip(signals, kept, strict=True) if id != signal]
    marks = ", ".join("?" * len(as_they_came))
    known = as_they_came and one(conn, f"SELECT 1 FROM signals WHERE id IN ({marks}) LIMIT 1", *as_they_came)  # noqa: S608 # question marks
    rows = ", ".join(["(?, ?)"] * len(kept))
    values = [value for id in kept for value in (id, micros(at))]
    insert = f"INSERT INTO signals (id, at) VALUES {rows} ON CONFLICT DO NOTHING"  # noqa: S608 # question marks
    if known or conn.execute(insert, values).rowcount != len(kept):
        raise AlreadyHandled(", ".join(signals))


def _append(conn: Connection, ends: _Ends, commit: Commit) -> list[Fact]:
    rows = [_row(ends, fact, iso(commit.at)) for fact in commit.facts]
    conn.executemany(INSERT_FACT, rows)
    at = moment(micros(commit.at))
    return [
        Fact(row["stream"], fact.seq, at, fact.actor, fact.incident, fact.body)
        for row, fact in zip(rows, commit.facts, strict=True)
    ]


def _row(ends: _Ends, fact: NewFact, at: str) -> dict[str, Any]:
    stream = plain(fact.stream)
    seq, prev_hash = ends.of(stream)
    if fact.seq != seq + 1:
        raise Conflict(f"{fact.stream} is at {seq}; fact {fact.seq} does not follow")
    row = {
        "stream": stream,
        "seq": fact.seq,
        "at": at,
        "kind": fact.body.KIND,
        "version": fact.body.VERSION,
        "actor": canonical(encode(fact.actor)),
        "incident": fact.incident,
        "body": canonical(encode_body(fact.body)),
        "prev_hash": prev_hash,
    }
    row["hash"] = fact_hash(row)
    ends.put(row)
    return row


def _name_newest(conn: Connection, ends: _Ends, commit: Commit) -> None:
    """A fact that changes no state (a note) comes without a state row; the row still has to name the newest seq."""
    streams: Iterable[str] = dict.fromkeys(plain(fact.stream) for fact in commit.facts)
    written = {plain(state.stream) for state in commit.states}
    for stream in streams:
        if stream not in written:
            conn.execute("UPDATE states SET seq = ? WHERE stream = ?", (ends.of(stream)[0], stream))


def _put_state(conn: Connection, ends: _Ends, state: StateRow) -> None:
    stream = plain(state.stream)
    newest, _ = ends.of(stream)
    if newest != state.seq:
        raise Conflict(f"{state.stream} is at {newest}; its state was made from {state.seq}")
    try:
        conn.execute(PUT_STATE, (stream, state.seq, state.kind, plain(state.dedup), canonical(state.body)))
    except conn.IntegrityError as error:
        raise Conflict(f"another open incident holds {state.dedup!r}") from error
