"""`incidents.declare_emoji` on a message: offers the person who added it to declare an incident from the message."""

from functools import partial

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.signals import Declare
from bot.ports.payloads import READ, Reaction
from bot.views.denied import denied_message
from bot.views.incident.forms import declare_offer
from commands import messages
from commands.desk import CommandContext, Request
from commands.listening import read_as, tell
from commands.parsing.parse import typed

log = structlog.get_logger(__name__)


def listen(app: AsyncApp, desk: CommandContext) -> None:
    """Listen for this emoji only."""

    async def declares(context: AsyncBoltContext) -> bool:
        reaction, emoji = context[READ], desk.engine.policy.incidents.declare_emoji
        return isinstance(reaction, Reaction) and bool(emoji) and reaction.emoji == emoji

    async def passed_over(ack: AsyncAck) -> None:
        await ack()  # an offer stays until it is used

    app.event("reaction_added", matchers=[declares])(partial(_on_emoji, desk))
    app.event("reaction_removed", matchers=[declares])(passed_over)


async def _on_emoji(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, client: AsyncWebClient) -> None:
    await ack()
    reaction = read_as(context, Reaction)
    asked = Request.from_reaction(reaction)
    if not reaction.who.is_member:  # guests use the same emojis as everybody else
        return
    if refused := desk.denied(asked, Declare):
        await tell(client, asked.actor.id, reaction.channel, denied_message(refused))
        return
    try:
        message = await messages.read(client, reaction.channel, reaction.ts)
    except messages.CannotRead as why:
        log.info("an emoji offers nothing", why=str(why))
        return
    offer = declare_offer(typed(message.text), messages.packed(message, "", messages.IN_A_BUTTON))
    await tell(client, asked.actor.id, reaction.channel, offer)
