"""Hooks the commands, buttons and forms into Bolt. Every listener acknowledges first: Slack waits three seconds."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.views.text import inert
from commands import actions
from commands.desk import Asked, Desk, answer
from commands.fallback import fallback
from commands.health import health
from commands.incident import declare_form, incident, with_place
from commands.table import FALLBACK, HEALTH, INCIDENT, UNDERSTUDY, Word
from commands.understudy import understudy

# Slack's words for "you may not whisper there".
ELSEWHERE = frozenset({"channel_not_found", "not_in_channel", "user_not_in_channel", "is_archived"})


def register(app: AsyncApp, desk: Desk) -> None:
    """Listen for every slash word of the table, every button and every form of ours."""
    app.command(_slash(HEALTH))(partial(_on_health, desk))
    app.command(_slash(INCIDENT))(partial(_on_incident, desk))
    app.command(_slash(FALLBACK))(partial(_on_fallback, desk))
    app.command(_slash(UNDERSTUDY))(partial(_on_understudy, desk))
    app.action(actions.ACTIONS)(partial(_on_press, desk))
    app.action(actions.DECLARE_ACTION)(partial(_on_declare_button, desk))
    app.view(actions.DECLARE_CALLBACK)(partial(_on_declared, desk))
    app.view(actions.UPDATE_CALLBACK)(partial(_on_updated, desk))


def _slash(word: Word) -> re.Pattern[str]:
    """The word with whatever prefix the manifest was made with: `/health`, `/us-health`."""
    return re.compile(rf"^/[a-z0-9_-]{{0,16}}{word.word[1:]}$")


async def _on_health(desk: Desk, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
    await ack()
    await health(desk, Asked.from_command(body), respond)


async def _on_incident(desk: Desk, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond, client: AsyncWebClient) -> None:
    await ack()

    async def open_modal(view: dict[str, Any]) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    await incident(desk, Asked.from_command(body), respond, open_modal)


async def _on_fallback(desk: Desk, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
    await ack()
    await fallback(desk, Asked.from_command(body), respond)


async def _on_understudy(desk: Desk, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
    await ack()
    await understudy(desk, Asked.from_command(body), respond)


async def _on_press(desk: Desk, ack: AsyncAck, body: dict[str, Any], action: dict[str, Any], respond: AsyncRespond) -> None:
    await ack()
    asked = Asked.from_action(body)
    said = await actions.press(desk, asked, action)
    await answer(respond, said.text)
    record = actions.record(desk, asked, body, action) if said.changed else None
    if record:
        await respond(text=record.text, blocks=[dict(block) for block in record.blocks], replace_original=True)


async def _on_declare_button(
    desk: Desk, ack: AsyncAck, body: dict[str, Any], action: Mapping[str, Any], client: AsyncWebClient
) -> None:
    await ack()
    _, _, component = str(action["action_id"]).partition(":")
    await client.views_open(trigger_id=body["trigger_id"], view=declare_form(desk, Asked.from_action(body), component))


async def _on_declared(desk: Desk, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
    asked = Asked.from_action(body)
    said = await actions.declared(desk, asked, view)
    if not said.ok:
        await ack(response_action="errors", errors={"title": actions.without_references(desk, said.text)})
        return
    await ack()
    await _tell(client, asked.actor.id, str(view.get("private_metadata") or ""), inert(with_place(desk, said)))


async def _on_updated(desk: Desk, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
    said = await actions.updated(desk, Asked.from_action(body), view)
    if said.ok:
        await ack()  # the update itself appears in the channel
    else:
        await ack(response_action="errors", errors={"text": actions.without_references(desk, said.text)})


async def _tell(client: AsyncWebClient, user: str, channel: str, text: str) -> None:
    """Say it where they asked; where we are not a member of that channel, in a direct message."""
    try:
        if channel:
            await client.chat_postEphemeral(channel=channel, user=user, text=text)
            return
    except SlackApiError as refusal:
        if refusal.response.get("error") not in ELSEWHERE:
            raise
    await client.chat_postMessage(channel=user, text=text)
