"""views.*: opening, changing and stacking modals, and publishing Home tabs."""

from bot.sandbox.slack import modals
from bot.sandbox.slack.api.args import Args
from bot.sandbox.slack.api.shapes import view_shape
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.records import Json, Trigger, View
from bot.sandbox.slack.team import Team


def open_modal(team: Team, args: Args) -> Json:
    trigger = _trigger(team, args)
    body = modals.checked_view(team, args.structure("view", "invalid_arguments"), kind="modal")
    view = modals.push(team, trigger.user, body, fresh=True)
    trigger.used = True
    return {"view": view_shape(team, view)}


def push_modal(team: Team, args: Args) -> Json:
    trigger = _trigger(team, args)
    body = modals.checked_view(team, args.structure("view", "invalid_arguments"), kind="modal")
    if trigger.view_id is None or modals.find(team, view_id=trigger.view_id) is None:
        raise SlackError("not_found")  # one can only push from inside an open modal
    view = modals.push(team, trigger.user, body, fresh=False)
    trigger.used = True
    return {"view": view_shape(team, view)}


def update(team: Team, args: Args) -> Json:
    view = modals.find(team, view_id=args.maybe("view_id"), external_id=args.maybe("external_id"))
    if view is None:
        raise SlackError("not_found")
    _check_hash(view, args)
    body = modals.checked_view(team, args.structure("view", "invalid_arguments"), kind=view.body["type"])
    return {"view": view_shape(team, modals.replace(team, view, body))}


def publish(team: Team, args: Args) -> Json:
    if not team.settings.home_tab:
        raise SlackError("not_enabled")
    user = args.text("user_id")
    if user not in team.users:
        raise SlackError("invalid_arguments", "[ERROR] no such user [json-pointer:/user_id]")
    if user in team.homes:
        _check_hash(team.homes[user], args)
    body = modals.checked_view(team, args.structure("view", "invalid_arguments"), kind="home")
    return {"view": view_shape(team, modals.publish(team, user, body))}


METHODS = {
    "views.open": open_modal,
    "views.push": push_modal,
    "views.update": update,
    "views.publish": publish,
}

TRIGGER = ("invalid_trigger_id", "expired_trigger_id", "exchanged_trigger_id", "duplicate_external_id", "view_too_large")
EMITS = {
    "views.open": TRIGGER,
    "views.push": (*TRIGGER, "not_found", "push_limit_reached"),
    "views.update": ("not_found", "hash_conflict", "duplicate_external_id", "view_too_large"),
    "views.publish": ("not_enabled", "hash_conflict", "duplicate_external_id", "view_too_large"),
}


def _trigger(team: Team, args: Args) -> Trigger:
    """The interaction that allows a modal now: three seconds, one use."""
    if "trigger_id" not in args:
        raise SlackError("invalid_arguments", "[ERROR] missing required field: trigger_id")
    trigger = team.triggers.get(args.text("trigger_id"))
    if trigger is None:
        raise SlackError("invalid_trigger_id")
    if trigger.used:
        raise SlackError("exchanged_trigger_id")
    if team.age_s(trigger.born_at) > team.settings.trigger_lives_s:
        raise SlackError("expired_trigger_id")
    return trigger


def _check_hash(view: View, args: Args) -> None:
    if "hash" in args and args.text("hash") != view.hash:
        raise SlackError("hash_conflict")
