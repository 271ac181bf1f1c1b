"""Slack's payloads as parsed at the door (`bot.ports.payload_reading`): a small frozen value for each kind.

Code behind the door reads these kinds only here, so everything was checked: a field is text of a sane length, or absent.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from bot.core.lazy_dataclass import dataclass

READ = "payload_read"  # the key in Bolt's context for the parsed payload


Json = Mapping[str, Any]


@dataclass(frozen=True)
class Who:
    """The person named in the payload; `team` is their own workspace, which may not be ours."""

    id: str
    name: str = ""
    team: str = ""
    zone: str = ""  # their time zone, such as Europe/Berlin; set only by the reception, if Slack said so
    is_member: bool = False  # a full member of our workspace; set only by the reception (`bot.slack.reception`)


@dataclass(frozen=True)
class Command:
    """A slash command."""

    id: str  # equal if Slack sends it again
    who: Who
    channel: str
    word: str
    text: str
    trigger: str
    response_url: str


@dataclass(frozen=True)
class Press:
    """A button was pressed, or a menu choice made. `message` is None if only one person sees it."""

    id: str
    who: Who
    channel: str
    action: str
    value: Json  # of our buttons; untrusted otherwise
    label: str
    is_link: bool
    message: "Pressed | None"
    trigger: str
    response_url: str
    view: str = ""  # id of the form around the button
    at_home: bool = False  # whether it is on the Home tab
    metadata: str = ""  # what that form carries


@dataclass(frozen=True)
class Pressed:
    """The message around a button."""

    ts: str
    text: str
    blocks: tuple[Json, ...]


@dataclass(frozen=True)
class Form:
    """A form was sent, or closed. `fields` holds values typed or chosen, by action_id; absent if left empty."""

    id: str
    who: Who
    callback: str
    fields: Mapping[str, str]
    metadata: str
    trigger: str
    closed: bool = False
    view: str = ""  # its id; equal if it is sent again


@dataclass(frozen=True)
class Written:
    """A message as written: `text` in Slack's markup, empty if none. `gone`: deleted, but its thread remains."""

    channel: str
    ts: str
    thread_ts: str = ""
    who: Who | None = None  # None = unknown
    is_bot: bool = False
    text: str = ""
    files: tuple[tuple[str, str], ...] = ()  # name and permalink of each
    edited_ts: str = ""
    gone: bool = False


@dataclass(frozen=True)
class Shortcut:
    """A shortcut, on a message or global."""

    id: str
    who: Who
    callback: str
    channel: str
    trigger: str
    response_url: str
    message: Written | None = None  # None = global
    domain: str = ""  # of the workspace, as in its addresses


@dataclass(frozen=True)
class Reaction:
    """Somebody added an emoji to a message, or removed it."""

    id: str
    who: Who
    channel: str
    ts: str
    emoji: str
    added: bool


@dataclass(frozen=True)
class Changed:
    """A message was edited or deleted (`message` is None, or gone)."""

    id: str
    channel: str
    ts: str
    message: Written | None


@dataclass(frozen=True)
class Question:
    """A person wrote to the bot, by mention in a channel or in a direct message. Never from bots, never an edit."""

    id: str  # of the message: equal however Slack reports it
    who: Who
    channel: str
    ts: str
    text: str  # in Slack's markup, including the bot's own mention
    thread_ts: str = ""  # of the thread it is in; empty = none
    direct: bool = False


@dataclass(frozen=True)
class Menu:
    """A menu asks what to offer."""

    id: str
    who: Who
    action: str


@dataclass(frozen=True)
class Event:
    """Something happened in the workspace. `who` is empty if it names nobody."""

    id: str
    who: Who
    name: str
    channel: str
    body: Json = field(repr=False)


Payload = Command | Press | Form | Shortcut | Menu | Event | Reaction | Changed | Question
