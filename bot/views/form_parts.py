"""The elements of forms. Texts are plain; text by others is cut and cleaned."""

from typing import Any

from bot.views.blocks import plain_text
from bot.views.text import plain

METADATA_MAX = 3000
TEXT_MAX = 3000  # for what a person types into a plain_text_input
MOST_OPTIONS = 100

View = dict[str, Any]


def modal(callback: str, title: str, submit: str, blocks: list[dict[str, Any]], private_metadata: str) -> View:
    """A form that is sent with this callback id; `private_metadata` comes back with it."""
    return {
        "type": "modal",
        "callback_id": callback,
        "title": plain_text(title, 24),
        "submit": plain_text(submit, 24),
        "close": plain_text("Cancel", 24),
        "private_metadata": private_metadata[:METADATA_MAX],
        "blocks": blocks,
    }


def input_block(name: str, label: str, element: dict[str, Any], hint: str = "", *, optional: bool = False) -> dict[str, Any]:
    """A field. `block_id` and `action_id` are equal, so that an error can be shown at the field by name."""
    made: dict[str, Any] = {"type": "input", "block_id": name, "label": plain_text(label, 2000), "element": element}
    made |= {"optional": True} if optional else {}
    return {**made, "hint": plain_text(hint, 2000)} if hint else made


def text_input(name: str, most: int, placeholder: str, *, multiline: bool = False) -> dict[str, Any]:
    """A text field; the length is as Slack counts."""
    made = {"type": "plain_text_input", "action_id": name, "max_length": most, "multiline": multiline}
    return {**made, "placeholder": plain_text(placeholder, 150)} if placeholder else made


def select(name: str, options: list[dict[str, Any]], initial: dict[str, Any]) -> dict[str, Any]:
    """A menu with its initial choice."""
    return {"type": "static_select", "action_id": name, "options": options, "initial_option": initial}


def option(text: str, value: str) -> dict[str, Any]:
    """One choice of a menu."""
    return {"text": plain_text(plain(text), 75), "value": value}
