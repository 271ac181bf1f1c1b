"""Parses what people type: verbs and their nearest matches, incident references, durations, Slack's escaped mentions."""

import re
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

from bot.core.decide.incident.declaring import whose_names_appear
from bot.core.decide.permissions import Denied
from bot.core.lazy_dataclass import dataclass
from bot.core.record.incident import Incident
from bot.core.record.world import World
from bot.ports import Message
from bot.views.denied import denied_message, denied_words
from bot.views.text import unmarked

REFERENCE = re.compile(r"^(?:(inc-?)|#)?(\d{1,9})$", re.IGNORECASE)  # how people write it; `7` may mean something else
NAMED = re.compile(r"^inc-(\d{1,9})$", re.IGNORECASE)
DURATION = re.compile(
    r"(?:(\d{1,6})\s*|an?\s+)(s|m|h|d|secs?|seconds?|mins?|minutes?|hrs?|hours?|days?)(?!\S)\s*", re.IGNORECASE
)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONG, UNFINISHED = 6, 3  # letters of a word that may have two typos, and of an unfinished word
LONGEST_SLIP = 60  # letters to compare
MOST_NAMED = 3  # incidents in a question; a list shows all

TOKEN = re.compile(r"<([^<>\s]+)>")
ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))  # Slack escapes only these three; the ampersand comes last


class MentionKind(StrEnum):
    """What somebody mentions."""

    PERSON = "person"
    GROUP = "group"  # of people
    CHANNEL = "channel"


@dataclass(frozen=True)
class Mention:
    """A person or thing mentioned, by Slack's id; `shown` is how it looks in the typed text: `@ana`, `#ops`."""

    kind: MentionKind
    id: str
    shown: str


MENTIONED = (
    (MentionKind.PERSON, re.compile(r"<@([UW][A-Z0-9]{1,30})(?:\|[^<>\s]*)?>")),
    (MentionKind.GROUP, re.compile(r"<!subteam\^(S[A-Z0-9]{1,30})(?:\|[^<>\s]*)?>")),
    (MentionKind.CHANNEL, re.compile(r"<#([CG][A-Z0-9]{1,30})(?:\|[^<>\s]*)?>")),
)


class Misunderstood(Exception):  # noqa: N818 # a person's words, not a bug
    """The input cannot be parsed; the text says what to type instead."""

    @property
    def answer(self) -> Message | str:
        """The answer in Slack."""
        return str(self)


class NotAllowed(Misunderstood):
    """The person may not do that."""

    def __init__(self, refused: Denied) -> None:
        super().__init__(denied_words(refused))
        self._refused = refused

    @property
    def answer(self) -> Message:
        """The answer names those who may."""
        return denied_message(self._refused)


def typed(text: str) -> str:
    """The text as typed, decoded from Slack's format: names for mentions, addresses for links, no entities."""
    text = TOKEN.sub(lambda match: _token(match[1]), text)
    for entity, char in ENTITIES:
        text = text.replace(entity, char)
    return text


def mentions(text: str) -> tuple[Mention, ...]:
    """Everybody and everything mentioned in a text from Slack, in order."""
    found = ((kind, match) for kind, pattern in MENTIONED for match in pattern.finditer(text))
    in_order = sorted(found, key=lambda one: one[1].start())
    return tuple(Mention(kind, match[1], _token(match[0][1:-1])) for kind, match in in_order)


def _token(inner: str) -> str:
    target, _, label = inner.partition("|")
    match target[:1]:
        case "@":
            return f"@{label or target[1:]}"
        case "#":
            return f"#{label or 'a-private-channel'}"
        case "!":
            return label or f"@{target[1:]}"
    return label if target.startswith("mailto:") and label else target


def split_verb(text: str) -> tuple[str, str]:
    """The first word in lower case, and the rest as typed."""
    first, _, rest = text.strip().partition(" ")
    return first.lower(), rest.strip()


def nearest(word: str, known: Iterable[str]) -> str:
    """`Did you mean ...?` for a typo; empty if nothing is near. Assumes that the first letter is right.

    Near means one typo, or two in a long word, or an unfinished word.
    """
    word = word.lower()[:LONGEST_SLIP]
    begin_so = [one for one in known if word and one[:1].lower() == word[:1]]
    slips = {one: _edit_distance(word, one.lower()[:LONGEST_SLIP]) for one in begin_so}
    most = 2 if len(word) >= LONG else 1
    near = [one for one in slips if slips[one] <= most or (len(word) >= UNFINISHED and one.lower().startswith(word))]
    return f" Did you mean `{min(near, key=slips.__getitem__)}`?" if near else ""


