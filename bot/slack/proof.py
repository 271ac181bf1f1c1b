"""The proof that an unclear post could be looked up: post, find it by its key, take it away again. For `understudy doctor`."""

import asyncio
from datetime import datetime
from uuid import uuid4

from bot.ports import ChatError, Message, Place, PostedAt
from bot.slack.gateway import SlackGateway
from bot.slack.preflight import Problem

LOOKS_S = (0.0, 0.5, 1.0, 2.0)  # history may lag a little behind a post
TEXT = "Understudy tries whether it finds its own messages again. This one goes away at once."


async def prove_lookup(gateway: SlackGateway, channel: str, now: datetime) -> str | Problem:
    """A sentence when our own message was found by its metadata, a Problem when not. `now` is domain time.

    The message is seen in the channel for a second or so.
    """
    key = f"doctor/{uuid4().hex}"
    try:
        place = Place(await gateway.find_channel(channel))
        at = await gateway.post(place, Message(TEXT), key)
    except ChatError as error:
        return Problem(f"nothing can be posted to {channel}", str(error))
    try:
        found = await _find(gateway, place, key, now)
    except ChatError as error:
        what = f"messages in {channel} cannot be read back, so a lost answer may lead to a repeated message"
        return Problem(what, str(error))
    finally:
        left = await _delete(gateway, at)
    if found != at:
        remedy = "add the scope channels:history, reinstall the app, and try again"
        return Problem(f"our message in {channel} was not found by its key", remedy)
    return f"our own message in {channel} was found by its key{left}"


async def _find(gateway: SlackGateway, place: Place, key: str, now: datetime) -> PostedAt | None:
    for pause_s in LOOKS_S:
        await asyncio.sleep(pause_s)
        found = await gateway.find_post(place, key, now)
        if found:
            return found
    return None


async def _delete(gateway: SlackGateway, at: PostedAt) -> str:
    try:
        await gateway.delete(at)
    except ChatError as error:
        return f"; it could not be taken away again: {error}"
    return ", and taken away again"
