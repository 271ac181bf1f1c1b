"""The Block Kit validator is never laxer than the SDK's models, stricter where Slack is, and accepts valid blocks."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_refusals import INPUT, MODAL
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.sandbox.slack import Settings
from bot.sandbox.slack.block_kit.blocks import check_blocks, check_view, filled_in
from bot.sandbox.slack.render import blocks_text
from bot.sandbox.slack.team import Team
from bot.system.clock import SystemClock


def plain(n: int = 5) -> dict[str, Any]:
    return {"type": "plain_text", "text": "x" * n}


def mrkdwn(n: int = 5) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": "x" * n}


def options(n: int = 2, text: int = 5) -> list[dict[str, Any]]:
    return [{"text": plain(text), "value": str(i)} for i in range(n)]


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": "b", "text": plain(), **more}


def menu(**more: Any) -> dict[str, Any]:
    return {"type": "static_select", "action_id": "m", "placeholder": plain(), "options": options(), **more}


def section(**more: Any) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn(), **more}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def field(element: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "input", "label": plain(), "element": element, **more}


CONFIRM = {"title": plain(), "text": mrkdwn(), "confirm": plain(), "deny": plain(), "style": "danger"}
IMAGE = {"type": "image", "image_url": "https://example.org/x.png", "alt_text": "a chart"}
TEXT_INPUT = {"type": "plain_text_input", "action_id": "t"}

GOOD: dict[str, list[dict[str, Any]]] = {
    "section at its limits": [section(text=mrkdwn(3000), block_id="x" * 255)],
    "section of fields": [{"type": "section", "fields": [mrkdwn(2000)] * 10}],
    "section with a menu": [section(accessory=menu(confirm=CONFIRM, initial_option=options()[0]))],
    "header": [{"type": "header", "text": plain(150)}],
    "context": [{"type": "context", "elements": [mrkdwn(), plain(), IMAGE]}],
    "actions": [actions(*(button(action_id=str(n)) for n in range(25)))],
    "button at its limits": [actions(button(text=plain(75), value="v" * 2000, style="danger", confirm=CONFIRM))],
    "overflow": [section(accessory={"type": "overflow", "action_id": "o", "options": options(5)})],
    "pickers": [actions({"type": "datepicker", "action_id": "d"}, {"type": "timepicker", "action_id": "t"})],
    "checkboxes": [actions({"type": "checkboxes", "action_id": "c", "options": options(10)})],
    "grouped menu": [
        section(accessory={"type": "static_select", "option_groups": [{"label": plain(), "options": options(100)}] * 2}),
    ],
    "input": [field(TEXT_INPUT | {"min_length": 1, "max_length": 3000, "multiline": True}, hint=plain(2000), optional=True)],
    "people input": [field({"type": "multi_users_select", "action_id": "u", "max_selected_items": 3})],
    "image": [{**IMAGE, "title": plain(2000)}],
    "divider": [{"type": "divider"}],
    "markdown": [{"type": "markdown", "text": "# x"}],
    "table": [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 20] * 100}],
    "rich text": [
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}],
        },
    ],
    "fifty blocks": [{"type": "divider"}] * 50,
}

BAD: dict[str, list[Any]] = {
    "51 blocks": [{"type": "divider"}] * 51,
    "header 151": [{"type": "header", "text": plain(151)}],
    "section 3001": [section(text=mrkdwn(3001))],
    "section without text": [{"type": "section"}],
    "11 fields": [{"type": "section", "fields": [mrkdwn()] * 11}],
    "26 actions": [actions(*(button(action_id=str(n)) for n in range(26)))],
    "button 76": [actions(button(text=plain(76)))],
    "button value 2001": [actions(button(value="v" * 2001))],
    "button style": [actions(button(style="warning"))],
    "button url 3001": [actions(button(url="https://x.org/" + "x" * 3000))],
    "accessibility label 76": [actions(button(accessibility_label="x" * 76))],
    "placeholder 151": [section(accessory=menu(placeholder=plain(151)))],
    "101 options": [section(accessory=menu(options=options(101)))],
    "overflow 6": [section(accessory={"type": "overflow", "action_id": "o", "options": options(6)})],
    "label 2001": [field(TEXT_INPUT, label=plain(2001))],
    "hint 2001": [field(TEXT_INPUT, hint=plain(2001))],
    "confirm title 101": [actions(button(confirm=CONFIRM | {"title": plain(101)}))],
    "confirm text 301": [actions(button(confirm=CONFIRM | {"text": mrkdwn(301)}))],
    "confirm button 31": [actions(button(confirm=CONFIRM | {"confirm": plain(31)}))],
    "markdown 12001": [{"type": "markdown", "text": "x" * 12_001}],
    "block_id 256": [section(block_id="x" * 256)],
    "action_id 256": [actions(button(action_id="x" * 256))],
    "alt text 2001": [IMAGE | {"alt_text": "x" * 2001}],
    "image url 3001": [IMAGE | {"image_url": "https://x.org/" + "x" * 3000}],
    "11 context elements": [{"type": "context", "elements": [mrkdwn()] * 11}],
    "both options and groups": [section(accessory=menu(option_groups=[{"label": plain(), "options": options()}]))],
}

# What the SDK's models accept and Slack does not.
LAX: dict[str, list[Any]] = {
    "header with mrkdwn": [{"type": "header", "text": mrkdwn()}],
    "empty section text": [section(text={"type": "mrkdwn", "text": ""})],
    "field 2001": [{"type": "section", "fields": [mrkdwn(2001)]}],
    "no actions": [actions()],
    "empty context": [{"type": "context", "elements": []}],
    "same action_id": [actions(button(), button())],
    "same block_id": [section(block_id="x"), section(block_id="x")],
    "option text 76": [section(accessory=menu(options=options(text=76)))],
    "option value 151": [section(accessory=menu(options=[{"text": plain(), "value": "v" * 151}]))],
    "unknown block": [{"type": "marquee"}],
    "block without type": [{}],
    "not an object": ["text"],
    "unknown element": [actions({"type": "slider", "action_id": "s"})],
    "unknown property": [section(colour="red")],
    "mrkdwn in a button": [actions(button(text=mrkdwn()))],
    "text input in actions": [actions(TEXT_INPUT)],
    "initial option that is none": [section(accessory=menu(initial_option={"text": plain(), "value": "none"}))],
    "no alt text": [{"type": "image", "image_url": "https://example.org/x.png"}],
    "image of nothing": [{"type": "image", "alt_text": "x"}],
    "min over max": [field(TEXT_INPUT | {"min_length": 5, "max_length": 4})],
    "two tables": [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}] * 2,
    "21 cells": [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 21]}],
    "much markdown": [{"type": "markdown", "text": "x" * 7000}] * 2,
    "confirm without words": [actions(button(confirm={"title": plain()}))],
}

GOOD_VIEWS: dict[str, dict[str, Any]] = {
    "modal": MODAL,
    "modal at its limits": MODAL
    | {
        "title": plain(24),
        "submit": plain(24),
        "close": plain(24),
        "private_metadata": "x" * 3000,
        "callback_id": "x" * 255,
        "external_id": "x" * 255,
        "clear_on_close": True,
        "notify_on_close": True,
        "blocks": [{"type": "divider"}] * 100,
    },
    "home": {"type": "home", "blocks": [section()]},
}
BAD_VIEWS: dict[str, dict[str, Any]] = {
    "title 25": MODAL | {"title": plain(25)},
    "submit 25": MODAL | {"submit": plain(25)},
    "close 25": MODAL | {"close": plain(25)},
    "101 blocks": MODAL | {"blocks": [{"type": "divider"}] * 101},
    "no blocks": MODAL | {"blocks": []},
    "metadata 3001": MODAL | {"private_metadata": "x" * 3001},
    "callback_id 256": MODAL | {"callback_id": "x" * 256},
    "home with submit": {"type": "home", "blocks": [section()], "submit": plain()},
    "other type": MODAL | {"type": "drawer"},
}
LAX_VIEWS: dict[str, dict[str, Any]] = {
    "input without submit": {"type": "modal", "title": plain(), "blocks": [INPUT]},
    "no title": {"type": "modal", "blocks": [section()]},
    "external_id 256": MODAL | {"external_id": "x" * 256},
    "mrkdwn title": MODAL | {"title": mrkdwn()},
    "markdown in a modal": MODAL | {"blocks": [{"type": "markdown", "text": "x"}]},
    "unknown property": MODAL | {"colour": "red"},
}


def sdk_refuses(blocks: list[Any]) -> bool:
    """Whether the models of the SDK reject the blocks, or cannot even read them."""
    try:
        if len(blocks) > 50:
            return True
        for block in blocks:
            parsed = Block.parse(copy.deepcopy(block))
            if parsed is None:
                return False
            _validate(parsed)
    except (SlackObjectFormationError, TypeError, AttributeError, KeyError):
        return True
    return False


def _validate(model: Any) -> None:
    """The SDK validates one object at a time, so its parts are validated as well."""
    model.validate_json()
    for name in ("text", "accessory", "element", "confirm", "label", "placeholder"):
        part = getattr(model, name, None)
        if hasattr(part, "validate_json"):
            _validate(part)
    for name in ("elements", "options", "fields", "option_groups"):
        for part in getattr(model, name, None) or []:
            if hasattr(part, "validate_json"):
                _validate(part)


@pytest.mark.parametrize("name", GOOD)
def test_valid_blocks_are_accepted(name: str) -> None:
    """No false alarms, and the SDK agrees."""
    assert ([], False) == (check_blocks(GOOD[name], surface="message"), sdk_refuses(GOOD[name]))


@pytest.mark.parametrize("name", BAD)
def test_blocks_that_the_sdk_refuses_are_refused(name: str) -> None:
    """The validator rejects whatever the SDK's models reject."""
    assert sdk_refuses(BAD[name])
    assert check_blocks(BAD[name], surface="message")


