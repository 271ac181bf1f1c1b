"""What must hold however often the bot is killed. Each law returns the sentences that tell how it was broken."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.core.effects import Certainty, PostUpdate
from bot.core.record.fact import Fact
from bot.core.record.incident_facts import Declared, NoteAdded, UpdateWritten
from bot.core.record.room.room_facts import ChannelOpened
from bot.core.record.streams import evolve
from bot.core.record.world import World
from bot.ports import OutboxRow

SERVED_WITHIN = timedelta(seconds=2)  # from a flag's decision to the last read of the value before, on a busy machine
FAILURE_WITHIN = timedelta(seconds=30)  # a new failure is one of the vendor's in this time before an incident is opened


@dataclass(frozen=True)
class Read:
    """One read of a flag by a downstream service."""

    sent_at: datetime
    received_at: datetime
    variant: str
    replica: str = ""
    revision: int = 0
    as_of: datetime | None = None  # where it said that it may be out of date: since when


@dataclass(frozen=True)
class Step:
    """For how long, by a clock that is right, a replica's own was off by how much."""

    began_at: datetime
    ended_at: datetime
    off: timedelta


@dataclass
class Witness:
    """What was seen from outside: by readers, by people who were answered, by the vendor, and in Slack."""

    flag: str
    default: str
    reads: list[Read] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)  # words whose keeping somebody was promised
    failures: list[tuple[datetime, str]] = field(default_factory=list)  # bad answers that the vendor gave: when, provider
    steps: list[Step] = field(default_factory=list)  # of the clocks by which facts may be dated
    posts: Counter[str] = field(default_factory=Counter)  # messages in Slack, by the key that they carry
    channels: set[str] = field(default_factory=set)  # that the bot has made
    ends: list[str] = field(default_factory=list)  # how a bot ended that nobody killed
    served_within: timedelta = SERVED_WITHIN
    flaws: tuple[str, ...] = ()  # streams whose facts do not hold, a sentence each


def broken(seen: Witness, facts: Sequence[Fact], rows: Sequence[OutboxRow]) -> dict[str, list[str]]:
    """By law, every sentence that tells how it was broken."""
    laws = {
        "nothing acknowledged is lost": acknowledged(seen, facts),
        "nothing is posted twice, and what counts as posted stands in Slack": posted(seen, rows),
        "an incident has one channel": channels(seen, facts),
        "a flag reads as it was committed, and as nothing else": flags(seen, facts),
        "no reader of a replica sees a flag go back": monotone(seen),
        "in the end every replica serves what was committed": agree(seen, facts),
        "one incident of a provider is open at a time": one_open(facts),
        "updates have no gaps": updates(seen, facts, rows),
        "no incident is entered without a new failure": new_failures(seen, facts),
        "no fact is changed or missing": chains(seen, facts),
        "every start comes up": iter(seen.ends),
        "in the end nothing waits": waits(rows),
    }
    return {law: list(sentences) for law, sentences in laws.items()}


def acknowledged(seen: Witness, facts: Sequence[Fact]) -> Iterator[str]:
    """Whoever was told that it is done finds it in the ledger, once."""
    kept = Counter(fact.body.text for fact in facts if isinstance(fact.body, NoteAdded | UpdateWritten))
    for words in seen.answered:
        if kept[words] != 1:
            yield f"{words!r} was acknowledged and stands {kept[words]} times in the ledger"


def posted(seen: Witness, rows: Sequence[OutboxRow]) -> Iterator[str]:
    yield from (f"{key} stands {count} times in Slack" for key, count in seen.posts.items() if count > 1)
    for row in rows:
        looked_up = row.effect.body.CERTAINTY is not Certainty.REPEATABLE and row.result.get("ts")
        if row.state == "done" and looked_up and not seen.posts[row.effect.key]:
            yield f"{row.effect.key} counts as posted and is not in Slack"


