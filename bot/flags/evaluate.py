"""What a flag's reader gets: an immutable snapshot of all flags, and a pure function of it.

A flag serves its default unless an engagement sends readers to a fallback. While only a share of them is there, a reader's
side is a hash of the engagement and the reader's targeting key (or what `sticky_by` names), so nobody moves twice while the
share grows or shrinks. A scope that is switched separately comes first: readers in it and in its share get its fallback, and
all others what they would get without it.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.core.policy import FlagPolicy, Policy
from bot.core.record.flag import Engagement
from bot.core.record.world import World
from bot.core.scope import Scope, scope_of, whole
from bot.flags.conversation import as_ms, attribute_text, began_ms, identity

Primitive = str | int | float | bool

DRILL_KEY = "understudy_drill"
BUCKETS = 10_000  # hundredths of a percent

# The reasons in OFREP's schema that we use. The official Python client fails on an unknown reason, so none may be added here
# (OFREP OpenAPI 0.3.0, evaluationSuccess.reason).
STATIC = "STATIC"
TARGETING_MATCH = "TARGETING_MATCH"  # the reader is in the scope of a drill, or in a scope that is switched separately
SPLIT = "SPLIT"
UNKNOWN = "UNKNOWN"

STALE = "STALE"  # only as `state` in metadata: OFREP's schema has no such reason

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Evaluation:
    """One flag's answer to one reader. `metadata` holds only strings, numbers and booleans, never null.

    `scope` is the scope that it applies to; empty for the answer that all others get.
    """

    key: str
    value: Any
    variant: str
    reason: str
    metadata: Mapping[str, Primitive]
    scope: str = ""


@dataclass(frozen=True)
class NotFound:
    """There is no such flag, and why."""

    key: str
    reason: str


@dataclass(frozen=True)
class Split:
    """Who is on the default while others are on the fallback: readers whose bucket under `seed` is lower than `below`.

    They are identified by the attribute `by`, or without it by their targeting key. `later` holds steps taken only by
    conversations that began at or after a time: that time, in milliseconds since 1970, and their `below`.
    """

    seed: str
    below: int
    by: str
    later: tuple[tuple[int, int], ...]
    variant: str
    value: Any

    @property
    def newest_ms(self) -> int:
        """When the last step that not all have taken was made."""
        return self.later[-1][0] if self.later else 0

    def takes(self, context: Mapping[str, Any], heard_ms: int | None) -> bool:
        """Whether this reader is on the default; `heard_ms` is when it was first seen, if it does not give its beginning."""
        reader = identity(context, self.by)
        if not reader:
            return False
        began, below = began_ms(context), self.below
        began = heard_ms if began is None else began
        if began is not None:
            below = max((share for since, share in self.later if since <= began), default=below)
        return bucket(self.seed, reader) < below


@dataclass(frozen=True)
class Entry:
    """One flag in a snapshot: its policy, its engagement if any, and everything that does not depend on the reader."""

    policy: FlagPolicy
    engagement: Engagement | None
    values: Mapping[str, Any]
    metadata: Mapping[str, Primitive]
    lost: bool = False  # engaged on a variant whose value is no longer known
    drill: str = ""  # the variant inside the scope of a running drill, unless the flag is engaged
    drill_metadata: Mapping[str, Primitive] = field(default_factory=dict)
    split: Split | None = None  # set while readers are on two sides
    parts: tuple["Part", ...] = ()  # scopes switched separately; the first that matches wins

    def serves_like(self, other: "Entry | None") -> bool:
        """Whether every reader gets the same value from both, whatever else was recorded about the flag."""
        return other is not None and self._served == other._served

    @property
    def _served(self) -> tuple[object, ...]:
        engaged = self.engagement
        side = (engaged.id, engaged.variant, engaged.share_back, engaged.running) if engaged else ()
        parts = tuple((part.scope, part.entry._served) for part in self.parts)
        return side, self.policy.default, self.values, self.lost, self.drill, parts

    def aged(self, age: Mapping[str, Primitive]) -> "Entry":
        """The same, with its age in all metadata."""
        parts = tuple(replace(part, entry=part.entry.aged(age)) for part in self.parts)
        drill = {**self.drill_metadata, **age} if self.drill else self.drill_metadata
        return replace(self, metadata={**self.metadata, **age}, drill_metadata=drill, parts=parts)

    @property
    def depends_on_reader(self) -> bool:
        """Whether two readers may get different answers: during a hand-back or a drill, or if a scope is switched."""
        return self.split is not None or bool(self.drill) or bool(self.parts)

    @property
    def heeds_conversations(self) -> bool:
        """Whether it matters when a conversation began, now or in a later hand-back."""
        mine = self.engagement is not None and bool(self.policy.stay_s or self.engagement.running)
        return mine or any(part.entry.heeds_conversations for part in self.parts)


@dataclass(frozen=True)
class Part:
    """A scope of a flag that is switched separately: who is in it, and what they get."""

    scope: Scope
    entry: Entry

    def holds(self, context: Mapping[str, Any]) -> bool:
        """Whether this reader is in it."""
        return attribute_text(context.get(self.scope.attribute)) == self.scope.value

    @property
    def answer(self) -> Evaluation:
        """The answer for readers in its share."""
        entry = self.entry
        assert entry.engagement is not None  # noqa: S101 # only an engaged scope is a part
        variant, reason = entry.engagement.variant, SPLIT if entry.split else TARGETING_MATCH
        return Evaluation(whole(entry.policy.key), entry.values[variant], variant, reason, entry.metadata, str(self.scope))


@dataclass(frozen=True)
class Snapshot:
    """All flags at one time; `revision` is that of the whole set, each flag's own is in its metadata.

    `complaints` says in sentences which engagements cannot be served as intended. `metadata` is that of the whole set.
    """

    revision: int
    entries: Mapping[str, Entry]
    complaints: tuple[str, ...] = ()
    age: Mapping[str, Primitive] = field(default_factory=dict)  # metadata that marks it as possibly outdated

    @property
    def metadata(self) -> Mapping[str, Primitive]:
        """Metadata of the whole set."""
        return {"revision": self.revision, **self.age}

    def aged(self, since: datetime) -> "Snapshot":
        """The same, marked as possibly missing commits after `since`: values stay, and their metadata says so."""
        age: dict[str, Primitive] = {"state": STALE, "asOf": since.isoformat()}
        return replace(self, age=age, entries=MappingProxyType({key: one.aged(age) for key, one in self.entries.items()}))

    def only(self, wanted: Callable[[str], bool]) -> "Snapshot":
        """The snapshot reduced to these flags."""
        return replace(self, entries=MappingProxyType({key: one for key, one in self.entries.items() if wanted(key)}))


def snapshot(world: World, policy: Policy, revision: int, kept: Mapping[str, FlagPolicy] = _NOTHING) -> Snapshot:
    """The snapshot of all flags that readers see until the next one.

    `kept` holds the last known policy of flags and variants that are no longer configured: while engaged, they are served from
    it, since a restart with an edited file must not send traffic back to a broken default. Raises ValueError for a value that
    JSON cannot represent.
    """
    entries: dict[str, Entry] = {}
    complaints: list[str] = []
    pictured = _Pictured(world, complaints)
    for key, flag in policy.flags.items():
        entries[key] = pictured.entry(flag, kept.get(key))
    for key, state in world.flags.items():
        if whole(key) in entries or state.engagement is None:
            continue
        if whole(key) in kept:
            entries[whole(key)] = pictured.entry(kept[whole(key)], None)
        else:
            complaints.append(
                f"{key} is engaged but left the configuration and its values are not known: readers get their own default. "
                f"Put the flag back, or release it."
            )
    return Snapshot(revision, MappingProxyType(dict(sorted(entries.items()))), tuple(complaints))


def revision_of(world: World) -> int:
    """A number that grows with every fact about any flag and survives restarts, since the ledger's seqs do."""
    return sum(seq for stream, seq in world.seqs.items() if stream.startswith("flag/"))


