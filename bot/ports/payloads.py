"""What Slack sends, as it was read at the door (`bot.ports.payload_reading`): a small frozen value for each kind of payload.

Nothing behind the door looks into a payload of a kind that is read here for something that was not checked: a field is text of
a sane length, or absent.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from bot.core.lazy_dataclass import dataclass

READ = "payload_read"  # where Bolt's context holds what was read, for the listeners


Json = Mapping[str, Any]


@dataclass(frozen=True)
class Who:
    """The person as the payload names them; `team` is their own workspace, which may be another one than ours."""

    id: str
    name: str = ""
    team: str = ""
    zone: str = ""  # their time zone, such as Europe/Berlin; only the reception says so, where Slack did
    is_member: bool = False  # a full member of our workspace; only the reception (`bot.slack.reception`) says so


@dataclass(frozen=True)
class Command:
    """A slash command."""

    id: str  # the same when Slack sends it again
    who: Who
    channel: str
    word: str
    text: str
    trigger: str
    response_url: str


@dataclass(frozen=True)
class Press:
    """A button was pressed, or something was chosen in a menu. `message` is None where only one person sees it."""

    id: str
    who: Who
    channel: str
    action: str
    value: Json  # what our buttons carry; of another make: nothing that we trust
    label: str
    is_link: bool
    message: "Pressed | None"
    trigger: str
    response_url: str
    view: str = ""  # the form around the button, by its id
    at_home: bool = False  # it stands on the Home tab
    metadata: str = ""  # what that form carries


@dataclass(frozen=True)
class Pressed:
    """The message around a button."""

    ts: str
    text: str
    blocks: tuple[Json, ...]


@dataclass(frozen=True)
class Form:
    """A form was sent, or closed. `fields` holds what was typed or chosen, by action_id; absent where it was left empty."""

    id: str
    who: Who
    callback: str
    fields: Mapping[str, str]
    metadata: str
    trigger: str
    closed: bool = False
    view: str = ""  # its id; the same when it is sent a second time


@dataclass(frozen=True)
class Written:
    """A message as somebody wrote it: `text` in Slack's markup, empty where it has none. `gone`: deleted, its thread stays."""

    channel: str
    ts: str
    thread_ts: str = ""
    who: Who | None = None  # None = it names nobody
    is_bot: bool = False
    text: str = ""
    files: tuple[tuple[str, str], ...] = ()  # name and permalink of each
    edited_ts: str = ""
    gone: bool = False


@dataclass(frozen=True)
class Shortcut:
    """A shortcut, of a message or of the whole workspace."""

    id: str
    who: Who
    callback: str
    channel: str
    trigger: str
    response_url: str
    message: Written | None = None  # None = of the whole workspace
    domain: str = ""  # of the workspace, as it stands in its addresses


@dataclass(frozen=True)
class Reaction:
    """Somebody put an emoji on a message, or took it off."""

    id: str
    who: Who
    channel: str
    ts: str
    emoji: str
    added: bool


@dataclass(frozen=True)
class Changed:
    """A message was edited, or deleted (`message` is None, or gone)."""

    id: str
    channel: str
    ts: str
    message: Written | None


@dataclass(frozen=True)
class Question:
    """A person wrote to the bot: by its name in a channel, or in a direct message. What bots write, and edits, are none."""

    id: str  # of the message: the same however Slack tells of it
    who: Who
    channel: str
    ts: str
    text: str  # in Slack's markup, the bot's own name included
    thread_ts: str = ""  # of the thread in which it stands; empty = in none
    direct: bool = False


@dataclass(frozen=True)
class Menu:
    """A menu asks what to offer."""

    id: str
    who: Who
    action: str


@dataclass(frozen=True)
class Event:
    """Something happened in the workspace. `who` is nobody where it names nobody."""

    id: str
    who: Who
    name: str
    channel: str
    body: Json = field(repr=False)


Payload = Command | Press | Form | Shortcut | Menu | Event | Reaction | Changed | Question