def channels(seen: Witness, facts: Sequence[Fact]) -> Iterator[str]:
    opened = Counter(fact.incident for fact in facts if isinstance(fact.body, ChannelOpened))
    yield from (f"INC-{number} has {count} channels" for number, count in opened.items() if count > 1)
    known = {fact.body.channel for fact in facts if isinstance(fact.body, ChannelOpened)}
    yield from (f"the channel {channel} belongs to no incident" for channel in seen.channels - known)


def _meant(at: datetime, steps: Sequence[Step]) -> Iterator[datetime]:
    """When it was in truth, if a clock that was off said so: a file has no clock that replicas could share."""
    for step in steps:
        if step.began_at <= at - step.off <= step.ended_at:
            yield at - step.off


def flags(seen: Witness, facts: Sequence[Fact]) -> Iterator[str]:
    """A read between two commits gets the value of either; a value that is over may be read for a moment more.

    Where it says since when it may be out of date, any value since then.
    """
    never = datetime.min.replace(tzinfo=UTC)
    spans, world = [(never, never, seen.default)] if facts else [], World()
    for fact in facts:
        world = evolve(world, fact)
        if fact.stream == f"flag/{seen.flag}":
            engagement, moments = world.flag(seen.flag).engagement, [fact.at, *_meant(fact.at, seen.steps)]
            spans.append((min(moments), max(moments), engagement.variant if engagement else seen.default))
    for read in seen.reads:
        may = {
            value
            for (begins, _, value), ends in zip(spans, [*(at for _, at, _ in spans[1:]), None], strict=True)
            if begins <= read.received_at and (ends is None or ends + seen.served_within >= (read.as_of or read.sent_at))
        }
        if read.variant not in may:
            yield f"{read.variant} was read at {read.sent_at:%H:%M:%S.%f}, when {' or '.join(sorted(may))} was committed"


def monotone(seen: Witness) -> Iterator[str]:
    """What a replica served once it does not take back, over its own restarts too."""
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
    world = World()
    for fact in facts:
        world = evolve(world, fact)
    engagement = world.flag(seen.flag).engagement
    right = engagement.variant if engagement else seen.default
    for replica, last in {read.replica: read for read in seen.reads}.items():
        if last.variant != right or last.as_of is not None:
            age = " and says that it may be out of date" if last.as_of else ""
            yield f"{replica} serves {last.variant}{age}; {right} was committed"


def one_open(facts: Sequence[Fact]) -> Iterator[str]:
    world = World()
    for fact in facts:
        world = evolve(world, fact)
        if isinstance(fact.body, Declared):
            keys = Counter(incident.dedup for incident in world.open_incidents())
            yield from (f"{count} incidents of {key} are open at {fact.at}" for key, count in keys.items() if count > 1)


def updates(seen: Witness, facts: Sequence[Fact], rows: Sequence[OutboxRow]) -> Iterator[str]:
    """Slots are 1, 2, 3 ..., and each stands in Slack unless a newer one took its place."""
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
    """The vendor did fail shortly before, whatever the bot remembered of older failures when it was started again."""
    for fact in facts:
        if isinstance(fact.body, Declared) and fact.actor.kind == "rule":
            failed = [at for at, who in seen.failures if who == fact.body.provider]
            moments = [fact.at, *_meant(fact.at, seen.steps)]
            if not any(moment - FAILURE_WITHIN <= at <= moment for moment in moments for at in failed):
                yield f"INC-{fact.body.number} was opened at {fact.at:%H:%M:%S} without a failure: {fact.body.reason}"


def chains(seen: Witness, facts: Sequence[Fact]) -> Iterator[str]:
    yield from seen.flaws
    by_stream: dict[str, list[int]] = defaultdict(list)
    for fact in facts:
        by_stream[fact.stream].append(fact.seq)
    yield from (
        f"{stream} has the facts {seqs}" for stream, seqs in by_stream.items() if sorted(seqs) != list(range(1, len(seqs) + 1))
    )


def waits(rows: Sequence[OutboxRow]) -> Iterator[str]:
    for row in rows:
        if row.state in ("pending", "sending", "ambiguous"):
            yield f"{row.effect.key} is still {row.state}: {row.error}"
