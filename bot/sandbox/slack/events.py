"""The inner events of the Events API; which of them reach the app depends on its scopes and subscriptions."""

from bot.sandbox.slack.api.shapes import message_shape
from bot.sandbox.slack.records import Json, Message
from bot.sandbox.slack.team import Team

CHANNEL_TYPE = {"public": "channel", "private": "group", "im": "im", "mpim": "mpim"}
SUBSCRIPTION = {"public": "message.channels", "private": "message.groups", "im": "message.im", "mpim": "message.mpim"}


def message_event(team: Team, message: Message) -> Json:
    """A new message, the app's own ones included."""
    channel = team.channels[message.channel]
    event: Json = {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": team.id,
        "channel": channel.id,
        "channel_type": CHANNEL_TYPE[channel.kind],
        "event_ts": message.ts,
    }
    if message.is_reply:
        event["thread_ts"] = message.thread_ts
    if message.bot:
        event["bot_id"] = team.bot_id
    else:
        event["client_msg_id"] = f"{team.id}-{message.ts}".lower()
    if message.blocks:
        event["blocks"] = message.blocks
    if message.files:
        event |= {"subtype": "file_share", "files": message_shape(team, message)["files"]}
    return event


def changed_event(team: Team, message: Message, before: Json) -> Json:
    """A message that was edited; `before` is its shape as it was."""
    event = _about_message(team, message, "message_changed", before)
    return event | {"message": message_shape(team, message, counts=False)}


def deleted_event(team: Team, message: Message) -> Json:
    """A message that was deleted."""
    before = message_shape(team, message, counts=False)
    return _about_message(team, message, "message_deleted", before) | {"deleted_ts": message.ts}


def _about_message(team: Team, message: Message, subtype: str, before: Json) -> Json:
    channel, ts = team.channels[message.channel], team.new_ts()
    return {
        "type": "message",
        "subtype": subtype,
        "hidden": True,
        "channel": channel.id,
        "channel_type": CHANNEL_TYPE[channel.kind],
        "ts": ts,
        "event_ts": ts,
        "previous_message": before,
    }


def mention_event(team: Team, message: Message) -> Json:
    """A message that names the app."""
    event = message_event(team, message) | {"type": "app_mention"}
    event.pop("channel_type")
    return event


def is_wanted(team: Team, event: Json, scope_of: dict[str, str | None]) -> bool:
    """Whether the app subscribed to this event, has its scope, and may see the channel."""
    name = event["type"]
    channel = team.channels.get(event.get("channel", "") or event.get("item", {}).get("channel", ""))
    if name == "message" and channel is not None:
        name = SUBSCRIPTION[channel.kind]
    scope = scope_of.get(name)
    if name not in team.settings.events or (scope is not None and scope not in team.scopes):
        return False
    leaves_itself = name == "member_left_channel" and event["user"] == team.bot_user_id
    return channel is None or team.bot_user_id in channel.members or leaves_itself
