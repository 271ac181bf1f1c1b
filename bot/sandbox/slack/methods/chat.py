"""chat.*: posting, editing, whispering and deleting messages."""

import json
import re
from collections.abc import Callable
from functools import partial

from bot.sandbox.slack.api.args import Args
from bot.sandbox.slack.api.limits import Limits
from bot.sandbox.slack.api.lookups import channel_of, message_of, must_be_member, must_be_open
from bot.sandbox.slack.api.shapes import message_shape, permalink_of
from bot.sandbox.slack.block_kit.blocks import check_blocks, filled_in
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.events import changed_event, deleted_event, message_event
from bot.sandbox.slack.records import Channel, Json, Message
from bot.sandbox.slack.team import Team

ATTACHMENTS_MAX = 100
MARKDOWN_MAX = 12_000
EVENT_TYPE = re.compile(r"[a-z][a-z0-9_]*")


def post(limits: Limits, team: Team, args: Args) -> Json:
    """chat.postMessage. Text over 40,000 characters is cut, and the reply warns of it."""
    channel = _target(team, args)
    must_be_open(channel)
    if team.bot_user_id not in channel.members and "chat:write.public" not in team.scopes:
        raise SlackError("not_in_channel")
    text, blocks, attachments = _content(team, args, too_long="msg_blocks_too_long")
    metadata = _metadata(team, args)
    thread_ts = _thread(team, channel, args)
    limits.count_message(channel.id)
    cut = text[: team.settings.text_max]
    message = team.post(
        channel,
        team.bot_user_id,
        cut,
        blocks=blocks,
        attachments=attachments,
        metadata=metadata,
        thread_ts=thread_ts,
        bot=True,
        broadcast=args.flag("reply_broadcast"),
    )
    team.emit(message_event(team, message))
    shape = message_shape(team, message, metadata=True, counts=False)
    reply: Json = {"channel": channel.id, "ts": message.ts, "message": shape}
    if len(cut) < len(text):
        reply["response_metadata"] = {"messages": ["[WARN] message_truncated"]}
    return reply


def update(team: Team, args: Args) -> Json:
    """chat.update: only the app's own messages, and at most 4,000 characters."""
    channel = channel_of(team, args)
    message = message_of(team, channel, args.text("ts"))
    if channel.is_archived:
        raise SlackError("is_inactive")
    if not message.bot or message.subtype or team.bot_user_id not in channel.members:
        raise SlackError("cant_update_message")
    text, blocks, attachments = _content(team, args, too_long="msg_too_long")
    if len(text) > team.settings.update_text_max:
        raise SlackError("msg_too_long")
    metadata = _metadata(team, args)
    before = message_shape(team, message, counts=False)
    message.text = text
    # Slack keeps what is not mentioned, except that new text without blocks removes the old blocks.
    message.blocks = blocks
    message.attachments = attachments
    message.metadata = metadata if "metadata" in args else message.metadata
    message.edited_ts = team.new_ts()
    team.changed()
    team.emit(changed_event(team, message, before))
    shape = message_shape(team, message, metadata=True, counts=False)
    del shape["ts"]  # it is returned beside the message, not in it
    shape.pop("thread_ts", None)
    return {"channel": channel.id, "ts": message.ts, "text": text, "message": shape}


def whisper(limits: Limits, team: Team, args: Args) -> Json:
    """chat.postEphemeral: only to a member of the channel, and not stored."""
    channel = channel_of(team, args)
    must_be_open(channel)
    must_be_member(team, channel)
    user = args.text("user")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    text, blocks, attachments = _content(team, args, too_long="msg_too_long")
    if len(text) > team.settings.text_max:
        raise SlackError("msg_too_long")
    thread_ts = _thread(team, channel, args)
    limits.count_message(channel.id)
    message = team.whisper(
        channel,
        user,
        text,
        user=team.bot_user_id,
        blocks=blocks,
        attachments=attachments,
        thread_ts=thread_ts,
        bot=True,
    )
    return {"message_ts": message.ts}


def delete(team: Team, args: Args) -> Json:
    channel = channel_of(team, args)
    message = message_of(team, channel, args.text("ts"))
    if not message.bot or message.subtype or channel.is_archived:
        raise SlackError("cant_delete_message")
    team.delete(channel, message)
    team.emit(deleted_event(team, message))
    return {"channel": channel.id, "ts": message.ts}