def evaluate(
    picture: Snapshot, key: str, context: Mapping[str, Any], heard: Mapping[str, int] = _NOTHING
) -> Evaluation | NotFound:  # fmt: skip
    """Answer one reader: the default, or the fallback if the flag, or a scope with this reader, is engaged.

    In the scope of a drill it is the drill's fallback, unless the flag is really engaged. During a partial hand-back a reader
    without a `targetingKey` and without what `sticky_by` names stays on the fallback, the safe side. `heard` says when the
    conversation was first seen, by flag or scope, if its context does not say when it began.
    """
    entry = picture.entries.get(key)
    if entry is None:
        return NotFound(key, f"no flag is called {key[:100]!r}; the configuration's `flags:` names them")
    for part in entry.parts:
        split, heard_ms = part.entry.split, heard.get(part.entry.policy.key)
        if part.holds(context) and not (split and split.takes(context, heard_ms)):
            return part.answer
    if entry.drill and in_drill(context):
        return Evaluation(key, entry.values[entry.drill], entry.drill, TARGETING_MATCH, entry.drill_metadata)
    variant, reason = _side(entry, context, heard.get(key))
    return Evaluation(key, entry.values[variant], variant, reason, entry.metadata)


def bucket(engagement: str, reader: str) -> int:
    """A reader's position in 0..9999: the first 8 bytes of SHA-256 over `engagement:reader`, scaled down."""
    # A lone surrogate is legal in JSON, so hash it instead of raising.
    seed = f"{engagement}:{reader}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(seed).digest()[:8], "big") * BUCKETS >> 64


def in_drill(context: Mapping[str, Any]) -> bool:
    """Whether a reader is in the scope of a drill: only the JSON value true counts."""
    return context.get(DRILL_KEY) is True


def _side(entry: Entry, context: Mapping[str, Any], heard_ms: int | None) -> tuple[str, str]:
    engagement, default = entry.engagement, entry.policy.default
    if engagement is None:
        return default, STATIC
    if entry.lost:
        return default, UNKNOWN
    if entry.split is not None:
        return (default if entry.split.takes(context, heard_ms) else engagement.variant), SPLIT
    return (default if engagement.share_back >= 100 else engagement.variant), STATIC


