"""The ledger: facts, states, the outbox's rows, and async access to them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from bot.core.effects import Effect
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor
from bot.core.record.fact import Body, Fact
from bot.ports.replicas import Fence, Replicas

T = TypeVar("T")


@dataclass(frozen=True)
class NewFact:
    """A fact to append: the store checks that `seq` follows the stream's last one."""

    stream: str
    seq: int
    actor: Actor
    incident: int | None
    body: Body


@dataclass(frozen=True)
class StateRow:
    """A state to write with its facts. `dedup` is non-empty only while an incident is open."""

    stream: str
    seq: int
    kind: str  # component | provider | incident | flag | sink | sight
    dedup: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Commit:
    """The result of signals, all or nothing: usually one, more if they were decided in a row.

    `signals` are their ids, remembered so that none is handled twice; signals without an id are left out. `expects` is the
    ledger's position at the decision; None if nothing was decided, as in tools. `fence` is what must still be true of a
    replica that decided by itself; None if people decided, or if one process owns the ledger. `digests` identify, by signal id,
    the requests whose sender chose that id.
    """

    signals: tuple[str, ...]
    at: datetime
    facts: tuple[NewFact, ...]
    states: tuple[StateRow, ...]
    effects: tuple[Effect, ...]
    expects: int | None = None
    fence: Fence | None = None
    digests: Mapping[str, str] = field(default_factory=dict)


class Conflict(Exception):  # noqa: N818 # an outcome, not a bug
    """Another engine committed first, or another incident holds the dedup key: catch up and decide again."""


class AlreadyHandled(Exception):  # noqa: N818 # an outcome, not a bug
    """This signal's id was committed before; nothing was written."""


class Fenced(Exception):  # noqa: N818 # an outcome, not a bug
    """The replica that decided is no longer alive in that epoch, or lost the clock; nothing was written."""


class StoreTrouble(StrEnum):
    """The reasons why a data file cannot be used."""

    FULL = "full"
    READ_ONLY = "read-only"
    IO = "io"  # the disk fails
    GONE = "gone"  # deleted, moved away or replaced while it was open
    CORRUPT = "corrupt"
    NEWER = "newer"  # a newer Understudy wrote something that this one cannot understand
    VALUE = "value"  # it works, but rejects the value given
    AWAY = "away"  # the database cannot be reached; work in progress may have been committed
    OTHER = "other"


class StoreError(Exception):
    """A data file cannot be opened, read or written; nothing was changed. The sentence names the file and the remedy.

    `permanent` means that retrying without a fix cannot help.
    """

    def __init__(self, sentence: str, *, kind: StoreTrouble = StoreTrouble.OTHER, permanent: bool = True) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.permanent = permanent


class RowState(StrEnum):
    """The states of an effect's row."""

    PENDING = "pending"
    SENDING = "sending"
    AMBIGUOUS = "ambiguous"  # may have been carried out: look it up before sending it again
    DONE = "done"
    DEAD = "dead"  # given up
    SUPERSEDED = "superseded"  # replaced by a newer edit of the same thing


UNFINISHED = (RowState.PENDING, RowState.SENDING, RowState.AMBIGUOUS)


@dataclass(frozen=True)
class OutboxRow:
    """An effect in the outbox."""

    id: int
    effect: Effect
    state: RowState
    attempt: int
    created_at: datetime
    started_at: datetime | None
    first_started_at: datetime | None  # when it was first attempted
    not_before: datetime
    ambiguous_rounds: int
    result: Mapping[str, str]
    error: str


@dataclass(frozen=True)
class Settled:
    """The result of an attempt: done, pending (retry after a time), ambiguous (look it up after a time) or dead."""

    state: RowState
    not_before: datetime | None = None
    result: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class Flaw:
    """A stream whose state does not follow from its facts (`state` is the correct one), or whose facts are not intact."""

    stream: str
    sentence: str
    state: StateRow | None

    @property
    def facts_hold(self) -> bool:
        """Whether only the state is wrong, so that it can be rebuilt."""
        return self.state is not None


