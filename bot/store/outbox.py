"""The outbox's rows: queued in order, claimed by one owner, settled by that owner.

Every change of a row's state is a conditional UPDATE whose affected rows are counted: if there are none, the caller was too
late.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.core.codec import encode
from bot.core.effects import EFFECTS, Effect, PostLine, encode_effect
from bot.ports import OutboxRow, RowState, Settled, StoreError
from bot.store.connection import Connection, one
from bot.store.replicas import clock, is_live
from bot.store.rows import canonical, maybe_moment, micros, plain, read_outbox

log = structlog.get_logger(__name__)

# A new row is due at once whatever the clock says: commits use domain time, sending uses real time.
AT_ONCE = 0
LONGEST = timedelta(hours=2)  # no row waits longer; Slack may ask for an hour at most

UNFINISHED = "state IN ('pending', 'sending', 'ambiguous')"  # must match the partial indexes literally
SLOTTED = f"slot <> '' AND {UNFINISHED}"

QUEUED = ("key", "kind", "lane", "slot", "incident", "stream", "seq", "args", "state", "created_at", "not_before")
QUEUE = "INSERT INTO outbox ({columns}) {source} ON CONFLICT (key) DO NOTHING RETURNING id, slot"
MOST_TOGETHER = 500  # rows in one statement
SUPERSEDE = f"UPDATE outbox SET state = 'superseded' WHERE {SLOTTED} AND slot = ? AND state = 'pending' AND id <> ?"  # noqa: S608 # constants

COMES_TO = (RowState.DONE, RowState.PENDING, RowState.AMBIGUOUS, RowState.DEAD)

HEADS = f"SELECT min(id) FROM outbox WHERE {UNFINISHED} GROUP BY lane"  # noqa: S608 # constants; the oldest row of each lane

# Values that `settle` and `_take` never set were set by hand, or by a clock that was ahead: such rows are due at once and block
# no lane.
SET = "CASE state WHEN 'sending' THEN lease_until ELSE not_before END"
DUE = f"CASE WHEN {SET} BETWEEN 0 AND :beyond THEN {SET} ELSE 0 END"
STARTED = "CASE WHEN started_at BETWEEN 0 AND :now THEN started_at ELSE :now END"
CREATED = "CASE WHEN created_at BETWEEN 0 AND :now THEN created_at ELSE :now END"
UNTOLD = "given up, not told"  # owner of a row that nobody could read, until a fact reports it
BURY = f"""
UPDATE outbox SET state = 'dead', key = :key, kind = :kind, lane = :lane, slot = '', stream = :stream, args = '{{}}',
    result = :result, attempt = 0, ambiguous_rounds = 0, created_at = {CREATED}, started_at = NULL, first_started_at = NULL,
    not_before = :now, owner = '{UNTOLD}', lease_until = NULL, error = :error