def _edit_distance(typed: str, meant: str) -> int:
    """The number of missing, extra, wrong or transposed letters (optimal string alignment)."""
    before: list[int] = []
    above = list(range(len(meant) + 1))
    for i, letter in enumerate(typed, 1):
        row = [i]
        for j, other in enumerate(meant, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other)))
            if before and j > 1 and letter == meant[j - 2] and typed[i - 2] == other:
                row[j] = min(row[j], before[j - 2] + 1)
        before, above = above, row
    return above[-1]


def duration(text: str) -> timedelta:
    """Parse `90m`, `2h`, `1 day`, `an hour`, and nothing else. Raises Misunderstood."""
    lasts, rest = duration_first(text)
    if rest:
        raise _no_duration(text)
    return lasts


def duration_first(text: str) -> tuple[timedelta, str]:
    """The duration at the start of a text, and the rest. Raises Misunderstood."""
    match = DURATION.match(text.strip())
    amount = int(match[1] or 1) if match else 0
    if not match or not amount:
        raise _no_duration(text.strip().partition(" ")[0])
    return timedelta(seconds=amount * UNITS[match[2][0].lower()]), text.strip()[match.end() :]


def _no_duration(text: str) -> Misunderstood:
    return Misunderstood(f"`{text}` is not a duration. Write `30m`, `2h` or `1d`.")


@dataclass(frozen=True)
class NamedIncident:
    """The incident that somebody means, and the rest of their text."""

    incident: Incident
    rest: str


def named_incident(text: str, channel: str, mentioned: Iterable[Mention] = ()) -> tuple[int | None, str, str]:
    """The first number named; else which field of an incident (its channel's id or name) has which text."""
    first = text.strip().partition(" ")[0]
    if named := NAMED.match(first):
        return int(named[1]), "", ""
    if meant := _channel_meant(first, mentioned):
        return None, "room.channel", meant
    return (None, "room.name", first[1:]) if first.startswith("#") else (None, "room.channel", channel)


def with_its_name(text: str, *, number: bool) -> str:
    """The text with `INC-7` for an incident written as `INC7`, or if `number` cannot be anything else, as `7` or `#7`."""
    first, _, rest = text.strip().partition(" ")
    found = REFERENCE.match(first)
    return f"INC-{found[2]} {rest}".strip() if found and (found[1] or number) else text


def into_another(text: str) -> str:
    """In INC-8's channel, `merge INC-7` names only the other one: make it `into INC-7`."""
    alone = re.match(r"inc-\d{1,9}(?!\S)(?!\s+(?:into\s+(?:inc-?|#)?|inc-?)\d)", text.strip(), re.IGNORECASE)
    return f"into {text.strip()}" if alone else text


def _channel_meant(first: str, mentioned: Iterable[Mention]) -> str:
    return next((one.id for one in mentioned if one.kind is MentionKind.CHANNEL and one.shown == first), "")


def which_incident(text: str, channel: str, world: World, mentioned: Iterable[Mention] = ()) -> NamedIncident:
    """The first incident named (`INC-7` or `#inc-its-channel`), this channel's, or the only open one.

    A channel in `mentioned` is identified by its id, since people rename channels. Raises Misunderstood.
    """
    first, _, rest = text.strip().partition(" ")
    meant = _channel_meant(first, mentioned)
    for known in world.incidents.values():
        if known.room.channel and (known.room.channel == meant if meant else first == f"#{known.room.name}"):
            return NamedIncident(known, rest.strip())
    named = NAMED.match(first)
    if named:
        incident = world.incidents.get(int(named[1]))
        if incident is None:
            raise Misunderstood(f"There is no INC-{named[1]}. `/incident list all` shows every one.")
        return NamedIncident(incident, rest.strip())
    here = [i for i in world.incidents.values() if i.room.channel and i.room.channel == channel]
    if here:
        return NamedIncident(here[-1], text.strip())
    every = world.open_incidents()
    running = [one for one in every if one.drill is None] or every  # somebody in a hurry means a real one
    if len(running) == 1:
        return NamedIncident(running[0], text.strip())
    if not running:
        newest = world.last_incident
        more = f" Name an older one, such as `INC-{newest}`." if newest else ""
        raise Misunderstood(f"No incident is open.{more}")
    names = ", ".join(f"`{i.name}` ({unmarked(i.title[:40])})" for i in running[-MOST_NAMED:])
    more = f" and {len(running) - MOST_NAMED} more (`/incident list all`)" if len(running) > MOST_NAMED else ""
    raise Misunderstood(f"Which incident? Open are {names}{more}. Name it first, or type in its channel.")


def component_of(text: str, names: dict[str, str]) -> tuple[str, ...]:
    """Components whose id or name occurs in `text`; `names` maps ids to names. The longest names win."""
    return whose_names_appear(text, {id: (id, name) for id, name in names.items()})
