"""The form for declaring: how it is opened (by command, button or shortcut, also on a message), and what it does."""

import re
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.answers.base import Answer
from bot.core.answers.incident import CannotHaveBeen, Declared, Joined, JoinedBefore, OpenAlready
from bot.core.decide.permissions import Denied
from bot.core.signals import AddMessage, Declare
from bot.ports import Message
from bot.ports.payloads import Form, Press, Shortcut, Written
from bot.views.answers.in_slack import answer_message, told
from bot.views.answers.words import words
from bot.views.blocks import section
from bot.views.denied import denied_message
from bot.views.faces import Slack
from bot.views.incident.forms import DECLARE_CALLBACK, NO_COMPONENT, WHEN_CHARS
from bot.views.text import cut, inert
from commands import messages
from commands.desk import CommandContext, Request, answer
from commands.incident.word import declaration_words, declare_form
from commands.listening import read_as, tell
from commands.parsing.arguments import severity
from commands.parsing.parse import Misunderstood, component_of, typed
from commands.parsing.times import NoTime, read, spoken, taken_from, zone_of
from commands.table import DECLARE_FROM_MESSAGE, DECLARE_SHORTCUT, INCIDENT

BUTTON = re.compile(r"^incident\.declare(:|$)")
CHANNEL = re.compile(r"[CGD][A-Z0-9]{1,30}")
LOOKED_AT = 3000  # characters of a message searched for when it began
SUGGESTED_CHARS = 150  # shorter than a title may be: Slack counts some letters twice
NOT_IN_A_TIMELINE = "The message is in no timeline yet; the button that you press takes it along."

IN_A_FORM = Slack(linked=False)  # an error at a field is plain text


def listen(app: AsyncApp, desk: CommandContext) -> None:
    """Listen for the buttons and shortcuts that open the form, and for the form."""
    app.action(BUTTON)(partial(_on_button, desk))
    app.global_shortcut(DECLARE_SHORTCUT.callback)(partial(_on_shortcut, desk))
    app.message_shortcut(DECLARE_FROM_MESSAGE.callback)(partial(_on_shortcut, desk))
    app.view(DECLARE_CALLBACK)(partial(_on_sent, desk))


async def _on_button(
    desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, respond: AsyncRespond, client: AsyncWebClient
) -> None:
    await ack()
    press = read_as(context, Press)
    asked, component = Request.from_press(press), press.action.partition(":")[2]
    if refused := desk.denied(asked, Declare):
        await answer(respond, denied_message(refused))
        return
    if found := await messages.along(client, press):
        form = form_from(desk, asked, *found)
    else:
        form = declare_form(desk, asked.channel, component=component)
    await client.views_open(trigger_id=press.trigger, view=form)


async def _on_shortcut(
    desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, respond: AsyncRespond, client: AsyncWebClient
) -> None:
    await ack()
    shortcut = read_as(context, Shortcut)
    asked, message = Request.from_press(shortcut), shortcut.message
    if refused := desk.denied(asked, Declare):
        await answer(respond, denied_message(refused))
        return
    form = form_from(desk, asked, message, shortcut.domain) if message else declare_form(desk, asked.channel)
    await client.views_open(trigger_id=shortcut.trigger, view=form)


def form_from(desk: CommandContext, asked: Request, message: Written, domain: str) -> dict[str, Any]:
    """The form filled from a message: its words, what they name and since when; it carries the message."""
    text = typed(message.text)
    about = component_of(text, {id: c.name for id, c in desk.engine.policy.components.items()})
    component, now = about[0] if len(about) == 1 else "", desk.clock.now()
    written_at = min(datetime.fromtimestamp(float(message.ts), UTC), now)  # Slack's clock may be ahead of ours
    title, when = _suggested(text, written_at, now, zone_of(asked.zone))
    return declare_form(desk, messages.packed(message, domain), component=component, title=title, when=when)


