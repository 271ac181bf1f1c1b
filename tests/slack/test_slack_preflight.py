"""The checks before the start: each problem is reported once, with its remedy."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from slack_house import QUICK, login

from bot.sandbox.slack import BOT_SCOPES, LocalWorkspace, Settings
from bot.slack.client import SlackLogin
from bot.slack.gateway import SlackGateway
from bot.slack.preflight import Problem, preflight
from bot.slack.proof import prove_lookup
from bot.slack.scopes import PRIVATE_SCOPES, SCOPES, expected_scopes

ROOT = Path(__file__).resolve().parents[2]


async def test_preflight_passes_with_right_tokens_and_scopes(workspace: LocalWorkspace) -> None:
    """It returns who we are, our scopes, and a ticket for the socket."""
    found = await preflight(login(workspace), SCOPES)

    assert (True, False, False, ()) == (found.ok, found.refused, found.unreachable, found.problems)
    assert (workspace.bot_user_id, workspace.bot_id) == (found.bot_user_id, found.bot_id)
    assert (workspace.team_id, "Understudy Labs") == (found.team_id, found.team)
    assert set(SCOPES) == found.scopes
    assert found.ticket.startswith("ws://")
    assert found.ticket not in repr(found)


@pytest.mark.parametrize(
    ("bot", "app", "what"),
    [
        ("xapp-1-A1-2-abc", None, "slack.bot_token holds an app-level token"),
        ("xoxp-1-2", None, "slack.bot_token holds a user token"),
        ("", None, "slack.bot_token is empty"),
        (None, "xoxb-1-2", "slack.app_token holds a bot token"),
        (None, "hunter2", "slack.app_token does not look like a token of Slack's"),
        ("xoxb-unknown", None, "Slack does not take slack.bot_token (invalid_auth)"),
        (None, "xapp-unknown", "Slack does not take slack.app_token (invalid_auth)"),
    ],
)
async def test_wrong_token_is_named(workspace: LocalWorkspace, bot: str | None, app: str | None, what: str) -> None:
    """Nothing works until it is changed; the remedy says where the right one is."""
    mine = login(workspace)
    given = SlackLogin(mine.api_url, mine.bot_token if bot is None else bot, mine.app_token if app is None else app)

    found = await preflight(given, SCOPES)

    assert (False, True, False) == (found.ok, found.refused, found.unreachable)
    assert [what] == [problem.what for problem in found.problems]
    assert "api.slack.com/apps" in found.problems[0].remedy
    assert "hunter2" not in repr(found)


async def test_each_missing_scope_is_named_with_its_reason() -> None:
    """The bot runs, and says beforehand what it cannot do."""
    async with LocalWorkspace(scopes=[scope for scope in BOT_SCOPES if not scope.startswith("bookmarks")]) as workspace:
        found = await preflight(login(workspace), SCOPES)

    assert (False, False, False) == (found.ok, found.refused, found.unreachable)
    wanted = [f"the app lacks the scope {scope} ({SCOPES[scope]})" for scope in ("bookmarks:read", "bookmarks:write")]
    assert wanted == [problem.what for problem in found.problems]


async def test_private_scopes_are_needed_only_for_private_incidents(workspace: LocalWorkspace) -> None:
    """A bot with public channels must not ask for them."""
    found = await preflight(login(workspace), expected_scopes(private=True))

    assert found.usable
    assert len(PRIVATE_SCOPES) == len(found.problems)
    assert SCOPES == expected_scopes(private=False)


async def test_slack_outage_is_unreachable_and_no_token_problem(workspace: LocalWorkspace) -> None:
    """The bot starts all the same and keeps trying."""
    await workspace.faults.offline()

    found = await preflight(login(workspace), SCOPES)

    assert (False, False, True) == (found.ok, found.refused, found.unreachable)
    assert 1 == len(found.problems)


async def test_unreachable_slack_is_reported_once(workspace: LocalWorkspace) -> None:
    """Without a "cannot be asked" before it."""
    await workspace.faults.offline()
    words = str((await preflight(login(workspace), SCOPES)).problems[0])

    assert words.startswith("Slack cannot be reached (")
    assert 1 == words.count("cannot")


@pytest.mark.parametrize("fault", ["500_before", "hang", "429"])
async def test_partial_slack_outage_is_unreachable(workspace: LocalWorkspace, fault: str) -> None:
    """Half an outage counts as well."""
    workspace.faults.add("auth.test", fault)

    found = await preflight(login(workspace), SCOPES, timeout_s=0.5)

    assert (False, False, True) == (found.ok, found.refused, found.unreachable)


async def test_app_token_without_its_scope_is_named(workspace: LocalWorkspace) -> None:
    """People create app-level tokens without connections:write."""
    workspace.faults.add("apps.connections.open", "error:missing_scope")

    found = await preflight(login(workspace), SCOPES)

    assert found.refused
    assert "connections:write" in found.problems[0].what


async def test_rate_limited_socket_ticket_is_no_problem(workspace: LocalWorkspace) -> None:
    """A restart within a minute may hit the limit; the socket waits."""
    workspace.faults.add("apps.connections.open", "429", retry_after=30)

    found = await preflight(login(workspace), SCOPES)

    assert (True, "") == (found.ok, found.ticket)


def test_scopes_and_manifest_agree() -> None:
    """The manifest asks for the scopes that the code expects, each with a reason."""
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text("utf-8"))

    assert sorted(SCOPES) == sorted(manifest["oauth_config"]["scopes"]["bot"])


def test_scopes_and_docs_agree() -> None:
    """The docs list each scope with its reason."""
    docs = (ROOT / "docs" / "slack.md").read_text("utf-8")

    assert [] == [scope for scope, why in {**SCOPES, **PRIVATE_SCOPES}.items() if f"| `{scope}` | {why} |" not in docs]


# --- the proof of the look-up


async def test_look_up_is_proved_by_finding_our_own_message(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """Posted, found, and deleted again."""
    workspace.add_channel("ops")

    assert await prove_lookup(gateway, "#ops", datetime.now(UTC)) is None
    assert 1 == [call.method for call in workspace.calls].count("chat.postMessage")
    assert [] == workspace.messages("ops")


async def test_unreadable_history_is_a_look_up_problem() -> None:
    """The message is deleted all the same."""
    async with LocalWorkspace(scopes=[scope for scope in BOT_SCOPES if scope != "channels:history"]) as workspace:
        gateway = SlackGateway(login(workspace), patience=QUICK)
        workspace.add_channel("ops")

        said = await prove_lookup(gateway, "#ops", datetime.now(UTC))
        await gateway.close()

        assert [] == workspace.messages("ops")
    assert isinstance(said, Problem)
    assert "channels:history" in said.remedy


async def test_failed_post_is_a_look_up_problem(workspace: LocalWorkspace, gateway: SlackGateway) -> None:
    """The alerts channel does not exist."""
    said = await prove_lookup(gateway, "#nowhere", datetime.now(UTC))

    assert isinstance(said, Problem)
    assert "nothing can be posted to #nowhere" == said.what


async def test_preflight_leaves_no_session_open(workspace: LocalWorkspace) -> None:
    """Warnings are errors here, so an unclosed session fails the test."""
    await preflight(replace(login(workspace), bot_token="xoxb-unknown"), SCOPES)
    await asyncio.sleep(0)

    assert "auth.test" in [call.method for call in workspace.calls]


async def test_workspace_without_the_app_is_named() -> None:
    """The app is installed for an organization, but an administrator has not added it to this workspace."""
    async with LocalWorkspace(settings=Settings(enterprise_id="E07GRID", org_install=True)) as workspace:
        [problem] = (await preflight(replace(login(workspace), team="T07ELSE"), SCOPES)).problems

    assert problem.what.startswith("slack.team is T07ELSE, where the app may not work")
    assert f"{workspace.team_id} (Understudy Labs)" in problem.remedy


async def test_organizations_workspace_is_shown_by_name() -> None:
    """For the doctor; nothing is wrong."""
    async with LocalWorkspace(settings=Settings(enterprise_id="E07GRID", org_install=True)) as workspace:
        found = await preflight(replace(login(workspace), team=workspace.team_id), SCOPES)

    assert (True, "Understudy Labs") == (found.ok, found.workspace)


async def test_choosing_another_workspace_than_the_apps_is_a_mistake(workspace: LocalWorkspace) -> None:
    """An app installed in one workspace can use no other, and needs no choice."""
    found = [await preflight(replace(login(workspace), team=team), SCOPES) for team in ("T07ELSE", workspace.team_id)]

    assert [1, 0] == [len(one.problems) for one in found]
    assert "leave slack.team out" in found[0].problems[0].remedy
