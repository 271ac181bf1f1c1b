"""What a phone shows of a message, as plain text: mentions by name, times in UTC, buttons as `[ Label ]`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from bot.ports import Message

DAY = datetime(2026, 3, 20, tzinfo=UTC)  # "today" in the sample histories
CHANNELS = {"C0OPS": "ops"}
GROUPS = {"S0ONCALL": "oncall"}
TOKEN = re.compile(r"<([^<>]+)>")
ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
WORD = re.compile(r"\S*\w\S*")


class Kind(Enum):
    """Where a message is read, with the most words that it may have; None if its length depends on the matter."""

    ALERT = "the ops channel, above the buttons", 60
    CARD = "the incident's channel, pinned", 249
    EVIDENCE = "the alert's thread, its first reply", 249
    TOPIC = "the channel's topic", 30
    LINE = "a message in a channel or thread", 60
    UPDATE = "the incident's channel, as an update", 120
    SUMMARY = "the incident's channel, at the end", 120
    RUNBOOK = "the incident's channel, a checklist", None
    ANSWER = "seen by the asker alone", 60
    BOARD = "seen by the asker alone, a list", 120
    DETAIL = "seen by the asker alone, one thing in full", 249
    HELP = "seen by the asker alone, help", 300
    FORM = "a form", 90
    ELSEWHERE = "outside of Slack (notify:)", 60

    def __init__(self, where: str, most: int | None) -> None:
        self.where = where
        self.most = most


PUSHED = {Kind.ALERT, Kind.CARD, Kind.LINE, Kind.UPDATE, Kind.SUMMARY, Kind.RUNBOOK}
PUSH_MOST = 30  # words of a notification: a phone shows no more


@dataclass(frozen=True)
class Entry:
    """One message of the gallery; `asks` are its buttons' confirmations, `shows` the classes that it stands for."""

    title: str
    kind: Kind
    push: str
    body: str
    asks: tuple[str, ...] = ()
    shows: tuple[object, ...] = ()

    @property
    def words(self) -> int:
        """The number of words to read: for an alert those above its buttons, otherwise all but the buttons."""
        read = self.body.partition("\n[ ")[0] if self.kind is Kind.ALERT else _without_buttons(self.body)
        return len(WORD.findall(read))

    @property
    def push_words(self) -> int:
        """The number of words in the notification."""
        return len(WORD.findall(self.push))

    @property
    def everything(self) -> str:
        """All text of the message that anybody reads."""
        return "\n".join((self.push, self.body, *self.asks))


def entry(title: str, kind: Kind, message: Message, *shows: object) -> Entry:
    """A message as people read it."""
    return Entry(title, kind, plain(message.text), *_drawn(message.blocks), shows)


def sentence(title: str, kind: Kind, text: str, *shows: object) -> Entry:
    """A plain text."""
    return Entry(title, kind, "", plain(text), (), shows)


def form(title: str, view: Mapping[str, Any], *shows: object) -> Entry:
    """A modal."""
    body, questions = _drawn(view["blocks"])
    ends = "  ".join(f"[ {view[end]['text']} ]" for end in ("close", "submit") if end in view)
    return Entry(title, Kind.FORM, "", f"{view['title']['text']}\n{body}\n{ends}", questions, shows)


def plain(text: str) -> str:
    """Finished mrkdwn as people see it."""
    text = TOKEN.sub(lambda token: _token(token[1]), text)
    for entity, char in ENTITIES:
        text = text.replace(entity, char)
    return text.replace("```", "'''").strip()


def _token(inner: str) -> str:
    target, _, label = inner.partition("|")
    if target.startswith("!date^"):
        return _moment(*target.split("^")[1:3])
    if target.startswith("!subteam^"):
        return f"@{GROUPS.get(target[9:], target[9:])}"
    match target[:1]:
        case "@":
            return f"@{target[1:].removeprefix('U0').lower()}"
        case "#":
            return f"#{label or CHANNELS.get(target[1:], 'inc-20260320-0007-claude')}"
    return label or target


def _moment(seconds: str, format: str) -> str:
    at = datetime.fromtimestamp(int(seconds), UTC)
    day = "today" if at.date() == DAY.date() else f"{at:%b} {at.day}"
    clock = format.replace("{time}", f"{at:%H:%M}")
    return re.sub(r"\{date\w*\}", day, clock)


def _drawn(blocks: Sequence[Mapping[str, Any]]) -> tuple[str, tuple[str, ...]]:
    """The text of the blocks, and the confirmations of their buttons."""
    questions: list[str] = []
    lines = [line for block in blocks for line in _block(block, questions)]
    return "\n".join(lines), tuple(questions)


def _block(block: Mapping[str, Any], questions: list[str]) -> Iterator[str]:
    match block["type"]:
        case "header":
            yield f"*{block['text']['text']}*"
        case "section":
            yield from (plain(one["text"]) for one in [block.get("text"), *block.get("fields", [])] if one)
            if "accessory" in block:
                yield _element(block["accessory"], questions)
        case "context":
            yield " ".join(plain(one["text"]) for one in block["elements"] if "text" in one)
        case "actions":
            yield "  ".join(_element(one, questions) for one in block["elements"])
        case "divider":
            yield "---"
        case "input":
            yield f"{block['label']['text']}: {_element(block['element'], questions)}"
            if "hint" in block:
                yield block["hint"]["text"]
        case other:
            raise ValueError(f"the gallery cannot draw a block {other!r} yet")


def _element(element: Mapping[str, Any], questions: list[str]) -> str:
    label = element["text"]["text"] if "text" in element else element.get("placeholder", {}).get("text", "")
    if asked := element.get("confirm"):
        yes, no = asked["confirm"]["text"], asked["deny"]["text"]
        questions.append(f"{label or '⋯'} asks: {asked['title']['text']} {asked['text']['text']} [ {yes} ] [ {no} ]")
    if element["type"] == "plain_text_input":
        return f"[ {label or '…'} ]"
    options = [option["text"]["text"] for option in element.get("options", [])]
    if element["type"] == "overflow":
        return f"[ ⋯ {', '.join(options)} ]"
    if options:
        chosen = element.get("initial_option", {}).get("text", {}).get("text", label)
        return f"[ {chosen} ▾ {' / '.join(one for one in options if one != chosen)} ]"
    return f"[ {label} ]"


def _without_buttons(body: str) -> str:
    return "\n".join(line for line in body.split("\n") if not line.startswith("[ "))