def _split(flag: FlagPolicy, engagement: Engagement | None, values: Mapping[str, Any]) -> Split | None:
    if engagement is None or not engagement.parted:
        return None
    percent = BUCKETS // 100
    later = tuple((as_ms(step.at), step.share * percent) for step in engagement.running)
    return Split(engagement.id, engagement.settled * percent, engagement.sticky_by, later, flag.default, values[flag.default])


class _Pictured:
    """Builds the entries of a snapshot."""

    def __init__(self, world: World, complaints: list[str]) -> None:
        self._world = world
        self._complaints = complaints
        self._revisions: Counter[str] = Counter()  # by flag: facts about it and its scopes
        self._parts: dict[str, list[str]] = {}
        for key, state in world.flags.items():
            self._revisions[whole(key)] += world.seqs.get(f"flag/{key}", 0)
            if state.engagement is not None and scope_of(key):
                self._parts.setdefault(whole(key), []).append(key)

    def entry(self, flag: FlagPolicy, before: FlagPolicy | None) -> Entry:
        """The entry of a flag, with the scopes switched separately."""
        found = self._of(flag, before)
        parts = [part for key in self._parts.get(flag.key, ()) if (part := self._part(flag, key, before))]
        return replace(found, parts=tuple(sorted(parts, key=_newest_first))) if parts else found

    def _part(self, flag: FlagPolicy, key: str, before: FlagPolicy | None) -> Part | None:
        scope, entry = scope_of(key), self._of(replace(flag, key=key), before and replace(before, key=key))
        handed_back = entry.engagement is not None and entry.engagement.all_back and entry.split is None
        return None if scope is None or entry.lost or handed_back else Part(scope, entry)

    def _of(self, flag: FlagPolicy, before: FlagPolicy | None) -> Entry:
        world, engagement, lost = self._world, self._world.flag(flag.key).engagement, False
        # The seqs of its own streams: with the set's revision, web clients would see every flag change when one does.
        revision = self._revisions[whole(flag.key)]
        if engagement is not None and engagement.variant not in flag.variants:
            if before is not None and engagement.variant in before.variants:
                flag = replace(flag, variants={**flag.variants, engagement.variant: before.variants[engagement.variant]})
            else:
                lost = True
                self._complaints.append(
                    f"{flag.key} is engaged on {engagement.variant}, which left the configuration and whose value is not "
                    f"known: readers get {flag.default}. Put the variant back, or engage another one."
                )
        metadata = MappingProxyType(_metadata(flag, engagement, revision, lost))
        values, incident = MappingProxyType(_values(flag)), world.drill_on(flag.key)
        split = None if lost else _split(flag, engagement, values)
        if incident is None or incident.drill is None or engagement is not None or incident.drill.plan.variant not in values:
            return Entry(flag, engagement, values, metadata, lost, split=split)
        in_scope = MappingProxyType({**metadata, "drill": True, "incident": incident.name})
        return Entry(flag, engagement, values, metadata, lost, incident.drill.plan.variant, in_scope)


def _newest_first(part: Part) -> tuple[float, str]:
    """A reader in two scopes gets what was switched last, as the person who switched it expects."""
    at = part.entry.engagement.at.timestamp() if part.entry.engagement else 0.0
    return -at, part.entry.policy.key


def _metadata(flag: FlagPolicy, engagement: Engagement | None, revision: int, lost: bool) -> dict[str, Primitive]:
    found: dict[str, Primitive] = {"phase": "normal", "percent_on_fallback": 0, "revision": revision}
    if flag.description:
        found["description"] = flag.description
    if part := scope_of(flag.key):
        found["scope"] = str(part)
    if engagement is not None:
        found["phase"] = "handing_back" if engagement.handing_back else "engaged"
        found["percent_on_fallback"] = 0 if lost else engagement.share
        found["engagedAt"] = engagement.at.isoformat()
        found["expiresAt"] = engagement.expires_at.isoformat()
        if engagement.running and not lost:
            found["runningUntil"] = max(step.until for step in engagement.running).isoformat()
        if engagement.incident is not None:
            found["incident"] = f"INC-{engagement.incident}"
    return found


def _values(flag: FlagPolicy) -> dict[str, Any]:
    """Plain JSON values. If one variant is a float, all numbers become floats: clients refuse 1 for a float flag."""
    for name, value in flag.variants.items():
        if value is None:
            raise ValueError(f"variant {name} of flag {flag.key} has no value: write a string, number, boolean or object")
    values = {name: _plain(value, f"{flag.key}.{name}") for name, value in flag.variants.items()}
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values.values())
    if numbers and any(isinstance(value, float) for value in values.values()):
        return {name: float(value) for name, value in values.items()}
    return values


def _plain(value: Any, where: str) -> Any:
    match value:
        case None | str() | bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case Mapping():
            return {str(name): _plain(item, f"{where}.{name}") for name, item in value.items()}
        case list() | tuple():
            return [_plain(item, f"{where}[{place}]") for place, item in enumerate(value)]
    raise ValueError(f"{where} is {value!r}, which JSON cannot carry: write a string, finite number, boolean or object")
