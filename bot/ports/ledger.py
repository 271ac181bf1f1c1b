"""The ledger: facts, states, the outbox's rows, and how async code reaches them."""

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
    """A fact to append: the store checks that `seq` is the next one of its stream."""

    stream: str
    seq: int
    actor: Actor
    incident: int | None
    body: Body


@dataclass(frozen=True)
class StateRow:
    """A projection to write with its facts. `dedup` is non-empty only while an incident is open."""

    stream: str
    seq: int
    kind: str  # component | provider | incident | flag | sink | sight
    dedup: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Commit:
    """What signals came to, all or nothing: usually one, more where they were decided on one after the other at one moment.

    Their ids are remembered, so that none is handled twice; a signal without one is not among them. `expects` is the position
    of the ledger that was decided on; None where nothing was decided, which is so of tools. `fence` is what must be so still of
    the replica that decided by itself; None where people decided, or where one process owns the ledger.
    """

    signals: tuple[str, ...]
    at: datetime
    facts: tuple[NewFact, ...]
    states: tuple[StateRow, ...]
    effects: tuple[Effect, ...]
    expects: int | None = None
    fence: Fence | None = None


class Conflict(Exception):  # noqa: N818 # a thing that happens, not a fault
    """Somebody else committed first, or holds the dedup key: catch up and decide again."""


class AlreadyHandled(Exception):  # noqa: N818 # a thing that happens, not a fault
    """This signal's id was committed before; nothing was written."""


class Fenced(Exception):  # noqa: N818 # a thing that happens, not a fault
    """The replica that decided is not alive in that epoch any more, or lost the clock; nothing was written."""


class StoreTrouble(StrEnum):
    """Why a data file cannot be used."""

    FULL = "full"
    READ_ONLY = "read-only"
    IO = "io"  # the disk does not do as it is told
    GONE = "gone"  # deleted, moved away or replaced while it was open
    CORRUPT = "corrupt"
    NEWER = "newer"  # a newer Understudy wrote what this one cannot understand
    VALUE = "value"  # it takes all but what it was just given
    AWAY = "away"  # the database cannot be reached; what was under way may have been committed
    OTHER = "other"


class StoreError(Exception):
    """A data file cannot be opened, read or written; nothing was changed. The sentence names the file and the remedy.

    `permanent` means that trying again without doing something cannot help.
    """

    def __init__(self, sentence: str, *, kind: StoreTrouble = StoreTrouble.OTHER, permanent: bool = True) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.permanent = permanent


class RowState(StrEnum):
    """Where an effect is on its way."""

    PENDING = "pending"
    SENDING = "sending"
    AMBIGUOUS = "ambiguous"  # it may have been carried out: look it up before it is sent again
    DONE = "done"
    DEAD = "dead"  # given up
    SUPERSEDED = "superseded"  # a newer edit of the same thing came first


UNFINISHED = (RowState.PENDING, RowState.SENDING, RowState.AMBIGUOUS)


@dataclass(frozen=True)
class OutboxRow:
    """One effect on its way."""

    id: int
    effect: Effect
    state: RowState
    attempt: int
    created_at: datetime
    started_at: datetime | None
    first_started_at: datetime | None  # when it was first tried at all
    not_before: datetime
    ambiguous_rounds: int
    result: Mapping[str, str]
    error: str


@dataclass(frozen=True)
class Settled:
    """What a try came to: done, pending (again, not before), ambiguous (look it up, not before) or dead."""

    state: RowState
    not_before: datetime | None = None
    result: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class Flaw:
    """A stream whose state does not follow from its facts (`state` is the one that does), or whose facts do not hold."""

    stream: str
    sentence: str
    state: StateRow | None

    @property
    def facts_hold(self) -> bool:
        """Whether only the state is wrong, so that it can be made anew."""
        return self.state is not None


@dataclass(frozen=True)
class Mark:
    """That a stream was read whole up to `seq` and came to this state; `digest` is over both, and over every fact before."""

    stream: str
    seq: int
    state: Mapping[str, Any]
    digest: str


