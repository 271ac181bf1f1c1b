"""What listeners share: the parsed payload, the person chosen in a form, and messages to one person."""

from typing import TypeVar

from slack_bolt.async_app import AsyncBoltContext
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.answers.base import Answer
from bot.core.model import Actor
from bot.ports import Message
from bot.ports.payloads import READ, Changed, Command, Event, Form, Press, Question, Reaction, Shortcut
from bot.views.answers.words import words
from bot.views.faces import Slack
from bot.views.incident.forms import notice_modal
from commands.parsing.parse import Misunderstood

# Slack's errors if we cannot post an ephemeral message there.
ELSEWHERE = frozenset({"channel_not_found", "not_in_channel", "user_not_in_channel", "is_archived"})

P = TypeVar("P", Command, Press, Form, Shortcut, Event, Reaction, Changed, Question)


def read_as(context: AsyncBoltContext, kind: type[P]) -> P:
    """The payload parsed by the door (`bot.slack.door`); Bolt matched the listener by the same payload."""
    found = context[READ]
    if not isinstance(found, kind):
        raise TypeError(f"a {kind.__name__} was expected, not a {type(found).__name__}")
    return found


async def tell(client: AsyncWebClient, user: str, channel: str, message: Message) -> None:
    """Tell them where they asked; in a direct message if we are not in that channel."""
    blocks = [dict(block) for block in message.blocks] or None
    try:
        if channel:
            await client.chat_postEphemeral(channel=channel, user=user, text=message.text, blocks=blocks)
            return
    except SlackApiError as refusal:
        if refusal.response.get("error") not in ELSEWHERE:
            raise
    await client.chat_postMessage(channel=user, text=message.text, blocks=blocks)


async def chosen(client: AsyncWebClient, form: Form) -> Actor | None:
    """The person chosen in a form, with their name if Slack gives it. Raises Misunderstood for one who can do nothing."""
    id = form.fields.get("person", "")
    if not id:
        return None
    try:
        user = (await client.users_info(user=id)).get("user") or {}
    except SlackApiError:
        return Actor.person(id)
    if user.get("deleted") or user.get("is_bot"):
        raise Misunderstood("That account is deactivated, or a bot. Choose somebody else.")
    return Actor.person(id, str(user.get("name") or ""))


async def over_home(client: AsyncWebClient, press: Press, said: Answer) -> None:
    """The result of a press on the Home tab, which shows changes itself: anything else is shown in a form over it."""
    if not said.changed:
        await client.views_open(trigger_id=press.trigger, view=notice_modal(words(said, Slack())))
