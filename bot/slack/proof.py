"""Proves that an unclear post can be looked up: posts, finds it by its key, deletes it. For `understudy doctor`."""

import asyncio
from datetime import datetime
from uuid import uuid4

from bot.ports import ChatError, Message, Place, PostedAt
from bot.slack.gateway import SlackGateway
from bot.slack.preflight import Problem

LOOKS_S = (0.0, 0.5, 1.0, 2.0)  # history may lag slightly behind a post
TEXT = "Understudy tries whether it finds its own messages again. This one goes away at once."


async def prove_lookup(gateway: SlackGateway, channel: str, now: datetime) -> Problem | None:
    """None if our own message was found by its metadata, else the obstacle. `now` is domain time. Never raises.

    The message is visible in the channel for about a second.
    """
    key = f"doctor/{uuid4().hex}"
    try:
        place = Place(await gateway.find_channel(channel))
        at = await gateway.post(place, Message(TEXT), key)
    except ChatError as error:
        return Problem(f"nothing can be posted to {channel}", str(error))
    problem = await _look(gateway, place, at, key, now)
    try:
        await gateway.delete(at)
    except ChatError as error:
        return problem or Problem(f"the test message in {channel} could not be taken away", str(error))
    return problem


async def _look(gateway: SlackGateway, place: Place, at: PostedAt, key: str, now: datetime) -> Problem | None:
    try:
        for pause_s in LOOKS_S:
            await asyncio.sleep(pause_s)
            if await gateway.find_post(place, key, now) == at:
                return None
    except ChatError as error:
        return Problem("our own messages cannot be read back, so a lost answer may lead to a repeated message", str(error))
    return Problem("our own message was not found by its key", "add the scope channels:history and reinstall the app")
