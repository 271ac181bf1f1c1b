"""The outbox's rows: queued in order, claimed by one, settled by the one that claimed them.

Every change of a row's state is a conditional UPDATE whose rows are counted: whoever changed none was too late.
"""

from datetime import datetime, timedelta
from typing import Any

from bot.core.codec import encode
from bot.core.effects import Effect, PostLine, encode_effect
from bot.ports import OutboxRow, RowState, Settled, StoreError
from bot.store.engine import Connection, one
from bot.store.rows import canonical, maybe_moment, micros, plain, read_outbox

# A new row is due whatever the clock says: its commit is dated in domain time, its sending in real time.
AT_ONCE = 0

UNFINISHED = "state IN ('pending', 'sending', 'ambiguous')"  # word for word as in the partial indexes
SLOTTED = f"slot <> '' AND {UNFINISHED}"

COMES_TO = (RowState.DONE, RowState.PENDING, RowState.AMBIGUOUS, RowState.DEAD)

HEADS = f"SELECT min(id) FROM outbox WHERE {UNFINISHED} GROUP BY lane"  # noqa: S608 # a constant; the oldest row of each lane

DUE = "CASE state WHEN 'sending' THEN lease_until ELSE not_before END"


def queue(conn: Connection, effect: Effect, at: datetime) -> None:
    """Queue an effect; one whose key exists is the same effect and is queued already.

    A pending row of the same slot is superseded; the new one takes its own place at the end of the lane.
    """
    if one(conn, "SELECT 1 FROM outbox WHERE key = ?", plain(effect.key)):
        return
    if effect.slot:
        sql = f"UPDATE outbox SET state = 'superseded' WHERE {SLOTTED} AND slot = ? AND state = 'pending'"  # noqa: S608 # constants
        conn.execute(sql, (plain(effect.slot),))
    now = micros(at)
    conn.execute(
        "INSERT INTO outbox (key, kind, lane, slot, incident, stream, seq, args, state, created_at, not_before)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)",
        (
            plain(effect.key), effect.kind, plain(effect.lane), plain(effect.slot), effect.incident, plain(effect.stream),
            effect.seq, canonical(encode_effect(effect.body)), now, AT_ONCE,
        ),
    )  # fmt: skip


def claim(conn: Connection, now: datetime, owner: str, lease: timedelta, limit: int) -> list[OutboxRow]:
    """Take due rows, the oldest unfinished of their lanes, and mark them sending."""
    found = conn.execute(
        f"SELECT * FROM outbox WHERE id IN ({HEADS}) AND {DUE} <= ? ORDER BY id LIMIT ?",  # noqa: S608 # constants
        (micros(now), limit),
    ).fetchall()
    readable = [read for row in found if (read := _read_or_bury(conn, row))]
    return [taken for row in readable if (taken := _take(conn, row, now, owner, lease))]


def _read_or_bury(conn: Connection, row: Any) -> OutboxRow | None:
    """A row that was edited until nobody can read it must not hold up those behind it."""
    try:
        return read_outbox(row)
    except StoreError as error:
        sql = "UPDATE outbox SET state = 'dead', args = '{}', result = '{}', kind = ?, error = ? WHERE id = ?"
        conn.execute(sql, (PostLine.KIND, f"this row cannot be read: {error.__cause__}", row["id"]))
        return None


def _take(conn: Connection, row: OutboxRow, now: datetime, owner: str, lease: timedelta) -> OutboxRow | None:
    unclear = row.state is not RowState.PENDING  # a lease that ran out leaves the same question as a broken call
    changed = conn.execute(
        "UPDATE outbox SET state = 'sending', attempt = attempt + 1, ambiguous_rounds = ambiguous_rounds + ?, owner = ?,"
        " lease_until = ?, started_at = ?, first_started_at = coalesce(first_started_at, ?)"
        " WHERE id = ? AND state = ? AND attempt = ?",
        (unclear, plain(owner), micros(now + lease), micros(now), micros(now), row.id, row.state, row.attempt),
    ).rowcount
    if changed != 1:
        return None
    taken = read_outbox(one(conn, "SELECT * FROM outbox WHERE id = ?", row.id))
    return OutboxRow(**{**vars(taken), "state": RowState.AMBIGUOUS}) if unclear else taken


def settle(conn: Connection, row: int, attempt: int, outcome: Settled, now: datetime) -> bool:
    """Write what the try came to; False when it was claimed by somebody else since."""
    if outcome.state not in COMES_TO:
        raise ValueError(f"a try cannot come to {outcome.state!r}")
    state = RowState(outcome.state)
    if state is RowState.PENDING and _overtaken(conn, row):
        state = RowState.SUPERSEDED
    changed = conn.execute(
        "UPDATE outbox SET state = ?, not_before = ?, result = ?, error = ?, owner = '', lease_until = NULL,"
        " ambiguous_rounds = CASE ? WHEN 'pending' THEN 0 ELSE ambiguous_rounds END"
        " WHERE id = ? AND attempt = ? AND state = 'sending'",
        (
            state, micros(outcome.not_before or now), canonical(encode(outcome.result)), plain(outcome.error), state,
            row, attempt,
        ),
    ).rowcount  # fmt: skip
    return changed == 1


def _overtaken(conn: Connection, row: int) -> bool:
    """Whether a newer edit of the same slot waits, so that this one need not be made again."""
    same = "slot = (SELECT slot FROM outbox WHERE id = ?)"
    return one(conn, f"SELECT 1 FROM outbox WHERE {SLOTTED} AND {same} AND id > ?", row, row) is not None  # noqa: S608 # constants


def release_claims(conn: Connection, settle_for: timedelta) -> int:
    """Rows left sending by a dead process become ambiguous, due `settle_for` after they were started."""
    return conn.execute(
        "UPDATE outbox SET state = 'ambiguous', not_before = started_at + ?, owner = '', lease_until = NULL"
        " WHERE state = 'sending'",
        (settle_for // timedelta(microseconds=1),),
    ).rowcount


def next_due(conn: Connection) -> datetime | None:
    """When the earliest claimable row is due."""
    row = one(conn, f"SELECT min({DUE}) FROM outbox WHERE id IN ({HEADS})")  # noqa: S608 # constants
    return maybe_moment(row[0])


def in_states(conn: Connection, states: tuple[RowState, ...]) -> list[OutboxRow]:
    """Rows in these states, oldest first; all when none is named."""
    marks = ", ".join("?" * len(states))
    where = f" WHERE state IN ({marks})" if states else ""
    rows = conn.execute(f"SELECT * FROM outbox{where} ORDER BY id", states)  # noqa: S608 # question marks only
    return [read_outbox(row) for row in rows]


def by_key(conn: Connection, key: str) -> OutboxRow | None:
    """The row of one effect key."""
    row = one(conn, "SELECT * FROM outbox WHERE key = ?", plain(key))
    return read_outbox(row) if row else None
