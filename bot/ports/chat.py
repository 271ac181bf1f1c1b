"""The chat in which people are told things."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.core.lazy_dataclass import dataclass
from bot.ports.performers import EffectError


@dataclass(frozen=True)
class Message:
    """What to say: `text` for notifications and screen readers, `blocks` as Block Kit, within Slack's limits."""

    text: str
    blocks: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Place:
    """Where to post: a channel id or `#name`, and a thread in it, if any."""

    channel: str
    thread_ts: str = ""


@dataclass(frozen=True)
class PostedAt:
    """The position of a message."""

    channel: str
    ts: str


@dataclass(frozen=True)
class ChannelInfo:
    """A channel that our bot is in."""

    id: str
    name: str
    creator: str
    created_at: datetime
    is_archived: bool


@dataclass(frozen=True)
class ChannelSetup:
    """What a channel contains besides messages."""

    topic: str
    topic_by: str  # user id; empty = nobody set one
    bookmarks: frozenset[str]  # titles
    members: frozenset[str]  # user ids


@dataclass(frozen=True)
class MessageState:
    """The state of an existing message."""

    pinned: bool


class ChatError(EffectError):
    """The chat refused, or did not answer.

    `code` is the chat's own code or one of ours (`timeout`, `connection`, `http_5xx`), for logs and for people who look it up;
    callers distinguish the classes below. The sentence says what to do.
    """

    def __init__(
        self, sentence: str, *, code: str, permanent: bool, unclear: bool = False, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(sentence, permanent=permanent, unclear=unclear, retry_after=retry_after)
        self.code = code


class ChannelGone(ChatError):  # noqa: N818 # it names what happened
    """We cannot post in the channel any more. `why` says in plain words what happened to it."""

    def __init__(self, sentence: str, *, code: str, why: str, permanent: bool = True) -> None:
        super().__init__(sentence, code=code, permanent=permanent)
        self.why = why


class MessageGone(ChatError):  # noqa: N818 # it names what happened
    """The message to be edited or replied to was deleted."""


class GroupGone(ChatError):  # noqa: N818 # it names what happened
    """The user group does not exist (any more), so it has no members."""


class ChannelNameTaken(ChatError):  # noqa: N818 # it names what happened
    """A channel with that name exists, ours or not."""


class Chat(Protocol):
    """Slack, as far as the outbox needs it. Every call raises ChatError; ChannelGone and MessageGone as documented there."""

    @property
    def me(self) -> str:
        """Our bot's user id."""

    async def post(self, place: Place, message: Message, key: str) -> PostedAt:
        """Post; `key` is attached as message metadata, so that the post can be found again."""

    async def find_post(self, place: Place, key: str, since: datetime) -> PostedAt | None:
        """Our own message with that key, posted since then; None if Slack's history has none."""

    async def newest_key(self, place: Place, wanted: Callable[[str], bool], since: datetime) -> str | None:
        """The newest key since then of our messages that `wanted` accepts; None if Slack's history has none."""

    async def edit(self, at: PostedAt, message: Message) -> None:
        """Replace one of our messages."""

    async def tell(self, user: str, message: Message, key: str) -> PostedAt:
        """Send a direct message to one person."""

    async def find_channel(self, channel: str) -> str:
        """The id for `#name` or an id; joins the channel if it is public."""

    async def create_channel(self, name: str, private: bool) -> ChannelInfo:
        """Create a channel; raises ChannelNameTaken if the name exists, ours or not."""

    async def own_channels(self) -> list[ChannelInfo]:
        """The channels that our bot is in."""

    async def take_again(self, channel: str) -> ChannelInfo:
        """A channel by its id, joined if it is public; raises ChannelGone if it is archived, deleted or closed to us."""

    async def channel_setup(self, channel: str) -> ChannelSetup:
        """What the channel contains; raises ChannelGone if we cannot post there. Changes nothing."""

    async def message_state(self, at: PostedAt, thread_ts: str = "") -> MessageState | None:
        """The state of a message, in this thread if given; None if it was deleted."""

    async def set_topic(self, channel: str, topic: str) -> None:
        """Set the topic (already cut to 250 characters by its view)."""

    async def members_of(self, group: str) -> list[str]:
        """The users in a user group; raises GroupGone if it does not exist (any more)."""

    async def invite(self, channel: str, users: Sequence[str]) -> list[str]:
        """Invite users and members of user groups; returns one sentence per id that failed."""

    async def pin(self, at: PostedAt) -> None:
        """Pin a message, unless it already is."""

    async def bookmark(self, channel: str, title: str, link: str) -> None:
        """Add a link to the channel's bookmarks, unless one with that title exists."""

    async def start_upload(self, filename: str, content: bytes) -> str:
        """Upload bytes; returns the file's id, not visible to anybody yet."""

    async def share_upload(self, file: str, title: str, place: Place, comment: str) -> None:
        """Make an uploaded file visible in a channel; sharing it again is harmless."""
