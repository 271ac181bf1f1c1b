"""Finding our own message by the key in its metadata, after a call whose response was lost."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.ports import ChatError, MessageGone, MessageState, PostedAt
from bot.slack.client import Identity, SlackApi

EVENT_TYPE = "understudy_effect"
CLOCKS_DIFFER = timedelta(seconds=60)  # Slack's clock and ours
PAGE = 200
MOST_PAGES = 25


def metadata(key: str) -> dict[str, Any]:
    """The message metadata with an effect's key. Everybody in the workspace can read it, so it holds nothing else."""
    return {"event_type": EVENT_TYPE, "event_payload": {"key": key}}


async def find(
    api: SlackApi, me: Identity, channel: str, thread_ts: str, wanted: Callable[[str], bool], since: datetime
) -> tuple[str, PostedAt] | None:  # fmt: skip
    """Our newest message with such a key in the channel, or the first in the thread; None if there is none since then.

    Raises ChatError.
    """
    oldest = f"{(since - CLOCKS_DIFFER).timestamp():.6f}"
    args: dict[str, Any] = {"channel": channel, "oldest": oldest, "inclusive": True, "include_all_metadata": True}
    method: Callable[..., Any] = api.web.conversations_history
    if thread_ts:
        method, args["ts"] = api.web.conversations_replies, thread_ts
    try:
        async for message in _pages(api, method, args):
            if _is_ours(message, me) and wanted(key := _key_of(message)):
                return key, PostedAt(channel, str(message["ts"]))
    except ChatError as error:
        if error.code != "thread_not_found":
            raise
    return None


async def message_state(api: SlackApi, at: PostedAt, thread_ts: str) -> MessageState | None:
    """Whether a message still exists in its channel or thread, and whether it is pinned. Raises ChatError.

    For a deleted message with replies, Slack keeps a `tombstone`.
    """
    try:
        reply = await api.call(
            api.web.conversations_replies, channel=at.channel, ts=thread_ts or at.ts,
            oldest=at.ts, latest=at.ts, inclusive=True,
        )  # fmt: skip
    except MessageGone:
        return None
    found = next((message for message in reply["messages"] if message.get("ts") == at.ts), None)
    if found is None or found.get("subtype") == "tombstone":
        return None
    return MessageState(pinned=at.channel in (found.get("pinned_to") or ()))


async def _pages(api: SlackApi, method: Callable[..., Any], args: Mapping[str, Any]) -> AsyncIterator[Mapping[str, Any]]:
    cursor = ""
    for _ in range(MOST_PAGES):
        more = {"cursor": cursor} if cursor else {}
        reply = await api.call(method, limit=PAGE, **args, **more)
        for message in reply["messages"]:
            yield message
        cursor = str((reply.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return
    words = f"the message was not among the newest {MOST_PAGES * PAGE} of the channel"
    raise ChatError(words, code="too_far_back", permanent=True)


def _is_ours(message: Mapping[str, Any], me: Identity) -> bool:
    """Any app can write metadata, so a key counts only on a message by our own bot."""
    return bool(me.bot_id and message.get("bot_id") == me.bot_id) or message.get("user") == me.bot_user_id


def _key_of(message: Mapping[str, Any]) -> str:
    found = message.get("metadata") or {}
    if found.get("event_type") != EVENT_TYPE:
        return ""
    return str((found.get("event_payload") or {}).get("key") or "")