@dataclass(frozen=True)
class Mark:
    """A stream was read completely up to `seq`, with this state; `digest` covers both and every fact before."""

    stream: str
    seq: int
    state: Mapping[str, Any]
    digest: str


@dataclass(frozen=True)
class Audited:
    """The result of auditing one stream, with a mark if one is worth keeping."""

    flaw: Flaw | None
    mark: Mark | None = None


@dataclass(frozen=True)
class Prunable:
    """Outbox rows and signals' ids to delete; `after` is where to continue in the outbox, None at the end."""

    rows: tuple[int, ...]
    signals: tuple[str, ...]
    after: int | None


class Store(Replicas, Protocol):
    """The ledger: facts, states, outbox, replicas, seen ids. Synchronous; used by one writer and several readers.

    Contract (tests/contracts/test_store_contract.py): a commit is all or nothing and durable on return; a stream's facts have
    seqs 1, 2, 3 ... without gaps, and so do the positions of all facts; at most one incident per dedup key is open; one owner
    claims a row.
    """

    def commit(self, commit: Commit) -> list[Fact]:
        """Append all facts, write the states, queue the effects. Writes nothing if it raises.

        Raises Fenced if the fence does not hold, AlreadyHandled for a signal whose id was committed, and Conflict if the
        newest fact is not the expected one, or if somebody else has meanwhile advanced a stream or taken a dedup key.
        """

    def position(self) -> int:
        """The ledger's position: the number of its newest fact, counted from 1; 0 if it has none."""

    def facts_since(self, position: int) -> list[Fact]:
        """The facts committed after this position, in order. Raises StoreError (NEWER) for one of a newer Understudy."""

    def kinds_since(self, position: int) -> set[tuple[str, int]]:
        """The kinds and versions of facts after this position, for callers that need not read the facts."""

    def states(self) -> list[StateRow]:
        """Every state row."""

    def newest_incident(self) -> int:
        """The highest incident number; 0 if there is none."""

    def states_but_incidents(self) -> list[StateRow]:
        """Every state row except those of incidents."""

    def open_incidents(self) -> list[StateRow]:
        """The state rows of open incidents."""

    def incidents(self, numbers: Sequence[int]) -> list[StateRow]:
        """The state rows of the existing incidents with these numbers, in that order."""

    def ended_last(self, since: Mapping[str, datetime]) -> dict[str, int]:
        """For each of these components, the incident that ended last with it, unless that was before its time."""

    def with_open_tasks(self) -> list[int]:
        """The incidents, over or not, with an open task."""

    def incident_with(self, field: str, text: str) -> int | None:
        """The newest incident whose state has this text in this field, such as `room.channel`. Scans every row."""

    def any_fact(self) -> bool:
        """Whether anything was ever recorded."""

    def facts(self, stream: str, after: int = 0) -> list[Fact]:
        """A stream's facts after `after`, in order."""

    def all_facts(self) -> list[Fact]:
        """Every fact in commit order."""

    def facts_about(self, incident: int) -> list[Fact]:
        """The incident's timeline: its stream and all facts that name it, in commit order."""

    def streams(self, *, only_open: bool = False) -> list[str]:
        """Every stream, or only those that decisions depend on: all except finished incidents."""

    def streams_about(self, incident: int) -> list[str]:
        """The streams of its timeline: its own, and those with a fact that names it."""

    def examine(self, stream: str) -> Flaw | None:
        """Check that a stream's facts are intact and its state follows from them; reads the whole stream."""

    def audit(self, stream: str, *, from_mark: bool) -> Audited:
        """The same, with a mark if one is worth keeping. `from_mark` folds only what follows the last mark.

        Earlier facts are compared with those audited then; if one differs, the whole stream is read.
        """

    def keep_marks(self, marks: Sequence[Mark]) -> None:
        """Remember how far streams were audited."""

    def forget_marks(self) -> None:
        """Make the next start read every stream completely."""

    def missing(self) -> int:
        """The number of facts that were removed from the ledger from outside, whatever states they had led to."""

    def missing_from(self) -> tuple[str, ...]:
        """The streams they were in, as far as the rest tells."""

    def accept_missing(self) -> None:
        """Count the facts missing now as gone for good, and delete the effects that they caused."""

    def rebuild(self, stream: str) -> None:
        """Write the state that follows from the facts, if a different one is stored."""

    def everything_about(self, stream: str) -> list[dict[str, Any]]:
        """A stream's raw rows, readable or not: facts, state, effects; each names its table."""

    def remove(self, stream: str) -> None:
        """Delete all that `everything_about` returns, and whatever would make a later fact of that name count as handled."""

    def claim(self, now: datetime, owner: str, lease: timedelta, limit: int, epoch: int = 0) -> list[OutboxRow]:
        """Claim due rows, at most one per lane and only a lane's oldest unfinished one; mark them sending, attempt + 1.

        A pending row is due at `not_before`. An ambiguous row is claimed too (returned with state `ambiguous`, so that it is
        looked up, not sent). A sending row whose lease has expired (its sender died), or that has none, is claimed as
        ambiguous. A row that cannot be read is marked dead and returned. A time further ahead than any wait that the outbox
        sets is ignored. `owner` is the boot of a replica alive in `epoch`; otherwise nothing is claimed. Epoch 0 means that
        nobody else uses this ledger.
        """

    def untold(self) -> list[OutboxRow]:
        """Dead rows that nobody could read and no fact reports yet; `result` has their `kind` if that could be read."""

    def told(self, row: int) -> None:
        """A fact now reports such a row."""

    def settle(self, row: int, attempt: int, outcome: Settled, now: datetime) -> bool:
        """Write the result of an attempt; False if somebody else has claimed the row since."""

    def release_claims(self, now: datetime, settle_for: timedelta) -> int:
        """Make rows ambiguous that were left `sending` by owners dead or in another epoch: looked up `settle_for` after start.

        Returns how many; without heartbeats, that is all such rows.
        """

    def next_due(self, now: datetime) -> datetime | None:
        """When the earliest claimable row is due; None if nothing waits."""

    def outbox(self, *states: RowState) -> list[OutboxRow]:
        """Rows in these states, oldest first; all rows if none is given."""

    def outbox_row(self, key: str) -> OutboxRow | None:
        """The row with this effect key."""

    def find_old(self, now: datetime, keep: timedelta, after: int) -> Prunable:
        """What is done and older than `keep`, in the outbox from `after` on: enough for one step. Never anything unsettled."""

    def forget(self, old: Prunable) -> None:
        """Delete what `find_old` found."""

    def digest_of(self, signal: str) -> str | None:
        """The digest of the request that this signal came in; empty if it had none, None if no such signal was handled."""

    def first_sight(self, id: str, now: datetime, keep: timedelta) -> bool:
        """Remember `id`; False if it was seen within `keep`. Forgets older ids."""

    def forget_sight(self, id: str) -> None:
        """Forget an id; does nothing if it is not remembered."""

    def setting(self, name: str) -> str | None:
        """A stored setting, or None."""

    def put_setting(self, name: str, value: str) -> None:
        """Store a setting."""


class Ledger(Protocol):
    """Async access to the store: one writer thread groups writes, reads run beside it.

    `shared`: others may commit to it while it is open.
    """

    shared: bool

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` on the loop's thread when another process may have committed.

        A call may be unfounded, and one may be lost, so also check from time to time. A ledger that is not shared never calls.
        """

    async def write(self, work: Callable[[Store], T]) -> T:
        """Run `work` on the writing store; returns when it is durable. An error in `work` is raised here alone."""

    async def write_at_once(self, work: Callable[[Store], T]) -> T:
        """Run `work`, about heartbeats, leases and news, without waiting for other writes or for a disk.

        A crash of the ledger may lose the latest of it.
        """

    async def read(self, work: Callable[[Store], T]) -> T:
        """Run `work` on a read-only store."""
