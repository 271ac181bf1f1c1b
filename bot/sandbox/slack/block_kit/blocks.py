"""Block Kit as Slack takes it: the rules for blocks and views, and the ids that Slack fills in.

Sources: docs.slack.dev (Block Kit reference, views) and the limits that the Python SDK's models know; where the SDK is
laxer than Slack, Slack's rule is applied. Block types that are not listed are refused.
"""

import copy
from collections.abc import Callable
from typing import Any

from bot.sandbox.slack.block_kit.checks import Findings
from bot.sandbox.slack.block_kit.elements import ID_MAX, IN_ACTIONS, IN_INPUT, IN_SECTION, check_element, check_image
from bot.sandbox.slack.block_kit.rich_text import check_rich_text
from bot.sandbox.slack.records import Json

BLOCKS_MAX = {"message": 50, "modal": 100, "home": 100}
MARKDOWN_MAX, ROWS_MAX, CELLS_MAX = 12_000, 100, 20
VIEW_FIELDS = {
    "type",
    "title",
    "blocks",
    "close",
    "submit",
    "private_metadata",
    "callback_id",
    "clear_on_close",
    "notify_on_close",
    "external_id",
    "submit_disabled",
}
FIELDS = {
    "section": {"text", "fields", "accessory", "expand"},
    "divider": set(),
    "image": {"image_url", "slack_file", "alt_text", "title"},
    "actions": {"elements"},
    "context": {"elements"},
    "header": {"text", "level"},
    "input": {"label", "element", "hint", "optional", "dispatch_action"},
    "markdown": {"text"},
    "rich_text": {"elements"},
    "table": {"rows", "column_settings"},
}


def check_blocks(blocks: Any, *, surface: str, at: str = "/blocks") -> list[str]:
    """What is wrong with the blocks of a `surface` (message, modal or home); empty if Slack would accept them."""
    found = Findings()
    _check_blocks(found, blocks, surface, at)
    return found.problems


def check_view(view: Any) -> list[str]:
    """What is wrong with a modal or a Home tab; empty if Slack would accept it."""
    found = Findings()
    if not found.is_object("/view", view):
        return found.problems
    kind = view.get("type")
    if kind not in ("modal", "home"):
        found.note("/view/type", "must be modal or home")
        return found.problems
    found.fields("/view", view, VIEW_FIELDS)
    found.string("/view/private_metadata", view.get("private_metadata"), 3000, least=0)
    found.string("/view/callback_id", view.get("callback_id"), ID_MAX, least=0)
    found.string("/view/external_id", view.get("external_id"), ID_MAX, least=0)
    found.boolean("/view/clear_on_close", view.get("clear_on_close"))
    found.boolean("/view/notify_on_close", view.get("notify_on_close"))
    if kind == "home":
        for name in {"title", "submit", "close"} & set(view):
            found.note(f"/view/{name}", "a home view has none")
    else:
        found.text("/view/title", view.get("title"), 24, plain=True, required=True)
        found.text("/view/submit", view.get("submit"), 24, plain=True)
        found.text("/view/close", view.get("close"), 24, plain=True)
    _check_blocks(found, view.get("blocks"), kind, "/view/blocks")
    blocks = view.get("blocks")
    holds_input = isinstance(blocks, list) and any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)
    if kind == "modal" and holds_input and view.get("submit") is None:
        found.note("/view/submit", "required when a block is an input")
    return found.problems


def filled_in(new_id: Callable[[str], str], blocks: list[Json]) -> list[Json]:
    """A copy with the block_id and action_id that Slack makes up where the app gave none."""
    blocks = copy.deepcopy(blocks)
    for block in blocks:
        block.setdefault("block_id", new_id("b").lower())
        for element in interactive_of(block):
            element.setdefault("action_id", new_id("a").lower())
    return blocks


def interactive_of(block: Json) -> list[Json]:
    """The elements of a block that a person can use."""
    inside = [block.get("accessory"), block.get("element")]
    if block["type"] == "actions":
        inside += block["elements"]
    return [element for element in inside if element and element["type"] != "image"]


