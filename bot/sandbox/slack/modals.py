"""The stack of modals in front of each person, three deep at most, and the Home tabs."""

import json
import secrets
from typing import Any

from bot.sandbox.slack.block_kit.blocks import check_view, filled_in, interactive_of
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.records import Json, View
from bot.sandbox.slack.team import Team

STACK_MAX = 3


def checked_view(team: Team, view: Any, *, kind: str) -> Json:
    """The body of a view, with ids filled in. Raises invalid_arguments with every problem, and view_too_large."""
    if isinstance(view, dict) and len(json.dumps(view)) > team.settings.view_max_bytes:
        raise SlackError("view_too_large")
    problems = check_view(view)
    if not problems and view["type"] != kind:
        problems = [f"[ERROR] must be a {kind} view [json-pointer:/view/type]"]
    if problems:
        raise SlackError("invalid_arguments", *problems)
    body: Json = view | {"blocks": filled_in(team.new_id, view["blocks"])}
    return body


def push(team: Team, user: str, body: Json, *, fresh: bool) -> View:
    """Show a modal: on top of the stack, or as a `fresh` one in place of it. Raises push_limit_reached."""
    stack = [] if fresh else team.modals.get(user, [])
    if len(stack) >= STACK_MAX:
        raise SlackError("push_limit_reached")
    _check_external_id(team, body, but=None)
    view_id = team.new_id("V")
    below = stack[-1] if stack else None
    view = View(view_id, user, body, _new_hash(team), below.root_id if below else view_id, below.id if below else None)
    view.values = _initial_values(body)
    team.modals[user] = [*stack, view]
    team.changed()
    return view


def replace(team: Team, view: View, body: Json) -> View:
    """New contents for an open view; what people typed stays where block_id and action_id stay."""
    _check_external_id(team, body, but=view)
    fresh = _initial_values(body)
    for block_id, actions in fresh.items():
        for action_id, value in view.values.get(block_id, {}).items():
            if action_id in actions and actions[action_id]["type"] == value["type"]:
                actions[action_id] = value
    view.body, view.values, view.hash = body, fresh, _new_hash(team)
    team.changed()
    return view


def publish(team: Team, user: str, body: Json) -> View:
    """The Home tab of one person."""
    old = team.homes.get(user)
    _check_external_id(team, body, but=old)
    view_id = old.id if old else team.new_id("V")
    view = View(view_id, user, body, _new_hash(team), view_id)
    team.homes[user] = view
    team.changed()
    return view


def find(team: Team, *, view_id: str | None = None, external_id: str | None = None) -> View | None:
    """An open view by one of its ids."""
    for view in all_views(team):
        if view.id == view_id or (external_id and view.body.get("external_id") == external_id):
            return view
    return None


def all_views(team: Team) -> list[View]:
    return [view for stack in team.modals.values() for view in stack] + list(team.homes.values())


def pop(team: Team, view: View) -> None:
    """Take a modal off its stack."""
    stack = team.modals.get(view.user, [])
    team.modals[view.user] = [other for other in stack if other is not view]
    team.changed()


def empty_value(element: Json) -> Json:
    """The state of an input that nobody has touched, its initial value included."""
    kind = element["type"]
    simple = {
        "plain_text_input": ("value", "initial_value"),
        "number_input": ("value", "initial_value"),
        "url_text_input": ("value", "initial_value"),
        "email_text_input": ("value", "initial_value"),
        "static_select": ("selected_option", "initial_option"),
        "radio_buttons": ("selected_option", "initial_option"),
        "users_select": ("selected_user", "initial_user"),
        "channels_select": ("selected_channel", "initial_channel"),
        "conversations_select": ("selected_conversation", "initial_conversation"),
        "datepicker": ("selected_date", "initial_date"),
        "timepicker": ("selected_time", "initial_time"),
        "datetimepicker": ("selected_date_time", "initial_date_time"),
    }
    several = {
        "checkboxes": ("selected_options", "initial_options"),
        "multi_static_select": ("selected_options", "initial_options"),
        "multi_users_select": ("selected_users", "initial_users"),
        "multi_channels_select": ("selected_channels", "initial_channels"),
        "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    }
    if kind in simple:
        name, initial = simple[kind]
        return {"type": kind, name: element.get(initial)}
    name, initial = several[kind]
    return {"type": kind, name: list(element.get(initial, []))}


def _initial_values(body: Json) -> dict[str, dict[str, Json]]:
    values: dict[str, dict[str, Json]] = {}
    for block in body["blocks"]:
        for element in interactive_of(block):
            if element["type"] not in ("button", "overflow"):
                values.setdefault(block["block_id"], {})[element["action_id"]] = empty_value(element)
    return values


def _check_external_id(team: Team, body: Json, *, but: View | None) -> None:
    external_id = body.get("external_id")
    if external_id and any(v is not but and v.body.get("external_id") == external_id for v in all_views(team)):
        raise SlackError("duplicate_external_id")


def _new_hash(team: Team) -> str:
    return f"{team.now()}.{secrets.token_urlsafe(6)}"
