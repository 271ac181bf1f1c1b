"""The workspace with an unmodified Bolt app over a real websocket."""

import asyncio
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_refusals import INPUT, MODAL, TEXT
from slack_sdk.errors import SlackApiError
from slack_stage import EVERY_SCOPE, SETTINGS, Stage, bolt, furnish, until

from bot.sandbox.slack import LocalWorkspace, ModalErrors, NotThere, SlackbotSays

EDIT = {"type": "button", "action_id": "edit", "text": {"type": "plain_text", "text": "Edit incident"}, "value": "INC-1"}
ASK = {
    "title": TEXT,
    "text": TEXT,
    "confirm": TEXT,
    "deny": TEXT,
}


def incident_bot(app: AsyncApp) -> None:
    """A little bot: its command creates a channel with a card, the card's button opens a form, and the form edits the card."""

    @app.command("/incident")
    async def declare(ack: Any, command: dict[str, Any], client: Any) -> None:
        await ack(f"Opening {command['text']}")
        channel = (await client.conversations_create(name="inc-1"))["channel"]["id"]
        blocks = [
            {"type": "section", "text": {"type": "mrkdwn", "text": f"*{command['text']}* by <@{command['user_id']}>"}},
            {"type": "actions", "elements": [EDIT, EDIT | {"action_id": "end", "text": TEXT, "confirm": ASK}]},
        ]
        await client.chat_postMessage(channel=channel, text="card", blocks=blocks)
        await client.conversations_invite(channel=channel, users=command["user_id"])

    @app.action("edit")
    async def edit(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        meta = f"{body['channel']['id']} {body['message']['ts']}"
        field = INPUT | {"block_id": "title", "label": {"type": "plain_text", "text": "New title"}}
        view = MODAL | {"callback_id": "edit", "private_metadata": meta, "blocks": [field]}
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view("edit")
    async def edited(ack: Any, view: dict[str, Any], client: Any) -> None:
        title = view["state"]["values"]["title"]["t"]["value"]
        if title == "x":
            await ack(response_action="errors", errors={"title": "too short"})
            return
        await ack()
        channel, ts = view["private_metadata"].split()
        await client.chat_update(channel=channel, ts=ts, text=f"now: {title}")


async def test_command_button_and_form_make_a_round_trip(stage: Stage) -> None:
    """Command, ack, channel, blocks, click, modal, refused form, accepted form, edited card."""
    async with bolt(stage, incident_bot):
        await stage.ana.types("/incident Claude is slow", channel="ops")
        assert "(only you) understudy: Opening Claude is slow" in stage.ana.sees("ops")
        assert "Opening" not in stage.ben.sees("ops")
        await stage.ana.waits_for("Claude is slow by @ana")
        await stage.ana.waits_for("joined the channel", channel="inc-1")

        await stage.ana.clicks("Edit incident", channel="inc-1")
        await stage.ana.waits_for("New title:")
        with pytest.raises(ModalErrors) as refused:
            await stage.ana.submits(t="x")
        assert {"title": "too short"} == refused.value.errors
        await stage.ana.submits({"New title": "Claude is down"})

        await stage.ana.waits_for("now: Claude is down", channel="inc-1")
        assert stage.ana.modal is None
        assert {"slash_commands", "interactive", "events_api"} == {ack.type for ack in stage.ws.acks}
        assert all(ack.seconds is not None and ack.seconds < 0.3 for ack in stage.ws.acks)


async def test_empty_required_field_is_refused_by_slack_itself(stage: Stage) -> None:
    """The app receives nothing."""
    await stage.client.views_open(trigger_id=stage.trigger(), view=MODAL)

    with pytest.raises(ModalErrors) as refused:
        await stage.ana.submits()

    assert ["Please complete this required field."] == list(refused.value.errors.values())


async def test_mentions_arrive_escaped_in_commands(stage: Stage) -> None:
    """`should_escape` turns names into ids and `< > &` into entities."""
    received: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def register(app: AsyncApp) -> None:
        @app.command("/health")
        async def health(ack: Any, command: dict[str, Any]) -> None:
            await ack()
            received.set_result(command["text"])

    async with bolt(stage, register):
        await stage.ana.types("/health @ben, in #ops and #den <b> & @nobody")

    expected = f"<@{stage.ben.id}|ben>, in <#{stage.ops}|ops> and <#{stage.den}|> &lt;b&gt; &amp; @nobody"
    assert expected == received.result()


async def test_slackbot_explains_a_failed_command(stage: Stage) -> None:
    """Unknown command, no connection, no acknowledgement: Slack's own words, shown to the person."""
    with pytest.raises(SlackbotSays, match="`/nonsense` is not a valid command"):
        await stage.ana.types("/nonsense")
    with pytest.raises(SlackbotSays, match='/health failed with the error "dispatch_failed"'):
        await stage.ana.types("/health")

    def register(app: AsyncApp) -> None:
        @app.command("/health")
        async def never_acks(command: dict[str, Any]) -> None:
            """Leaves the person without a reply."""

    async with bolt(stage, register):
        with pytest.raises(SlackbotSays, match='/health failed with the error "operation_timeout"'):
            await stage.ana.types("/health")

    assert "Slackbot: /health failed" in stage.ana.sees("ops")
    assert [None] == [ack.seconds for ack in stage.ws.acks if ack.type == "slash_commands"]


async def test_in_channel_reply_is_public(stage: Stage) -> None:
    """`in_channel` shows the command as well."""

    def register(app: AsyncApp) -> None:
        @app.command("/health")
        async def health(ack: Any) -> None:
            await ack(text="All well", response_type="in_channel")

    async with bolt(stage, register):
        await stage.ana.types("/health claude")

    assert "ana: /health claude\nunderstudy: All well" in stage.ben.sees("ops")


async def test_response_url_works_five_times_and_can_edit_the_message(stage: Stage) -> None:
    """Ephemeral by default; `replace_original` and `delete_original` act on the clicked message."""
    statuses: list[int] = []

    def register(app: AsyncApp) -> None:
        @app.action("edit")
        async def edit(ack: Any, respond: Any) -> None:
            await ack()
            for text in ("one", "two", "three"):
                statuses.append((await respond(text, replace_original=False)).status_code)
            statuses.append((await respond("edited", replace_original=True)).status_code)
            statuses.append((await respond(delete_original=True)).status_code)
            statuses.append((await respond("too many")).status_code)
            await stage.ben.says("done", channel="ops")

    async with bolt(stage, register):
        await stage.post("card", blocks=[{"type": "actions", "elements": [EDIT]}])
        await stage.ana.clicks("edit")
        await stage.ana.waits_for("ben: done")

    assert [200, 200, 200, 200, 200, 404] == statuses
    assert [] == [message for message in stage.ws.messages("ops") if message.bot]
    assert "(only you) understudy: three" in stage.ana.sees("ops")
    assert "three" not in stage.ben.sees("ops")


async def test_clicking_a_missing_button_fails_and_lists_the_others(stage: Stage) -> None:
    """So that a failing test says what was there instead."""
    await stage.post("card", blocks=[{"type": "actions", "elements": [EDIT]}])

    with pytest.raises(NotThere, match=r"finds no 'Resolve'; there is: Edit incident \(edit\)"):
        await stage.ana.clicks("Resolve", channel="ops")


async def test_ticket_opens_one_websocket_only(stage: Stage) -> None:
    """A used ticket gets HTTP 408."""
    url = (await stage.client.apps_connections_open(app_token=stage.ws.app_token))["url"]
    async with stage.client.session.ws_connect(url) as socket:  # type: ignore[union-attr]
        assert "hello" == (await socket.receive_json())["type"]

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await stage.client.session.ws_connect(url)  # type: ignore[union-attr]

    assert 408 == refused.value.status


async def test_eleventh_websocket_is_refused(stage: Stage) -> None:
    """Ten connections are the limit; the next gets `too_many_websockets`."""
    async with aiohttp.ClientSession() as session:
        sockets = []
        for _ in range(11):
            url = (await stage.client.apps_connections_open(app_token=stage.ws.app_token))["url"]
            sockets.append(await session.ws_connect(url))

        assert "hello" == (await sockets[9].receive_json())["type"]
        assert "too_many_websockets" == (await sockets[10].receive_json())["reason"]


async def test_unacknowledged_event_is_sent_again(stage: Stage) -> None:
    """With the same event_id, a rising retry_attempt, and a reason."""
    url = (await stage.client.apps_connections_open(app_token=stage.ws.app_token))["url"]
    async with stage.client.session.ws_connect(url) as socket:  # type: ignore[union-attr]
        await stage.ws.connected()
        await stage.ana.says("hello", channel="ops")
        envelopes = [await socket.receive_json() for _ in range(4)][1:]

    assert [(0, ""), (1, "timeout"), (2, "timeout")] == [(e["retry_attempt"], e["retry_reason"]) for e in envelopes]
    assert 1 == len({envelope["payload"]["event_id"] for envelope in envelopes})
    assert 3 == len({envelope["envelope_id"] for envelope in envelopes})


async def test_events_depend_on_scopes_and_membership(session: aiohttp.ClientSession) -> None:
    """No app_mentions:read, no app_mention; no membership, no message."""
    scopes = [scope for scope in EVERY_SCOPE if scope != "app_mentions:read"]
    received: list[str] = []

    def register(app: AsyncApp) -> None:
        @app.middleware
        async def note(body: dict[str, Any], next: Any) -> None:
            received.append(f"{body['event']['type']} {body['event'].get('text', '')}")
            await next()

    async with LocalWorkspace(scopes=scopes, settings=SETTINGS) as ws:
        stage = furnish(ws, session)
        async with bolt(stage, register):
            await stage.ana.says("in the hall", channel="hall")
            await stage.ana.says("@understudy hi", channel="ops")
            await until(lambda: bool(received))

    assert [f"message <@{ws.bot_user_id}> hi"] == received


async def test_shortcut_and_home_reach_the_app(stage: Stage) -> None:
    """A message shortcut carries the message; the Home tab shows what the app published."""

    def register(app: AsyncApp) -> None:
        @app.shortcut("add_to_timeline")
        async def add(ack: Any, body: dict[str, Any], client: Any) -> None:
            await ack()
            text = f"Noted: {body['message']['text']}"
            await client.chat_postMessage(channel=body["channel"]["id"], thread_ts=body["message"]["ts"], text=text)

        app.event("app_home_opened")(home)

    async def home(event: dict[str, Any], client: Any) -> None:
        view = {"type": "home", "blocks": [{"type": "section", "text": TEXT}]}
        await client.views_publish(user_id=event["user"], view=view)

    async with bolt(stage, register):
        await stage.ana.opens_home()
        await until(lambda: "Hello" in stage.ana.home)
        ts = await stage.ana.says("we restarted it", channel="ops")
        await stage.ana.uses_shortcut("add_to_timeline", message_containing="restarted")
        await stage.ana.waits_for("Noted: we restarted it", channel="ops")

    assert ["we restarted it", "Noted: we restarted it"] == [m.text for m in stage.ws.messages("ops", thread_ts=ts)]


async def test_bot_cannot_read_a_channel_that_it_archived(stage: Stage) -> None:
    """Archiving removes the bot for good: no history, no unarchiving."""
    channel = await stage.archived()

    for method in ("conversations_history", "conversations_unarchive"):
        with pytest.raises(SlackApiError, match="not_in_channel"):
            await getattr(stage.client, method)(channel=channel)


async def test_tabs_missing_from_the_manifest_are_refused() -> None:
    """Without a Home tab nothing can be opened or published; without a Messages tab nobody can write to the app."""
    tabs = {"home_tab_enabled": False, "messages_tab_enabled": True, "messages_tab_read_only_enabled": True}
    manifest = {"features": {"app_home": tabs}, "oauth_config": {"scopes": {"bot": ["chat:write", "im:history"]}}}
    async with LocalWorkspace.from_manifest(manifest) as workspace:
        ana = workspace.add_user("ana")
        with pytest.raises(NotThere, match="no Home tab"):
            await ana.opens_home()
        with pytest.raises(NotThere, match="turned off"):
            await ana.writes("claude?")

    assert [] == workspace.direct_messages(ana)
