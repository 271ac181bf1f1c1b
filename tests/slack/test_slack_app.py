"""The Bolt app: everything is answered, nothing runs twice, nothing is read from the environment."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_house import QUICK, house, login

from bot.ports import ChatError, Message, Place
from bot.ports.payload_reading import request_id
from bot.sandbox.slack import LocalWorkspace, Person
from bot.slack.gateway import SlackGateway
from bot.slack.respond import Respond

LINK = {
    "type": "actions",
    "elements": [
        {
            "type": "button",
            "action_id": "board",
            "text": {"type": "plain_text", "text": "Open board"},
            "url": "https://x.test/",
        },
        {"type": "button", "action_id": "old", "text": {"type": "plain_text", "text": "Old button"}},
    ],
}
FORM = {
    "type": "modal",
    "callback_id": "old-form",
    "title": {"type": "plain_text", "text": "Declare"},
    "submit": {"type": "plain_text", "text": "Declare"},
    "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "An incident"}}],
}


@pytest.fixture
def ana(workspace: LocalWorkspace) -> Person:
    made = workspace.add_user("ana")
    workspace.add_channel("ops", members=(made, "understudy"))
    return made


async def test_unknown_command_is_answered(workspace: LocalWorkspace, ana: Person) -> None:
    """A command of another version gets a sentence, not Slack's `dispatch_failed`."""
    async with house(workspace):
        await ana.types("/drill start anthropic.api")

        assert "I do not know /drill" in await ana.waits_for("do not know")


async def test_unknown_button_is_answered(workspace: LocalWorkspace, ana: Person) -> None:
    """The person is told that nothing was done."""
    async with house(workspace) as home:
        await home.gateway.post(Place(workspace.channel("ops").id), Message("Alert", (LINK,)), "k")
        await ana.clicks("old")

        assert "I do not know this button any more, and nothing was done." in await ana.waits_for("do not know")
        assert [message.text for message in workspace.messages("ops")] == ["Alert"]


async def test_pressed_link_is_acknowledged_silently(workspace: LocalWorkspace, ana: Person) -> None:
    """Slack reports presses of links too; they need no reply."""
    async with house(workspace) as home:
        await home.gateway.post(Place(workspace.channel("ops").id), Message("Alert", (LINK,)), "k")
        await ana.clicks("board")
        await ana.types("/health after")

        assert "do not know" not in await ana.waits_for("heard after")


async def test_unknown_form_is_answered(workspace: LocalWorkspace, ana: Person) -> None:
    """The form turns into a notice."""

    async def open_form(ack: AsyncAck, body: dict[str, Any], client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)

    def register(app: AsyncApp) -> None:
        app.command("/incident")(open_form)

    async with house(workspace, register=register):
        await ana.types("/incident declare")
        await ana.waits_for("An incident")
        await ana.submits()

        assert "I do not know this form any more" in await ana.waits_for("do not know")


async def test_unknown_shortcut_is_answered(workspace: LocalWorkspace, ana: Person) -> None:
    """By direct message, since a global shortcut has no channel."""
    async with house(workspace):
        await ana.uses_shortcut("declare_incident")

        assert "I do not know this shortcut" in await ana.waits_for("do not know")


async def test_unknown_events_are_acknowledged(workspace: LocalWorkspace, ana: Person) -> None:
    """Slack turns events off for an app that does not acknowledge them."""
    async with house(workspace):
        await ana.says("good morning", channel="ops")
        await ana.types("/health now")
        await ana.waits_for("heard now")

        assert [] == [ack for ack in workspace.acks if ack.seconds is None]
        assert "events_api" in [ack.type for ack in workspace.acks]


