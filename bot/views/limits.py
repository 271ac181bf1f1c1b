"""Makes any message fit Slack's limits, by cutting the longest texts first and buttons last.

Limits: docs.slack.dev (Block Kit reference, chat.update). The total size of blocks is not documented; messages with 13,200
characters of JSON were refused with `msg_blocks_too_long`, so we stay under 12,000 by the strictest way of counting.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from bot.ports import Message

TEXT_MAX = 3_900  # chat.update refuses more than 4,000
SECTION_MAX, FIELD_MAX, HEADER_MAX = 3_000, 2_000, 150
FIELDS_MAX, CONTEXT_MAX, BUTTONS_MAX = 10, 10, 25
BLOCKS_MAX, VIEW_BLOCKS_MAX = 50, 100
JSON_MAX = 12_000
VISIBLE_MAX = 11_000
SHORT = 160  # no text is cut below this to save space; whole blocks are dropped instead

OPEN_TOKEN = re.compile(r"<[^<>]*$|&[a-z]{0,4}$")

Json = dict[str, Any]


def fit(message: Message, *, visible: int = VISIBLE_MAX) -> Message:
    """The message within Slack's limits; unchanged if it already is.

    `visible` limits the characters of all texts together, for messages that should stay short.
    """
    blocks: list[Json] = [b for block in message.blocks if (b := _fitting(deepcopy(dict(block)))) is not None]
    blocks = _not_too_many(blocks, BLOCKS_MAX)
    _shorten(blocks, visible)
    while blocks and _too_big(blocks, visible):
        if len(blocks) == 1:
            blocks = []
        else:
            blocks.pop(_least_needed(blocks))
    return Message(cut_markup(message.text.strip(), TEXT_MAX) or "…", tuple(blocks))


def fit_view(blocks: Sequence[Mapping[str, Any]]) -> list[Json]:
    """Blocks for a view: at most a hundred, each within its own limits."""
    fitting = [made for block in blocks if (made := _fitting(deepcopy(dict(block)))) is not None]
    return _not_too_many(fitting, VIEW_BLOCKS_MAX)


def cut_markup(text: str, limit: int) -> str:
    """Finished mrkdwn of at most `limit` characters; never splits a token (`<...>`) or an entity (`&amp;`)."""
    if len(text) <= limit:
        return text
    return OPEN_TOKEN.sub("", text[: limit - 1]).rstrip() + "…"


def _fitting(block: Json) -> Json | None:
    """One block within its own limits; None if nothing would be left."""
    match block["type"]:
        case "section":
            return _section(block)
        case "header":
            block["text"]["text"] = cut_markup(block["text"]["text"], HEADER_MAX)
            return block if block["text"]["text"].strip() else None
        case "context":
            kept = [one for one in block["elements"] if one["type"] != "mrkdwn" or one["text"].strip()][:CONTEXT_MAX]
            for one in kept:
                if "text" in one:
                    one["text"] = cut_markup(one["text"], FIELD_MAX)
            return {**block, "elements": kept} if kept else None
        case "actions":
            kept = block["elements"][:BUTTONS_MAX]
            return {**block, "elements": kept} if kept else None
    return block


def _section(block: Json) -> Json | None:
    if "text" in block:
        block["text"]["text"] = cut_markup(block["text"]["text"], SECTION_MAX)
        if not block["text"]["text"].strip():
            del block["text"]
    if "fields" in block:
        block["fields"] = [one for one in block["fields"] if one["text"].strip()][:FIELDS_MAX]
        for one in block["fields"]:
            one["text"] = cut_markup(one["text"], FIELD_MAX)
        if not block["fields"]:
            del block["fields"]
    return block if "text" in block or "fields" in block else None


def _not_too_many(blocks: list[Json], most: int) -> list[Json]:
    """The first blocks, and every row of buttons; a final line says how much is missing."""
    if len(blocks) <= most:
        return blocks
    spare = len(blocks) - most + 1
    leave = [n for n, block in enumerate(blocks) if block["type"] != "actions"][-spare:]
    kept = [block for n, block in enumerate(blocks) if n not in set(leave)][: most - 1]
    note = {"type": "context", "elements": [{"type": "mrkdwn", "text": f"{len(blocks) - len(kept)} more parts are left out."}]}
    return [*kept, note]


def _shorten(blocks: list[Json], visible: int) -> None:
    """Cut the longest text by a quarter until everything fits or nothing long is left."""
    while _too_big(blocks, visible):
        longest = max(_texts(blocks), key=lambda one: len(one["text"]), default=None)
        if longest is None or len(longest["text"]) <= SHORT:
            return
        longest["text"] = cut_markup(longest["text"], max(SHORT, len(longest["text"]) * 3 // 4))


def _least_needed(blocks: list[Json]) -> int:
    """The block to drop: the last one without buttons."""
    return next((n for n in range(len(blocks) - 1, 0, -1) if blocks[n]["type"] != "actions"), len(blocks) - 1)


def _texts(blocks: list[Json]) -> Iterator[Json]:
    """Every text that may be cut, for changing in place."""
    for block in blocks:
        if block["type"] in ("section", "header") and "text" in block:
            yield block["text"]
        yield from block.get("fields", [])
        if block["type"] == "context":
            yield from (one for one in block["elements"] if "text" in one)


def _too_big(blocks: list[Json], visible: int) -> bool:
    return len(json.dumps(blocks)) > JSON_MAX or sum(len(one["text"]) for one in _texts(blocks)) > visible
