"""The ledger over one SQLite connection: facts, states, outbox, seen ids, settings."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.core.record.fact import Fact
from bot.ports import (
    Audited,
    Commit,
    Flaw,
    Mark,
    OutboxRow,
    Prunable,
    RowState,
    Settled,
    StateRow,
)
from bot.ports.replicas import Lease, LiveReplica, Renewal, ReplicaInfo, ReplicaMessage
from bot.store import audit, commits, incidents, outbox, pruning, removal, replicas, traces
from bot.store.connection import Connection, atomic, one
from bot.store.marks import forget, keep
from bot.store.rows import micros, plain, read_fact, read_state


class SqlStore:
    """`bot.ports.Store` over one connection, used by one thread at a time.

    Each writing call is atomic: a transaction, or a savepoint inside the caller's.
    """

    def __init__(self, conn: Connection) -> None:
        self.conn = conn

    # --- facts and states

    def commit(self, commit: Commit) -> list[Fact]:
        """Append all facts, write the states, queue the effects. Raises Fenced, AlreadyHandled or Conflict, writing nothing."""
        with atomic(self.conn):
            return commits.write(self.conn, commit)

    def position(self) -> int:
        """The number of the newest fact of all, counted from 1; 0 if there is none."""
        return commits.position(self.conn)

    def facts_since(self, position: int) -> list[Fact]:
        """The facts committed after this position, in order. Raises StoreError (NEWER) for one of a newer Understudy."""
        return self._facts("WHERE id > ? ORDER BY id", (position,))

    def kinds_since(self, position: int) -> set[tuple[str, int]]:
        """The kinds and versions of facts after this position, for callers that need not read the facts."""
        rows = self.conn.execute("SELECT DISTINCT kind, version FROM facts WHERE id > ?", (position,))
        return {(row["kind"], row["version"]) for row in rows}

    def states(self) -> list[StateRow]:
        """Every state row."""
        return [read_state(row) for row in self.conn.execute("SELECT * FROM states ORDER BY stream")]

    def newest_incident(self) -> int:
        """The highest incident number; 0 if there is none."""
        return incidents.newest(self.conn)

    def states_but_incidents(self) -> list[StateRow]:
        """Every state row except those of incidents."""
        return incidents.others(self.conn)

    def open_incidents(self) -> list[StateRow]:
        """The state rows of open incidents."""
        return incidents.still_open(self.conn)

    def incidents(self, numbers: Sequence[int]) -> list[StateRow]:
        """The state rows of the existing incidents with these numbers, in that order."""
        return incidents.numbered(self.conn, numbers)

    def ended_last(self, since: Mapping[str, datetime]) -> dict[str, int]:
        """For each of these components, the incident that ended last with it, unless that was before its time."""
        return incidents.ended_last(self.conn, since)

    def with_open_tasks(self) -> list[int]:
        """The incidents, over or not, with an open task."""
        return incidents.with_open_tasks(self.conn)

    def incident_with(self, field: str, text: str) -> int | None:
        """The newest incident whose state has this text in this field, such as `room.channel`. Scans every row."""
        return incidents.with_text(self.conn, field, text)

    def any_fact(self) -> bool:
        """Whether anything was ever recorded."""
        return one(self.conn, "SELECT 1 FROM facts LIMIT 1") is not None

    def facts(self, stream: str, after: int = 0) -> list[Fact]:
        """A stream's facts after `after`, in order."""
        return self._facts("WHERE stream = ? AND seq > ? ORDER BY seq", (plain(stream), after))

    def all_facts(self) -> list[Fact]:
        """Every fact in commit order."""
        return self._facts("ORDER BY id", ())

    def facts_about(self, incident: int) -> list[Fact]:
        """The incident's timeline: its stream and all facts that name it, in commit order."""
        return self._facts("WHERE stream = ? OR incident = ? ORDER BY id", (f"incident/{incident}", incident))

    def _facts(self, clause: str, values: Sequence[object]) -> list[Fact]:
        rows = self.conn.execute(f"SELECT * FROM facts {clause}", tuple(values))  # noqa: S608 # four constant clauses
        return [read_fact(row) for row in rows]

    def streams(self, *, only_open: bool = False) -> list[str]:
        """Every stream, or only those that decisions depend on: all except finished incidents."""
        return audit.open_streams(self.conn) if only_open else audit.streams(self.conn)

    def streams_about(self, incident: int) -> list[str]:
        """The streams of its timeline: its own, and those with a fact that names it."""
        return audit.streams_about(self.conn, incident)

    def examine(self, stream: str) -> Flaw | None:
        """Check that a stream's facts are intact and its state follows from them; reads the whole stream."""
        return audit.examine(self.conn, stream)

    def audit(self, stream: str, *, from_mark: bool) -> Audited:
        """The same, with a mark if one is worth keeping. `from_mark` reads only what follows the last mark."""
        return audit.audit(self.conn, stream, from_mark=from_mark)

    def keep_marks(self, marks: Sequence[Mark]) -> None:
        """Remember how far streams were audited."""
        with atomic(self.conn):
            keep(self.conn, marks)

    def forget_marks(self) -> None:
        """Make the next start read every stream completely."""
        with atomic(self.conn):
            forget(self.conn)

    def missing(self) -> int:
        """The number of facts that were removed from the ledger from outside, whatever states they had led to."""
        return audit.missing(self.conn)

    def missing_from(self) -> tuple[str, ...]:
        """The streams they were in, as far as the rest tells."""
        return traces.missing_from(self.conn)

    def accept_missing(self) -> None:
        """Count the facts missing now as gone for good, and delete the effects that they caused."""
        with atomic(self.conn):
            self.conn.take_time()
            traces.forget(self.conn)
            removal.accept_missing(self.conn)

    def rebuild(self, stream: str) -> None:
        """Write the state that follows from the facts, if a different one is stored."""
        with atomic(self.conn):
            self.conn.take_time()
            audit.rebuild(self.conn, stream)

    def everything_about(self, stream: str) -> list[dict[str, Any]]:
        """A stream's raw rows, readable or not: facts, state, effects; each names its table."""
        return removal.everything_about(self.conn, plain(stream))

    def remove(self, stream: str) -> None:
        """Delete all that `everything_about` returns, and whatever would make a later fact of that name count as handled."""
        with atomic(self.conn):
            self.conn.take_time()
            removal.remove(self.conn, plain(stream))

    # --- outbox

    def claim(self, now: datetime, owner: str, lease: timedelta, limit: int, epoch: int = 0) -> list[OutboxRow]:
        """Claim due rows, at most one per lane and only a lane's oldest unfinished one; mark them sending, attempt + 1.

        `ambiguous_rounds` of a row counts the claims for looking it up since it was last sent, including this one.
        """
        with atomic(self.conn):
            return outbox.claim(self.conn, now, owner, lease, limit, epoch)

    def untold(self) -> list[OutboxRow]:
        """Dead rows that nobody could read, and that no fact reports yet."""
        return outbox.untold(self.conn)

    def told(self, row: int) -> None:
        """A fact now reports a row that nobody could read."""
        with atomic(self.conn):
            outbox.told(self.conn, row)

    def settle(self, row: int, attempt: int, outcome: Settled, now: datetime) -> bool:
        """Write the result of an attempt; False if somebody else has claimed the row since.

        A row that would wait again is superseded instead if a newer edit of its slot is already waiting.
        """
        with atomic(self.conn):
            return outbox.settle(self.conn, row, attempt, outcome, now)

    def release_claims(self, now: datetime, settle_for: timedelta) -> int:
        """Rows left `sending` by dead owners become ambiguous; they are looked up `settle_for` after they were started."""
        with atomic(self.conn):
            return outbox.release_claims(self.conn, now, settle_for)

    def next_due(self, now: datetime) -> datetime | None:
        """When the earliest claimable row is due; None if nothing waits."""
        return outbox.next_due(self.conn, now)

    def outbox(self, *states: RowState) -> list[OutboxRow]:
        """Rows in these states, oldest first; all rows if none is given."""
        return outbox.in_states(self.conn, states)

    def outbox_row(self, key: str) -> OutboxRow | None:
        """The row with this effect key."""
        return outbox.by_key(self.conn, key)

    def find_old(self, now: datetime, keep: timedelta, after: int) -> Prunable:
        """What is done and older than `keep`, in the outbox from `after` on: enough for one step."""
        return pruning.find_old(self.conn, now, keep, after)

    def forget(self, old: Prunable) -> None:
        """Delete what `find_old` found."""
        with atomic(self.conn):
            pruning.forget(self.conn, old)

    # --- replicas

    def renew(self, says: ReplicaInfo, epoch: int, ttl: timedelta, now: datetime) -> Renewal:
        """A replica that was alive in `epoch` (0 at its start) renews itself; others count it as dead after `ttl`."""
        with atomic(self.conn):
            return replicas.renew(self.conn, says, epoch, ttl, now)

    def replicas(self, now: datetime) -> list[LiveReplica]:
        """Live replicas, by name and boot."""
        return replicas.live(self.conn, now)

    def lease(self, name: str, holder: str, ttl: timedelta, now: datetime) -> int | None:
        """Take or extend a lease; returns its epoch, or None while somebody else holds it."""
        with atomic(self.conn):
            return replicas.lease(self.conn, name, holder, ttl, now)

    def leases(self, now: datetime) -> list[Lease]:
        """The leases currently held."""
        return replicas.leases(self.conn, now)

    def give_back(self, holder: str) -> None:
        """A replica stops, or must give up everything: its leases become free and it counts as dead, at once."""
        with atomic(self.conn):
            replicas.give_back(self.conn, holder)

    def pass_on(self, boot: str, bodies: Sequence[str], now: datetime) -> None:
        """Send messages to the other replicas. They are kept for a minute: news, not facts."""
        with atomic(self.conn):
            replicas.pass_on(self.conn, boot, bodies, now)

    def passed_on(self, after: int, boot: str) -> list[ReplicaMessage]:
        """What the others sent after that position, in order."""
        return replicas.passed_on(self.conn, after, boot)

    def newest_passed_on(self) -> int:
        """The position after which everything is new; 0 before the first message."""
        return replicas.newest_passed_on(self.conn)

    # --- seen ids, settings

    def digest_of(self, signal: str) -> str | None:
        """The digest of the request that this signal came in; empty if it had none, None if no such signal was handled."""
        return commits.digest_of(self.conn, signal)

    def first_sight(self, id: str, now: datetime, keep: timedelta) -> bool:
        """Remember `id` for `keep`; False if it is already remembered. Forgets expired ids."""
        with atomic(self.conn):
            self.conn.execute("DELETE FROM seen WHERE until <= ?", (micros(now),))
            sql = "INSERT INTO seen (id, until) VALUES (?, ?) ON CONFLICT DO NOTHING"
            return self.conn.execute(sql, (plain(id), micros(now + keep))).rowcount == 1

    def forget_sight(self, id: str) -> None:
        """Forget an id; does nothing if it is not remembered."""
        with atomic(self.conn):
            self.conn.execute("DELETE FROM seen WHERE id = ?", (plain(id),))

    def setting(self, name: str) -> str | None:
        """A stored setting, or None."""
        row = one(self.conn, "SELECT value FROM settings WHERE name = ?", plain(name))
        return str(row["value"]) if row else None

    def put_setting(self, name: str, value: str) -> None:
        """Store a setting."""
        sql = "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        with atomic(self.conn):
            self.conn.execute(sql, (plain(name), plain(value)))