def _suggested(text: str, written_at: datetime, now: datetime, zone: tzinfo) -> tuple[str, str]:
    """A message's first line as a title, and when it says it began; `20 min ago` is relative to the message."""
    lines = [" ".join(line.split()) for line in text[:LOOKED_AT].splitlines() if line.strip()]
    title, when = lines[0] if lines else "", ""
    for number, line in enumerate(lines):
        try:
            beside, span = taken_from(line, written_at, zone)
            when = spoken(span, now, zone)
        except NoTime as unclear:  # the person who sends the form is asked at its field
            beside, when = unclear.title, cut(unclear.said, WHEN_CHARS)
        if when:
            title = beside or title if number == 0 else title
            break
    return cut(title, SUGGESTED_CHARS), when


async def _on_sent(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, client: AsyncWebClient) -> None:
    form = read_as(context, Form)
    asked, (message, domain) = Request.from_press(form), _carried(form.metadata)
    try:
        signal = _declaration(desk, asked, form)
    except WrongField as wrong:
        await ack(response_action="errors", errors={wrong.field: str(wrong)})
        return
    said = await desk.engine.handle(signal)
    carried = {"message": messages.packed(message, domain, messages.IN_A_BUTTON)} if message else {}
    offered = answer_message(said, INCIDENT.word, **declaration_words(signal), **carried)
    if not said.ok and (offered is None or isinstance(said, Denied)):
        field = "when" if isinstance(said, CannotHaveBeen) else "title"
        await ack(response_action="errors", errors={field: words(said, IN_A_FORM)})
        return
    await ack()
    if message and isinstance(said, Declared):
        await take_along(desk, client, asked, said, message, domain)
    where = message.channel if message else form.metadata
    await tell(client, asked.actor.id, where if CHANNEL.fullmatch(where) else "", _said(said, offered, message))


async def take_along(
    desk: CommandContext, client: AsyncWebClient, asked: Request, said: Answer, message: Written, domain: str
) -> bool:
    """Put the message into the timeline of the declared or joined incident; returns whether it is there now."""
    if said.incident is None or not isinstance(said, Declared | Joined | JoinedBefore):
        return False
    source = await messages.source(client, message, domain)
    add = AddMessage(actor=asked.actor, id=f"{asked.signal_id}/message", incident=said.incident, message=source)
    return (await desk.engine.handle(add)).ok


def _carried(metadata: str) -> tuple[Written | None, str]:
    """The message that the form was opened from, and the workspace's name in addresses; None if there was none."""
    try:
        return messages.unpacked(metadata)
    except ValueError:
        return None, ""


def _declaration(desk: CommandContext, asked: Request, form: Form) -> Declare:
    """What the form says. Raises WrongField for what cannot be read."""
    title, component = form.fields.get("title", ""), form.fields.get("component", NO_COMPONENT)
    try:
        level = severity(form.fields.get("severity", ""))
    except Misunderstood as wrong:
        raise WrongField("severity", wrong) from None
    try:
        span = read(form.fields.get("when", ""), desk.clock.now(), zone_of(asked.zone))
    except Misunderstood as wrong:
        raise WrongField("when", wrong) from None
    return Declare(
        actor=asked.actor, id=asked.signal_id, title=title, components=() if component == NO_COMPONENT else (component,),
        severity=level, began_at=span.began_at, ended_at=span.ended_at,
    )  # fmt: skip


class WrongField(Exception):  # noqa: N818 # a person's words, not a fault of the program
    """What was typed into a field cannot be read."""

    def __init__(self, field: str, why: Misunderstood) -> None:
        super().__init__(str(why))
        self.field = field


def _said(said: Answer, offered: Message | None, message: Written | None) -> Message:
    shown = offered or Message(inert(told(said)))
    if message is None or not isinstance(said, OpenAlready):
        return shown
    return Message(f"{shown.text} {NOT_IN_A_TIMELINE}", (*shown.blocks, section(NOT_IN_A_TIMELINE)))
