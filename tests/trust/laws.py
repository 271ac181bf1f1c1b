"""What must hold however often the bot is killed. Each law yields one sentence per breach."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.core.effects import Certainty, PostUpdate
from bot.core.record.fact import Fact
from bot.core.record.incident_facts import Declared, NoteAdded, UpdateWritten
from bot.core.record.room.room_facts import ChannelOpened
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.engine.follower import UNHEARD_AFTER_S
from bot.ports import OutboxRow

# How long after a commit the old value may still be read: until a replica that was cut off in silence notices it.
SERVED_WITHIN = timedelta(seconds=UNHEARD_AFTER_S + 0.5)
FAILURE_WITHIN = timedelta(seconds=30)  # an incident needs a failure of the vendor this shortly before it

FactKey = tuple[str, int]  # stream, seq


@dataclass(frozen=True)
class Read:
    """One read of a flag by a downstream service."""

    sent_at: datetime
    received_at: datetime
    variant: str
    replica: str = ""
    revision: int = 0
    stale_since: datetime | None = None  # since when the answer may be out of date, if it says so


@dataclass(frozen=True)
class ClockStep:
    """A replica's clock was wrong by `offset`, from `began_at` to `ended_at` by a correct clock."""

    began_at: datetime
    ended_at: datetime
    offset: timedelta


@dataclass
class Witness:
    """What was observed from outside: by readers, by people who got an answer, at the vendor, and in Slack."""

    flag: str
    default: str
    reads: list[Read] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)  # texts of notes and updates that the bot confirmed
    failures: list[tuple[datetime, str]] = field(default_factory=list)  # the vendor's bad answers: when, provider
    clock_steps: list[ClockStep] = field(default_factory=list)  # of clocks that may have dated facts
    commits: Mapping[FactKey, datetime] = field(default_factory=dict)  # by the database's clock; empty for SQLite
    posts: Counter[str] = field(default_factory=Counter)  # messages in Slack, by the effect key in their metadata
    channels: set[str] = field(default_factory=set)  # created by the bot
    failed_starts: list[str] = field(default_factory=list)  # bots that ended by themselves or did not start
    flaws: tuple[str, ...] = ()  # broken hash chains, one sentence each


def breaches(seen: Witness, facts: Sequence[Fact], rows: Sequence[OutboxRow]) -> dict[str, list[str]]:
    """Every law, with a sentence for each breach."""
    laws = {
        "nothing acknowledged is lost": acknowledged(seen, facts),
        "nothing is posted twice, and what counts as posted is in Slack": posted(seen, rows),
        "an incident has one channel": channels(seen, facts),
        "a flag reads as it was committed, and as nothing else": flags(seen, facts),
        "no reader of a replica sees a flag go back": monotone(seen),
        "in the end every replica serves what was committed": agree(seen, facts),
        "a provider has one open incident at a time": one_open(facts),
        "updates have no gaps": updates(seen, facts, rows),
        "no incident is opened without a new failure": new_failures(seen, facts),
        "no fact is changed or missing": chains(seen, facts),
        "every start succeeds": iter(seen.failed_starts),
        "in the end nothing waits": nothing_waits(rows),
    }
    return {law: list(sentences) for law, sentences in laws.items()}


def acknowledged(seen: Witness, facts: Sequence[Fact]) -> Iterator[str]:
    """Each text that the bot confirmed is in the ledger, once."""
    recorded = Counter(fact.body.text for fact in facts if isinstance(fact.body, NoteAdded | UpdateWritten))
    for text in seen.acknowledged:
        if recorded[text] != 1:
            yield f"{text!r} was acknowledged and is in the ledger {recorded[text]} times"


def posted(seen: Witness, rows: Sequence[OutboxRow]) -> Iterator[str]:
    """The messages in Slack match the outbox."""
    yield from (f"{key} is in Slack {count} times" for key, count in seen.posts.items() if count > 1)
    for row in rows:
        once = row.effect.body.CERTAINTY is not Certainty.REPEATABLE and row.result.get("ts")
        if row.state == "done" and once and not seen.posts[row.effect.key]:
            yield f"{row.effect.key} counts as posted and is not in Slack"


def channels(seen: Witness, facts: Sequence[Fact]) -> Iterator[str]:
    """The bot created one channel per incident, and no other."""
    opened = Counter(fact.incident for fact in facts if isinstance(fact.body, ChannelOpened))
    yield from (f"INC-{number} has {count} channels" for number, count in opened.items() if count > 1)
    known = {fact.body.channel for fact in facts if isinstance(fact.body, ChannelOpened)}
    yield from (f"the channel {channel} belongs to no incident" for channel in seen.channels - known)


def _true_times(at: datetime, steps: Sequence[ClockStep]) -> Iterator[datetime]:
    """When a fact with this date was decided, if a stepped clock dated it. SQLite has no clock of its own that could."""
    for step in steps:
        if step.began_at <= at - step.offset <= step.ended_at:
            yield at - step.offset


