"""The answers of one snapshot as bytes: built on first request, then reused for everybody who gets the same.

Most readers get the same answer. Only a hand-back, a switched scope or a drill makes it depend on the reader, and then only on
which side of each such flag the reader is.
"""

import hashlib
import json
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.flags import flagd, rules
from bot.flags.audience import EVERYBODY, Audience
from bot.flags.evaluate import Evaluation, NotFound, Part, Snapshot, Split, evaluate

EVENTS = "/ofrep/v1/events"  # the stream that tells clients to ask again
MOST_KEPT = 16  # answers with all flags, each up to half a megabyte; the least recently used is dropped first

Read = tuple[str, str, str]  # flag, variant, reason
# By flag or scope, when a reader's conversation was first seen, in milliseconds since 1970.
Heard = Mapping[str, int]
NEVER: Heard = {}


@dataclass(slots=True, eq=False)
class Answer:
    """What readers are sent, and how often it was. `etag` is set if it contains all flags."""

    found: tuple[Evaluation, ...]
    body: bytes
    etag: str = ""
    reads: int = 0


class Serving:
    """Answers one audience from a snapshot."""

    def __init__(self, picture: Snapshot, audience: Audience = EVERYBODY) -> None:
        self.picture = picture if audience.flags is None else picture.only(audience.opens)
        self.parted = tuple(key for key, entry in self.picture.entries.items() if entry.depends_on_reader)
        self.heeding = {key: entry for key, entry in self.picture.entries.items() if entry.heeds_conversations}
        self._events = f"{EVENTS}?ticket={audience.ticket}" if audience.ticket else EVENTS
        self._one: dict[tuple[Read, str], Answer] = {}  # with the scope that it is for
        self._alike: dict[str, Answer] = {}  # by flag, if everybody gets the same
        self._all: OrderedDict[tuple[str, ...], Answer] = OrderedDict()
        self._rules: Answer | None = None
        self._definitions: dict[bool, Answer] = {}
        self._reads: Counter[Read] = Counter()  # of answers that were dropped

    def one(self, key: str, context: Mapping[str, Any], heard: Heard = NEVER) -> Answer | NotFound:
        """One flag for this reader, whose conversation was first seen at the time in `heard`."""
        alike = self._alike.get(key)
        if alike is not None:
            return alike
        found = evaluate(self.picture, key, context, heard)
        if isinstance(found, NotFound):
            return found
        answer = self._encoded(found)
        if not self.picture.entries[key].depends_on_reader:
            self._alike[key] = answer
        return answer

    def all(self, context: Mapping[str, Any], heard: Heard = NEVER) -> Answer:
        """Every flag for this reader, in the snapshot's order."""
        sides = tuple(self._side(key, context, heard) for key in self.parted)
        answer = self._all.get(sides)
        if answer is None:
            answer = self._all[sides] = self._together(context, heard)
            if len(self._all) > MOST_KEPT:
                self._count(self._all.popitem(last=False)[1])
        elif len(self._all) > 1:
            self._all.move_to_end(sides)
        return answer

    def rules(self) -> Answer:
        """Every flag with what divides its readers, for a client that evaluates itself."""
        if self._rules is None:
            flags = [_rule_shape(rule) for rule in rules.rules(self.picture)]
            self._rules = _whole((), _encode({"rules": rules.VERSION, "flags": flags, **self._besides()}))
        return self._rules

    def definitions(self, *, overlay: bool) -> Answer:
        """All flags in flagd's format; as an `overlay` only those engaged."""
        if overlay not in self._definitions:
            self._definitions[overlay] = _whole((), _encode(flagd.definitions(self.picture, overlay=overlay)))
        return self._definitions[overlay]

    def take_reads(self) -> Counter[Read]:
        """How often each flag was read with which answer, since the last call."""
        for answer in (*self._one.values(), *self._all.values()):
            self._count(answer)
        taken, self._reads = self._reads, Counter()
        return taken

    def _side(self, key: str, context: Mapping[str, Any], heard: Heard) -> str:
        found = evaluate(self.picture, key, context, heard)
        return f"{found.variant} {found.reason} {found.scope}" if isinstance(found, Evaluation) else ""

    def _together(self, context: Mapping[str, Any], heard: Heard) -> Answer:
        answers = [answer for key in self.picture.entries if isinstance(answer := self.one(key, context, heard), Answer)]
        flags = b", ".join(answer.body for answer in answers)
        body = b'{"flags": [' + flags + b"], " + _encode(self._besides())[1:]
        return _whole(tuple(one for answer in answers for one in answer.found), body)

    def _besides(self) -> dict[str, Any]:
        """What goes with the flags: their revision, and where clients may listen for the next one."""
        stream = {"type": "sse", "endpoint": {"requestUri": self._events}}
        return {"metadata": dict(self.picture.metadata), "eventStreams": [stream]}

    def _encoded(self, found: Evaluation) -> Answer:
        read = (found.key, found.variant, found.reason)
        answer = self._one.get((read, found.scope))
        if answer is None:
            answer = self._one[read, found.scope] = Answer((found,), _encode(_shape(found)))
        return answer

    def _count(self, answer: Answer) -> None:
        if answer.reads:
            for found in answer.found:
                self._reads[found.key, found.variant, found.reason] += answer.reads
            answer.reads = 0


def _whole(found: tuple[Evaluation, ...], body: bytes) -> Answer:
    """The tag is a digest of the bytes: they may depend on the reader, and a counter would restart with the process."""
    return Answer(found, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def _shape(found: Evaluation) -> dict[str, Any]:
    return {
        "key": found.key,
        "value": found.value,
        "reason": found.reason,
        "variant": found.variant,
        "metadata": dict(found.metadata),
    }


def _rule_shape(rule: rules.Rule) -> dict[str, Any]:
    shape = _shape(rule.plain)
    if rule.split is not None:
        shape["split"] = _split_shape(rule.split)
    if rule.parts:
        shape["scopes"] = [_part_shape(part) for part in rule.parts]
    if rule.drill is not None:
        drill = rule.drill
        shape["drill"] = {"variant": drill.variant, "value": drill.value, "metadata": dict(drill.metadata)}
    return shape


def _part_shape(part: Part) -> dict[str, Any]:
    """Readers that its split puts on the default continue with the next rule, so no value is given for them."""
    found, split = part.answer, part.entry.split
    shape: dict[str, Any] = {"attribute": part.scope.attribute, "equals": part.scope.value}
    shape |= {"variant": found.variant, "value": found.value, "metadata": dict(found.metadata)}
    return shape | ({"split": _shares(split)} if split else {})


def _split_shape(split: Split) -> dict[str, Any]:
    return {**_shares(split), "variant": split.variant, "value": split.value}


def _shares(split: Split) -> dict[str, Any]:
    shape: dict[str, Any] = {"seed": split.seed, "below": split.below, "by": split.by}
    if split.later:
        shape["later"] = [{"since": since, "below": below} for since, below in split.later]
    return shape


def _encode(data: Any) -> bytes:
    return json.dumps(data, allow_nan=False).encode()