WHERE id = :id
"""  # noqa: S608 # constants


def queue(conn: Connection, effects: Sequence[Effect], at: datetime) -> None:
    """Queue effects in order; an effect whose key exists is already queued.

    A pending row in the same slot is superseded; the new one goes to the end of its lane. Effects superseded within this batch
    get no row. Written all together, since each statement is a round trip to the database.
    """
    last = {effect.slot: effect for effect in effects}
    left = [effect for effect in effects if not effect.slot or last[effect.slot] is effect]
    for start in range(0, len(left), MOST_TOGETHER):
        some = left[start : start + MOST_TOGETHER]
        source, values = conn.rows("outbox", QUEUED, [_row_of(effect, micros(at)) for effect in some])
        queued = conn.execute(QUEUE.format(columns=", ".join(QUEUED), source=source), values).fetchall()
        newest: dict[str, int] = {}
        for id, slot in queued:
            newest[slot] = max(id, newest.get(slot, 0))
        newest.pop("", None)
        for slot, id in newest.items():
            conn.later(SUPERSEDE, (slot, id))


def _row_of(effect: Effect, now: int) -> tuple[Any, ...]:
    return (
        plain(effect.key), effect.kind, plain(effect.lane), plain(effect.slot), effect.incident, plain(effect.stream),
        effect.seq, canonical(encode_effect(effect.body)), RowState.PENDING, now, AT_ONCE,
    )  # fmt: skip


def claim(conn: Connection, now: datetime, owner: str, lease: timedelta, limit: int, epoch: int) -> list[OutboxRow]:
    """Claim due rows, the oldest unfinished of their lanes, and mark them sending. Unreadable rows are returned as dead.

    One of several replicas leaves kinds that it does not know to the others.
    """
    if epoch and not is_live(conn, owner, epoch, now):
        return []  # the process was paused on the way here
    found = _fetched(
        conn,
        f"SELECT * FROM outbox WHERE id IN ({HEADS}) AND {DUE} <= :now ORDER BY id LIMIT :limit",  # noqa: S608 # constants
        {"now": micros(now), "beyond": micros(now + LONGEST), "limit": limit},
    )
    read = [_read_or_give_up(conn, row, now) for row in found if not epoch or row["kind"] in EFFECTS]
    return [
        taken for row in read if (taken := row if row.state is RowState.DEAD else _take(conn, row, now, owner, lease, epoch))
    ]


def untold(conn: Connection) -> list[OutboxRow]:
    """Rows that nobody could read and no fact reports yet; `result` has their `kind` if that could be read."""
    rows = _fetched(conn, "SELECT * FROM outbox WHERE state = 'dead' AND owner = ? ORDER BY id", (UNTOLD,))
    return [read_outbox(row) for row in rows]


def told(conn: Connection, row: int) -> None:
    """A fact now reports this row."""
    conn.execute("UPDATE outbox SET owner = '' WHERE id = ? AND state = 'dead'", (row,))


def _fetched(conn: Connection, sql: str, values: Any) -> list[Any]:
    """Rows as `read_outbox` takes them: one with invalid text must not prevent reading the others."""
    try:
        return conn.execute(sql, values).fetchall()
    except conn.Error as error:
        conn.require_odd_text(error)
        with conn.forgiving("surrogateescape"):
            return conn.execute(sql, values).fetchall()


def _read_or_give_up(conn: Connection, row: Any, now: datetime) -> OutboxRow:
    """A row edited so that nobody can read it must not block those behind it: it is marked dead."""
    try:
        return read_outbox(row)
    except StoreError as error:
        log.error("an effect is given up", why=str(error))
        texts = {name: plain(row[name]) for name in ("key", "lane", "stream")}
        if texts["key"] != row["key"]:
            texts["key"] += f" (row {row['id']})"  # cleaned up, it might equal another row's key
        why = plain(f"this row cannot be read: {error.__cause__}")
        result = canonical({"kind": row["kind"]} if row["kind"] in EFFECTS else {})
        values = {"kind": PostLine.KIND, "result": result, "now": micros(now), "error": why, "id": row["id"]}
        conn.execute(BURY, {**texts, **values})
        [buried] = _fetched(conn, "SELECT * FROM outbox WHERE id = ?", (row["id"],))
        return read_outbox(buried)


def _take(conn: Connection, row: OutboxRow, now: datetime, owner: str, lease: timedelta, epoch: int) -> OutboxRow | None:
    unclear = row.state is not RowState.PENDING  # an expired lease is as unclear as a broken call
    changed = conn.execute(
        "UPDATE outbox SET state = 'sending', attempt = attempt + 1, ambiguous_rounds = ambiguous_rounds + ?, owner = ?,"
        " epoch = ?, lease_until = ?, started_at = ?, first_started_at = coalesce(first_started_at, ?)"
        " WHERE id = ? AND state = ? AND attempt = ?",
        (int(unclear), plain(owner), epoch, micros(now + lease), micros(now), micros(now), row.id, row.state, row.attempt),
    ).rowcount
    if changed != 1:
        return None
    [found] = _fetched(conn, "SELECT * FROM outbox WHERE id = ?", (row.id,))
    taken = read_outbox(found)
    return OutboxRow(**{**vars(taken), "state": RowState.AMBIGUOUS}) if unclear else taken


def settle(conn: Connection, row: int, attempt: int, outcome: Settled, now: datetime) -> bool:
    """Write the result of an attempt; False if somebody else has claimed the row since."""
    if outcome.state not in COMES_TO:
        raise ValueError(f"an attempt cannot end as {outcome.state!r}")
    state, not_before = RowState(outcome.state), min(outcome.not_before or now, now + LONGEST)
    if state is RowState.PENDING and _overtaken(conn, row):
        state = RowState.SUPERSEDED
    changed = conn.execute(
        "UPDATE outbox SET state = ?, not_before = ?, result = ?, error = ?, owner = '', lease_until = NULL,"
        " ambiguous_rounds = CASE ? WHEN 'pending' THEN 0 ELSE ambiguous_rounds END"
        " WHERE id = ? AND attempt = ? AND state = 'sending'",
        (
            state, micros(not_before), canonical(encode(outcome.result)), plain(outcome.error), state,
            row, attempt,
        ),
    ).rowcount  # fmt: skip
    return changed == 1


def _overtaken(conn: Connection, row: int) -> bool:
    """Whether a newer edit of the same slot is waiting, so this one need not be repeated."""
    same = "slot = (SELECT slot FROM outbox WHERE id = ?)"
    return one(conn, f"SELECT 1 FROM outbox WHERE {SLOTTED} AND {same} AND id > ?", row, row) is not None  # noqa: S608 # constants


def release_claims(conn: Connection, now: datetime, settle_for: timedelta) -> int:
    """Rows left sending by dead owners become ambiguous, due `settle_for` after they were started, or else after now."""
    return conn.execute(
        f"UPDATE outbox SET state = 'ambiguous', not_before = {STARTED} + :settle, owner = '', lease_until = NULL"  # noqa: S608 # constants
        f" WHERE {UNFINISHED} AND state = 'sending' AND NOT EXISTS (SELECT 1 FROM replicas"
        " WHERE replicas.boot = outbox.owner AND replicas.epoch = outbox.epoch AND replicas.expires > :clock)",
        {"now": micros(now), "settle": settle_for // timedelta(microseconds=1), "clock": clock(conn, now)},
    ).rowcount


def next_due(conn: Connection, now: datetime) -> datetime | None:
    """When the earliest claimable row is due. Called constantly, so it makes a single pass over the index of lanes."""
    heads = conn.execute(conn.dialect.heads).fetchall()
    beyond = micros(now + LONGEST)
    return maybe_moment(min((at if at is not None and 0 <= at <= beyond else 0 for at, _ in heads), default=None))


def in_states(conn: Connection, states: tuple[RowState, ...]) -> list[OutboxRow]:
    """Rows in these states, oldest first; all if none is given."""
    marks = ", ".join("?" * len(states))
    where = f" WHERE state IN ({marks})" if states else ""
    rows = _fetched(conn, f"SELECT * FROM outbox{where} ORDER BY id", states)  # noqa: S608 # question marks only
    return [read_outbox(row) for row in rows]


def by_key(conn: Connection, key: str) -> OutboxRow | None:
    """The row with this effect key."""
    return next(map(read_outbox, _fetched(conn, "SELECT * FROM outbox WHERE key = ?", (plain(key),))), None)
