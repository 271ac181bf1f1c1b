"""What listeners share: the payload as it was read, the person whom a form chose, and a word to one person."""

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

# Slack's words for "you may not whisper there".
ELSEWHERE = frozenset({"channel_not_found", "not_in_channel", "user_not_in_channel", "is_archived"})

P = TypeVar("P", Command, Press, Form, Shortcut, Event, Reaction, Changed, Question)


def read_as(context: AsyncBoltContext, kind: type[P]) -> P:
    """What the door has read (`bot.slack.door`); Bolt matched the listener by the same payload."""
    found = context[READ]
    if not isinstance(found, kind):
        raise TypeError(f"a {kind.__name__} was expected, not a {type(found).__name__}")
    return found


async def tell(client: AsyncWebClient, user: str, channel: str, message: Message) -> None:
    """Say it where they asked; where we are not a member of that channel, in a direct message."""
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
    """The person whom a form chose: by name where Slack tells it. Raises Misunderstood for one who can do nothing."""
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
    """What came of a press on the Home tab, which shows by itself what changed: anything else is said over it."""
    if not said.changed:
        await client.views_open(trigger_id=press.trigger, view=notice_modal(words(said, Slack())))
