"""users.* and usergroups.*: who is here."""

from bot.sandbox.slack.api.args import Args
from bot.sandbox.slack.api.lookups import page_of
from bot.sandbox.slack.api.shapes import group_shape, user_shape
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.records import Json
from bot.sandbox.slack.team import Team


def user_info(team: Team, args: Args) -> Json:
    user = team.users.get(args.text("user"))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": user_shape(team, user)}


def list_users(team: Team, args: Args) -> Json:
    shapes = [user_shape(team, user) for user in team.users.values()]
    page, cursor = page_of(args, shapes, default=1000, most=1000, limit_code="invalid_arguments")
    return {"members": page, "cache_ts": team.now(), "response_metadata": {"next_cursor": cursor}}


def list_groups(team: Team, args: Args) -> Json:
    _require_plan(team)
    users, counts = args.flag("include_users"), args.flag("include_count")
    return {"usergroups": [group_shape(team, group, users=users, counts=counts) for group in team.groups.values()]}


def list_group_users(team: Team, args: Args) -> Json:
    _require_plan(team)
    group = team.groups.get(args.text("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": list(group.members)}


METHODS = {
    "users.info": user_info,
    "users.list": list_users,
    "usergroups.list": list_groups,
    "usergroups.users.list": list_group_users,
}

EMITS = {
    "users.info": ("user_not_found",),
    "users.list": ("invalid_cursor",),
    "usergroups.list": ("plan_upgrade_required",),
    "usergroups.users.list": ("plan_upgrade_required", "no_such_subteam"),
}


def _require_plan(team: Team) -> None:
    """User groups belong to paid plans."""
    if not team.settings.paid_plan:
        raise SlackError("plan_upgrade_required")
