"""The workspace's records: people, channels, messages, views, files, and its settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

SLACKBOT_ID = "USLACKBOT"

BOT_SCOPES = (
    "commands",
    "chat:write",
    "channels:manage",
    "channels:read",
    "channels:join",
    "channels:history",
    "reactions:read",
    "app_mentions:read",
    "im:history",
    "pins:write",
    "bookmarks:read",
    "bookmarks:write",
    "users:read",
    "usergroups:read",
    "files:read",
    "files:write",
)


@dataclass(frozen=True)
class CommandSpec:
    """A slash command that the app's manifest registers."""

    command: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = True  # @ana and #ops arrive as ids


COMMANDS = (
    CommandSpec("/health", "Is it them or us? The board of providers", "[provider]"),
    CommandSpec("/incident", "Declare, update and close incidents", "declare | list | update TEXT | resolve | help"),
    CommandSpec("/fallback", "Switch services to their fallback and back", "status | engage FLAG | release FLAG | help"),
    CommandSpec("/drill", "Practise an outage", "start COMPONENT | stop | report"),
    CommandSpec("/understudy", "About the bot itself", "help | doctor | mute COMPONENT for 1h"),
)

SCOPE_OF_EVENT = {
    "app_home_opened": None,
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "member_joined_channel": "channels:read",
    "member_left_channel": "channels:read",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "user_change": "users:read",
    "subteam_members_changed": "usergroups:read",
    "subteam_updated": "usergroups:read",
}


def tiers_per_minute() -> Mapping[str, int]:
    """Calls a minute for each method; Slack publishes them as lower bounds (docs.slack.dev, rate limits)."""
    return {"t1": 1, "t2": 20, "t3": 50, "t4": 100, "auth_test": 600, "get_permalink": 600, "post_message": 300}


@dataclass(frozen=True)
class Settings:
    """The numbers of the workspace; the defaults are Slack's own, or stricter where Slack publishes none.

    Seconds are real ones: a clock that runs 60 times faster does not shorten the three seconds of a trigger.
    """

    team_name: str = "Understudy Labs"
    team_domain: str = "understudy-labs"
    paid_plan: bool = True
    enterprise_id: str = ""  # of the Enterprise Grid organization that the workspace belongs to; empty = none
    org_install: bool = False  # whether the app is installed for the whole organization
    workspaces: Mapping[str, str] = field(default_factory=dict)  # the other workspaces that the app may work in: name by id
    events: frozenset[str] = frozenset(SCOPE_OF_EVENT)  # what the app subscribes to; each also needs its scope

    home_tab: bool = True  # whether the app has a Home tab
    messages_tab: bool = True  # whether people may write to it
    shortcuts: Mapping[str, str] | None = None  # by callback_id, "global" or "message"; None = any shortcut exists

    ack_within_s: float = 3.0
    event_retries_after_s: tuple[float, ...] = (0.0, 60.0, 300.0)
    max_sockets: int = 10
    ticket_lives_s: float = 60.0
    socket_lives_s: int = 18_060  # only announced in `hello`, as Slack does
    trigger_lives_s: float = 3.0
    response_url_uses: int = 5
    response_url_lives_s: float = 1800.0

    tier_per_minute: Mapping[str, int] = field(default_factory=tiers_per_minute)
    tier_window_s: float = 60.0
    messages_per_s: float = 1.0  # in one channel
    messages_burst: int = 5  # Slack tolerates short bursts and does not say how short

    blocks_max_chars: int = 13_200  # undocumented; slackapi/bolt-js issues 2509 and 2867
    text_max: int = 40_000
    update_text_max: int = 4_000
    metadata_max_bytes: int = 8_000  # there is a limit, but its value is not published
    pins_max: int = 100
    bookmarks_max: int = 100
    invite_max: int = 100
    view_max_bytes: int = 250_000
    file_max_bytes: int = 20_000_000
    file_share_after_s: float = 0.02  # sharing is asynchronous: the reply comes before the message


@dataclass
class User:
    id: str
    name: str
    real_name: str
    color: str
    is_bot: bool = False
    updated: int = 0
    guest: str = ""  # "multi" (several channels) or "single" (one), Slack's two kinds of guests
    deleted: bool = False  # deactivated
    workflow_bot: bool = False  # the user that a workflow of the workspace writes as
    stranger: bool = False  # from another organization, here through Slack Connect
    team_id: str = ""  # if from another workspace
    enterprise_id: str = ""  # their organization, in an Enterprise Grid
    workspaces: tuple[str, ...] = ()  # the organization's workspaces that they are members of
    tz: str = "Etc/UTC"


@dataclass
class Message:
    """A message as stored; `ephemeral_to` names the only reader of a message that Slack does not keep."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    metadata: Json | None = None
    subtype: str | None = None
    bot: bool = False
    edited_ts: str | None = None
    files: list[str] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    ephemeral_to: str | None = None
    broadcast: bool = False
    values: dict[str, dict[str, Json]] = field(default_factory=dict)  # what people picked in its inputs

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass
class Bookmark:
    id: str
    channel: str
    title: str
    link: str
    emoji: str
    created: int
    updated: int
    by: str


@dataclass
class Channel:
    id: str
    name: str
    creator: str
    created: int
    kind: str = "public"  # public, private, im or mpim
    is_general: bool = False
    is_archived: bool = False
    topic: str = ""
    topic_by: str = ""
    topic_at: int = 0
    purpose: str = ""
    purpose_by: str = ""
    purpose_at: int = 0
    members: list[str] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    by_ts: dict[str, Message] = field(default_factory=dict)
    threads: dict[str, list[Message]] = field(default_factory=dict)  # ts of the root -> replies
    pins: dict[str, tuple[str, int]] = field(default_factory=dict)  # ts -> who, when
    bookmarks: list[Bookmark] = field(default_factory=list)
    previous_names: list[str] = field(default_factory=list)
    updated_ms: int = 0

    @property
    def is_private(self) -> bool:
        return self.kind != "public"


@dataclass
class Group:
    """A user group (a paid feature of Slack), such as @oncall."""

    id: str
    handle: str
    name: str
    members: list[str]
    created: int


@dataclass
class File:
    id: str
    name: str
    title: str
    length: int
    created: int
    mimetype: str
    data: bytes | None = None
    completed: bool = False
    shares: dict[str, Json] = field(default_factory=dict)  # channel id -> {"ts", "thread_ts"?}
    upload_key: str = ""


@dataclass
class View:
    """A modal on a person's stack, or their Home tab."""

    id: str
    user: str
    body: Json  # type, title, blocks, callback_id ... as the app gave them
    hash: str
    root_id: str
    previous_id: str | None = None
    values: dict[str, dict[str, Json]] = field(default_factory=dict)


@dataclass
class Trigger:
    user: str
    born_at: float  # Clock.monotonic()
    view_id: str | None = None  # the modal in which it was created
    used: bool = False


@dataclass
class ResponseUrl:
    user: str
    channel: str
    born_at: float
    message_ts: str | None = None
    ephemeral: bool = True
    thread_ts: str | None = None
    uses: int = 0


@dataclass(frozen=True)
class Call:
    """One Web API call that the workspace received."""

    method: str
    args: Json
    at: int  # unix seconds of arrival, domain time
    ok: bool
    error: str | None
    token: str  # bot, app, none or unknown
    status: int = 200


@dataclass(frozen=True)
class Ack:
    """How the app answered one envelope: `seconds` is None when it never did within Slack's three seconds."""

    type: str
    envelope_id: str
    seconds: float | None
    payload: Json | None = None
