"""The timeline in Slack: its pages, what people add by shortcut or emoji, and their corrections."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.answers.base import Answer
from bot.core.decide.incident.entries import EntryIsHidden, MessageInTimeline, MessageTakenOut, NoEntry, NotYet
from bot.core.model import Actor
from bot.core.record.incident import Incident, message_key
from bot.core.signals.entries import AddMessage, CorrectEntry, HideEntry, SourceDeleted, SourceEdited, UnpinMessage
from bot.ports import Message
from bot.ports.payloads import Changed, Form, Press, Reaction, Shortcut, Written
from bot.system.garbage import GARBAGE
from bot.timeline.rows import Row
from bot.timeline.story import entry_words, story
from bot.views.answers.in_slack import shown, told
from bot.views.answers.words import words
from bot.views.denied import denied_message
from bot.views.faces import Slack
from bot.views.incident import timeline as views
from bot.views.names import plain_names
from bot.views.text import inert
from commands import messages
from commands.desk import CommandContext, Request, answer
from commands.listening import read_as, tell
from commands.parsing.arguments import moment
from commands.parsing.parse import Misunderstood
from commands.table import ADD_TO_TIMELINE

NONE_YET = "There is no incident yet to add it to. `/incident declare TITLE` opens one."
LOST = "This form has lost what it was about, and nothing was changed. Close it and begin again."
UNREAD = (
    "I cannot read the message you pinned ({why}), so it is not in the timeline of {name}. "
    "*Add to timeline* in the message's menu works without that."
)
FOLLOWER = Actor.rule("message watch")
CHANGES = ("message_changed", "message_deleted")


def listen(app: AsyncApp, desk: CommandContext) -> None:
    """Listen for the shortcut, the emoji, changed messages, and the buttons and forms of timelines."""
    app.message_shortcut(ADD_TO_TIMELINE.callback)(partial(_on_shortcut, desk))
    app.view(views.CHOOSE_CALLBACK)(partial(_on_chosen, desk))
    app.event("reaction_added")(partial(_on_reaction, desk))
    app.event("reaction_removed")(partial(_on_reaction, desk))
    for change in CHANGES:
        app.event({"type": "message", "subtype": change})(partial(_on_changed, desk))
    for action, serve in ACTIONS.items():
        app.action(re.compile(rf"^{re.escape(action)}(:|$)"))(partial(serve, desk))
    app.view(views.CORRECT_CALLBACK)(partial(_on_corrected, desk))


async def timeline(desk: CommandContext, incident: Incident, page: int | None = None) -> Message:
    """A page of the timeline; None is the newest."""
    with GARBAGE.paused():
        facts = await desk.ledger.read(lambda store: store.facts_about(incident.number))
        told = await asyncio.to_thread(story, facts, plain_names(desk.engine.policy))  # ten thousand take a third of a second
    return views.timeline_page(incident, told, desk.clock.now(), page)


# --- adding messages


async def _on_shortcut(
    desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, respond: AsyncRespond, client: AsyncWebClient
) -> None:
    await ack()
    shortcut = read_as(context, Shortcut)
    asked, message = Request.from_press(shortcut), shortcut.message
    if message is None:
        return
    if refused := desk.denied(asked, AddMessage):
        await answer(respond, denied_message(refused))
        return
    number = await _incident_of(desk, message)
    if number is not None:
        await answer(respond, shown(await _add(desk, client, asked, number, message, shortcut.domain)))
        return
    world = desk.engine.world
    over = sorted((i for i in world.incidents.values() if not i.phase.open), key=lambda i: -i.number)
    if not world.incidents:
        await answer(respond, NONE_YET)
        return
    packed = messages.packed(message, shortcut.domain)
    form = views.choose_modal(world.open_incidents(), over, message.text, packed)
    await client.views_open(trigger_id=shortcut.trigger, view=form)


async def _on_chosen(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, client: AsyncWebClient) -> None:
    form = read_as(context, Form)
    asked, number = Request.from_press(form), form.fields.get("incident", "")
    try:
        message, domain = messages.unpacked(form.metadata)
    except ValueError:
        await ack(response_action="errors", errors={"incident": LOST})
        return
    if not re.fullmatch(r"[0-9]{1,9}", number):
        await ack(response_action="errors", errors={"incident": LOST})
        return
    await ack()
    said = await _add(desk, client, asked, int(number), message, domain)
    await tell(client, asked.actor.id, message.channel, shown(said))


async def _add(
    desk: CommandContext, client: AsyncWebClient, asked: Request, number: int, message: Written, domain: str,
    *, pinned: bool = False,
) -> Answer:  # fmt: skip
    source = await messages.source(client, message, domain)
    return await desk.engine.handle(
        AddMessage(actor=asked.actor, id=asked.signal_id, incident=number, message=source, pinned=pinned)
    )


async def _incident_of(desk: CommandContext, message: Written) -> int | None:
    """The incident whose channel, or whose alert's thread, contains the message."""
    root = message.thread_ts or message.ts
    for incident in reversed(list(desk.engine.world.incidents.values())):
        room = incident.room
        if message.channel == room.channel or (message.channel, root) == (room.alert.channel, room.alert.ts):
            return incident.number
    return await desk.ledger.read(lambda store: store.incident_with("room.channel", message.channel))


