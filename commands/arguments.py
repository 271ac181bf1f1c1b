"""What somebody typed after the incident, read as a verb asks for it: word after word, and last the rest."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

from bot.core.model import Actor, IncidentRole, Severity
from bot.exports import FORMATS
from commands.parse import Mention, MentionKind, Misunderstood, nearest, split_verb

E = TypeVar("E", bound=StrEnum)


class Typed:
    """The words that are left. What cannot be read raises Misunderstood, with what to type instead."""

    def __init__(self, text: str, mentions: Sequence[Mention] = ()) -> None:
        self._rest = text
        self._mentions = mentions

    def text(self, name: str, most: int, *, needed: bool = False) -> str:
        """All that is left; core says where it needs some."""
        text, self._rest = self._rest, ""
        return text

    def choice(self, name: str, kind: type[E]) -> E:
        """The next word, as one value of an enum."""
        word, known = self._word(), [member.value for member in kind]
        if word not in known:
            wrong = f"`{word[:40]}` is not a {name}.{nearest(word, known)}" if word else f"Which {name}?"
            raise Misunderstood(f"{wrong} {name.capitalize()}s: {', '.join(known)}.")
        return kind(word)

    def severity(self, name: str) -> Severity:
        """The next word, as a severity."""
        return severity(self._word())

    def one_of(self, name: str, known: Sequence[str]) -> str:
        """All that is left as one word; core says where it is none of the known."""
        return self.text(name, 0).lower().replace(" ", "-")

    def truth(self, name: str, *, typed: bool = True) -> bool:
        """Whether the next word is this one."""
        word, rest = split_verb(self._rest)
        if typed and word == name:
            self._rest = rest
            return True
        return False

    def holder(self, role: IncidentRole, me: Actor) -> Actor | None:
        """Read `@ana`, `me` or `none`."""
        first = self._rest.partition(" ")[0]
        if first.lower() in ("me", "none"):
            return me if first.lower() == "me" else None
        meant = next((one for one in self._mentions if one.shown == first), None)
        if meant is None or meant.kind is not MentionKind.PERSON:
            wrong = "A role is for one person." if meant else f"Who is {role}?"
            raise Misunderstood(f"{wrong} Mention them, `/incident role {role} @ana`, or write `me` or `none`.")
        return Actor.person(meant.id, meant.shown.removeprefix("@"))

    def _word(self) -> str:
        word, self._rest = split_verb(self._rest)
        return word


def severity(word: str) -> Severity:
    """`SEV2`, `sev2` or `2`. Raises Misunderstood."""
    name = f"SEV{word}" if word.isdigit() else word.upper()
    if name not in Severity.__members__:
        wrong = f"`{word[:40]}` is not a severity." if word else "Which severity?"
        raise Misunderstood(f"{wrong} Write SEV1 (no way to serve customers) to SEV4 (watch).")
    return Severity(name)


def export_format(text: str) -> str:
    """One of the export formats, Markdown when none is named. Raises Misunderstood."""
    wanted = text.strip().lower() or "md"
    if wanted not in FORMATS:
        raise Misunderstood(f"`{wanted[:40]}` is not an export format. There are: {', '.join(FORMATS)}.")
    return wanted
