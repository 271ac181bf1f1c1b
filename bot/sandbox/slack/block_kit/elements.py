"""The rules for block elements: buttons, menus, inputs (docs.slack.dev, Block Kit reference)."""

from typing import Any

from bot.sandbox.slack.block_kit.checks import Findings
from bot.sandbox.slack.records import Json

ID_MAX, URL_MAX, PLACEHOLDER_MAX, INPUT_MAX = 255, 3000, 150, 3000
OPTIONS_MAX, GROUPS_MAX, BOXES_MAX, OVERFLOW_MAX = 100, 100, 10, 5
TEXT_INPUTS = ("plain_text_input", "number_input", "url_text_input", "email_text_input")
PICKERS = ("datepicker", "timepicker", "datetimepicker")
SELECTS = ("static_select", "users_select", "conversations_select", "channels_select")
MULTI_SELECTS = tuple(f"multi_{name}" for name in SELECTS)
BOXES = ("checkboxes", "radio_buttons")
IN_ACTIONS = ("button", "overflow", *SELECTS, *PICKERS, *BOXES)
IN_SECTION = (*IN_ACTIONS, *MULTI_SELECTS, "image")
IN_INPUT = (*TEXT_INPUTS, *SELECTS, *MULTI_SELECTS, *PICKERS, *BOXES)

COMMON = {"type", "action_id", "confirm", "focus_on_load", "placeholder"}
FIELDS: dict[str, set[str]] = {
    "button": {"type", "action_id", "text", "value", "url", "style", "confirm", "accessibility_label"},
    "image": {"type", "image_url", "alt_text", "slack_file"},
    "overflow": {"type", "action_id", "options", "confirm"},
    "plain_text_input": {
        *COMMON,
        "initial_value",
        "multiline",
        "min_length",
        "max_length",
        "dispatch_action_config",
    },
    "number_input": {
        *COMMON,
        "is_decimal_allowed",
        "initial_value",
        "min_value",
        "max_value",
        "dispatch_action_config",
    },
    "url_text_input": {*COMMON, "initial_value", "dispatch_action_config"},
    "email_text_input": {*COMMON, "initial_value", "dispatch_action_config"},
    "datepicker": {*COMMON, "initial_date"},
    "timepicker": {*COMMON, "initial_time", "timezone"},
    "datetimepicker": {*COMMON, "initial_date_time"},
    "checkboxes": {*COMMON, "options", "initial_options"},
    "radio_buttons": {*COMMON, "options", "initial_option"},
    "static_select": {*COMMON, "options", "option_groups", "initial_option"},
    "users_select": {*COMMON, "initial_user"},
    "channels_select": {*COMMON, "initial_channel", "response_url_enabled"},
    "conversations_select": {
        *COMMON,
        "initial_conversation",
        "default_to_current_conversation",
        "filter",
        "response_url_enabled",
    },
    "multi_static_select": {*COMMON, "options", "option_groups", "initial_options", "max_selected_items"},
    "multi_users_select": {*COMMON, "initial_users", "max_selected_items"},
    "multi_channels_select": {*COMMON, "initial_channels", "max_selected_items"},
    "multi_conversations_select": {
        *COMMON,
        "initial_conversations",
        "default_to_current_conversation",
        "filter",
        "max_selected_items",
    },
}


def check_element(found: Findings, at: str, element: Any, allowed: tuple[str, ...]) -> None:
    """One element in a place where the `allowed` types may appear."""
    if not found.is_object(at, element):
        return
    kind = element.get("type")
    if kind not in allowed:
        found.note(f"{at}/type", f"unsupported element here: {kind}")
        return
    found.fields(at, element, FIELDS[kind])
    if kind == "image":
        check_image(found, at, element)
        return
    found.string(f"{at}/action_id", element.get("action_id"), ID_MAX)
    found.text(f"{at}/placeholder", element.get("placeholder"), PLACEHOLDER_MAX, plain=True)
    if "confirm" in element:
        check_confirm(found, f"{at}/confirm", element["confirm"])
    if kind == "button":
        _check_button(found, at, element)
    elif kind in TEXT_INPUTS:
        _check_text_input(found, at, element)
    elif kind in ("static_select", "multi_static_select"):
        _check_menu(found, at, element)
    elif kind in (*BOXES, "overflow"):
        most = OVERFLOW_MAX if kind == "overflow" else BOXES_MAX
        _check_options(found, at, element, most, mrkdwn=kind in BOXES, url=kind == "overflow")


