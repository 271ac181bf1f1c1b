"""The seams: what the engine, the outbox, the watch and the faces ask of the outside.

Every protocol here has a real adapter and a fake that pass the same contract tests (`tests/contracts/`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from bot.core.effects import Effect
from bot.core.facts import Body, Fact
from bot.core.model import Actor, FeedReport, Policy, Sample
from bot.core.signals import Answer, Signal
from bot.core.state import World

T = TypeVar("T")


# --- the ledger


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
    kind: str  # component | provider | incident | flag
    dedup: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Commit:
    """What signals came to, all or nothing: usually one, more where they were decided on one after the other at one moment.

    Their ids are remembered, so that none is handled twice; a signal without one is not among them.
    """

    signals: tuple[str, ...]
    at: datetime
    facts: tuple[NewFact, ...]
    states: tuple[StateRow, ...]
    effects: tuple[Effect, ...]


class Conflict(Exception):  # noqa: N818 # a thing that happens, not a fault
    """Somebody else appended to a stream first, or holds the dedup key: reload and decide again."""


class AlreadyHandled(Exception):  # noqa: N818 # a thing that happens, not a fault
    """This signal's id was committed before; nothing was written."""


class StoreTrouble(StrEnum):
    """Why a data file cannot be used."""

    FULL = "full"
    READ_ONLY = "read-only"
    IO = "io"  # the disk does not do as it is told
    GONE = "gone"  # deleted, moved away or replaced while it was open
    CORRUPT = "corrupt"
    OTHER = "other"


class StoreError(Exception):
    """A data file cannot be opened, read or written; nothing was changed. The sentence names the file and the remedy.

    `permanent` means that trying again without doing something cannot help.
    """

    def __init__(self, sentence: str, *, kind: StoreTrouble = StoreTrouble.OTHER, permanent: bool = True) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.permanent = permanent


@dataclass(frozen=True)
class OutboxRow:
    """One effect on its way. `state`: pending, sending, ambiguous, done, dead, superseded."""

    id: int
    effect: Effect
    state: str
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

    state: str
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
class Old:
    """Outbox rows and signals' ids that may be forgotten; `after` is where in the outbox to go on, None at the end."""

    rows: tuple[int, ...]
    signals: tuple[str, ...]
    after: int | None


class Store(Protocol):
    """The ledger: facts, states, outbox, seen ids. Synchronous; run by one writer, read by many.

    Contract (tests/contracts/test_store_contract.py): a commit is all or nothing and durable when it returns; a stream's
    facts have the seqs 1, 2, 3 ... without a gap; at most one incident per dedup key is open; a row is claimed by one.
    """

    def commit(self, commit: Commit) -> list[Fact]:
        """Append all facts, write the states, queue the effects. Raises Conflict or AlreadyHandled, writing nothing."""

    def states(self) -> list[StateRow]:
        """Every state row."""

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

    def rebuild(self, stream: str) -> None:
        """Write the state that follows from the facts, where another one stands."""

    def everything_about(self, stream: str) -> list[dict[str, Any]]:
        """The rows of a stream as they lie there, readable or not: facts, state, effects; each names its table."""

    def remove(self, stream: str) -> None:
        """Take out all that `everything_about` gives, and what would make a later fact of this name count as told."""

    def claim(self, now: datetime, owner: str, lease: timedelta, limit: int) -> list[OutboxRow]:
        """Take due rows, at most one per lane and only a lane's oldest unfinished; mark them sending, attempt + 1.

        A pending row is due at `not_before`. An ambiguous row is claimed too (its state in the answer stays `ambiguous`,
        so that it is looked up and not sent). A sending row whose lease ran out (its sender died) is claimed as ambiguous.
        """

    def settle(self, row: int, attempt: int, outcome: Settled, now: datetime) -> bool:
        """Write what the try came to; False when the row was claimed by somebody else since."""

    def release_claims(self, now: datetime, settle_for: timedelta) -> int:
        """At start: rows left `sending` by a dead process become ambiguous, looked up `settle_for` after they were started."""

    def next_due(self) -> datetime | None:
        """When the earliest claimable row is due; None when nothing waits."""

    def outbox(self, *states: str) -> list[OutboxRow]:
        """Rows in these states, oldest first; all rows when none is named."""

    def outbox_row(self, key: str) -> OutboxRow | None:
        """The row of one effect key."""

    def find_old(self, now: datetime, keep: timedelta, after: int) -> Old:
        """What is done and older than `keep`, in the outbox from a place on: one step's worth. Nothing unsettled is in it."""

    def forget(self, old: Old) -> None:
        """Delete what `find_old` found."""

    def first_sight(self, id: str, now: datetime, keep: timedelta) -> bool:
        """Remember `id`; False when it was seen within `keep`. Forgets older ones."""

    def setting(self, name: str) -> str | None:
        """A remembered setting."""

    def put_setting(self, name: str, value: str) -> None:
        """Remember a setting."""


