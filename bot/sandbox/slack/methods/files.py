"""files.*: the three steps of an upload, and checking whether it appeared."""

import mimetypes
import secrets
from functools import partial

from bot.sandbox.slack.api.args import Args
from bot.sandbox.slack.api.lookups import must_be_member
from bot.sandbox.slack.api.shapes import file_shape
from bot.sandbox.slack.block_kit.blocks import check_blocks, filled_in
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.events import message_event
from bot.sandbox.slack.records import Channel, File, Json
from bot.sandbox.slack.team import Team

ALT_TEXT_MAX, SNIPPET_MAX, CHANNELS_MAX = 1000, 1_000_000, 100


def get_upload_url(team: Team, args: Args) -> Json:
    length, name = args.number("length", 0), args.text("filename")
    if length < 1 or not name:
        raise SlackError("invalid_arguments", "[ERROR] length and filename must not be empty")
    if len(args.text("alt_txt")) > ALT_TEXT_MAX:
        raise SlackError("alt_txt_too_large")
    if "snippet_type" in args and length > SNIPPET_MAX:
        raise SlackError("snippet_too_large")
    if length > team.settings.file_max_bytes:
        raise SlackError("file_upload_size_restricted")
    kind = mimetypes.guess_type(name)[0] or "text/plain"
    file = File(team.new_id("F"), name, name, length, team.now(), kind, upload_key=secrets.token_hex(12))
    team.files[file.id] = file
    return {"upload_url": f"{team.base_url}/upload/{file.upload_key}", "file_id": file.id}


def complete_upload(team: Team, args: Args) -> Json:
    """Reply at once with empty `shares`; the message with the file comes a moment later, or after a fault never."""
    files = _uploaded(team, args)
    wanted = args.names("channels") or args.names("channel_id")
    if len(wanted) > CHANNELS_MAX:
        raise SlackError("channels_limit_exceeded")
    channels = [_shared_to(team, channel_id) for channel_id in wanted]
    thread_ts, comment, blocks = args.maybe("thread_ts"), args.text("initial_comment"), _blocks(team, args)
    reply = [file_shape(team, file) for file in files]
    for file in files:
        file.completed = True
    for channel in channels:
        land = partial(share, team, channel, files, comment, blocks, thread_ts)
        if not team.loses_share():
            team.later(team.settings.file_share_after_s, land)
    return {"files": reply}


def share(
    team: Team,
    channel: Channel,
    files: list[File],
    comment: str,
    blocks: list[Json],
    thread_ts: str | None,
) -> None:
    """Post the message with the files in the channel."""
    root = team.message(channel, thread_ts) if thread_ts else None
    where = root.ts if root else None
    fields = {"blocks": blocks, "files": [file.id for file in files], "thread_ts": where, "bot": True}
    message = team.post(channel, team.bot_user_id, comment, **fields)
    for file in files:
        file.shares[channel.id] = {"ts": message.ts, "channel_name": channel.name, "team_id": team.id}
        if where:
            file.shares[channel.id]["thread_ts"] = where
    team.emit(message_event(team, message))


def info(team: Team, args: Args) -> Json:
    file = team.files.get(args.text("file"))
    if file is None or file.data is None:
        raise SlackError("file_not_found")
    return {"file": file_shape(team, file), "comments": []}


METHODS = {
    "files.getUploadURLExternal": get_upload_url,
    "files.completeUploadExternal": complete_upload,
    "files.info": info,
}

EMITS = {
    "files.getUploadURLExternal": ("alt_txt_too_large", "snippet_too_large", "file_upload_size_restricted"),
    "files.completeUploadExternal": (
        "file_not_found",
        "channels_limit_exceeded",
        "invalid_channel",
        "channel_not_found",
        "not_in_channel",
        "posting_to_channel_denied",
        "invalid_blocks",
    ),
    "files.info": ("file_not_found",),
}


def _uploaded(team: Team, args: Args) -> list[File]:
    entries = args.structure("files", "invalid_arguments")
    if not isinstance(entries, list) or not entries or any(not isinstance(entry, dict) for entry in entries):
        raise SlackError("invalid_arguments", "[ERROR] must be a list of objects with an id [json-pointer:/files]")
    files = []
    for entry in entries:
        file = team.files.get(str(entry.get("id")))
        if file is None or file.data is None or file.completed:
            raise SlackError("file_not_found")
        file.title = str(entry.get("title") or file.name)
        files.append(file)
    return files


def _blocks(team: Team, args: Args) -> list[Json]:
    blocks = args.structure("blocks", "invalid_blocks") or []
    problems = check_blocks(blocks, surface="message")
    if problems:
        raise SlackError("invalid_blocks", *problems)
    return filled_in(team.new_id, blocks)


def _shared_to(team: Team, channel_id: str) -> Channel:
    if channel_id[:1] not in ("C", "D", "G"):
        raise SlackError("invalid_channel")
    channel = team.channels.get(channel_id)
    if channel is None or (channel.is_private and team.bot_user_id not in channel.members):
        raise SlackError("channel_not_found")
    if channel.is_archived:
        raise SlackError("posting_to_channel_denied")
    must_be_member(team, channel)
    return channel