def _check_blocks(found: Findings, blocks: Any, surface: str, at: str) -> None:
    markdown, tables, ids = 0, 0, set()
    least = 0 if surface == "message" else 1
    for n, block in enumerate(found.items(at, blocks, BLOCKS_MAX[surface], least=least)):
        here = f"{at}/{n}"
        if not found.is_object(here, block):
            continue
        kind = block.get("type")
        if not isinstance(kind, str) or kind not in FIELDS:
            found.note(f"{here}/type", f"unsupported type: {kind}")
            continue
        found.fields(here, block, FIELDS[kind] | {"type", "block_id"})
        block_id = block.get("block_id")
        found.string(f"{here}/block_id", block_id, ID_MAX)
        if isinstance(block_id, str) and block_id in ids:
            found.note(f"{here}/block_id", "block_id already exists")
        ids.add(block_id if isinstance(block_id, str) else None)
        _check_block(found, here, block, surface)
        markdown += len(block["text"]) if kind == "markdown" and isinstance(block.get("text"), str) else 0
        tables += kind == "table"
    if markdown > MARKDOWN_MAX:
        found.note(at, f"no more than {MARKDOWN_MAX} characters of markdown in one message")
    if tables > 1:
        found.note(at, "only_one_table_allowed")


def _check_block(found: Findings, at: str, block: Json, surface: str) -> None:
    match block["type"]:
        case "section":
            _check_section(found, at, block)
        case "image":
            check_image(found, at, block)
            found.text(f"{at}/title", block.get("title"), 2000, plain=True)
        case "actions":
            elements = found.items(f"{at}/elements", block.get("elements"), 25)
            for n, element in enumerate(elements):
                check_element(found, f"{at}/elements/{n}", element, IN_ACTIONS)
            _check_unique_actions(found, at, elements)
        case "context":
            for n, element in enumerate(found.items(f"{at}/elements", block.get("elements"), 10)):
                here = f"{at}/elements/{n}"
                if isinstance(element, dict) and element.get("type") == "image":
                    check_element(found, here, element, ("image",))
                else:
                    found.text(here, element, 3000, required=True)
        case "header":
            found.text(f"{at}/text", block.get("text"), 150, plain=True, required=True)
        case "input":
            _check_input(found, at, block)
        case "markdown":
            if surface != "message":
                found.note(f"{at}/type", "markdown is for messages")
            found.string(f"{at}/text", block.get("text"), MARKDOWN_MAX, required=True)
        case "rich_text":
            check_rich_text(found, at, block)
        case "table":
            _check_table(found, at, block, surface)


def _check_section(found: Findings, at: str, section: Json) -> None:
    if section.get("text") is None and section.get("fields") is None:
        found.note(at, "either text or fields needed")
    found.text(f"{at}/text", section.get("text"), 3000)
    if section.get("fields") is not None:
        for n, field in enumerate(found.items(f"{at}/fields", section["fields"], 10)):
            found.text(f"{at}/fields/{n}", field, 2000, required=True)
    if section.get("accessory") is not None:
        check_element(found, f"{at}/accessory", section["accessory"], IN_SECTION)


def _check_input(found: Findings, at: str, block: Json) -> None:
    found.text(f"{at}/label", block.get("label"), 2000, plain=True, required=True)
    found.text(f"{at}/hint", block.get("hint"), 2000, plain=True)
    found.boolean(f"{at}/optional", block.get("optional"))
    found.boolean(f"{at}/dispatch_action", block.get("dispatch_action"))
    check_element(found, f"{at}/element", block.get("element"), IN_INPUT)


def _check_table(found: Findings, at: str, table: Json, surface: str) -> None:
    if surface != "message":
        found.note(f"{at}/type", "a table is for messages")
    for n, row in enumerate(found.items(f"{at}/rows", table.get("rows"), ROWS_MAX)):
        for m, cell in enumerate(found.items(f"{at}/rows/{n}", row, CELLS_MAX)):
            here = f"{at}/rows/{n}/{m}"
            if not found.is_object(here, cell):
                continue
            found.one_of(f"{here}/type", cell.get("type"), ("raw_text", "raw_number", "rich_text"))
            if cell.get("type") == "raw_text":
                found.string(f"{here}/text", cell.get("text"), 3000, required=True)
            elif cell.get("type") == "rich_text":
                check_rich_text(found, here, cell)


def _check_unique_actions(found: Findings, at: str, elements: list[Any]) -> None:
    seen: set[str] = set()
    for n, element in enumerate(elements):
        action_id = element.get("action_id") if isinstance(element, dict) else None
        if isinstance(action_id, str) and action_id in seen:
            found.note(f"{at}/elements/{n}/action_id", "action_id already exists in this block")
        if isinstance(action_id, str):
            seen.add(action_id)
