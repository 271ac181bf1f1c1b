"""Messages that people point at: fetched from Slack if they come without their text, and prepared for a timeline."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.model import Actor
from bot.core.record.incident import SourceFile, SourceMessage
from bot.ports.payload_reading import Unreadable, written
from bot.ports.payloads import Press, Who, Written
from bot.verbs.verb import TEXT_CHARS
from bot.views.form_parts import METADATA_MAX
from bot.views.text import cut
from commands.parsing.parse import typed

FAILED = (SlackClientError, aiohttp.ClientError, TimeoutError)
NAMELESS = re.compile(r"<@([UW][A-Z0-9]{1,30})>")
MOST_NAMES = 5  # mentions in one message to look up; further ones stay ids
ADDRESS = re.compile(r"[a-z0-9-]{1,60}")


class CannotRead(Exception):  # noqa: N818 # an outcome, not a bug
    """Slack does not give us the message; the text says why."""


async def read(client: AsyncWebClient, channel: str, ts: str) -> Written:
    """The current message, in a thread or not. Raises CannotRead."""
    try:
        reply = await client.conversations_replies(channel=channel, ts=ts, oldest=ts, latest=ts, inclusive=True, limit=10)
        found = [written(one, channel) for one in reply.get("messages") or () if isinstance(one, dict) and one.get("ts") == ts]
    except SlackApiError as refusal:
        raise CannotRead(f"Slack says {refusal.response.get('error', 'no')}") from refusal
    except FAILED as error:
        raise CannotRead("Slack does not answer") from error
    except Unreadable as why:
        raise CannotRead(str(why)) from why
    if not found or found[0].gone:
        raise CannotRead("it was deleted")
    return found[0]


async def source(client: AsyncWebClient, message: Written, domain: str = "") -> SourceMessage:
    """The message with names instead of ids, and its address."""
    return SourceMessage(
        message.channel, message.ts, await _author(client, message), await words(client, message.text),
        datetime.fromtimestamp(float(message.ts), UTC), await _address(client, message, domain),
        tuple(SourceFile(name, link) for name, link in message.files), message.edited_ts,
    )  # fmt: skip


async def words(client: AsyncWebClient, text: str) -> str:
    """A message's text as people read it, with the names of people it mentions."""
    for id in list(dict.fromkeys(NAMELESS.findall(text)))[:MOST_NAMES]:
        text = text.replace(f"<@{id}>", f"@{await _name(client, id) or id}")
    return cut(typed(text).strip(), TEXT_CHARS)


async def _author(client: AsyncWebClient, message: Written) -> Actor:
    if message.who is None:
        return Actor.outsider("", "somebody")
    name = message.who.name or await _name(client, message.who.id)
    return Actor.outsider(message.who.id, name) if message.is_bot else Actor.person(message.who.id, name)


async def _name(client: AsyncWebClient, user: str) -> str:
    """Their display name; empty if Slack does not say."""
    if user[:1] not in ("U", "W"):
        return ""
    try:
        found: dict[str, Any] = (await client.users_info(user=user)).get("user") or {}
    except FAILED:
        return ""
    profile = found.get("profile") or {}
    names = (profile.get("display_name"), found.get("real_name"), found.get("name"))
    return str(next(filter(None, names), ""))


async def _address(client: AsyncWebClient, message: Written, domain: str) -> str:
    """Its permalink. Slack does not tell it if the bot is not in the channel, but it can be constructed."""
    try:
        reply = await client.chat_getPermalink(channel=message.channel, message_ts=message.ts)
        return str(reply.get("permalink") or "")
    except FAILED:
        if not ADDRESS.fullmatch(domain) or not message.channel.isalnum():
            return ""
        link = f"https://{domain}.slack.com/archives/{message.channel}/p{message.ts.replace('.', '')}"
        in_thread = message.thread_ts and message.thread_ts != message.ts
        return f"{link}?thread_ts={message.thread_ts}&cid={message.channel}" if in_thread else link


# --- in a form, which carries the message, since the bot may not be in its channel


IN_A_BUTTON = 700  # of a button's 2,000: escaping may double it, and there is a title beside it


def packed(message: Written, domain: str, most: int = METADATA_MAX) -> str:
    """The message packed into a form or a button; files and text are cut to fit."""
    who = message.who or Who("")
    carried = {
        "channel": message.channel, "ts": message.ts, "thread": message.thread_ts, "edited": message.edited_ts,
        "who": [who.id, who.name[:80], message.is_bot], "domain": domain, "files": [], "text": "",
    }  # fmt: skip
    for name, link in message.files:
        more = {**carried, "files": [*carried["files"], [name[:60], link]]}
        if _chars(more) < most // 2:
            carried = more
    text = message.text
    while text and _chars({**carried, "text": text}) > most:
        text = cut(text, max(len(text) - max(_chars({**carried, "text": text}) - most, 20), 0))
    return json.dumps({**carried, "text": text}, ensure_ascii=False, separators=(",", ":"))


def _chars(carried: dict[str, Any]) -> int:
    return len(json.dumps(carried, ensure_ascii=False, separators=(",", ":")))


def unpacked(metadata: str) -> tuple[Written, str]:
    """The message packed into a form, and the workspace's name in addresses. Raises ValueError if we did not write it."""
    try:
        found = json.loads(metadata)
        id, name, is_bot = found["who"]
        shape = {
            "ts": found["ts"], "thread_ts": found["thread"], "text": found["text"], "user": id,
            "files": [{"title": title, "permalink": link} for title, link in found["files"]],
            "edited": {"ts": found["edited"]} if found["edited"] else None,
        }  # fmt: skip
        message, domain = written(shape, str(found["channel"])), str(found["domain"])
    except (ValueError, KeyError, TypeError, RecursionError, Unreadable) as error:
        raise ValueError("the form does not hold a message") from error
    who = replace(message.who, name=str(name)) if message.who else None
    return replace(message, who=who, is_bot=bool(is_bot)), domain


async def along(client: AsyncWebClient, pressed: Press) -> tuple[Written, str] | None:
    """The message carried by a pressed button or by the form around it: in its current version if it can be read.

    None if there is none.
    """
    carried = pressed.value.get("message", pressed.metadata)
    try:
        message, domain = unpacked(carried if isinstance(carried, str) else "")
    except ValueError:
        return None
    try:
        now = await read(client, message.channel, message.ts)
    except CannotRead:
        return message, domain
    return now, domain