def check_image(found: Findings, at: str, image: Json) -> None:
    """What an image block and an image element have in common."""
    if ("image_url" in image) == ("slack_file" in image):
        found.note(at, "needs either image_url or slack_file")
    found.string(f"{at}/image_url", image.get("image_url"), URL_MAX)
    found.string(f"{at}/alt_text", image.get("alt_text"), 2000, required=True)


def check_confirm(found: Findings, at: str, confirm: Any) -> None:
    """The dialog that asks before an action."""
    if not found.is_object(at, confirm):
        return
    found.fields(at, confirm, {"title", "text", "confirm", "deny", "style"})
    found.text(f"{at}/title", confirm.get("title"), 100, plain=True, required=True)
    found.text(f"{at}/text", confirm.get("text"), 300, required=True)
    found.text(f"{at}/confirm", confirm.get("confirm"), 30, plain=True, required=True)
    found.text(f"{at}/deny", confirm.get("deny"), 30, plain=True, required=True)
    found.one_of(f"{at}/style", confirm.get("style", "primary"), ("primary", "danger"))


def _check_button(found: Findings, at: str, button: Json) -> None:
    found.text(f"{at}/text", button.get("text"), 75, plain=True, required=True)
    found.string(f"{at}/value", button.get("value"), 2000)
    found.string(f"{at}/url", button.get("url"), URL_MAX)
    found.string(f"{at}/accessibility_label", button.get("accessibility_label"), 75)
    found.one_of(f"{at}/style", button.get("style", "primary"), ("primary", "danger"))


def _check_text_input(found: Findings, at: str, field: Json) -> None:
    for name, low in (("min_length", 0), ("max_length", 1)):
        value = field.get(name)
        if value is not None and (not isinstance(value, int) or not low <= value <= INPUT_MAX):
            found.note(f"{at}/{name}", f"must be between {low} and {INPUT_MAX}")
    shortest, longest = field.get("min_length"), field.get("max_length")
    if isinstance(shortest, int) and isinstance(longest, int) and shortest > longest:
        found.note(f"{at}/min_length", "must not exceed max_length")
    found.string(f"{at}/initial_value", field.get("initial_value"), INPUT_MAX, least=0)
    if field["type"] == "number_input" and not isinstance(field.get("is_decimal_allowed"), bool):
        found.note(f"{at}/is_decimal_allowed", "missing required field")


def _check_menu(found: Findings, at: str, menu: Json) -> None:
    if ("options" in menu) == ("option_groups" in menu):
        found.note(at, "needs either options or option_groups")
    if "options" in menu:
        _check_options(found, at, menu, OPTIONS_MAX)
        return
    choices: list[Any] = []
    for n, group in enumerate(found.items(f"{at}/option_groups", menu.get("option_groups", []), GROUPS_MAX)):
        here = f"{at}/option_groups/{n}"
        if found.is_object(here, group):
            found.text(f"{here}/label", group.get("label"), 75, plain=True, required=True)
            _check_options(found, here, group, OPTIONS_MAX)
            choices += group["options"] if isinstance(group.get("options"), list) else []
    _check_initial(found, at, menu, choices)


def _check_options(
    found: Findings,
    at: str,
    holder: Json,
    most: int,
    *,
    mrkdwn: bool = False,
    url: bool = False,
) -> None:
    options = found.items(f"{at}/options", holder.get("options"), most)
    for n, option in enumerate(options):
        here = f"{at}/options/{n}"
        if not found.is_object(here, option):
            continue
        found.fields(here, option, {"text", "value", "description"} | ({"url"} if url else set()))
        found.text(f"{here}/text", option.get("text"), 75, plain=not mrkdwn, required=True)
        found.string(f"{here}/value", option.get("value"), 150, required=True)
        found.text(f"{here}/description", option.get("description"), 75, plain=not mrkdwn)
        found.string(f"{here}/url", option.get("url"), URL_MAX)
    _check_initial(found, at, holder, options)


def _check_initial(found: Findings, at: str, holder: Json, options: list[Any]) -> None:
    """The initial choice must be exactly one of the options."""
    chosen = holder.get("initial_options", [])
    if "initial_option" in holder:
        chosen = [holder["initial_option"]]
    for option in found.items(f"{at}/initial_options", chosen, OPTIONS_MAX, least=0):
        if option not in options:
            found.note(f"{at}/initial_option", "must be one of the options")