@dataclass(frozen=True)
class Audited:
    """What an audit of one stream came to, and a mark where one is worth keeping."""

    flaw: Flaw | None
    mark: Mark | None = None


@dataclass(frozen=True)
class Old:
    """Outbox rows and signals' ids that may be forgotten; `after` is where in the outbox to go on, None at the end."""

    rows: tuple[int, ...]
    signals: tuple[str, ...]
    after: int | None


class Store(Replicas, Protocol):
    """The ledger: facts, states, outbox, replicas, seen ids. Synchronous; run by one writer, read by many.

    Contract (tests/contracts/test_store_contract.py): a commit is all or nothing and durable when it returns; a stream's
    facts have the seqs 1, 2, 3 ... without a gap, and so have all of them their positions; at most one incident per dedup
    key is open; a row is claimed by one.
    """

    def commit(self, commit: Commit) -> list[Fact]:
        """Append all facts, write the states, queue the effects. Writes nothing where it raises.

        Raises Fenced where its fence does not hold, AlreadyHandled for a signal whose id was committed, then Conflict where the
        newest fact is not the one that is expected, or where a stream or a dedup key is somebody else's meanwhile.
        """

    def position(self) -> int:
        """Where the ledger stands: the place of the newest fact among all, counted from 1; 0 where there is none."""

    def facts_since(self, position: int) -> list[Fact]:
        """What was committed behind this position, in that order. Raises StoreError (NEWER) for one of a newer Understudy."""

    def kinds_since(self, position: int) -> set[tuple[str, int]]:
        """The kinds of facts behind this position, each with its version; for who need not read all of them."""

    def states(self) -> list[StateRow]:
        """Every state row."""

    def newest_incident(self) -> int:
        """The highest number that an incident has; 0 where there is none."""

    def states_but_incidents(self) -> list[StateRow]:
        """Every state row but the incidents'."""

    def open_incidents(self) -> list[StateRow]:
        """The state rows of the incidents that are open."""

    def incidents(self, numbers: Sequence[int]) -> list[StateRow]:
        """The state rows of the incidents with these numbers, in that order; of a number that was not given there is none."""

    def ended_last(self, since: Mapping[str, datetime]) -> dict[str, int]:
        """For each of these components the incident with it that ended last, where that was not before its time."""

    def with_open_tasks(self) -> list[int]:
        """The incidents, over or not, in which something is still to be done."""

    def incident_with(self, field: str, text: str) -> int | None:
        """The newest incident whose state has this text in this field, as `room.channel`. Each row is looked at."""

    def any_fact(self) -> bool:
        """Whether anything was ever written."""

    def facts(self, stream: str, after: int = 0) -> list[Fact]:
        """A stream's facts in order, from the one behind `after`."""

    def all_facts(self) -> list[Fact]:
        """Every fact in the order of its commit."""

    def facts_about(self, incident: int) -> list[Fact]:
        """The incident's timeline: its stream and all facts that name it, in the order of their commit."""

    def streams(self, *, only_open: bool = False) -> list[str]:
        """Every stream, or those that decisions are made on: all but the incidents that are over."""

    def streams_about(self, incident: int) -> list[str]:
        """The streams that its timeline is made of: its own, and those with a fact that names it."""

    def examine(self, stream: str) -> Flaw | None:
        """Whether a stream's facts hold and its state follows from them; the whole stream is read."""

    def audit(self, stream: str, *, from_mark: bool) -> Audited:
        """The same, and a mark where one is worth keeping. `from_mark` folds only what follows the mark that was kept.

        The facts before it are compared with those that were audited; where one differs, the whole stream is read.
        """

    def keep_marks(self, marks: Sequence[Mark]) -> None:
        """Remember how far streams were audited."""

    def forget_marks(self) -> None:
        """Let the next start read every stream whole."""

    def missing(self) -> int:
        """How many facts were taken out of the ledger behind its back, with whatever state they led to."""

    def missing_from(self) -> tuple[str, ...]:
        """The streams that they stood in, as far as what is left tells."""

    def accept_missing(self) -> None:
        """Count the facts that are missing now as gone for good, and forget the effects that spoke of them."""

    def rebuild(self, stream: str) -> None:
        """Write the state that follows from the facts, where another one stands."""

    def everything_about(self, stream: str) -> list[dict[str, Any]]:
        """The rows of a stream as they lie there, readable or not: facts, state, effects; each names its table."""

    def remove(self, stream: str) -> None:
        """Take out all that `everything_about` gives, and what would make a later fact of this name count as told."""

    def claim(self, now: datetime, owner: str, lease: timedelta, limit: int, epoch: int = 0) -> list[OutboxRow]:
        """Take due rows, at most one per lane and only a lane's oldest unfinished; mark them sending, attempt + 1.

        A pending row is due at `not_before`. An ambiguous row is claimed too (its state in the answer stays `ambiguous`,
        so that it is looked up and not sent). A sending row whose lease ran out (its sender died), or that has none, is
        claimed as ambiguous. A row that cannot be read is given up by name. A time that lies further ahead than any wait that
        the outbox sets does not count. `owner` is the boot of a replica that is alive in `epoch`; one that is not gets nothing.
        In epoch 0 nobody else is on this ledger.
        """

    def untold(self) -> list[OutboxRow]:
        """Dead rows that nobody could read and no fact tells of yet; `result` has their `kind` where that could be read."""

    def told(self, row: int) -> None:
        """A fact tells of such a row."""

    def settle(self, row: int, attempt: int, outcome: Settled, now: datetime) -> bool:
        """Write what the try came to; False when the row was claimed by somebody else since."""

    def release_claims(self, now: datetime, settle_for: timedelta) -> int:
        """Rows left `sending` by owners that are not live, or not in that epoch any more, become ambiguous: looked up
        `settle_for` after they were started. Says how many; where nobody gives signs of life, these are all."""

    def next_due(self, now: datetime) -> datetime | None:
        """When the earliest claimable row is due; None when nothing waits."""

    def outbox(self, *states: RowState) -> list[OutboxRow]:
        """Rows in these states, oldest first; all rows when none is named."""

    def outbox_row(self, key: str) -> OutboxRow | None:
        """The row of one effect key."""

    def find_old(self, now: datetime, keep: timedelta, after: int) -> Old:
        """What is done and older than `keep`, in the outbox from a place on: one step's worth. Nothing unsettled is in it."""

    def forget(self, old: Old) -> None:
        """Delete what `find_old` found."""

    def first_sight(self, id: str, now: datetime, keep: timedelta) -> bool:
        """Remember `id`; False when it was seen within `keep`. Forgets older ones."""

    def forget_sight(self, id: str) -> None:
        """Its next sight is the first again; nothing where it is not remembered."""

    def setting(self, name: str) -> str | None:
        """A remembered setting."""

    def put_setting(self, name: str, value: str) -> None:
        """Remember a setting."""


class Ledger(Protocol):
    """How async code reaches the store: writes are grouped by one writer thread, reads run beside it.

    `shared` says whether others may commit to it while it is open.
    """

    shared: bool

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call this, on the loop's thread, when another process may have committed.

        A call may come for nothing, and one may be missed: look now and then as well. A ledger that is not shared never calls.
        """

    async def write(self, work: Callable[[Store], T]) -> T:
        """Run `work` on the writing store; returns when it is durable. What `work` raises is raised here, alone."""

    async def sign(self, work: Callable[[Store], T]) -> T:
        """Run `work`, which is about signs of life, leases and news: it waits for nothing else that is written, nor for a disk.

        A crash of the ledger may take back the last of it.
        """

    async def read(self, work: Callable[[Store], T]) -> T:
        """Run `work` on a read-only store."""
