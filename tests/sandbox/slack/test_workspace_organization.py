"""With the token of a whole Enterprise Grid, calls about one workspace have to name it."""

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
    """A furnished workspace of an organization that has installed the app."""
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
async def test_call_without_a_workspace_is_refused(grid: Stage, method: str) -> None:
    """The reference lists missing_argument for all of these methods but one."""
    code = "invalid_arguments" if method == "usergroups.users.list" else "missing_argument"

    assert code == await refused(grid, method)


@pytest.mark.parametrize("method", sorted(OF_ONE_WORKSPACE))
async def test_workspace_without_the_app_is_refused(grid: Stage, method: str) -> None:
    """Of another organization, or where no administrator added the app."""
    assert "team_access_not_granted" == await refused(grid, method, team_id="T07ELSE")


@pytest.mark.parametrize("method", sorted(OF_ONE_WORKSPACE - {"usergroups.users.list"}))
async def test_call_for_the_right_workspace_is_accepted(grid: Stage, method: str) -> None:
    """It works like a call with a workspace's own token."""
    assert "" == await refused(grid, method, team_id=grid.ws.team_id)


async def test_workspace_token_needs_no_workspace_argument(stage: Stage) -> None:
    """If one is given, it is ignored."""
    assert ["", ""] == [await refused(stage, "conversations.list"), await refused(stage, "users.list", team_id="T07ELSE")]


async def test_auth_test_gives_the_organization_instead_of_a_workspace(grid: Stage) -> None:
    """auth.teams.list gives the workspaces where the app may work."""
    us = (await grid.client.auth_test()).data
    there = (await grid.client.auth_teams_list())["teams"]

    assert isinstance(us, dict)
    assert ("E07GRID", "E07GRID", True) == (us["team_id"], us["enterprise_id"], us["is_enterprise_install"])
    assert [grid.ws.team_id, "T07OTHER"] == [team["id"] for team in there]
