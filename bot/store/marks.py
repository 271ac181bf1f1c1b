"""Marks of the audit: how far a stream was read completely, and the state up to there. A start folds only what follows.

A mark saves time and decides nothing. It counts only while every fact before it is byte for byte the one that was audited, and
while this program folds facts like the one that made it; otherwise the stream is read completely.

Marks are stored as settings, without a table of their own: an earlier Understudy still opens the ledger, and ignores them.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import bot.core
from bot.core.codec import decode, encode
from bot.core.record.streams import STREAMS
from bot.ports import Mark
from bot.store.connection import Connection, one
from bot.store.rows import canonical

WORTH = 500  # facts, at 25 to 50 µs each; fewer are not worth a mark
AT_ONCE = 1_000
CORE = Path(bot.core.__file__).parent
PREFIX = "audit mark of "
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass
class AuditStart:
    """Where reading a stream starts: after a valid mark, or at the first fact."""

    seq: int = 0
    hash: str = ""  # hash of the fact at `seq`
    state: Any = None


def begin(conn: Connection, stream: str) -> AuditStart:
    """The stream's mark, if it is valid."""
    try:
        row = one(conn, "SELECT value FROM settings WHERE name = ?", PREFIX + stream)
        return AuditStart() if row is None else _counted(conn, stream, json.loads(row[0]))
    except UNREADABLE:
        return AuditStart()
    except conn.Error as error:
        conn.require_odd_text(error)
        return AuditStart()


def _counted(conn: Connection, stream: str, kept: Any) -> AuditStart:
    seq, state = kept["seq"], kept["state"]
    last = one(conn, "SELECT hash FROM facts WHERE stream = ? AND seq = ?", stream, seq)
    if last is None or kept["digest"] != _digest(conn, stream, seq, state):
        return AuditStart()
    return AuditStart(seq, last["hash"], decode(STREAMS[stream.partition("/")[0]].state, state))


def made(conn: Connection, stream: str, seq: int, state: Any) -> Mark:
    """A mark at `seq`, for a stream whose facts were just found intact and lead to this state."""
    body = encode(state)
    return Mark(stream, seq, body, _digest(conn, stream, seq, body))


def keep(conn: Connection, marks: Sequence[Mark]) -> None:
    """Store these marks, replacing earlier ones."""
    conn.executemany(
        "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [(PREFIX + m.stream, canonical({"seq": m.seq, "state": m.state, "digest": m.digest})) for m in marks],
    )


def forget(conn: Connection) -> None:
    """Delete all marks."""
    conn.execute("DELETE FROM settings WHERE substr(name, 1, ?) = ?", (len(PREFIX), PREFIX))


def _digest(conn: Connection, stream: str, seq: int, state: Any) -> str:
    """A digest of the stored facts up to `seq`, the resulting state, and the folding rules."""
    digest = hashlib.sha256(canonical([stream, seq, state, rules()]).encode("ascii"))
    for after in range(0, seq, AT_ONCE):
        values = {"stream": stream, "after": after, "until": min(after + AT_ONCE, seq)}
        said = conn.execute(conn.dialect.fact_bytes, values)
        digest.update(said.fetchone()[0] or b"")
    return digest.hexdigest()


@cache
def rules(folder: Path = CORE) -> str:
    """Identifies how this program folds facts: a hash of the relevant code, 0.3 MB in 3 ms."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(f"{file.relative_to(folder).as_posix()}\x1f".encode() + file.read_bytes())
    return digest.hexdigest()
