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
    Old,
    OutboxRow,
    RowState,
    Settled,
    StateRow,
)
from bot.ports.replicas import Introduction, Lease, LiveReplica, PassedOn, Renewed
from bot.store import audit, commits, incidents, outbox, pruning, removal, replicas, traces
from bot.store.connection import Connection, atomic, one
from bot.store.marks import forget, keep
from bot.store.rows import micros, plain, read_fact, read_state


class SqlStore:
    """`bot.ports.Store` over one connection, used by one thread at a time.

    Each writing call is all or nothing by itself: a transaction of its own, or a savepoint where the caller holds one.
    """

    def __init__(self, conn: Connection) -> None:
        self.conn = conn

    # --- facts and states

    def commit(self, commit: Commit) -> list[Fact]:
        """Append all facts, write the states, queue the effects. Raises Fenced, AlreadyHandled or Conflict, writing nothing."""
        with atomic(self.conn):
            return commits.write(self.conn, commit)

    def position(self) -> int:
        """The place of the newest fact among all, counted from 1; 0 where there is none."""
        return commits.position(self.conn)

    def facts_since(self, position: int) -> list[Fact]:
        """What was committed behind this position, in that order. Raises StoreError (NEWER) for one of a newer Understudy."""
        return self._facts("WHERE id > ? ORDER BY id", (position,))

    def kinds_since(self, position: int) -> set[tuple[str, int]]:
        """The kinds of facts behind this position, each with its version; for who need not read all of them."""
        rows = self.conn.execute("SELECT DISTINCT kind, version FROM facts WHERE id > ?", (position,))
        return {(row["kind"], row["version"]) for row in rows}

    def states(self) -> list[StateRow]:
        """Every state row."""
        return [read_state(row) for row in self.conn.execute("SELECT * FROM states ORDER BY stream")]

    def newest_incident(self) -> int:
        """The highest number that an incident has; 0 where there is none."""
        return incidents.newest(self.conn)

    def states_but_incidents(self) -> list[StateRow]:
        """Every state row but the incidents'."""
        return incidents.others(self.conn)

    def open_incidents(self) -> list[StateRow]:
        """The state rows of the incidents that are open."""
        return incidents.still_open(self.conn)

    def incidents(self, numbers: Sequence[int]) -> list[StateRow]:
        """The state rows of the incidents with these numbers, in that order; of a number that was not given there is none."""
        return incidents.numbered(self.conn, numbers)

    def ended_last(self, since: Mapping[str, datetime]) -> dict[str, int]:
        """For each of these components the incident with it that ended last, where that was not before its time."""
        return incidents.ended_last(self.conn, since)

    def with_open_tasks(self) -> list[int]:
        """The incidents, over or not, in which something is still to be done."""
        return incidents.with_open_tasks(self.conn)

    def incident_with(self, field: str, text: str) -> int | None:
        """The newest incident whose state has this text in this field, as `room.channel`. Each row is looked at."""
        return incidents.with_text(self.conn, field, text)

    def any_fact(self) -> bool:
        """Whether anything was ever written."""
        return one(self.conn, "SELECT 1 FROM facts LIMIT 1") is not None

    def facts(self, stream: str, after: int = 0) -> list[Fact]:
        """A stream's facts in order, from the one behind `after`."""
        return self._facts("WHERE stream = ? AND seq > ? ORDER BY seq", (plain(stream), after))

    def all_facts(self) -> list[Fact]:
        """Every fact in the order of its commit."""
        return self._facts("ORDER BY id", ())

    def facts_about(self, incident: int) -> list[Fact]:
        """The incident's timeline: its stream and all facts that name it, in the order of their commit."""
        return self._facts("WHERE stream = ? OR incident = ? ORDER BY id", (f"incident/{incident}", incident))

    def _facts(self, clause: str, values: Sequence[object]) -> list[Fact]:
        rows = self.conn.execute(f"SELECT * FROM facts {clause}", tuple(values))  # noqa: S608 # four constant clauses
        return [read_fact(row) for row in rows]

    def streams(self, *, only_open: bool = False) -> list[str]:
        """Every stream, or those that decisions are made on: all but the incidents that are over."""
        return audit.open_streams(self.conn) if only_open else audit.streams(self.conn)

    def streams_about(self, incident: int) -> list[str]:
        """The streams that its timeline is made of: its own, and those with a fact that names it."""
        return audit.streams_about(self.conn, incident)

    def examine(self, stream: str) -> Flaw | None:
        """Whether a stream's facts hold and its state follows from them; the whole stream is read."""
        return audit.examine(self.conn, stream)

    def audit(self, stream: str, *, from_mark: bool) -> Audited:
        """The same, and a mark where one is worth keeping. `from_mark` folds only what follows the mark that was kept."""
        return audit.audit(self.conn, stream, from_mark=from_mark)

    def keep_marks(self, marks: Sequence[Mark]) -> None:
        """Remember how far streams were audited."""
        with atomic(self.conn):
            keep(self.conn, marks)

    def forget_marks(self) -> None:
        """Let the next start read every stream whole."""
        with atomic(self.conn):
            forget(self.conn)

    def missing(self) -> int:
        """How many facts were taken out of the ledger behind its back, with whatever state they led to."""
        return audit.missing(self.conn)

    def missing_from(self) -> tuple[str, ...]:
        """The streams that they stood in, as far as what is left tells."""
        return traces.missing_from(self.conn)

    def accept_missing(self) -> None:
        """Count the facts that are missing now as gone for good, and forget the effects that spoke of them."""
        with atomic(self.conn):
            self.conn.take_time()
            traces.forget(self.conn)
            removal.accept_missing(self.conn)

    def rebuild(self, stream: str) -> None:
        """Write the state that follows from the facts, where another one stands."""
        with atomic(self.conn):
            self.conn.take_time()
            audit.rebuild(self.conn, stream)

    def everything_about(self, stream: str) -> list[dict[str, Any]]:
        """The rows of a stream as they lie there, readable or not: facts, state, effects; each names its table."""
        return removal.everything_about(self.conn, plain(stream))

    def remove(self, stream: str) -> None:
        """Take out all that `everything_about` gives, and what would make a later fact of this name count as told."""
        with atomic(self.conn):
            self.conn.take_time()
            removal.remove(self.conn, plain(stream))

    # --- outbox

    def claim(self, now: datetime, owner: str, lease: timedelta, limit: int, epoch: int = 0) -> list[OutboxRow]:
        """Take due rows, at most one per lane and only a lane's oldest unfinished; mark them sending, attempt + 1.

        `ambiguous_rounds` of a row counts the claims for looking it up since it was last sent, this one included.
        """
        with atomic(self.conn):
            return outbox.claim(self.conn, now, owner, lease, limit, epoch)

    def untold(self) -> list[OutboxRow]:
        """Dead rows that nobody could read, and that no fact tells of yet."""
        return outbox.untold(self.conn)

    def told(self, row: int) -> None:
        """A fact tells of a row that nobody could read."""
        with atomic(self.conn):
            outbox.told(self.conn, row)

    def settle(self, row: int, attempt: int, outcome: Settled, now: datetime) -> bool:
        """Write what the try came to; False when the row was claimed by somebody else since.

        A row that would wait again while a newer edit of its slot waits already is superseded instead.
        """
        with atomic(self.conn):
            return outbox.settle(self.conn, row, attempt, outcome, now)

    def release_claims(self, now: datetime, settle_for: timedelta) -> int:
        """Rows left `sending` by owners that are not live become ambiguous, looked up `settle_for` after they were started."""
        with atomic(self.conn):
            return outbox.release_claims(self.conn, now, settle_for)

    def next_due(self, now: datetime) -> datetime | None:
        """When the earliest claimable row is due; None when nothing waits."""
        return outbox.next_due(self.conn, now)

    def outbox(self, *states: RowState) -> list[OutboxRow]:
        """Rows in these states, oldest first; all rows when none is named."""
        return outbox.in_states(self.conn, states)

    def outbox_row(self, key: str) -> OutboxRow | None:
        """The row of one effect key."""
        return outbox.by_key(self.conn, key)

    def find_old(self, now: datetime, keep: timedelta, after: int) -> Old:
        """What is done and older than `keep`, in the outbox from a place on: one step's worth."""
        return pruning.find_old(self.conn, now, keep, after)

    def forget(self, old: Old) -> None:
        """Delete what `find_old` found."""
        with atomic(self.conn):
            pruning.forget(self.conn, old)

    # --- replicas

    def renew(self, says: Introduction, epoch: int, ttl: timedelta, now: datetime) -> Renewed:
        """A sign of life of a replica that was alive in `epoch`, 0 at its start; others count it as dead after `ttl`."""
        with atomic(self.conn):
            return replicas.renew(self.conn, says, epoch, ttl, now)

    def replicas(self, now: datetime) -> list[LiveReplica]:
        """The live ones, by name and boot."""
        return replicas.live(self.conn, now)

    def lease(self, name: str, holder: str, ttl: timedelta, now: datetime) -> int | None:
        """Take a lease, or hold it for longer: its epoch; None while another one holds it."""
        with atomic(self.conn):
            return replicas.lease(self.conn, name, holder, ttl, now)

    def leases(self, now: datetime) -> list[Lease]:
        """The leases that are held."""
        return replicas.leases(self.conn, now)

    def give_back(self, holder: str) -> None:
        """A replica ends cleanly, or may hold nothing: its leases are free, and it counts as dead, at once."""
        with atomic(self.conn):
            replicas.give_back(self.conn, holder)

    def pass_on(self, boot: str, bodies: Sequence[str], now: datetime) -> None:
        """Tell the other replicas something. It is kept for a minute: for news, not for facts."""
        with atomic(self.conn):
            replicas.pass_on(self.conn, boot, bodies, now)

    def passed_on(self, after: int, boot: str) -> list[PassedOn]:
        """What the others told behind that place, in order."""
        return replicas.passed_on(self.conn, after, boot)

    def newest_passed_on(self) -> int:
        """The place behind which everything is news; 0 before the first."""
        return replicas.newest_passed_on(self.conn)

    # --- seen ids, settings

    def first_sight(self, id: str, now: datetime, keep: timedelta) -> bool:
        """Remember `id` for `keep`; False when it is remembered. Forgets those whose time is over."""
        with atomic(self.conn):
            self.conn.execute("DELETE FROM seen WHERE until <= ?", (micros(now),))
            sql = "INSERT INTO seen (id, until) VALUES (?, ?) ON CONFLICT DO NOTHING"
            return self.conn.execute(sql, (plain(id), micros(now + keep))).rowcount == 1

    def forget_sight(self, id: str) -> None:
        """Its next sight is the first again; nothing where it is not remembered."""
        with atomic(self.conn):
            self.conn.execute("DELETE FROM seen WHERE id = ?", (plain(id),))

    def setting(self, name: str) -> str | None:
        """A remembered setting."""
        row = one(self.conn, "SELECT value FROM settings WHERE name = ?", plain(name))
        return str(row["value"]) if row else None

    def put_setting(self, name: str, value: str) -> None:
        """Remember a setting."""
        sql = "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        with atomic(self.conn):
            self.conn.execute(sql, (plain(name), plain(value)))
