"""Writes a commit to the tables: facts after the newest of their streams, states that refer to them, effects to carry out."""

from collections.abc import Iterable, Iterator
from typing import Any

from bot.core.codec import encode
from bot.core.lazy_dataclass import dataclass
from bot.core.record.fact import Fact
from bot.core.record.kinds import encode_body
from bot.ports import AlreadyHandled, Commit, Conflict, Fenced, NewFact, StateRow
from bot.store import outbox
from bot.store.connection import Connection, one
from bot.store.replicas import stands
from bot.store.rows import canonical, fact_hash, iso, kept_id, micros, moment, plain

POSITION = "SELECT max(id) FROM facts"
# Everything that a commit must know, in one statement: each statement is a round trip to a database.
AT = "SELECT 'at' AS what, '' AS stream, max(id) AS seq, '' AS hash FROM facts"
KNOWN = "SELECT 'known', '', count(*), '' FROM signals WHERE id IN ({marks})"
LAST = """
SELECT 'last', last.* FROM (SELECT stream, seq, hash FROM facts WHERE stream = ? ORDER BY seq DESC LIMIT 1) AS last
"""
MOST_STREAMS = 100  # in one statement
MOST_FACTS = 500
FACT = ("stream", "seq", "at", "kind", "version", "actor", "incident", "body", "prev_hash", "hash")
# A digest has a row of its own, behind the id, so that an earlier version, which knows no digests, finds the id as before.
DIGEST, BEHIND_DIGESTS = "/", "0"  # the next character
REMEMBER_DIGEST = (
    "INSERT INTO signals (id, at) SELECT ?, CAST(? AS bigint) WHERE NOT EXISTS (SELECT 1 FROM signals WHERE id = ?)"
)
PUT_STATE = """
INSERT INTO states (stream, seq, kind, dedup, body) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (stream) DO UPDATE SET seq = excluded.seq, dedup = excluded.dedup, body = excluded.body
"""


def write(conn: Connection, commit: Commit) -> list[Fact]:
    """Write all of it inside the caller's transaction. Raises Fenced, AlreadyHandled or Conflict."""
    # Whoever takes over waits for this transaction's lock, and so decides on what it wrote: it is enough that the fence holds
    # now.
    if commit.fence is not None and not stands(conn, commit.fence, commit.at):
        raise Fenced(f"{commit.fence.boot} is not alive in epoch {commit.fence.epoch} any more, or lost the clock")
    found = _look(conn, commit)
    if found.known:
        raise AlreadyHandled(", ".join(commit.signals))
    if commit.expects is not None and commit.expects != found.position:
        raise Conflict(f"the ledger is at {found.position}; this was decided at {commit.expects}")
    _remember(conn, commit)
    facts = _append(conn, found.ends, commit)
    _name_newest(conn, found.ends, commit)
    # Dedup keys are released before they are taken: one step may end an incident and open its successor.
    for state in sorted(commit.states, key=lambda row: row.dedup != ""):
        _put_state(conn, found.ends, state)
    outbox.queue(conn, commit.effects, commit.at)
    return facts


def position(conn: Connection) -> int:
    """The number of the newest fact of all; 0 if there is none."""
    return one(conn, POSITION)[0] or 0


Ends = dict[str, tuple[int, str]]  # each stream's newest fact, as seq and hash; 0 and "" if there is none


@dataclass(frozen=True)
class _Found:
    """What a commit continues from. `known`: one of its signals was handled before."""

    position: int
    known: bool
    ends: Ends


