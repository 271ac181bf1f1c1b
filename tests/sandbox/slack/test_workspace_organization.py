"""A token of a whole Enterprise Grid organization: what belongs to one workspace has to say to which."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_stage import EVERY_SCOPE, SETTINGS, Stage, furnish

from bot.sandbox.slack import LocalWorkspace
from bot.sandbox.slack.methods.auth import OF_ONE_WORKSPACE

ORGANIZATION = replace(SETTINGS, enterprise_id="E07GRID", org_install=True, workspaces={"T07OTHER": "Sales"})
NEEDED: dict[str, dict[str, Any]] = {"conversations.create": {"name": "new"}, "usergroups.users.list": {"usergroup": "S07"}}


@pytest.fixture
async def grid() -> AsyncIterator[Stage]:
    """A furnished workspace of an organization for which the app is installed."""
    async with LocalWorkspace(scopes=EVERY_SCOPE, settings=ORGANIZATION) as workspace, aiohttp.ClientSession() as session:
        yield furnish(workspace, session)


async def refused(stage: Stage, method: str, **more: str) -> str:
    """The error code of a call; empty when it is accepted."""
    try:
        await stage.client.api_call(method, params=NEEDED.get(method, {}) | more)
    except SlackApiError as error:
        return str(error.response["error"])
    return ""


@pytest.mark.parametrize("method", sorted(OF_ONE_WORKSPACE))
async def test_a_call_without_a_workspace_is_refused(grid: Stage, method: str) -> None:
    """The reference lists missing_argument for all of them but one."""
    code = "invalid_arguments" if method == "usergroups.users.list" else "missing_argument"

    assert code == await refused(grid, method)


@pytest.mark.parametrize("method", sorted(OF_ONE_WORKSPACE))
async def test_a_workspace_where_the_app_may_not_work_is_refused(grid: Stage, method: str) -> None:
    """Of another organization, or where no administrator added the app."""
    assert "team_access_not_granted" == await refused(grid, method, team_id="T07ELSE")


@pytest.mark.parametrize("method", sorted(OF_ONE_WORKSPACE - {"usergroups.users.list"}))
async def test_a_call_for_the_right_workspace_is_taken(grid: Stage, method: str) -> None:
    """As one with the token of a workspace is."""
    assert "" == await refused(grid, method, team_id=grid.ws.team_id)


async def test_a_token_of_a_workspace_is_not_asked_for_it(stage: Stage) -> None:
    """Nor is what it says looked at."""
    assert ["", ""] == [await refused(stage, "conversations.list"), await refused(stage, "users.list", team_id="T07ELSE")]


async def test_the_organization_stands_in_the_place_of_the_workspace(grid: Stage) -> None:
    """Slack's auth.test says so of an app of the whole organization, and auth.teams.list where it may work."""
    us = (await grid.client.auth_test()).data
    there = (await grid.client.auth_teams_list())["teams"]

    assert isinstance(us, dict)
    assert ("E07GRID", "E07GRID", True) == (us["team_id"], us["enterprise_id"], us["is_enterprise_install"])
    assert [grid.ws.team_id, "T07OTHER"] == [team["id"] for team in there]