class Ledger(Protocol):
    """How async code reaches the store: writes are grouped by one writer thread, reads run beside it."""

    async def write(self, work: Callable[[Store], T]) -> T:
        """Run `work` on the writing store; returns when it is durable. What `work` raises is raised here, alone."""

    async def read(self, work: Callable[[Store], T]) -> T:
        """Run `work` on a read-only store."""


@dataclass(frozen=True)
class LatencyPicture:
    """How a component's checks went lately: `count` conclusive runs, `failed` of them; percentiles of those that succeeded."""

    count: int
    p50_ms: float | None
    p95_ms: float | None
    failed: int


@dataclass(frozen=True)
class Remembered:
    """What was concluded from samples: a frozen dataclass under a name, in place of an earlier one of that name."""

    name: str
    value: Any


class Samples(Protocol):
    """Check results: many, cheap, short-lived."""

    async def add(self, samples: Sequence[Sample], remembered: Sequence[Remembered] = ()) -> None:
        """Write a batch, and what was concluded with it, all or nothing; durable soon (within a second), not at once."""

    async def remembered(self) -> dict[str, Any]:
        """What was concluded, by name, as JSON has it."""

    async def recent(self, check: str, limit: int, vantage: str | None = None) -> list[Sample]:
        """The newest results of a check, oldest first; from one vantage only, where one is named."""

    async def since(self, at: datetime) -> list[Sample]:
        """The results of all checks since a moment, oldest first."""

    async def medians(self, since: datetime, vantage: str | None = None) -> dict[str, float]:
        """By check, the usual duration in ms of those runs since a moment that succeeded; from one vantage, where named."""

    async def latency(self, component: str, since: datetime) -> LatencyPicture:
        """The component's latency since a moment."""

    async def trim(self, before: datetime) -> int:
        """Forget results older than `before`, in small chunks; says how many went."""

    async def keep_within(self, budget_bytes: int) -> int:
        """Forget the oldest until the rest takes no more room than that; says how many single results went."""


# --- Slack


@dataclass(frozen=True)
class Message:
    """What to say: `text` for notifications and screen readers, `blocks` as Block Kit, within Slack's limits."""

    text: str
    blocks: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Place:
    """Where a message goes: a channel id or `#name`, and the thread in it if any."""

    channel: str
    thread_ts: str = ""


@dataclass(frozen=True)
class PostedAt:
    """Where a message stands."""

    channel: str
    ts: str


@dataclass(frozen=True)
class ChannelInfo:
    """A channel that our bot is in."""

    id: str
    name: str
    creator: str
    created_at: datetime
    is_archived: bool


