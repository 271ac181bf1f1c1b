"""What the bot said about all flags, and which answer of it a reader gets. Pure."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

VERSION = 1  # of the rules that we ask for and understand
BUCKETS = 10_000
DRILL_KEY = "understudy_drill"
TARGETING_KEY = "targetingKey"
BEGAN = "conversation_started_at"
MOST_EXACT = 2**53  # from here on two whole numbers may be one, where JSON numbers are floats
LAST_S = 253_402_300_799  # the end of the year 9999; milliseconds that are taken for seconds lie far behind it
EPOCH, MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
RFC_3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)


class NotFlags(ValueError):  # noqa: N818 # what was received, not a fault of ours
    """What was received is not a set of flags; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer about a flag. Of an object `text` holds the JSON: each reader gets a copy, which it may change as it likes."""

    value: Any
    text: str | None
    variant: str
    reason: str
    metadata: Mapping[str, str | int | float | bool]

    def fresh(self) -> Any:
        """The value, never shared with another reader."""
        return self.value if self.text is None else json.loads(self.text)


@dataclass(frozen=True, slots=True)
class Split:
    """A hand-back under way: readers whose bucket under `seed` is lower than `below` went back to the default already.

    They are told apart by the attribute `by`, or where they have none by their targeting key. `later` holds steps that only
    conversations took which began at or after a moment: that, in milliseconds since 1970, and their `below`.
    """

    seed: str
    below: int
    by: str
    later: tuple[tuple[int, int], ...]

    def takes(self, targeting_key: str | None, attributes: Mapping[str, Any]) -> bool:
        """Whether this reader went back. One that cannot be told apart stays until all do."""
        own = "" if self.by == TARGETING_KEY else _named(attributes.get(self.by))
        reader, below = own or targeting_key or "", self.below
        if self.later and (began := began_ms(attributes)) is not None:
            below = max((share for since, share in self.later if since <= began), default=below)
        return reader != "" and bucket(self.seed, reader) < below


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the readers that is switched apart: whose `attribute` equals a text, less whom its split takes."""

    attribute: str
    equals: str
    split: Split | None
    answer: Answer

    def holds(self, targeting_key: str | None, attributes: Mapping[str, Any]) -> bool:
        """Whether this reader gets its answer."""
        value = targeting_key if self.attribute == TARGETING_KEY else attributes.get(self.attribute)
        if _as_text(value) != self.equals:
            return False
        return self.split is None or not self.split.takes(targeting_key, attributes)


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag: what everybody gets, but for those whom a part, a hand-back or a drill sends elsewhere.

    `back` is what those get whom the split takes. Of the parts the first that holds counts.
    """

    plain: Answer
    split: Split | None = None
    back: Answer | None = None
    drill: Answer | None = None
    parts: tuple[Part, ...] = ()

    def answer(self, targeting_key: str | None, attributes: Mapping[str, Any]) -> Answer:
        """What this reader gets: the same as from the bot itself."""
        for part in self.parts:
            if part.holds(targeting_key, attributes):
                return part.answer
        if self.drill is not None and attributes.get(DRILL_KEY) is True:
            return self.drill
        if self.split is not None and self.back is not None and self.split.takes(targeting_key, attributes):
            return self.back
        return self.plain


@dataclass(frozen=True, slots=True)
class Stream:
    """An event stream that the bot announced: where to listen for changes."""

    address: str  # absolute, or a path on the bot


@dataclass(frozen=True, slots=True)
class Flags:
    """All flags as received; `text` is the JSON they were read from."""

    by_key: Mapping[str, Flag]
    streams: tuple[Stream, ...]
    text: str


def bucket(seed: str, targeting_key: str) -> int:
    """Where a reader stands in 0..9999: the first 8 bytes of SHA-256 over `seed:targetingKey`, scaled down."""
    # Half a surrogate pair is legal in a Python string and in JSON: it must hash as it does in the bot.
    hashed = hashlib.sha256(f"{seed}:{targeting_key}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(hashed[:8], "big") * BUCKETS >> 64


def began_ms(attributes: Mapping[str, Any]) -> int | None:
    """When the conversation began, in milliseconds since 1970; None where it does not say, or says nonsense.

    `conversation_started_at` is a time as in RFC 3339, seconds since 1970, or a datetime that knows its zone.
    """
    match attributes.get(BEGAN):
        case str() as text:
            found = _read_time(text)
        case datetime() as at if at.tzinfo is not None:
            found = (at - EPOCH) // MILLISECOND
        case bool():
            return None
        case int() | float() as seconds if 0 <= seconds <= LAST_S:
            found = math.floor(seconds * 1000)
        case _:
            return None
    return found if found is not None and 0 <= found <= LAST_S * 1000 else None


def _read_time(text: str) -> int | None:
    parts = RFC_3339.fullmatch(text)
    if parts is None:
        return None
    fraction, sign, hours, minutes = parts[7] or "", parts[8], int(parts[9] or 0), int(parts[10] or 0)
    if hours > 23 or minutes > 59:
        return None
    try:
        local = datetime(*map(int, parts.groups()[:6]), tzinfo=UTC)  # type: ignore[arg-type, misc] # six numbers
    except ValueError:
        return None
    ahead = (hours * 60 + minutes) * 60_000 * (-1 if sign == "-" else 1)
    return (local - EPOCH) // MILLISECOND + int(f"{fraction[:3]:0<3}") - ahead


def _named(value: Any) -> str:
    """What an attribute tells readers apart by: a text, or a whole number, of which 7 and 7.0 are the same one."""
    match value:
        case str():
            return value
        case bool():
            return ""
        case int() | float() if -MOST_EXACT < value < MOST_EXACT and value == int(value):
            return str(int(value))
    return ""


def _as_text(value: Any) -> str:
    """What an attribute is compared as: a text, a whole number or a truth as JSON writes it; empty for all else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _named(value)


