"""Channels: finding by name or id, joining, creating, and listing those that our bot is in."""

import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

from bot.ports import ChannelInfo, ChatError
from bot.slack.client import SlackApi
from bot.slack.errors import REFUSALS, refusal

PAGE = 200  # Slack recommends at most 200 (https://docs.slack.dev/apis/web-api/pagination)
CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{6,}")
LINK = re.compile(r"<#([CG][A-Z0-9]{6,})(?:\|[^>]*)?>")


class Channels:
    """Channels as our bot sees them. With `private`, private channels too (which needs the groups:* scopes)."""

    def __init__(self, api: SlackApi, *, private: bool) -> None:
        self._api = api
        self._types = "public_channel,private_channel" if private else "public_channel"
        self._joined: dict[str, str] = {}  # name or id asked for -> id of a channel that we are in

    async def find(self, channel: str) -> str:
        """The id for `#name`, `name`, `<#C..|name>` or an id; joins it if it is public. Raises ChatError."""
        if channel not in self._joined:
            self._joined[channel] = await self._find(channel)
        return self._joined[channel]

    def forget(self, id: str) -> bool:
        """Slack no longer knows the channel, or we are not in it; returns whether we had believed otherwise."""
        known = [name for name, joined in self._joined.items() if joined == id]
        for name in known:
            del self._joined[name]
        return bool(known)

    async def take_again(self, id: str) -> ChannelInfo:
        """A channel by its id; joins it if it is public. Raises ChannelGone if we cannot post there."""
        found = await self._look(id, member=False)
        await self._join(found, member=bool(found.get("is_member")))
        return _info(found)

    async def topic(self, id: str) -> tuple[str, str]:
        """The topic, and who set it. Raises ChannelGone if we cannot post in the channel."""
        topic = (await self._look(id, member=True)).get("topic") or {}
        return str(topic.get("value") or ""), str(topic.get("creator") or "")

    async def members(self, id: str) -> frozenset[str]:
        """Everybody in the channel. Raises ChatError."""
        cursor, found = "", set[str]()
        while True:
            more = {"cursor": cursor} if cursor else {}
            reply = await self._api.call(self._api.web.conversations_members, channel=id, limit=PAGE, **more)
            found |= {str(user) for user in reply.get("members") or ()}
            cursor = str((reply.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return frozenset(found)

    async def _look(self, id: str, *, member: bool) -> dict[str, Any]:
        found: dict[str, Any] = (await self._api.call(self._api.web.conversations_info, channel=id))["channel"]
        if found.get("is_archived"):
            raise refusal(REFUSALS["is_archived"].sentence, code="is_archived")
        if member and not found.get("is_member"):
            raise refusal(REFUSALS["not_in_channel"].sentence, code="not_in_channel")
        return found

    async def create(self, name: str, private: bool) -> ChannelInfo:
        """Create a channel. Raises ChannelNameTaken if the name exists."""
        reply = await self._api.call(self._api.web.conversations_create, name=name, is_private=private)
        return _info(reply["channel"])

    async def own(self) -> list[ChannelInfo]:
        """The channels that our bot is in, including archived ones as far as Slack reports them."""
        return [_info(found) async for found in self._pages(self._api.web.users_conversations)]

    async def _find(self, channel: str) -> str:
        link = LINK.fullmatch(channel)
        wanted = link[1] if link else channel
        if CHANNEL_ID.fullmatch(wanted):
            return await self._by_id(wanted)
        name = wanted.removeprefix("#")
        web = self._api.web
        # We are in few of many channels, so search ours first.
        for pages in (web.users_conversations, web.conversations_list):
            async for found in self._pages(pages, exclude_archived=True):
                if found.get("name") == name:
                    return await self._join(found, member=pages == web.users_conversations or bool(found.get("is_member")))
        words = f"I see no channel #{name}: create it; if it is private, /invite me there and name it by its id"
        raise refusal(words, code="channel_not_found")

    async def _by_id(self, id: str) -> str:
        try:
            found = (await self._api.call(self._api.web.conversations_info, channel=id))["channel"]
        except ChatError as error:
            if error.code == "missing_scope":
                return id  # private, and we may not search for it; posting works if we were invited
            raise
        return await self._join(found, member=bool(found.get("is_member") or found.get("is_im")))

    async def _join(self, channel: dict[str, Any], *, member: bool) -> str:
        id = str(channel["id"])
        if not member:
            await self._api.call(self._api.web.conversations_join, channel=id)
        return id

    async def _pages(self, method: Callable[..., Any], **args: Any) -> AsyncIterator[dict[str, Any]]:
        cursor = ""
        while True:
            more = {"cursor": cursor} if cursor else {}
            reply = await self._api.call(method, types=self._types, limit=PAGE, **args, **more)
            for found in reply["channels"]:
                yield found
            cursor = str((reply.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return


def _info(channel: dict[str, Any]) -> ChannelInfo:
    return ChannelInfo(
        id=str(channel["id"]),
        name=str(channel.get("name") or ""),
        creator=str(channel.get("creator") or ""),
        created_at=datetime.fromtimestamp(int(channel.get("created") or 0), UTC),
        is_archived=bool(channel.get("is_archived")),
    )