class ChatError(Exception):
    """Slack refused or did not answer.

    `code` is Slack's error code or one of ours (`timeout`, `connection`, `http_5xx`); `permanent` means that repeating the
    same call cannot help; `unclear` means that the call may have been carried out; `retry_after` comes with a 429.
    The sentence says what to do.
    """

    def __init__(
        self, sentence: str, *, code: str, permanent: bool, unclear: bool = False, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(sentence)
        self.code = code
        self.permanent = permanent
        self.unclear = unclear
        self.retry_after = retry_after


class Chat(Protocol):
    """Slack, as far as the outbox needs it. Every call raises ChatError."""

    @property
    def me(self) -> str:
        """Our bot's user id."""

    async def post(self, place: Place, message: Message, key: str) -> PostedAt:
        """Post; `key` travels as message metadata, so that the post can be found again."""

    async def find_post(self, place: Place, key: str, since: datetime) -> PostedAt | None:
        """Our own message with that key, posted since then; None when Slack's history has none."""

    async def edit(self, at: PostedAt, message: Message) -> None:
        """Replace a message of ours."""

    async def whisper(self, channel: str, user: str, message: Message) -> None:
        """An ephemeral message to one person; best effort by nature."""

    async def tell(self, user: str, message: Message, key: str) -> PostedAt:
        """A direct message to one person."""

    async def find_channel(self, channel: str) -> str:
        """The id for `#name` or an id, joining the channel when it is public."""

    async def create_channel(self, name: str, private: bool) -> ChannelInfo:
        """Create it; ChatError(code="name_taken") when the name exists, ours or not."""

    async def own_channels(self) -> list[ChannelInfo]:
        """The channels that our bot is in."""

    async def set_topic(self, channel: str, topic: str) -> None:
        """Set the topic (cut to 250 characters by the view that made it)."""

    async def invite(self, channel: str, users: Sequence[str]) -> list[str]:
        """Invite users and members of user groups; returns one sentence per id that could not be invited."""

    async def pin(self, at: PostedAt) -> None:
        """Pin a message; pinned already is fine."""

    async def bookmark(self, channel: str, title: str, link: str) -> None:
        """Add a link to the channel's bookmarks bar unless one of that title is there."""

    async def start_upload(self, filename: str, content: bytes) -> str:
        """Upload bytes; returns the file id, not yet visible to anybody."""

    async def share_upload(self, file: str, title: str, place: Place, comment: str) -> None:
        """Make an uploaded file visible in a channel; sharing it again is harmless."""


# --- probes, feeds, time


class Admission(StrEnum):
    """Whether a sign of life may be taken, and if not, why."""

    OK = "ok"
    UNKNOWN = "unknown"  # there is no such heartbeat
    DENIED = "denied"  # it needs its token
    CLOSED = "closed"  # it has no token, and this sender may not do without
    TOO_MANY = "too many"


class Prober(Protocol):
    """One run of one check; a failure is a sample, never an exception."""

    async def probe(self, check: Any) -> Sample:
        """Look once, under the check's total deadline."""

    async def close(self) -> None:
        """Give back what is held."""


class Fetcher(Protocol):
    """One reading of one status page; a failure is a report, never an exception."""

    async def read(self, source: Any) -> FeedReport:
        """Read the page from the first of its addresses that answers."""

    async def close(self) -> None:
        """Give back what is held."""


class Ticker(Protocol):
    """The metronome."""

    def start(self, beat: Callable[[], Awaitable[None]], every_s: float) -> None:
        """Await `beat` about every `every_s` real seconds, never two at once."""

    async def stop(self) -> None:
        """No beat after this."""


class Notifier(Protocol):
    """Word to people on a way that is not Slack."""

    async def notify(self, title: str, body: str) -> list[str]:
        """Send to every address; returns one sentence per address that did not take it."""


@dataclass(frozen=True)
class Performed:
    """What an effect's doing gave: where a post stands, a channel's id and name, a file's id."""

    channel: str = ""
    ts: str = ""
    name: str = ""


class Engine(Protocol):
    """The one door for signals, and the committed world that all faces read."""

    policy: Policy

    @property
    def world(self) -> World:
        """The world as committed; immutable, swapped after each commit."""

    async def caught_up(self) -> None:
        """Wait until `world` shows every commit made before this call."""

    async def handle(self, signal: Signal) -> Answer:
        """Decide, commit, answer. Durable when it returns; a repeated signal id changes nothing."""
