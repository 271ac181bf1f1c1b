"""The Home tab: drawn when a person opens it, with its own buttons."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from bot.ports.payloads import Event, Press
from bot.views.home import OPEN, RIGHTS, incident_view
from bot.views.incident.forms import notice_modal
from bot.views.rights import rights_view
from bot.views.scene import Scene
from commands.actions import STALE
from commands.desk import CommandContext, Request
from commands.listening import read_as


def listen(app: AsyncApp, desk: CommandContext) -> None:
    """Listen for openings of the tab and for its buttons."""
    app.event("app_home_opened")(partial(_on_opened, desk))
    for action, serve in ACTIONS.items():
        app.action(action)(partial(serve, desk))


async def _on_opened(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext) -> None:
    await ack()
    event = read_as(context, Event)
    if event.body.get("tab") == "home" and event.who.id:
        shown = event.body.get("view")
        hash = shown.get("hash") if isinstance(shown, dict) else ""
        await desk.home_opened(event.who.id, hash if isinstance(hash, str) else "")


async def _on_open(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, client: AsyncWebClient) -> None:
    await ack()
    press = read_as(context, Press)
    await client.views_open(trigger_id=press.trigger, view=await _incident(desk, press.value.get("incident")))


async def _incident(desk: CommandContext, number: Any) -> dict[str, Any]:
    if type(number) is not int:
        return notice_modal(STALE)
    world = await desk.engine.world_with([number])
    incident = world.incidents.get(number)
    if incident is None:
        return notice_modal(STALE)
    return incident_view(Scene(incident, world, desk.engine.policy, desk.clock.now()), desk.readers())


async def _on_rights(desk: CommandContext, ack: AsyncAck, context: AsyncBoltContext, client: AsyncWebClient) -> None:
    await ack()
    press = read_as(context, Press)
    view = rights_view(Request.from_press(press).actor, desk.engine.policy.incidents)
    await client.views_open(trigger_id=press.trigger, view=view)


ACTIONS: Mapping[str, Callable[..., Awaitable[None]]] = {OPEN: _on_open, RIGHTS: _on_rights}