@pytest.mark.parametrize("word", ["/incident", "/fallback"])
async def test_person_is_told_if_a_listener_fails(
    workspace: LocalWorkspace, ana: Person, word: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Before or after the acknowledgement; with a reference to the log, and without the error's own words."""
    async with house(workspace):
        await ana.types(f"{word} declare")
        seen = await ana.waits_for("Something broke on my side")

    reference = seen.rpartition("the reference ")[2].split(".")[0]
    assert "xoxb-secret" not in seen
    assert reference in capfd.readouterr().out
    assert all(ack.seconds is not None for ack in workspace.acks)


async def test_form_turns_into_the_error_if_its_listener_fails(workspace: LocalWorkspace, ana: Person) -> None:
    """A form has no other place for a reply."""

    async def open_form(ack: AsyncAck, body: dict[str, Any], client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)

    async def broken(view: dict[str, Any]) -> None:
        raise LookupError("no such thing")

    def register(app: AsyncApp) -> None:
        app.command("/incident")(open_form)
        app.view("old-form")(broken)

    async with house(workspace, register=register):
        await ana.types("/incident declare")
        await ana.waits_for("An incident")
        await ana.submits()

        assert "Something broke on my side" in await ana.waits_for("Something broke")


async def test_refusal_by_slack_in_a_listener_is_explained(workspace: LocalWorkspace, ana: Person) -> None:
    """An expired form is no bug of ours, and the reply says so."""

    async def late(ack: AsyncAck, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id="1700000000.1.abcdef", view=FORM)

    def register(app: AsyncApp) -> None:
        app.command("/incident")(late)

    async with house(workspace, register=register):
        await ana.types("/incident declare")

        assert "That did not work" in await ana.waits_for("That did not work")


async def test_person_is_told_if_the_ledger_does_not_answer(workspace: LocalWorkspace, ana: Person) -> None:
    """The check for repeated deliveries fails before any listener runs, yet the command is acknowledged and answered."""

    async def broken(id: str) -> bool:
        raise OSError("the disk is full")

    async with house(workspace, first_sight=broken) as home:
        await ana.types("/health claude")

        assert "Something broke on my side" in await ana.waits_for("Something broke")
        assert [] == home.received


async def test_command_delivered_twice_runs_once(workspace: LocalWorkspace, ana: Person) -> None:
    """Both deliveries are acknowledged."""
    workspace.faults.deliver_twice(1)
    async with house(workspace) as home:
        await ana.types("/health claude")
        await ana.types("/health openai")
        await ana.waits_for("heard openai")

        assert ["claude", "openai"] == sorted(home.received)
        assert [2, 1] == [home.seen.ids.count(id) for id in dict.fromkeys(home.seen.ids) if id.startswith("trigger_id/")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"event_id": "Ev1", "trigger_id": "2"}, "event_id/Ev1"),
        ({"trigger_id": "1.2.abc"}, "trigger_id/1.2.abc"),
        ({"type": "view_closed", "view": {"id": "V1", "hash": "h"}}, "view/view_closed/V1/h"),
        ({"type": "block_suggestion"}, ""),
    ],
)
def test_repeated_request_is_recognized_by_its_own_id(body: dict[str, Any], expected: str) -> None:
    """Slack may repeat it in another envelope."""
    assert expected == request_id(body)


async def test_commands_do_not_call_auth_test(workspace: LocalWorkspace, ana: Person) -> None:
    """One auth.test serves them all; if a later one got lost, people would be told to reinstall the app."""
    async with house(workspace):
        for n in range(5):
            await ana.types(f"/health {n}")

        assert 1 == [call.method for call in workspace.calls].count("auth.test")


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def set_up() -> None:
        for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"):
            monkeypatch.setenv(name, "xoxb-from-the-environment")
        for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)

    return set_up


async def test_tokens_and_proxy_in_the_environment_are_ignored(
    workspace: LocalWorkspace, ana: Person, hostile: Callable[[], None]
) -> None:
    """Calls, replies, direct messages and the socket all use the configuration."""

    async def health(ack: AsyncAck, body: dict[str, Any], client: Any, respond: Respond) -> None:
        await ack()
        await client.chat_postMessage(channel=body["user_id"], text="in private")
        await respond("in passing", response_type="ephemeral")

    def register(app: AsyncApp) -> None:
        assert app.oauth_flow is None
        app.command("/health")(health)

    hostile()
    async with house(workspace, register=register):
        await ana.types("/health")

        assert "in passing" in await ana.waits_for("in passing")
        assert ["in private"] == [message.text for message in workspace.direct_messages(ana)]


async def test_reply_refused_by_slack_is_logged(
    workspace: LocalWorkspace, ana: Person, capfd: pytest.CaptureFixture[str]
) -> None:
    """Slack allows five replies."""
    done = asyncio.Event()

    async def talkative(ack: AsyncAck, respond: Respond) -> None:
        await ack()
        for n in range(6):
            await respond(f"answer {n}")
        done.set()

    def register(app: AsyncApp) -> None:
        app.command("/health")(talkative)

    async with house(workspace, register=register):
        await ana.types("/health")
        async with asyncio.timeout(5.0):
            await done.wait()

    assert "Slack did not accept an answer" in capfd.readouterr().out


async def test_gateway_knows_its_bot_after_the_first_call(workspace: LocalWorkspace) -> None:
    """`me` is empty only until Slack has answered once."""
    gateway = SlackGateway(login(workspace), patience=QUICK)
    before = gateway.me
    await gateway.own_channels()
    await gateway.close()

    assert ("", workspace.bot_user_id) == (before, gateway.me)


async def test_command_is_acknowledged_even_if_reporting_its_error_hangs(workspace: LocalWorkspace, ana: Person) -> None:
    """The acknowledgement does not wait for the report."""
    async with house(workspace):
        workspace.faults.add("response_url", "hang")
        await ana.types("/incident declare")  # fails before it acknowledges

        assert all(ack.seconds is not None and ack.seconds < 1.0 for ack in workspace.acks)


async def test_late_call_does_not_reopen_the_session_of_a_stopping_bot(workspace: LocalWorkspace) -> None:
    """The call is refused, since nobody would close the new session."""
    gateway = SlackGateway(login(workspace), patience=QUICK)
    await gateway.identity()
    await gateway.close()
    with pytest.raises(ChatError) as caught:
        await gateway.own_channels()

    assert "stopping" == caught.value.code