@pytest.mark.parametrize("name", LAX)
def test_blocks_that_only_slack_refuses_are_refused(name: str) -> None:
    """Slack is stricter than the SDK."""
    assert check_blocks(LAX[name], surface="message")


@pytest.mark.parametrize("name", GOOD_VIEWS)
def test_valid_views_are_accepted(name: str) -> None:
    """No false alarms, and the SDK agrees."""
    View(**copy.deepcopy(GOOD_VIEWS[name])).validate_json()

    assert [] == check_view(GOOD_VIEWS[name])


@pytest.mark.parametrize("name", BAD_VIEWS)
def test_views_that_the_sdk_refuses_are_refused(name: str) -> None:
    """The validator rejects whatever the SDK's models reject."""
    with pytest.raises(SlackObjectFormationError):
        View(**copy.deepcopy(BAD_VIEWS[name])).validate_json()

    assert check_view(BAD_VIEWS[name])


@pytest.mark.parametrize("name", LAX_VIEWS)
def test_views_that_only_slack_refuses_are_refused(name: str) -> None:
    """Slack is stricter than the SDK."""
    assert check_view(LAX_VIEWS[name])


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to everything inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from leaves(inner, (*path, key))


@st.composite
def broken_blocks(draw: st.DrawFn) -> list[Any]:
    """Valid blocks with one part replaced, lengthened, repeated or removed."""
    blocks = copy.deepcopy(draw(st.sampled_from(list(GOOD.values()))))
    *way, last = draw(st.sampled_from(list(leaves(blocks))))
    holder: Any = blocks
    for key in way:
        holder = holder[key]
    old = holder[last]
    match draw(st.sampled_from(["cut", "long", "many", "odd", "none"])):
        case "cut":
            del holder[last]
        case "long" if isinstance(old, str):
            holder[last] = old * draw(st.integers(2, 40)) + "x" * draw(st.sampled_from([0, 76, 151, 256, 2001, 3001]))
        case "many" if isinstance(old, list):
            holder[last] = old * draw(st.integers(2, 30))
        case "odd":
            holder[last] = draw(st.sampled_from([None, 7, [], {}, "", "x", True]))
        case _:
            holder[last] = None
    return list(blocks)


@settings(max_examples=400, deadline=None)
@given(broken_blocks())
def test_validator_is_never_laxer_than_the_sdk(blocks: list[Any]) -> None:
    """With one part broken, the validator notices whatever the SDK notices, never crashes, and can show what it accepts."""
    problems = check_blocks(blocks, surface="message")

    assert problems or not sdk_refuses(blocks)
    if not problems:
        blocks_text(Team(SystemClock(), Settings(), (), ()), filled_in(lambda letter: letter, blocks))


def test_missing_ids_are_generated_and_given_ones_kept() -> None:
    """Slack generates a block_id and an action_id if the app gave none."""
    made = filled_in(lambda letter: f"{letter}1", [actions({"type": "button", "text": plain()}), section(block_id="mine")])

    assert ["b1", "mine"] == [block["block_id"] for block in made]
    assert "a1" == made[0]["elements"][0]["action_id"]
