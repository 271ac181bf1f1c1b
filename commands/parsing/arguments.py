"""The arguments after the incident, as a verb asks for them: word by word, then the rest."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import TypeVar

from bot.core.model import Actor, Severity
from bot.core.policy import IncidentPolicy
from bot.exports import FORMATS
from bot.verbs.verb import Assignment
from commands.parsing.due import assignment, person
from commands.parsing.parse import NAMED, REFERENCE, Mention, MentionKind, Misunderstood, duration, nearest, split_verb

E = TypeVar("E", bound=StrEnum)

LONGEST_NUMBER = 6
LONGEST_MOMENT = 11  # digits; up to the year 5138


class NoNumber(Misunderstood):
    """A number is missing; a caller that knows the incident says which ones exist."""


class NoChoice(Misunderstood):
    """A word is not one of the choices; a caller that knows the incident says which there are."""

    def __init__(self, word: str) -> None:
        super().__init__(f"`{word[:40]}` cannot be chosen.")
        self.word = word


class TypedArguments:
    """The remaining words. Unreadable ones raise Misunderstood, with what to type instead."""

    def __init__(
        self, text: str, policy: IncidentPolicy, mentions: Sequence[Mention], now: datetime, zone: tzinfo = UTC
    ) -> None:
        self._rest = text
        self._policy = policy
        self._mentions = mentions
        self._now = now
        self._zone = zone

    def text(self, name: str, most: int, *, needed: bool = False) -> str:
        """All remaining words; core says where text is required."""
        text, self._rest = self._rest, ""
        return text

    def choice(self, name: str, kind: type[E]) -> E:
        """The next word, as a value of an enum."""
        word = self._word()
        if word not in {member.value for member in kind}:
            raise NoChoice(word)
        return kind(word)

    def role(self) -> str:
        """The next word, as a role."""
        word = self._word()
        role = self._policy.role_meant(word)
        if role is None:
            raise _unknown("role", word, self._policy.roles)
        return role

    def severity(self, name: str) -> Severity:
        """The next word, as a severity."""
        return severity(self._word())

    def one_of(self, name: str, known: Sequence[str]) -> str:
        """All remaining words as one; core refuses unknown ones."""
        return self.text(name, 0).lower().replace(" ", "-")

    def kind(self, name: str, known: Sequence[str]) -> str:
        """The first words, `false alarm` or `false-alarm`; core refuses unknown ones."""
        said = self._rest.strip()
        for word in known:
            if found := re.match(rf"{word.replace('-', '[- ]')}(?!\S)[\s:]*", said, re.IGNORECASE):
                self._rest = said[found.end() :]
                return word
        return self.text(name, 0).lower()

    def maybe(self, name: str) -> int:
        """`of INC-7`, or just the number."""
        found = re.match(rf"(?:{name}\s+)?inc-(\d{{1,9}})(?!\S)\s*", self._rest, re.IGNORECASE)
        if found is None:
            return 0
        self._rest = self._rest[found.end() :]
        return int(found[1])

    def span_or(self, name: str, known: Sequence[str], default: timedelta) -> timedelta | str:
        """All remaining words: `30m`, `for 30m`, or one of the known words."""
        said = self.text(name, 0).lower().removeprefix(f"{name} ").strip()
        if not said or said in known:
            return said or default
        try:
            return duration(said)
        except Misunderstood as wrong:
            raise Misunderstood(f"{wrong} Or {' or '.join(f'`{word}`' for word in known)}.") from None

    def truth(self, name: str, *, typed: bool = True) -> bool:
        """Whether the next word is this one."""
        word, rest = split_verb(self._rest)
        if typed and word == name:
            self._rest = rest
            return True
        return False

    def other(self, name: str, mine: int) -> int:
        """The next word, as `INC-7`; may follow the argument's `name`."""
        word = self._word()
        found = REFERENCE.match(self._word()) if word == name else NAMED.match(word)
        if found is None:
            raise Misunderstood(f"INC-{mine} {name} which incident? Write `{name} INC-7`; `/incident list` shows what is open.")
        return int(found[found.lastindex or 1])

    def number(self, name: str) -> int:
        """The next word, `3` or `#3`, also after `task`."""
        word = self._word()
        word = (self._word() if word == name else word).removeprefix("#")
        if not (word.isascii() and word.isdigit() and len(word) <= LONGEST_NUMBER):
            raise NoNumber(f"`{word[:40]}` is not the number of a {name}." if word else f"Which {name}?")
        return int(word)

    def assignment(self, me: Actor) -> Assignment:
        """All remaining words, with owner and due time at the end."""
        return assignment(self.text("text", 0), self._mentions, me, self._now, self._zone)

    def receiver(self, me: Actor) -> Actor | None:
        """`@ana`, `me` or `none`; `me` if nothing remains."""
        word, _, self._rest = self._rest.strip().partition(" ")
        return person(word, self._mentions, me) if word else me

    def holder(self, role: str, me: Actor) -> Actor | None:
        """Read `@ana`, `me` or `none`."""
        name = self._policy.role_name(role)
        first = self._rest.partition(" ")[0]
        if first.lower() in ("me", "none"):
            return me if first.lower() == "me" else None
        meant = next((one for one in self._mentions if one.shown == first), None)
        if meant is None or meant.kind is not MentionKind.PERSON:
            wrong = "A role is for one person." if meant else f"Who is {name}?"
            raise Misunderstood(f"{wrong} Mention them, `/incident role {name} @ana`, or write `me` or `none`.")
        return Actor.person(meant.id, meant.shown.removeprefix("@"))

    def _word(self) -> str:
        word, self._rest = split_verb(self._rest)
        return word


def _unknown(name: str, word: str, known: Sequence[str]) -> Misunderstood:
    wrong = f"`{word[:40]}` is not a {name}.{nearest(word, known)}" if word else f"Which {name}?"
    return Misunderstood(f"{wrong} {name.capitalize()}s: {', '.join(known)}.")


def severity(word: str) -> Severity:
    """`SEV2`, `sev2` or `2`. Raises Misunderstood."""
    name = f"SEV{word}" if word.isdigit() else word.upper()
    if name not in Severity.__members__:
        wrong = f"`{word[:40]}` is not a severity." if word else "Which severity?"
        raise Misunderstood(f"{wrong} Write SEV1 (no way to serve customers) to SEV4 (watch).")
    return Severity(name)


def export_format(text: str) -> str:
    """An export format, Markdown by default. Raises Misunderstood."""
    wanted = text.strip().lower() or "md"
    if wanted not in FORMATS:
        raise Misunderstood(f"`{wanted[:40]}` is not an export format. There are: {', '.join(FORMATS)}.")
    return wanted


def moment(text: str) -> datetime | None:
    """A time from a form, in seconds since 1970; None if it is not one."""
    return datetime.fromtimestamp(int(text), UTC) if text.isascii() and text.isdigit() and len(text) <= LONGEST_MOMENT else None
