"""Files: upload bytes that nobody sees yet, then share them in a channel and check that they arrived.

Slack shares a file some time after it said yes, and on a bad day never (https://github.com/slackapi/bolt-js/issues/2115), so
the call's success proves nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from bot.ports import ChatError
from bot.slack.client import SlackApi

LOOKS_S = (0.25, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0)  # pauses before each check; twenty seconds in all
COMMENT_MAX = 500  # it is part of the request's address


async def upload(api: SlackApi, filename: str, content: bytes) -> str:
    """Upload bytes; returns the id of a file that nobody sees until it is shared. Raises ChatError."""
    if not content:
        raise ChatError(f"{filename} is empty, and Slack takes no empty files", code="empty_file", permanent=True)
    reply = await api.call(api.web.files_getUploadURLExternal, filename=filename, length=len(content))
    await api.send(str(reply["upload_url"]), content)
    return str(reply["file_id"])


async def share(
    api: SlackApi, file: str, title: str, channel: str, thread_ts: str, comment: str,
    looks_s: Sequence[float] | None = LOOKS_S,
) -> None:  # fmt: skip
    """Show the file in a channel, once: a file already there is left alone. Raises ChatError."""
    try:
        if await _is_shown(api, file, channel):
            return
    except ChatError as error:
        if error.code != "missing_scope":
            raise
        looks_s = None  # without files:read nobody can tell whether it arrived
    await _complete(api, file, title, channel, thread_ts, comment)
    if looks_s is None:
        return
    for pause_s in looks_s:
        await asyncio.sleep(pause_s)
        if await _is_shown(api, file, channel):
            return
    words = "the file was uploaded, but Slack did not show it in the channel; it may still come, or export again"
    raise ChatError(words, code="share_lost", permanent=True)


async def _complete(api: SlackApi, file: str, title: str, channel: str, thread_ts: str, comment: str) -> None:
    args: dict[str, Any] = {"channel_id": channel, "initial_comment": comment[:COMMENT_MAX]}
    if thread_ts:
        args["thread_ts"] = thread_ts
    try:
        await api.call(api.web.files_completeUploadExternal, files=[{"id": file, "title": title}], **args)
    except ChatError as error:
        # A repeated call finds no unfinished upload. If the file exists, the first call succeeded.
        if error.code != "file_not_found" or await _look(api, file) is None:
            raise


async def _is_shown(api: SlackApi, file: str, channel: str) -> bool:
    found = await _look(api, file) or {}
    shares: Mapping[str, Any] = found.get("shares") or {}
    return any(channel in (places or {}) for places in shares.values())


async def _look(api: SlackApi, file: str) -> Mapping[str, Any] | None:
    try:
        reply = await api.call(api.web.files_info, file=file)
    except ChatError as error:
        if error.code in ("file_not_found", "not_visible"):
            return None
        raise
    found: Mapping[str, Any] = reply["file"]
    return found
