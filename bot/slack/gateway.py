"""`bot.ports.Chat` over Slack's Web API."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from html import unescape
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.ports import ChannelInfo, ChannelSetup, ChatError, Message, MessageState, Place, PostedAt
from bot.slack import invites, lookup, uploads
from bot.slack.channels import Channels
from bot.slack.client import TIMEOUT_S, Identity, SlackApi, SlackLogin
from bot.slack.errors import refusal
from bot.slack.limits import Pacer
from bot.slack.wording import Wording

# Slack accepts about one message a second per channel, and 50 chat.update calls a minute per workspace.
POST_EVERY_S, POSTS_AT_ONCE = 1.1, 3
EDIT_EVERY_S, EDITS_AT_ONCE = 1.35, 5
BOOKMARK_TITLE_MAX = 256

GONE = frozenset({"channel_not_found", "not_in_channel"})


@dataclass(frozen=True)
class GatewayTiming:
    """The gateway's own delays, in real seconds; tests shorten them."""

    timeout_s: float = TIMEOUT_S
    post_every_s: float = POST_EVERY_S
    edit_every_s: float = EDIT_EVERY_S
    longest_turn_s: float = 20.0
    home_every_s: float = 3.0  # for one person's Home tab, after a short burst
    share_looks_s: Sequence[float] = uploads.LOOKS_S