async def _on_reaction(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, client: AsyncWebClient) -> None:
    await ack()
    reaction = read_as(context, Reaction)
    asked = Request.from_reaction(reaction)
    if reaction.added:
        await _pinned(desk, client, asked, reaction)
        return
    for number in await _holders(desk, reaction.channel, reaction.ts):
        key = message_key(reaction.channel, reaction.ts)
        said = await desk.engine.handle(
            UnpinMessage(actor=asked.actor, id=f"{asked.signal_id}/{number}", incident=number, message=key)
        )
        if isinstance(said, MessageTakenOut):
            await tell(client, asked.actor.id, reaction.channel, Message(inert(told(said))))


async def _pinned(desk: CommandContext, client: AsyncWebClient, asked: Request, reaction: Reaction) -> None:
    """A pin counts only in an incident's channel and in its alert's thread."""
    number = await _incident_of(desk, Written(reaction.channel, reaction.ts))
    if number is None and not any(i.room.alert.channel == reaction.channel for i in desk.engine.world.incidents.values()):
        return
    try:
        message = await messages.read(client, reaction.channel, reaction.ts)
    except messages.CannotRead as why:
        if number is not None:
            text = UNREAD.format(why=why, name=f"INC-{number}")
            await tell(client, asked.actor.id, reaction.channel, Message(text))
        return
    number = number or await _incident_of(desk, message)
    if number is None:
        return
    said = await _add(desk, client, asked, number, message, "", pinned=True)
    if not (isinstance(said, MessageInTimeline) and said.before):  # people who pin what others pinned can see that it is pinned
        await tell(client, asked.actor.id, reaction.channel, shown(said))


async def _on_changed(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, client: AsyncWebClient) -> None:
    """Somebody edited or deleted a message: record it at the entries made from it."""
    await ack()
    changed = read_as(context, Changed)
    key, id = message_key(changed.channel, changed.ts), f"slack/{changed.id}"
    text = await messages.words(client, changed.message.text) if changed.message else ""
    for number in await _holders(desk, changed.channel, changed.ts):
        if changed.message is None:
            await desk.engine.handle(SourceDeleted(FOLLOWER, f"{id}/{number}", incident=number, message=key))
        else:
            edited = changed.message.edited_ts
            await desk.engine.handle(
                SourceEdited(FOLLOWER, f"{id}/{number}", incident=number, message=key, text=text, edited_ts=edited)
            )


async def _holders(desk: CommandContext, channel: str, ts: str) -> list[int]:
    """The incidents whose timeline contains the message."""
    known = desk.engine.world.holding(message_key(channel, ts))
    if known:
        return known
    past = await desk.ledger.read(lambda store: store.incident_with("room.channel", channel))
    return [past] if past else []


# --- pages and corrections


async def _on_turn(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, respond: AsyncRespond) -> None:
    await ack()
    press = read_as(context, Press)
    if (incident := await _incident(desk, press)) is None:
        return
    await _replace(respond, await timeline(desk, incident, _whole(press, "page") or None))