def permalink(team: Team, args: Args) -> Json:
    channel = channel_of(team, args)
    message = message_of(team, channel, args.text("message_ts"))
    return {"channel": channel.id, "permalink": permalink_of(team, message)}


def methods(limits: Limits) -> dict[str, Callable[[Team, Args], Json]]:
    """The methods of this file; two of them also count messages in a channel."""
    return {
        "chat.postMessage": partial(post, limits),
        "chat.postEphemeral": partial(whisper, limits),
        "chat.update": update,
        "chat.delete": delete,
        "chat.getPermalink": permalink,
    }


CONTENT = ("no_text", "markdown_text_conflict", "invalid_blocks", "invalid_blocks_format", "too_many_attachments")
METADATA = ("invalid_metadata_format", "invalid_metadata_schema", "metadata_too_large")
EMITS = {
    "chat.postMessage": (
        *CONTENT,
        *METADATA,
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "msg_blocks_too_long",
        "cannot_reply_to_message",
    ),
    "chat.update": (
        *CONTENT,
        *METADATA,
        "channel_not_found",
        "message_not_found",
        "is_inactive",
        "cant_update_message",
        "msg_too_long",
    ),
    "chat.postEphemeral": (
        *CONTENT,
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "user_not_in_channel",
        "msg_too_long",
        "cannot_reply_to_message",
    ),
    "chat.delete": ("channel_not_found", "message_not_found", "cant_delete_message"),
    "chat.getPermalink": ("channel_not_found", "message_not_found"),
}


def _target(team: Team, args: Args) -> Channel:
    """chat.postMessage also takes a channel's name, and a person's id for a direct message."""
    wanted = args.text("channel")
    if wanted in team.users and wanted != team.bot_user_id:
        return team.open_im(wanted)[0]
    if wanted not in team.channels:
        try:
            named = team.channel_named(wanted)
        except KeyError:
            raise SlackError("channel_not_found") from None
        return channel_of(team, Args({"channel": named.id}))
    return channel_of(team, args)


def _content(team: Team, args: Args, *, too_long: str) -> tuple[str, list[Json], list[Json]]:
    text = args.text("text")
    blocks = args.structure("blocks", "invalid_blocks_format")
    attachments = args.structure("attachments", "invalid_arguments") or []
    markdown = args.text("markdown_text")
    if markdown:
        if text or blocks:
            raise SlackError("markdown_text_conflict")
        if len(markdown) > MARKDOWN_MAX:
            raise SlackError("invalid_arguments", "[ERROR] at most 12000 characters [json-pointer:/markdown_text]")
        blocks = [{"type": "markdown", "text": markdown}]
        text = markdown
    if not isinstance(attachments, list):
        raise SlackError("invalid_arguments", "[ERROR] must be an array [json-pointer:/attachments]")
    if len(attachments) > ATTACHMENTS_MAX:
        raise SlackError("too_many_attachments")
    if blocks is not None and not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    if not text and not blocks and not attachments:
        raise SlackError("no_text")
    problems = check_blocks(blocks or [], surface="message")
    if problems:
        raise SlackError("invalid_blocks", *problems)
    if len(json.dumps(blocks or [], ensure_ascii=False)) > team.settings.blocks_max_chars:
        raise SlackError(too_long)
    return text, filled_in(team.new_id, blocks or []), attachments


def _metadata(team: Team, args: Args) -> Json | None:
    metadata = args.structure("metadata", "invalid_metadata_format")
    if metadata is None or metadata == {}:  # an empty object removes it
        return None
    if not isinstance(metadata, dict) or set(metadata) - {"event_type", "event_payload"}:
        raise SlackError("invalid_metadata_format")
    kind, payload = metadata.get("event_type"), metadata.get("event_payload")
    if not isinstance(kind, str) or not EVENT_TYPE.fullmatch(kind) or not isinstance(payload, dict):
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(metadata)) > team.settings.metadata_max_bytes:
        raise SlackError("metadata_too_large")
    return metadata


def _thread(team: Team, channel: Channel, args: Args) -> str | None:
    thread_ts = args.maybe("thread_ts")
    if not thread_ts:
        return None
    root: Message | None = team.message(channel, thread_ts)
    if root is None or root.subtype:
        raise SlackError("cannot_reply_to_message")
    return root.thread_ts or root.ts