def _look(conn: Connection, commit: Commit) -> _Found:
    streams = list(dict.fromkeys(plain(stream) for stream in _streams(commit)))
    # Ledgers of an earlier version hold some ids unchanged.
    ids = list(dict.fromkeys(id for signal in commit.signals for id in (kept_id(plain(signal)), plain(signal))))
    position, known = 0, False
    ends: Ends = dict.fromkeys(streams, (0, ""))
    for start in range(0, max(len(streams), 1), MOST_STREAMS):
        some = streams[start : start + MOST_STREAMS]
        asks, values = [AT, *[LAST] * len(some)], [*some]
        if ids and not start:
            asks, values = [*asks, KNOWN.format(marks=", ".join("?" * len(ids)))], [*values, *ids]
        for what, stream, seq, hash in conn.execute(" UNION ALL ".join(asks), values):
            if what == "last":
                ends[stream] = (seq, hash)
            elif what == "known":
                known = seq > 0
            else:
                position = seq or 0
    return _Found(position, known, ends)


def _streams(commit: Commit) -> Iterator[str]:
    yield from (fact.stream for fact in commit.facts)
    yield from (state.stream for state in commit.states)


def _remember(conn: Connection, commit: Commit) -> None:
    """If two with the same id arrived together, the second was handled with the first."""
    kept, at = [kept_id(plain(signal)) for signal in commit.signals], micros(commit.at)
    if len(set(kept)) < len(kept):
        raise AlreadyHandled(", ".join(commit.signals))
    if kept:
        source, values = conn.rows("signals", ("id", "at"), [(id, at) for id in kept])
        conn.later(f"INSERT INTO signals (id, at) {source}", values)
    for signal, digest in commit.digests.items():
        conn.later(REMEMBER_DIGEST, (of := f"{kept_id(plain(signal))}{DIGEST}{digest}", at, of))


def digest_of(conn: Connection, signal: str) -> str | None:
    """The digest of the request that this signal came in; empty if it had none, None if no such signal was handled."""
    kept = kept_id(plain(signal))
    if not one(conn, "SELECT count(*) FROM signals WHERE id IN (?, ?)", kept, plain(signal))[0]:
        return None
    start = f"{kept}{DIGEST}"
    found = one(conn, "SELECT max(id) FROM signals WHERE id >= ? AND id < ?", start, f"{kept}{BEHIND_DIGESTS}")[0]
    return str(found).removeprefix(start) if found else ""


def _append(conn: Connection, ends: Ends, commit: Commit) -> list[Fact]:
    rows = [_row(ends, fact, iso(commit.at)) for fact in commit.facts]
    for start in range(0, len(rows), MOST_FACTS):
        some = [tuple(row[name] for name in FACT) for row in rows[start : start + MOST_FACTS]]
        source, values = conn.rows("facts", FACT, some)
        conn.later(f"INSERT INTO facts ({', '.join(FACT)}) {source}", values)
    at = moment(micros(commit.at))
    return [
        Fact(row["stream"], fact.seq, at, fact.actor, fact.incident, fact.body)
        for row, fact in zip(rows, commit.facts, strict=True)
    ]


def _row(ends: Ends, fact: NewFact, at: str) -> dict[str, Any]:
    stream = plain(fact.stream)
    seq, prev_hash = ends[stream]
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
    ends[stream] = (fact.seq, str(row["hash"]))
    return row


def _name_newest(conn: Connection, ends: Ends, commit: Commit) -> None:
    """A fact that changes no state (a note) comes without a state row, but the row must still name the newest seq."""
    streams: Iterable[str] = dict.fromkeys(plain(fact.stream) for fact in commit.facts)
    written = {plain(state.stream) for state in commit.states}
    for stream in streams:
        if stream not in written:
            conn.later("UPDATE states SET seq = ? WHERE stream = ?", (ends[stream][0], stream))


def _put_state(conn: Connection, ends: Ends, state: StateRow) -> None:
    stream = plain(state.stream)
    newest, _ = ends[stream]
    if newest != state.seq:
        raise Conflict(f"{state.stream} is at {newest}; its state was made from {state.seq}")
    values = (stream, state.seq, state.kind, plain(state.dedup), canonical(state.body))
    if not state.dedup:
        conn.later(PUT_STATE, values)
        return
    try:
        conn.execute(PUT_STATE, values)
    except conn.IntegrityError as error:
        raise Conflict(f"another open incident holds {state.dedup!r}") from error
