"""Slack's rules for messages, and ours, checked in one place."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from slack_sdk.models.blocks import Block

from bot.ports import Message
from bot.sandbox.slack.block_kit.blocks import check_blocks
from bot.views.text import spoken

OUR_TOKENS = re.compile(
    r"<!date\^-?\d+\^[^|<>]+\|[^<>]+>|<#C[A-Z0-9]+>|<@U0(?:ANA|BOB)>|<https://(?:status|wiki|board|example\.slack)[^<>|]*\|[^<>|]*>"
)


def assert_taken(message: Message, *, edited: bool = False) -> None:
    """Slack accepts the message, and nothing foreign in it mentions, links, hides or opens anything."""
    blocks = [dict(block) for block in message.blocks]
    for block in blocks:
        parsed = Block.parse(block)
        assert parsed is not None, block["type"]
        parsed.validate_json()
    assert [] == check_blocks(json.loads(json.dumps(blocks)), surface="message")
    assert len(json.dumps(blocks)) <= 12_000
    assert 0 < len(message.text) < 4_000
    if edited:
        assert sum(len(text) for text in marked_up(blocks)) < 4_000
    for text in [message.text, *marked_up(blocks)]:
        assert "<" not in OUR_TOKENS.sub("", text), text
        assert "```" not in text
    assert [] == [char for text in strings([message.text, *blocks]) for char in text if tricky(char)]


def assert_view_taken(view: Mapping[str, Any]) -> None:
    """Slack accepts the modal."""
    from bot.sandbox.slack.block_kit.blocks import check_view

    assert [] == check_view(json.loads(json.dumps(view)))
    for block in view["blocks"]:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.validate_json()


def shown(message: Message) -> str:
    """All text of a message that people read, without buttons."""
    return "\n".join(marked_up([dict(block) for block in message.blocks]))


def buttons(message: Message) -> dict[str, dict[str, Any]]:
    """action_id -> value of every button; for a menu, its choices by label."""
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return {one["action_id"]: _carried(one) for row in rows for one in row}


def labels(message: Message) -> list[str]:
    """The labels of the buttons, in order; a menu is `⋯` with its choices."""
    elements = [one for block in message.blocks if block["type"] == "actions" for one in block["elements"]]
    menu = [f"⋯ {', '.join(choice['text']['text'] for choice in one.get('options', []))}" for one in elements]
    return [one["text"]["text"] if one["type"] == "button" else menu[n] for n, one in enumerate(elements)]


def _carried(element: Mapping[str, Any]) -> dict[str, Any]:
    if element["type"] == "overflow":
        return {choice["text"]["text"]: json.loads(choice["value"]) for choice in element["options"]}
    found: dict[str, Any] = json.loads(element["value"])
    return found


def words_above_buttons(message: Message) -> int:
    """How many words precede the first button; times, mentions and links count as they are displayed."""
    return len(spoken(shown(message)).split())


def marked_up(blocks: list[dict[str, Any]]) -> list[str]:
    """All texts that may have markup (sections, fields, contexts) and the headers."""
    found = []
    for block in blocks:
        texts = [block.get("text"), *block.get("fields", [])]
        texts += block["elements"] if block["type"] == "context" else []
        found += [one["text"] for one in texts if one and one["type"] == "mrkdwn"]
    return found


def strings(value: Any) -> Iterator[str]:
    """Every string in a tree."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from strings(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from strings(entry)


def tricky(char: str) -> bool:
    """Whether a character hides text or changes its direction."""
    return char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Cs")