async def _on_entry(
    desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, respond: AsyncRespond, client: AsyncWebClient
) -> None:
    await ack()
    press = read_as(context, Press)
    asked, incident, entry = Request.from_press(press), await _incident(desk, press), _whole(press, "entry")
    if incident is None:
        return
    if refused := desk.denied(asked, CorrectEntry, incident.number):
        await answer(respond, denied_message(refused))
        return
    if (found := await _entry(desk, incident, entry)) is None:
        await answer(respond, words(NoEntry(incident=incident.number), Slack()))
        return
    if press.value.get("do") == views.CORRECT:
        carried = json.dumps({"incident": incident.number, "entry": entry, "channel": press.channel})
        await client.views_open(trigger_id=press.trigger, view=views.correct_modal(incident, *found, carried))
        return
    hide = HideEntry(actor=asked.actor, id=asked.signal_id, incident=incident.number, entry=entry)
    said = await desk.engine.handle(hide)
    hidden = isinstance(said, EntryIsHidden)
    await _replace(respond, await timeline(desk, incident, _whole(press, "page") or None))
    await answer(respond, views.show_again(told(said), incident.number, entry) if hidden else shown(said))


async def _on_show(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, respond: AsyncRespond) -> None:
    await ack()
    press = read_as(context, Press)
    asked, incident, entry = Request.from_press(press), await _incident(desk, press), _whole(press, "entry")
    if incident is None or await _entry(desk, incident, entry) is None:
        return
    show = HideEntry(actor=asked.actor, id=asked.signal_id, incident=incident.number, entry=entry, back=True)
    await _replace(respond, Message(inert(told(await desk.engine.handle(show)))))


async def _on_corrected(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, client: AsyncWebClient) -> None:
    form = read_as(context, Form)
    asked = Request.from_press(form)
    try:
        incident, entry, channel = await _about(desk, form)
        said = await _correct(desk, asked, form, incident, entry)
    except Misunderstood as wrong:
        await ack(response_action="errors", errors={"text": str(wrong)})
        return
    if not said.ok:
        field = "time" if isinstance(said, NotYet) else "text"
        await ack(response_action="errors", errors={field: words(said, Slack(linked=False))})
        return
    await ack()
    await tell(client, asked.actor.id, channel, Message(inert(told(said))))


async def _about(desk: CommandContext, form: Form) -> tuple[Incident, int, str]:
    """The incident and entry of a form. Raises Misunderstood if we did not write it."""
    try:
        carried = json.loads(form.metadata)
        number, entry, channel = carried["incident"], carried["entry"], carried["channel"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Misunderstood(LOST) from None
    if type(number) is not int or type(entry) is not int or not isinstance(channel, str):
        raise Misunderstood(LOST)
    incident = (await desk.engine.world_with([number])).incidents.get(number)
    if incident is None:
        raise Misunderstood(LOST)
    return incident, entry, channel


async def _correct(desk: CommandContext, asked: Request, form: Form, incident: Incident, entry: int) -> Answer:
    """Send what differs from the entry's current text."""
    found = await _entry(desk, incident, entry)
    if found is None:
        return NoEntry(incident=incident.number)
    row, before = found
    text, at = form.fields.get("text", ""), moment(form.fields.get("time", ""))
    return await desk.engine.handle(CorrectEntry(
        actor=asked.actor, id=asked.signal_id, incident=incident.number, entry=entry,
        text=text if text.strip() != before.strip() else None,
        happened_at=at if at and not views.same_minute(at, row.at) else None,
    ))  # fmt: skip


async def _entry(desk: CommandContext, incident: Incident, entry: int) -> tuple[Row, str] | None:
    facts = await desk.ledger.read(lambda store: store.facts_about(incident.number))
    return entry_words(facts, incident.stream, entry)


async def _incident(desk: CommandContext, press: Press) -> Incident | None:
    number = _whole(press, "incident")
    return (await desk.engine.world_with([number])).incidents.get(number)


def _whole(press: Press, name: str) -> int:
    """A number from one of our buttons; 0 for anything else."""
    found = press.value.get(name)
    return found if type(found) is int else 0


async def _replace(respond: Any, message: Message) -> None:
    blocks = [dict(block) for block in message.blocks]
    await respond(text=message.text, blocks=blocks, response_type="ephemeral", replace_original=True)


ACTIONS: Mapping[str, Callable[..., Awaitable[None]]] = {
    views.PAGE: _on_turn, views.ENTRY: _on_entry, views.SHOW: _on_show,
}  # fmt: skip
