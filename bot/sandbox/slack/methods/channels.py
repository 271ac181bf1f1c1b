"""conversations.*: creating, naming, reading and closing channels."""

import re

from bot.sandbox.slack.api.args import Args
from bot.sandbox.slack.api.lookups import channel_of, must_be_member, must_be_open, page_of, require_scope
from bot.sandbox.slack.api.shapes import channel_shape, message_shape
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.records import Channel, Json, Message
from bot.sandbox.slack.team import Team

NAME_MAX, TEXT_MAX, HISTORY_MAX, LIST_MAX = 80, 250, 999, 1000
KINDS = {"public_channel": "public", "private_channel": "private", "mpim": "mpim", "im": "im"}
TS = re.compile(r"\d{1,12}(\.\d{1,6})?")


def create(team: Team, args: Args) -> Json:
    kind = "private" if args.flag("is_private") else "public"
    require_scope(team, "conversations.create", kind)
    name = _checked_name(team, args.text("name"))
    channel = team.make_channel(name, creator=team.bot_user_id, members=(team.bot_user_id,), kind=kind)
    return {"channel": channel_shape(team, channel)}


def rename(team: Team, args: Args) -> Json:
    channel = channel_of(team, args, method="conversations.rename")
    must_be_open(channel)
    must_be_member(team, channel)
    if channel.creator != team.bot_user_id:
        raise SlackError("not_authorized")  # a bot may rename only what it created
    name = _checked_name(team, args.text("name"))
    channel.previous_names.append(channel.name)
    channel.name = name
    _touch(team, channel)
    team.system_line(channel, team.bot_user_id, "channel_name", f"has renamed the channel to {name}")
    return {"channel": channel_shape(team, channel)}


def archive(team: Team, args: Args) -> Json:
    channel = channel_of(team, args, method="conversations.archive")
    if channel.is_archived:
        raise SlackError("already_archived")
    if channel.is_general:
        raise SlackError("cant_archive_general")
    must_be_member(team, channel)
    team.system_line(channel, team.bot_user_id, "channel_archive", "archived the channel")
    channel.is_archived = True
    channel.members.remove(team.bot_user_id)  # Slack removes the bot, which then cannot read the history
    _touch(team, channel)
    return {}


def unarchive(team: Team, args: Args) -> Json:
    channel = channel_of(team, args, method="conversations.unarchive")
    if not channel.is_archived:
        raise SlackError("not_archived")
    # Undocumented, but long so: a bot token cannot unarchive, since archiving took the bot out of the channel.
    raise SlackError("not_in_channel")


def set_topic(team: Team, args: Args) -> Json:
    channel = _writable(team, args, "conversations.setTopic")
    topic = _short(args.text("topic"))
    if topic != channel.topic:
        channel.topic, channel.topic_by, channel.topic_at = topic, team.bot_user_id, team.now()
        _touch(team, channel)
        team.system_line(channel, team.bot_user_id, "channel_topic", f"set the channel topic: {topic}")
    return {"channel": channel_shape(team, channel)}


def set_purpose(team: Team, args: Args) -> Json:
    channel = _writable(team, args, "conversations.setPurpose")
    purpose = _short(args.text("purpose"))
    if purpose != channel.purpose:
        channel.purpose, channel.purpose_by, channel.purpose_at = purpose, team.bot_user_id, team.now()
        _touch(team, channel)
        team.system_line(channel, team.bot_user_id, "channel_purpose", f"set the channel description: {purpose}")
    return {"channel": channel_shape(team, channel)}


def info(team: Team, args: Args) -> Json:
    channel = channel_of(team, args, method="conversations.info")
    return {"channel": channel_shape(team, channel, member_count=args.flag("include_num_members"))}


def list_channels(team: Team, args: Args) -> Json:
    kinds = _kinds(team, args, "conversations.list")
    seen = [c for c in team.channels.values() if c.kind in kinds and _visible(team, c)]
    return _page(team, args, seen, member_count=True)


def of_user(team: Team, args: Args) -> Json:
    user = args.text("user", team.bot_user_id)
    if user not in team.users:
        raise SlackError("invalid_arguments", "[ERROR] no such user [json-pointer:/user]")
    kinds = _kinds(team, args, "users.conversations")
    mine = [c for c in team.channels.values() if c.kind in kinds and user in c.members and _visible(team, c)]
    reply = _page(team, args, mine)
    for shape in reply["channels"]:
        shape.pop("is_member", None)  # not part of this method's reply
    return reply


def history(team: Team, args: Args) -> Json:
    channel = channel_of(team, args, method="conversations.history")
    must_be_member(team, channel)
    found = [m for m in channel.messages if (not m.is_reply or m.broadcast) and _within(m, args)]
    shapes = [message_shape(team, m, metadata=args.flag("include_all_metadata")) for m in reversed(found)]
    page, cursor = page_of(args, shapes, default=100, most=HISTORY_MAX, limit_code="invalid_arguments")
    return {"messages": page, "has_more": bool(cursor), "pin_count": len(channel.pins)} | _metadata(cursor)


