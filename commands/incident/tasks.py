"""The buttons of tasks and their form: in the list, under lines of the channel, and in reminders."""

import json
import re
from functools import partial

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.answers.base import Answer
from bot.core.decide.incident.tasks import CannotBeDue, not_open
from bot.core.model import Actor
from bot.core.record.incident import Incident
from bot.core.signals.tasks import ChangeTask, FinishTask, GiveTask
from bot.core.tasks import Task
from bot.ports import Message
from bot.ports.payloads import Form, Press
from bot.views.answers.in_slack import answer_message, told
from bot.views.answers.words import words
from bot.views.denied import denied_message
from bot.views.faces import Slack
from bot.views.incident import tasks as views
from bot.views.scene import Scene
from bot.views.text import inert
from bot.views.used import used
from commands.desk import CommandContext, Request, answer
from commands.listening import chosen, over_home, read_as, tell
from commands.parsing.arguments import moment
from commands.parsing.parse import Misunderstood
from commands.table import INCIDENT

VERBS = (views.DONE, views.TAKE, views.CHANGE)
BUTTONS = re.compile(rf"^({'|'.join(map(re.escape, VERBS))})(:|$)")
LOST = "This form has lost its task, and nothing was changed. Close it and begin again: `/incident tasks`."


def listen(app: AsyncApp, desk: CommandContext) -> None:
    """Listen for the buttons of tasks and for the form."""
    app.action(BUTTONS)(partial(_on_press, desk))
    app.view(views.CHANGE_CALLBACK)(partial(_on_changed, desk))


async def _on_press(
    desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, respond: AsyncRespond, client: AsyncWebClient
) -> None:
    await ack()
    press = read_as(context, Press)
    asked, verb = Request.from_press(press), press.action.partition(":")[0]
    incident, number = await _incident(desk, press.value.get("incident")), press.value.get("task")
    if incident is None or type(number) is not int:
        return
    if verb == views.CHANGE:
        await _open(desk, asked, press, respond, client, incident, number)
        return
    finish = FinishTask(actor=asked.actor, id=asked.signal_id, incident=incident.number, task=number)
    take = GiveTask(actor=asked.actor, id=asked.signal_id, incident=incident.number, task=number, to=asked.actor)
    at = desk.clock.now()
    said = await desk.engine.handle(take if verb == views.TAKE else finish)
    if press.at_home:
        await over_home(client, press, said)
        return
    if press.message is None:  # the list, visible only to them, shows the result
        await _replace(respond, await _list(desk, incident.number), response_type="ephemeral")
    elif said.changed:
        await _replace(respond, used(
            press.message.text, press.message.blocks, press.action, press.label or verb, asked.actor, at
        ))  # fmt: skip
    await answer(respond, answer_message(said, INCIDENT.word) or told(said))


async def _open(
    desk: CommandContext, asked: Request, press: Press, respond: AsyncRespond, client: AsyncWebClient, incident: Incident,
    number: int,
) -> None:  # fmt: skip
    if refused := desk.denied(asked, ChangeTask, incident.number):
        await answer(respond, denied_message(refused))
        return
    task = incident.tasks.get(number)
    if task is None or not task.open:
        await answer(respond, told(not_open(incident, number)))
        return
    carried = json.dumps({"incident": incident.number, "task": number, "channel": press.channel})
    await client.views_open(trigger_id=press.trigger, view=views.task_modal(incident, task, carried))


async def _on_changed(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, client: AsyncWebClient) -> None:
    form = read_as(context, Form)
    asked = Request.from_press(form)
    try:
        incident, number, channel = await _about(desk, form)
        owner = await _owner(client, form, incident.tasks.get(number))
    except Misunderstood as wrong:
        await ack(response_action="errors", errors={"text": str(wrong)})
        return
    text, at = form.fields.get("text", ""), moment(form.fields.get("time", ""))
    said: Answer = await desk.engine.handle(ChangeTask(
        actor=asked.actor, id=asked.signal_id, incident=incident.number, task=number, text=text, owner=owner, due_at=at
    ))  # fmt: skip
    if not said.ok:
        field = "time" if isinstance(said, CannotBeDue) else "text"
        await ack(response_action="errors", errors={field: words(said, Slack(linked=False))})
        return
    await ack()
    await tell(client, asked.actor.id, channel, views.task_message(said) or Message(inert(told(said))))


async def _owner(client: AsyncWebClient, form: Form, task: Task | None) -> Actor | None:
    """The person in the field. A terminal user, whom the field cannot show, keeps the task if the field is empty."""
    found = await chosen(client, form)
    elsewhere = task.owner if task and task.owner and not views.is_in_slack(task.owner) else None
    return found or elsewhere


async def _about(desk: CommandContext, form: Form) -> tuple[Incident, int, str]:
    """The incident and task of a form. Raises Misunderstood if we did not write it."""
    try:
        carried = json.loads(form.metadata)
        number, task, channel = carried["incident"], carried["task"], carried["channel"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Misunderstood(LOST) from None
    incident = await _incident(desk, number)
    if incident is None or type(task) is not int or not isinstance(channel, str):
        raise Misunderstood(LOST)
    return incident, task, channel


async def _incident(desk: CommandContext, number: object) -> Incident | None:
    """The incident with that number, however old."""
    if type(number) is not int:
        return None
    return (await desk.engine.world_with([number])).incidents.get(number)


async def _list(desk: CommandContext, number: int) -> Message:
    world = await desk.engine.world_with([number])
    return views.task_list(Scene(world.incidents[number], world, desk.engine.policy, desk.clock.now()))


async def _replace(respond: AsyncRespond, message: Message, response_type: str | None = None) -> None:
    blocks = [dict(block) for block in message.blocks]
    await respond(text=message.text, blocks=blocks, response_type=response_type, replace_original=True)
