"""pins.* and bookmarks.*: what a channel keeps at hand."""

import re
from urllib.parse import urlsplit

from bot.sandbox.slack.api.args import Args
from bot.sandbox.slack.api.lookups import channel_of, message_of, must_be_member
from bot.sandbox.slack.api.shapes import bookmark_shape, permalink_of
from bot.sandbox.slack.errors import SlackError
from bot.sandbox.slack.records import Bookmark, Channel, Json
from bot.sandbox.slack.team import Team

TITLE_MAX, LINK_MAX = 256, 2048
TS = re.compile(r"\d{10}\.\d{6}")
EMOJI = re.compile(r":[a-z0-9_+'-]+:")


def pin(team: Team, args: Args) -> Json:
    channel = channel_of(team, args)
    must_be_member(team, channel)
    message = message_of(team, channel, _timestamp(args))
    if message.subtype:
        raise SlackError("not_pinnable")
    if message.ts in channel.pins:
        raise SlackError("already_pinned")
    if len(channel.pins) >= team.settings.pins_max:
        raise SlackError("too_many_pins")
    channel.pins[message.ts] = (team.bot_user_id, team.now())
    team.changed()
    return {}


def unpin(team: Team, args: Args) -> Json:
    channel = channel_of(team, args)
    message = message_of(team, channel, _timestamp(args))
    if message.ts not in channel.pins:
        raise SlackError("no_pin")
    del channel.pins[message.ts]
    team.changed()
    return {}


def pins(team: Team, args: Args) -> Json:
    channel = channel_of(team, args)
    items = []
    for ts, (who, when) in reversed(channel.pins.items()):
        message = message_of(team, channel, ts)
        shape = {
            "type": "message",
            "user": message.user,
            "text": message.text,
            "ts": message.ts,
            "permalink": permalink_of(team, message),
            "pinned_to": [channel.id],
        }
        items.append({"type": "message", "created": when, "created_by": who, "message": shape, "channel": channel.id})
    return {"items": items}


def add_bookmark(team: Team, args: Args) -> Json:
    channel = _bookmarked(team, args)
    if args.text("type") != "link":
        raise SlackError("invalid_bookmark_type")
    title, link, emoji = _checked_title(args), _checked_link(args), _checked_emoji(args)
    if len(channel.bookmarks) >= team.settings.bookmarks_max:
        raise SlackError("too_many_bookmarks")
    now = team.now()
    bookmark = Bookmark(team.new_id("Bk"), channel.id, title, link, emoji, now, now, team.bot_user_id)
    channel.bookmarks.append(bookmark)
    team.changed()
    return {"bookmark": bookmark_shape(team, bookmark)}


def edit_bookmark(team: Team, args: Args) -> Json:
    bookmark = _bookmark(_bookmarked(team, args), args)
    title = _checked_title(args) if "title" in args else bookmark.title
    link = _checked_link(args) if "link" in args else bookmark.link
    emoji = _checked_emoji(args) if "emoji" in args else bookmark.emoji
    bookmark.title, bookmark.link, bookmark.emoji, bookmark.updated = title, link, emoji, team.now()
    team.changed()
    return {"bookmark": bookmark_shape(team, bookmark)}


def bookmarks(team: Team, args: Args) -> Json:
    return {"bookmarks": [bookmark_shape(team, bookmark) for bookmark in _bookmarked(team, args).bookmarks]}


def remove_bookmark(team: Team, args: Args) -> Json:
    channel = _bookmarked(team, args)
    channel.bookmarks.remove(_bookmark(channel, args))
    team.changed()
    return {}


METHODS = {
    "pins.add": pin,
    "pins.remove": unpin,
    "pins.list": pins,
    "bookmarks.add": add_bookmark,
    "bookmarks.edit": edit_bookmark,
    "bookmarks.list": bookmarks,
    "bookmarks.remove": remove_bookmark,
}

PIN = ("channel_not_found", "no_item_specified", "bad_timestamp", "message_not_found")
EMITS = {
    "pins.add": (*PIN, "not_in_channel", "not_pinnable", "already_pinned", "too_many_pins"),
    "pins.remove": (*PIN, "no_pin"),
    "pins.list": ("channel_not_found",),
    "bookmarks.add": (
        "channel_not_found",
        "access_denied",
        "invalid_bookmark_type",
        "invalid_link",
        "invalid_emoji",
        "too_many_bookmarks",
    ),
    "bookmarks.edit": ("channel_not_found", "access_denied", "invalid_link", "invalid_emoji", "not_found"),
    "bookmarks.list": ("channel_not_found", "access_denied"),
    "bookmarks.remove": ("channel_not_found", "access_denied", "not_found"),
}


def _timestamp(args: Args) -> str:
    ts = args.text("timestamp")
    if not ts:
        raise SlackError("no_item_specified")
    if not TS.fullmatch(ts):
        raise SlackError("bad_timestamp")
    return ts


def _bookmarked(team: Team, args: Args) -> Channel:
    channel = channel_of(team, args, arg="channel_id")
    must_be_member(team, channel, code="access_denied")
    return channel


def _bookmark(channel: Channel, args: Args) -> Bookmark:
    wanted = args.text("bookmark_id")
    for bookmark in channel.bookmarks:
        if bookmark.id == wanted:
            return bookmark
    raise SlackError("not_found")


def _checked_title(args: Args) -> str:
    title = args.text("title")
    if not 1 <= len(title) <= TITLE_MAX:
        raise SlackError("invalid_arguments", f"[ERROR] must be 1 to {TITLE_MAX} characters [json-pointer:/title]")
    return title


def _checked_link(args: Args) -> str:
    link = args.text("link")
    try:
        parts = urlsplit(link)
    except ValueError:
        raise SlackError("invalid_link") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or len(link) > LINK_MAX:
        raise SlackError("invalid_link")
    return link


def _checked_emoji(args: Args) -> str:
    emoji = args.text("emoji")
    if emoji and not EMOJI.fullmatch(emoji):
        raise SlackError("invalid_emoji")
    return emoji