def parse(text: str, before: Mapping[str, Flag] | None = None) -> Flags:
    """Read the bot's answer, whole or not at all; raises NotFlags.

    A flag that the server could not evaluate keeps its answer from `before`.
    """
    try:
        data = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotFlags("it is not JSON") from error
    if not isinstance(data, dict) or not isinstance(data.get("flags"), list):
        raise NotFlags("it has no list of flags")
    if data.get("rules", VERSION) != VERSION:
        raise NotFlags(
            f"its rules are of version {str(data['rules'])[:20]!r}, and this client knows {VERSION}: update the client"
        )
    found: dict[str, Flag] = {}
    for place, item in enumerate(data["flags"]):
        where = f"flags[{place}]"
        if not isinstance(item, dict) or not isinstance(item.get("key"), str):
            raise NotFlags(f"{where} has no key")
        key = item["key"]
        if "errorCode" in item:
            if before is not None and key in before:
                found[key] = before[key]
            continue
        found[key] = _flag(item, where)
    return Flags(found, tuple(_streams(data.get("eventStreams"))), text)


def _flag(item: Mapping[str, Any], where: str) -> Flag:
    reason = item.get("reason")
    plain = _answer(item, reason if isinstance(reason, str) else "UNKNOWN", where)
    split, drill, parts = item.get("split"), item.get("drill"), item.get("scopes", [])
    if not isinstance(parts, list):
        raise NotFlags(f"{where}.scopes is no list")
    back = None if split is None else {"metadata": plain.metadata, **_object(split, f"{where}.split")}
    return Flag(
        plain,
        None if split is None else _split(split, f"{where}.split"),
        None if back is None else _answer(back, "SPLIT", f"{where}.split"),
        None if drill is None else _answer(_object(drill, f"{where}.drill"), "TARGETING_MATCH", f"{where}.drill"),
        tuple(_part(part, f"{where}.scopes[{place}]") for place, part in enumerate(parts)),
    )


def _part(item: Any, where: str) -> Part:
    found = _object(item, where)
    attribute, equals, split = found.get("attribute"), found.get("equals"), found.get("split")
    if not isinstance(attribute, str) or not isinstance(equals, str) or not equals:
        raise NotFlags(f"{where} says not whose it is")
    answer = _answer(found, "TARGETING_MATCH" if split is None else "SPLIT", where)
    return Part(attribute, equals, None if split is None else _split(split, f"{where}.split"), answer)


def _split(item: Any, where: str) -> Split:
    found = _object(item, where)
    seed, below, by = found.get("seed"), found.get("below"), found.get("by", TARGETING_KEY)
    if not isinstance(seed, str) or type(below) is not int or not isinstance(by, str):
        raise NotFlags(f"{where} has no seed or no share")
    return Split(seed, below, by, _later(found.get("later", []), f"{where}.later"))


def _later(found: Any, where: str) -> tuple[tuple[int, int], ...]:
    steps = []
    for one in found if isinstance(found, list) else [None]:
        since, below = (one.get("since"), one.get("below")) if isinstance(one, dict) else (None, None)
        if type(since) is not int or type(below) is not int:
            raise NotFlags(f"{where} is no list of steps")
        steps.append((since, below))
    return tuple(steps)


def _answer(item: Mapping[str, Any], reason: str, where: str) -> Answer:
    value, metadata = item.get("value"), item.get("metadata") or {}
    if value is None:
        raise NotFlags(f"{where} has no value")
    variant = item.get("variant", "")
    if not isinstance(variant, str):
        raise NotFlags(f"{where} has a variant that is no text")
    told = {k: v for k, v in _object(metadata, f"{where}.metadata").items() if isinstance(v, str | int | float)}
    text = json.dumps(value) if isinstance(value, dict | list) else None
    return Answer(value, text, variant, reason, told)


def _streams(found: Any) -> list[Stream]:
    """Those of a kind we know; what else may be announced one day is left alone."""
    streams = []
    for item in found if isinstance(found, list) else ():
        if not isinstance(item, dict) or item.get("type") != "sse":
            continue
        endpoint = item.get("endpoint")
        address = item.get("url")
        if isinstance(endpoint, dict) and isinstance(endpoint.get("requestUri"), str):
            address = str(endpoint.get("origin") or "") + endpoint["requestUri"]
        if isinstance(address, str):
            streams.append(Stream(address))
    return streams


def _object(item: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(item, Mapping):
        raise NotFlags(f"{where} is no object")
    return item


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")
