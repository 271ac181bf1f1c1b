"""The few Block Kit elements that we use. Texts passed in are finished mrkdwn, unless a name says plain."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.views.text import plain

Block = Mapping[str, Any]

HEADER_MAX = 150
BUTTON_MAX = 75
VALUE_MAX = 2000
MENU_MAX = 5
OPTION_VALUE_MAX = 150
ID_MAX = 255
CONFIRM_TITLE_MAX, CONFIRM_TEXT_MAX, CONFIRM_BUTTON_MAX = 100, 300, 30


def mrkdwn(text: str) -> dict[str, Any]:
    """A text object. `verbatim`: only our own markup counts; Slack does not search it for names or links."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def plain_text(text: str, limit: int) -> dict[str, Any]:
    """A plain_text object; an empty text becomes a dash, since Slack refuses empty ones."""
    return {"type": "plain_text", "text": plain(text, limit) or "-", "emoji": False}


def header(text: str) -> Block:
    """A headline in plain text."""
    return {"type": "header", "text": plain_text(text, HEADER_MAX)}


def section(text: str) -> Block:
    """A paragraph."""
    return {"type": "section", "text": mrkdwn(text)}


def fields(texts: Sequence[str]) -> Block:
    """Up to ten short texts in two columns."""
    return {"type": "section", "fields": [mrkdwn(text) for text in texts]}


def context(text: str) -> Block:
    """A small line."""
    return {"type": "context", "elements": [mrkdwn(text)]}


def actions(buttons: Sequence[Block]) -> tuple[Block, ...]:
    """A row of buttons; empty if there are none. A button whose value or name is too long is left out."""
    usable = [b for b in buttons if _carries(b) and plain(b["action_id"], ID_MAX) == b["action_id"]]
    return ({"type": "actions", "elements": usable},) if usable else ()


def _carries(element: Block) -> bool:
    """Whether Slack accepts its value and name."""
    if element["type"] == "overflow":
        return all(len(option["value"]) <= OPTION_VALUE_MAX for option in element["options"])
    return len(element["value"]) <= VALUE_MAX


def shortened(name: str, most: int) -> str:
    """An internal name within Slack's limit; different names stay different."""
    return name if len(name) <= most else f"{name[: most - 17]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def button(label: str, action_id: str, value: Mapping[str, Any], *, style: str = "", confirm: Block | None = None) -> Block:
    """A button with a verb and, as compact JSON, its subject."""
    made: dict[str, Any] = {
        "type": "button",
        "text": plain_text(label, BUTTON_MAX),
        "action_id": shortened(action_id, ID_MAX),
        "value": json.dumps(value, separators=(",", ":")),
    }
    if style:
        made["style"] = style
    if confirm:
        made["confirm"] = confirm
    return made


def warning(marks: Sequence[str]) -> dict[str, list[str]]:
    """What a button carries of its question, so that a press overrules what was said there and nothing that came since."""
    return {"warned": list(marks)} if marks else {}


def menu(action_id: str, choices: Sequence[tuple[str, Mapping[str, Any]]]) -> Block:
    """The `⋯` at the end of a row: up to five actions, each a label and, as compact JSON, its subject."""
    options = [
        {"text": plain_text(label, BUTTON_MAX), "value": json.dumps(value, separators=(",", ":"))}
        for label, value in choices[:MENU_MAX]
    ]
    return {"type": "overflow", "action_id": action_id, "options": options}


def confirm(title: str, text: str, yes: str, no: str = "Cancel", *, danger: bool = False) -> Block:
    """A question before an action, in plain text."""
    return {
        "title": plain_text(title, CONFIRM_TITLE_MAX),
        "text": plain_text(text, CONFIRM_TEXT_MAX),
        "confirm": plain_text(yes, CONFIRM_BUTTON_MAX),
        "deny": plain_text(no, CONFIRM_BUTTON_MAX),
        "style": "danger" if danger else "primary",
    }
