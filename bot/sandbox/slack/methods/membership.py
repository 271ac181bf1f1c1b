"""conversations.*: who is in a channel."""

from bot.sandbox.slack.api.args import Args
from bot.sandbox.slack.api.lookups import channel_of, must_be_member, must_be_open, page_of, require_scope
from bot.sandbox.slack.api.shapes import channel_shape
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.records import Channel, Json
from bot.sandbox.slack.team import Team

OPEN_MAX = 8


def invite(team: Team, args: Args) -> Json:
    """All or nothing, unless `force` says to continue past those who cannot be invited."""
    channel = channel_of(team, args, method="conversations.invite")
    must_be_open(channel)
    must_be_member(team, channel)
    users = args.names("users")
    if not users:
        raise SlackError("no_user")
    if len(users) > team.settings.invite_max:
        raise SlackError("invalid_arguments", f"[ERROR] at most {team.settings.invite_max} users [json-pointer:/users]")
    refused = [(user, code) for user in users if (code := _obstacle(team, channel, user))]
    if refused and not (args.flag("force") and len(refused) < len(users)):
        errors = [{"user": user, "ok": False, "error": code} for user, code in refused]
        raise SlackError(refused[0][1], errors=errors)
    bad = {user for user, _ in refused}
    for user in users:
        if user not in bad and user not in channel.members:
            team.join(channel, user, inviter=team.bot_user_id)
    errors = [{"user": user, "ok": False, "error": code} for user, code in refused]
    return {"channel": channel_shape(team, channel)} | ({"errors": errors} if errors else {})


def kick(team: Team, args: Args) -> Json:
    channel = channel_of(team, args, method="conversations.kick")
    must_be_member(team, channel)
    user = args.text("user")
    if user not in team.users:
        raise SlackError("user_not_found")
    if user == team.bot_user_id:
        raise SlackError("cant_kick_self")
    if channel.is_general:
        raise SlackError("cant_kick_from_general")
    if user not in channel.members:
        raise SlackError("not_in_channel")
    team.part(channel, user)
    return {}


def join(team: Team, args: Args) -> Json:
    channel = channel_of(team, args)
    if channel.kind != "public":
        raise SlackError("method_not_supported_for_channel_type")
    must_be_open(channel)
    if team.bot_user_id in channel.members:
        shape = channel_shape(team, channel)
        return {"channel": shape, "warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    team.join(channel, team.bot_user_id)
    return {"channel": channel_shape(team, channel)}


def leave(team: Team, args: Args) -> Json:
    channel = channel_of(team, args, method="conversations.leave")
    must_be_open(channel)
    if channel.is_general:
        raise SlackError("cant_leave_general")
    if team.bot_user_id in channel.members:
        team.part(channel, team.bot_user_id)
    return {}


def members(team: Team, args: Args) -> Json:
    channel = channel_of(team, args, method="conversations.members")
    people = [{"id": member} for member in channel.members]
    page, cursor = page_of(args, people, default=100, most=999)
    return {"members": [person["id"] for person in page], "response_metadata": {"next_cursor": cursor}}


def open_conversation(team: Team, args: Args) -> Json:
    """Direct messages with one person, or a group of up to eight."""
    if "channel" in args:
        channel = channel_of(team, args, method="conversations.open")
        if channel.kind not in ("im", "mpim"):
            raise SlackError("method_not_supported_for_channel_type")
        return {"no_op": True, "already_open": True} | _opened(team, channel, args)
    users = args.names("users")
    if not users:
        raise SlackError("users_list_not_supplied")
    if len(users) > OPEN_MAX:
        raise SlackError("too_many_users")
    if any(user not in team.users for user in users):
        raise SlackError("user_not_found")
    if len(users) == 1:
        require_scope(team, "conversations.open", "im")
        channel, there = team.open_im(users[0])
        return ({"no_op": True, "already_open": True} if there else {}) | _opened(team, channel, args)
    require_scope(team, "conversations.open", "mpim")
    name = "mpdm-" + "--".join(team.users[user].name for user in users) + "-1"
    found = next((c for c in team.channels.values() if c.name == name), None)
    everyone = (team.bot_user_id, *users)
    return _opened(team, found or team.make_channel(name, creator=team.bot_user_id, members=everyone, kind="mpim"), args)


def close(team: Team, args: Args) -> Json:
    channel = channel_of(team, args, method="conversations.close")
    if channel.kind not in ("im", "mpim"):
        raise SlackError("method_not_supported_for_channel_type")
    return {}


METHODS = {
    "conversations.invite": invite,
    "conversations.kick": kick,
    "conversations.join": join,
    "conversations.leave": leave,
    "conversations.members": members,
    "conversations.open": open_conversation,
    "conversations.close": close,
}

EMITS = {
    "conversations.invite": (
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "no_user",
        "user_not_found",
        "cant_invite_self",
        "already_in_channel",
    ),
    "conversations.kick": (
        "channel_not_found",
        "not_in_channel",
        "user_not_found",
        "cant_kick_self",
        "cant_kick_from_general",
    ),
    "conversations.join": ("channel_not_found", "is_archived", "method_not_supported_for_channel_type"),
    "conversations.leave": ("channel_not_found", "is_archived", "cant_leave_general"),
    "conversations.members": ("channel_not_found", "invalid_cursor", "invalid_limit"),
    "conversations.open": (
        "channel_not_found",
        "method_not_supported_for_channel_type",
        "users_list_not_supplied",
        "too_many_users",
        "user_not_found",
    ),
    "conversations.close": ("channel_not_found", "method_not_supported_for_channel_type"),
}


def _obstacle(team: Team, channel: Channel, user: str) -> str | None:
    if user == team.bot_user_id:
        return "cant_invite_self"
    if user not in team.users:
        return "user_not_found"
    return "already_in_channel" if user in channel.members else None


def _opened(team: Team, channel: Channel, args: Args) -> Json:
    whole = channel.kind == "im" and args.flag("return_im")
    shape = channel_shape(team, channel) | {"is_open": True} if whole else {"id": channel.id}
    return {"channel": shape}