class SlackGateway:
    """Slack for the outbox. `private`: incident channels may be private (which needs the groups:* scopes)."""

    def __init__(
        self,
        login: SlackLogin,
        *,
        identity: Identity | None = None,
        private: bool = False,
        patience: GatewayTiming | None = None,
    ) -> None:
        self._patience = patience or GatewayTiming()
        wording = Wording(login.prefix)
        self.api = SlackApi(
            login.api_url, login.bot_token, timeout_s=self._patience.timeout_s, wording=wording, team=login.team
        )
        self._identity = identity
        self._channels = Channels(self.api, private=private)
        self._sought_again: set[str] = set()  # channels looked up again since they last accepted a post
        longest = self._patience.longest_turn_s
        self._posts = Pacer(self._patience.post_every_s, POSTS_AT_ONCE, longest)
        self._edits = Pacer(self._patience.edit_every_s, EDITS_AT_ONCE, longest)

    async def start(self) -> None:
        """Open the shared session; does not call Slack, which may be unavailable."""
        await self.api.start()

    async def close(self) -> None:
        """Close the shared session."""
        await self.api.close()

    @property
    def me(self) -> str:
        """Our bot's user id; empty until Slack could be asked once."""
        return self._identity.bot_user_id if self._identity else ""

    async def identity(self) -> Identity:
        """Our identity, asked once. Raises ChatError."""
        if self._identity is None:
            self._identity = await self.api.identify()
        return self._identity

    # --- messages

    async def post(self, place: Place, message: Message, key: str) -> PostedAt:
        """Post; a named channel is found and joined first. Raises ChatError."""
        channel = await self._channels.find(place.channel) if place.channel.startswith("#") else place.channel
        await self._posts.turn(channel)
        thread = {"thread_ts": place.thread_ts} if place.thread_ts else {}
        try:
            reply = await self.api.call(
                self.api.web.chat_postMessage, channel=channel, **_content(message), **thread,
                unfurl_links=False, unfurl_media=False, metadata=lookup.metadata(key),
            )  # fmt: skip
        except ChatError as error:
            raise self._after_post(channel, error) from error
        self._sought_again.discard(channel)
        return PostedAt(str(reply["channel"]), str(reply["ts"]))

    async def find_post(self, place: Place, key: str, since: datetime) -> PostedAt | None:
        """Our message with that key, in the channel or thread. Raises ChatError, always for direct messages."""
        found = await self._newest(place, key.__eq__, since)
        return found and found[1]

    async def newest_key(self, place: Place, wanted: Callable[[str], bool], since: datetime) -> str | None:
        """The newest key of our messages that `wanted` accepts. Raises ChatError, always for direct messages."""
        found = await self._newest(place, wanted, since)
        return found and found[0]

    async def _newest(self, place: Place, wanted: Callable[[str], bool], since: datetime) -> tuple[str, PostedAt] | None:
        if place.channel[:1] in ("U", "W"):
            words = "a direct message cannot be looked up: that would take the right to open one"
            raise ChatError(words, code="cannot_look_up", permanent=True)
        channel = await self._channels.find(place.channel) if place.channel.startswith("#") else place.channel
        return await lookup.find(self.api, await self.identity(), channel, place.thread_ts, wanted, since)

    async def edit(self, at: PostedAt, message: Message) -> None:
        """Replace one of our messages; its metadata stays. Raises ChatError."""
        await self._edits.turn("chat.update")
        try:
            await self.api.call(self.api.web.chat_update, channel=at.channel, ts=at.ts, **_content(message))
        except ChatError as error:
            if error.retry_after:
                self._edits.hold("chat.update", error.retry_after)
            raise

    async def tell(self, user: str, message: Message, key: str) -> PostedAt:
        """Post to a person: if the channel is a user's id, Slack opens the direct message. Raises ChatError."""
        return await self.post(Place(user), message, key)

    async def delete(self, at: PostedAt) -> None:
        """Delete one of our messages; the doctor does so after its test. Raises ChatError."""
        await self.api.call(self.api.web.chat_delete, channel=at.channel, ts=at.ts)

    def _after_post(self, channel: str, error: ChatError) -> ChatError:
        if error.retry_after:
            self._posts.hold(channel, error.retry_after)
        if error.code in GONE and self._channels.forget(channel) and channel not in self._sought_again:
            # We had joined it and were removed, or it was replaced: the next attempt looks it up and joins again, but only
            # once, since looking up a private channel that we cannot see proves nothing.
            self._sought_again.add(channel)
            return refusal(str(error), code=error.code, permanent=False)
        return error

    # --- channels

    async def find_channel(self, channel: str) -> str:
        """The id for `#name` or an id; joins public channels. Raises ChatError."""
        return await self._channels.find(channel)

    async def create_channel(self, name: str, private: bool) -> ChannelInfo:
        """Create a channel. Raises ChannelNameTaken if the name exists."""
        return await self._channels.create(name, private)

    async def own_channels(self) -> list[ChannelInfo]:
        """The channels that our bot is in; afterwards `me` is known. Raises ChatError."""
        await self.identity()
        return await self._channels.own()

    async def take_again(self, channel: str) -> ChannelInfo:
        """A channel by its id; joins it if it is public. Raises ChannelGone if it is archived, deleted or closed to us."""
        return await self._channels.take_again(channel)

    async def channel_setup(self, channel: str) -> ChannelSetup:
        """What the channel has besides messages. Raises ChannelGone if we cannot post there."""
        topic, members = await asyncio.gather(self._channels.topic(channel), self._channels.members(channel))
        there = await self._bookmarks(channel)
        return ChannelSetup(*topic, frozenset(there), members)

    async def message_state(self, at: PostedAt, thread_ts: str = "") -> MessageState | None:
        """Whether a message still exists, and whether it is pinned. Raises ChatError."""
        return await lookup.message_state(self.api, at, thread_ts)

    async def set_topic(self, channel: str, topic: str) -> None:
        """Set the topic. Raises ChatError."""
        await self.api.call(self.api.web.conversations_setTopic, channel=channel, topic=topic)

    async def user_info(self, user: str) -> dict[str, Any]:
        """Slack's record of a person. Raises ChatError."""
        found = (await self.api.call(self.api.web.users_info, user=user)).get("user")
        return found if isinstance(found, dict) else {}

    async def publish_home(self, user: str, view: Mapping[str, Any], expected: str) -> str:
        """Show a person's Home tab, replacing the one with the `expected` hash (empty: any); returns the new hash.

        Raises ChatError, with code `hash_conflict` if a different one is there.
        """
        hash = {"hash": expected} if expected else {}
        reply = await self.api.call(self.api.web.views_publish, user_id=user, view=view, **hash)
        shown = reply.get("view")
        return str(shown.get("hash") or "") if isinstance(shown, dict) else ""

    async def members_of(self, group: str) -> list[str]:
        """The users of a user group (S...). Raises ChatError."""
        reply = await self.api.call(self.api.web.usergroups_users_list, usergroup=group)
        return [str(user) for user in reply.get("users") or ()]

    async def invite(self, channel: str, users: Sequence[str]) -> list[str]:
        """Invite people and the members of user groups; returns one sentence per id that failed. Raises ChatError."""
        return await invites.invite(self.api, channel, users, me=(await self.identity()).bot_user_id)

    async def pin(self, at: PostedAt) -> None:
        """Pin a message, unless it already is. Raises ChatError."""
        try:
            await self.api.call(self.api.web.pins_add, channel=at.channel, timestamp=at.ts)
        except ChatError as error:
            if error.code != "already_pinned":
                raise

    async def bookmark(self, channel: str, title: str, link: str) -> None:
        """Add a link to the channel's bookmarks, unless one with that title exists. Raises ChatError."""
        title = title[:BOOKMARK_TITLE_MAX]
        if title not in await self._bookmarks(channel):
            await self.api.call(self.api.web.bookmarks_add, channel_id=channel, title=title, type="link", link=link)

    async def _bookmarks(self, channel: str) -> list[str]:
        there = (await self.api.call(self.api.web.bookmarks_list, channel_id=channel)).get("bookmarks") or ()
        return [unescape(str(bookmark.get("title") or "")) for bookmark in there]

    # --- files

    async def start_upload(self, filename: str, content: bytes) -> str:
        """Upload bytes; returns the id of a file that nobody can see yet. Raises ChatError."""
        return await uploads.upload(self.api, filename, content)

    async def share_upload(self, file: str, title: str, place: Place, comment: str) -> None:
        """Show an uploaded file in a channel, once. Raises ChatError."""
        channel = await self._channels.find(place.channel) if place.channel.startswith("#") else place.channel
        await uploads.share(self.api, file, title, channel, place.thread_ts, comment, self._patience.share_looks_s)


def _content(message: Message) -> dict[str, Any]:
    """`text` is what notifications and screen readers use, so it is sent along with any blocks.

    `blocks` are sent even if empty: an edit without them would keep the old ones.
    """
    if not message.text.strip():
        raise ChatError("the message is empty", code="no_text", permanent=True)
    return {"text": message.text, "blocks": list(message.blocks)}