def replies(team: Team, args: Args) -> Json:
    channel = channel_of(team, args, method="conversations.replies")
    must_be_member(team, channel, code="channel_not_found")
    root = team.message(channel, args.text("ts"))
    if root is None:
        raise SlackError("thread_not_found")
    found = [root, *(m for m in team.replies(channel, root.thread_ts or root.ts) if _within(m, args))]
    shapes = [message_shape(team, m, metadata=args.flag("include_all_metadata")) for m in found]
    page, cursor = page_of(args, shapes, default=1000, most=LIST_MAX, limit_code="invalid_arguments")
    return {"messages": page, "has_more": bool(cursor)} | _metadata(cursor)


def mark(team: Team, args: Args) -> Json:
    channel = channel_of(team, args, method="conversations.mark")
    must_be_member(team, channel)
    if not TS.fullmatch(args.text("ts")):
        raise SlackError("invalid_timestamp")
    return {}


METHODS = {
    "conversations.create": create,
    "conversations.rename": rename,
    "conversations.archive": archive,
    "conversations.unarchive": unarchive,
    "conversations.setTopic": set_topic,
    "conversations.setPurpose": set_purpose,
    "conversations.info": info,
    "conversations.list": list_channels,
    "users.conversations": of_user,
    "conversations.history": history,
    "conversations.replies": replies,
    "conversations.mark": mark,
}

NAME_CODES = (
    "invalid_name_required",
    "invalid_name_maxlength",
    "invalid_name_punctuation",
    "invalid_name_specials",
    "name_taken",
)
EMITS = {
    "conversations.create": NAME_CODES,
    "conversations.rename": (*NAME_CODES, "channel_not_found", "not_in_channel", "is_archived", "not_authorized"),
    "conversations.archive": ("channel_not_found", "already_archived", "cant_archive_general", "not_in_channel"),
    "conversations.unarchive": ("channel_not_found", "not_archived", "not_in_channel"),
    "conversations.setTopic": ("channel_not_found", "not_in_channel", "is_archived", "too_long"),
    "conversations.setPurpose": ("channel_not_found", "not_in_channel", "is_archived", "too_long"),
    "conversations.info": ("channel_not_found",),
    "conversations.list": ("invalid_types", "invalid_cursor", "invalid_limit"),
    "users.conversations": ("invalid_types", "invalid_cursor", "invalid_limit"),
    "conversations.history": (
        "channel_not_found",
        "not_in_channel",
        "invalid_cursor",
        "invalid_ts_oldest",
        "invalid_ts_latest",
    ),
    "conversations.replies": (
        "channel_not_found",
        "thread_not_found",
        "invalid_cursor",
        "invalid_ts_oldest",
        "invalid_ts_latest",
    ),
    "conversations.mark": ("channel_not_found", "not_in_channel", "invalid_timestamp"),
}


def _checked_name(team: Team, name: str) -> str:
    if not name:
        raise SlackError("invalid_name_required")
    if len(name) > NAME_MAX:
        raise SlackError("invalid_name_maxlength")
    if not any(c.isalnum() for c in name):
        raise SlackError("invalid_name_punctuation")
    # Letters of any script are allowed; upper case, spaces and punctuation are refused.
    if any(not (c.isalnum() or c in "-_") or c != c.lower() for c in name):
        raise SlackError("invalid_name_specials")
    if team.name_taken(name):
        raise SlackError("name_taken")
    return name


def _short(text: str) -> str:
    if len(text) > TEXT_MAX:
        raise SlackError("too_long")
    return text


def _touch(team: Team, channel: Channel) -> None:
    channel.updated_ms = team.now_ms()
    team.changed()


def _writable(team: Team, args: Args, method: str) -> Channel:
    channel = channel_of(team, args, method=method)
    must_be_open(channel)
    must_be_member(team, channel)
    return channel


def _visible(team: Team, channel: Channel) -> bool:
    return channel.kind == "public" or team.bot_user_id in channel.members


def _kinds(team: Team, args: Args, method: str) -> set[str]:
    asked = args.names("types") or ["public_channel"]
    if any(name not in KINDS for name in asked):
        raise SlackError("invalid_types")
    for name in asked:
        require_scope(team, method, KINDS[name])
    return {KINDS[name] for name in asked}


def _page(team: Team, args: Args, channels: list[Channel], *, member_count: bool = False) -> Json:
    wanted = [c for c in channels if not (args.flag("exclude_archived") and c.is_archived)]
    shapes = [channel_shape(team, c, member_count=member_count and c.kind != "im") for c in wanted]
    page, cursor = page_of(args, shapes, default=100, most=LIST_MAX - 1)
    return {"channels": page, "response_metadata": {"next_cursor": cursor}}


def _within(message: Message, args: Args) -> bool:
    oldest, latest = args.text("oldest"), args.text("latest")
    for text, code in ((oldest, "invalid_ts_oldest"), (latest, "invalid_ts_latest")):
        if text and not TS.fullmatch(text):
            raise SlackError(code)
    at, inclusive = _micros(message.ts), args.flag("inclusive")
    low, high = _micros(oldest or "0"), _micros(latest) if latest else None
    return (at >= low if inclusive else at > low) and (high is None or (at <= high if inclusive else at < high))


def _micros(ts: str) -> int:
    seconds, _, fraction = ts.partition(".")
    return int(seconds) * 1_000_000 + int(fraction.ljust(6, "0") or 0)


def _metadata(cursor: str) -> Json:
    return {"response_metadata": {"next_cursor": cursor}} if cursor else {}
