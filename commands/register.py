"""Connects commands, buttons and forms to Bolt. Every listener acknowledges first: Slack waits three seconds."""

import re
from functools import partial
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext, AsyncRespond
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.answers.incident import JoinedBefore
from bot.ports import Message
from bot.ports.payloads import Command, Event, Form, Press
from bot.views.answers.in_slack import press_message, told
from bot.views.answers.words import words
from bot.views.faces import Slack
from bot.views.incident.forms import REOPEN_CALLBACK, notice_modal
from bot.views.text import inert
from commands import actions, forms, messages
from commands.desk import CommandContext, Request, answer
from commands.drill import drill
from commands.events import emoji, home, questions
from commands.fallback import fallback
from commands.health import health
from commands.incident import declaring, tasks, timeline
from commands.incident.briefing import for_who_joins
from commands.incident.converting import ExistingChannel, entered
from commands.incident.word import incident
from commands.listening import chosen, over_home
from commands.listening import read_as as _read
from commands.listening import tell as _tell
from commands.parsing.parse import Misunderstood
from commands.table import DRILL, FALLBACK, HEALTH, INCIDENT, UNDERSTUDY, SlashCommand
from commands.understudy import understudy

log = structlog.get_logger(__name__)

IN_TIMELINE = "The message is in its timeline."
IN_A_FORM = Slack(linked=False)  # an error at a field is plain text


def register(app: AsyncApp, desk: CommandContext) -> None:
    """Listen for every slash command in the table, and all our buttons and forms."""
    app.command(_slash(HEALTH))(partial(_on_health, desk))
    app.command(_slash(INCIDENT))(partial(_on_incident, desk))
    app.command(_slash(FALLBACK))(partial(_on_fallback, desk))
    app.command(_slash(DRILL))(partial(_on_drill, desk))
    app.command(_slash(UNDERSTUDY))(partial(_on_understudy, desk))
    app.action(actions.ACTIONS)(partial(_on_press, desk))
    app.view(forms.CALLBACKS)(partial(_on_form, desk))
    app.event("member_joined_channel")(partial(_on_arrival, desk))
    declaring.listen(app, desk)
    emoji.listen(app, desk)  # before the timeline, which handles every other emoji
    timeline.listen(app, desk)
    questions.listen(app, desk)
    home.listen(app, desk)
    tasks.listen(app, desk)


def _slash(word: SlashCommand) -> re.Pattern[str]:
    """The word with any prefix from the manifest: `/health`, `/us-health`."""
    return re.compile(rf"^/[a-z0-9_-]{{0,16}}{word.word[1:]}$")


async def _on_health(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, respond: AsyncRespond) -> None:
    await ack()
    await health(desk, Request.from_command(_read(context, Command)), respond)


async def _on_incident(
    desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, respond: AsyncRespond, client: AsyncWebClient
) -> None:
    await ack()
    command = _read(context, Command)

    async def open_modal(view: dict[str, Any]) -> None:
        await client.views_open(trigger_id=command.trigger, view=view)

    async def enter() -> ExistingChannel:
        return await entered(client, command.channel, desk.engine.policy.incidents.alerts_channel)

    await incident(desk, Request.from_command(command), respond, open_modal, enter)


async def _on_fallback(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, respond: AsyncRespond) -> None:
    await ack()
    await fallback(desk, Request.from_command(_read(context, Command)), respond)


async def _on_drill(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, respond: AsyncRespond) -> None:
    await ack()
    await drill(desk, Request.from_command(_read(context, Command)), respond)


async def _on_understudy(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, respond: AsyncRespond) -> None:
    await ack()
    await understudy(desk, Request.from_command(_read(context, Command)), respond)


async def _on_press(
    desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, respond: AsyncRespond, client: AsyncWebClient
) -> None:
    await ack()
    press = _read(context, Press)
    asked = Request.from_press(press)
    at = desk.clock.now()
    try:
        match await forms.opened(desk, asked, press):
            case Message() as shown:
                await answer(respond, shown)
                return
            case dict() as form:
                place = actions.carried_place(press)
                view = {**form, "private_metadata": form["private_metadata"] + place} if place else form
                await client.views_open(trigger_id=press.trigger, view=view)
                return
        said = await actions.press(desk, asked, press)
    except Misunderstood as wrong:
        if press.at_home:
            await client.views_open(trigger_id=press.trigger, view=notice_modal(str(wrong)))
        else:
            await answer(respond, wrong.answer)
        return
    if press.at_home:
        await over_home(client, press, said)
        return
    found = await messages.along(client, press) if said.ok or isinstance(said, JoinedBefore) else None
    taken = f" {IN_TIMELINE}" if found and await declaring.take_along(desk, client, asked, said, *found) else ""
    if press.view:
        await _told_in_form(client, asked, press, words(said, Slack()) + taken)
        return
    await answer(respond, press_message(said, INCIDENT.word) or told(said) + taken)
    record = await actions.record(desk, asked, press, at) if said.changed else None
    if record:
        await respond(text=record.text, blocks=[dict(block) for block in record.blocks], replace_original=True)


async def _told_in_form(client: AsyncWebClient, asked: Request, press: Press, said: str) -> None:
    """Show the result of a press in place of its form; if that was closed meanwhile, tell the person directly."""
    try:
        await client.views_update(view_id=press.view, view=notice_modal(said))
    except SlackApiError:
        await _tell(client, asked.actor.id, "", Message(inert(said)))


async def _on_form(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, client: AsyncWebClient) -> None:
    form = _read(context, Form)
    asked = Request.from_press(form)
    try:
        said = await forms.sent(desk, asked, form, await chosen(client, form))
        if again := await forms.asked_again(desk, form, said):
            await ack(response_action="update", view=again)
            return
        refused = "" if said.ok else words(said, IN_A_FORM)
    except Misunderstood as wrong:
        refused = str(wrong)
    if refused:
        await ack(response_action="errors", errors={forms.FIELDS[form.callback]: refused})
        return
    await ack()  # the result appears in the channel
    if said.changed and form.callback == REOPEN_CALLBACK:
        await actions.record_of_form(desk, client, asked, form.metadata)


async def _on_arrival(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, client: AsyncWebClient) -> None:
    await ack()
    event = _read(context, Event)
    if not event.who.id or event.who.id == context.bot_user_id:
        return
    brief = await for_who_joins(desk, event.channel)
    if brief is None:
        return
    try:
        blocks = [dict(block) for block in brief.blocks]
        await client.chat_postEphemeral(channel=event.channel, user=event.who.id, text=brief.text, blocks=blocks)
    except SlackApiError as refusal:  # they left again, or are a bot; nobody is waiting
        log.info("somebody who joined was not briefed", user=event.who.id, why=refusal.response.get("error"))