def flags(seen: Witness, facts: Sequence[Fact]) -> Iterator[str]:
    """A read during a commit gets the value before or after it; the old value may be read for `SERVED_WITHIN` longer.

    If the answer says since when it may be out of date, it may be any value since then.
    """
    never = datetime.min.replace(tzinfo=UTC)
    spans, world = [(never, never, seen.default)] if facts else [], World()
    for fact in facts:
        world = evolve(world, fact)
        if fact.stream == f"flag/{seen.flag}":
            engagement = world.flag(seen.flag).engagement
            committed = seen.commits.get((fact.stream, fact.seq))
            moments = [committed] if committed else [fact.at, *_true_times(fact.at, seen.clock_steps)]
            spans.append((min(moments), max(moments), engagement.variant if engagement else seen.default))
    for read in seen.reads:
        allowed = {
            value
            for (begins, _, value), ends in zip(spans, [*(at for _, at, _ in spans[1:]), None], strict=True)
            if begins <= read.received_at and (ends is None or ends + SERVED_WITHIN >= (read.stale_since or read.sent_at))
        }
        if read.variant not in allowed:
            expected = " or ".join(sorted(allowed))
            yield f"{read.replica} served {read.variant} at {read.sent_at:%H:%M:%S.%f}, when {expected} was committed"


def monotone(seen: Witness) -> Iterator[str]:
    """A replica never serves an older revision than before, even after its own restart."""
    newest: dict[str, Read] = {}
    for read in seen.reads:
        before = newest.setdefault(read.replica, read)
        if read.revision < before.revision:
            yield (
                f"{read.replica} served revision {read.revision} at {read.sent_at:%H:%M:%S.%f}, "
                f"after {before.revision} at {before.sent_at:%H:%M:%S.%f}"
            )
        else:
            newest[read.replica] = read


def agree(seen: Witness, facts: Sequence[Fact]) -> Iterator[str]:
    """The last read of every replica is the committed value, and not marked as stale."""
    world = World()
    for fact in facts:
        world = evolve(world, fact)
    engagement = world.flag(seen.flag).engagement
    committed = engagement.variant if engagement else seen.default
    for replica, last in {read.replica: read for read in seen.reads}.items():
        if last.variant != committed or last.stale_since is not None:
            stale = " and says that it may be out of date" if last.stale_since else ""
            yield f"{replica} serves {last.variant}{stale}; {committed} was committed"


def one_open(facts: Sequence[Fact]) -> Iterator[str]:
    """Whenever an incident opens, no other of its provider is open."""
    world = World()
    for fact in facts:
        world = evolve(world, fact)
        if isinstance(fact.body, Declared):
            keys = Counter(incident.dedup for incident in world.open_incidents())
            yield from (f"{count} incidents of {key} are open at {fact.at}" for key, count in keys.items() if count > 1)


def updates(seen: Witness, facts: Sequence[Fact], rows: Sequence[OutboxRow]) -> Iterator[str]:
    """Updates are numbered 1, 2, 3 ..., and each is in Slack unless a newer one replaced it."""
    slots: dict[int, list[int]] = defaultdict(list)
    for fact in facts:
        if isinstance(fact.body, UpdateWritten) and fact.incident is not None:
            slots[fact.incident].append(fact.body.slot)
    state = {row.effect.key: row.state for row in rows if type(row.effect.body) is PostUpdate}
    for number, written in slots.items():
        if written != list(range(1, len(written) + 1)):
            yield f"INC-{number} has the updates {written}"
        for slot in written:
            key = f"INC-{number}/update/{slot}"
            if not seen.posts[key] and state.get(key) != "superseded":
                yield f"{key} was written and is not in Slack ({state.get(key, 'never queued')})"


def new_failures(seen: Witness, facts: Sequence[Fact]) -> Iterator[str]:
    """The vendor failed shortly before each incident, whatever a restarted bot remembered of older failures."""
    for fact in facts:
        if isinstance(fact.body, Declared) and fact.actor.kind == "rule":
            failed = [at for at, who in seen.failures if who == fact.body.provider]
            moments = [fact.at, *_true_times(fact.at, seen.clock_steps)]
            if not any(moment - FAILURE_WITHIN <= at <= moment for moment in moments for at in failed):
                yield f"INC-{fact.body.number} was opened at {fact.at:%H:%M:%S} without a failure: {fact.body.reason}"


def chains(seen: Witness, facts: Sequence[Fact]) -> Iterator[str]:
    """Every stream has all its facts, and its hash chain holds."""
    yield from seen.flaws
    by_stream: dict[str, list[int]] = defaultdict(list)
    for fact in facts:
        by_stream[fact.stream].append(fact.seq)
    yield from (
        f"{stream} has the facts {seqs}" for stream, seqs in by_stream.items() if sorted(seqs) != list(range(1, len(seqs) + 1))
    )


def nothing_waits(rows: Sequence[OutboxRow]) -> Iterator[str]:
    """Every effect has been carried out, replaced or given up."""
    for row in rows:
        if row.state in ("pending", "sending", "ambiguous"):
            yield f"{row.effect.key} is still {row.state}: {row.error}"
