"""Whether Slack accepts our messages, tested before the first incident."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.config.load import load
from bot.core.policy import Policy
from bot.doctor.checkup import Finding, examine
from bot.doctor.templates import messages, views
from bot.ports import ChatError, Message
from bot.sandbox.slack import LocalWorkspace
from bot.slack.block_proof import message_problem, view_problem
from bot.slack.client import SlackLogin
from bot.slack.gateway import SlackGateway
from tests.stories import FLAG, story_policy

NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
BAD = {"type": "section", "text": {"type": "bold", "text": "x" * 3001}}


@pytest.fixture
async def workspace() -> AsyncIterator[LocalWorkspace]:
    async with LocalWorkspace() as made:
        made.add_user("ana")
        made.add_channel("incidents", members=("ana", "understudy"))
        yield made


@pytest.fixture
async def gateway(workspace: LocalWorkspace) -> AsyncIterator[SlackGateway]:
    made = SlackGateway(SlackLogin(workspace.api_url, workspace.bot_token, workspace.app_token))
    yield made
    await made.close()


async def found(workspace: LocalWorkspace, folder: Path) -> Finding:
    """What the doctor says about messages."""
    path = folder / "understudy.yaml"
    path.write_text(
        f"slack: {{bot_token: {workspace.bot_token}, app_token: {workspace.app_token}, api_url: '{workspace.api_url}'}}\n"
        "providers: {p: {name: Payments, components: {api: {checks: [{type: http, url: 'https://a'}]}}}}\n",
        encoding="utf-8",
    )
    said = [one async for one in examine(load(path, {}), path, folder / "data") if one.subject == "messages"]
    assert 1 == len(said)
    return said[0]


async def test_doctor_asks_slack_about_every_kind_of_message(workspace: LocalWorkspace, tmp_path: Path) -> None:
    """Each is validated, and none is posted."""
    finding = await found(workspace, tmp_path)

    assert ("good", "Slack accepts all 16 kinds of messages and forms, with your names in them") == (
        finding.state,
        finding.words,
    )
    assert 16 == len([call for call in workspace.calls if call.method == "blocks.validate" and call.ok])
    assert [] == [message for message in workspace.messages("incidents") if "down" in message.text]


async def test_doctor_says_if_slack_cannot_validate_messages(workspace: LocalWorkspace, tmp_path: Path) -> None:
    """A Slack without that method, perhaps GovSlack, is no reason to fail."""
    workspace.faults.add("blocks.validate", "error:unknown_method")
    finding = await found(workspace, tmp_path)

    assert "note" == finding.state
    assert finding.words.startswith("Slack did not say whether it accepts our messages: ")


async def test_rejected_message_is_reported_with_the_place(gateway: SlackGateway) -> None:
    """As precisely as Slack says it."""
    said = await message_problem(gateway, Message("x", (BAD,)))

    assert said.startswith("must be plain_text or mrkdwn at /blocks/0/text/type; must be less than 3001 characters at ")


async def test_rejected_form_is_reported_with_the_place(gateway: SlackGateway) -> None:
    """A title of 25 characters."""
    view = {"type": "modal", "title": {"type": "plain_text", "text": "x" * 25}, "blocks": []}

    assert "at /view/title/text" in await view_problem(gateway, view)


async def test_refused_token_is_no_verdict_on_a_message(workspace: LocalWorkspace) -> None:
    """The caller learns why nothing was validated."""
    stranger = SlackGateway(SlackLogin(workspace.api_url, "xoxb-nobody", workspace.app_token))
    with pytest.raises(ChatError, match="does not know the token"):
        await message_problem(stranger, Message("x"))
    await stranger.close()


@pytest.mark.parametrize(
    "policy", [story_policy(), replace(story_policy(), flags={}), Policy({}, {}, story_policy().incidents)]
)
def test_templates_work_with_any_configuration(policy: Policy) -> None:
    """With flags, without, and without any check."""
    named = [name for name, _ in (*messages(policy, NOW), *views(policy, NOW))]

    assert {"alert", "card", "update", "summary", "/health", "form: declare", "form: resolve"} <= set(named)
    assert ("form: switch back" in named) == (FLAG in policy.flags)
