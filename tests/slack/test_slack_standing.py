"""Deriving a person's standing from Slack's record: only full members of our workspace have rights."""

from typing import Any

import pytest

from bot.slack.client import Identity
from bot.slack.standing import Standing, standing_of

OURS = Identity("U0BOT", "B0BOT", "Labs", "T0OURS")
IN_A_GRID = Identity("U0BOT", "B0BOT", "Labs", "T0OURS", "E0GRID")
WHOLE_GRID = Identity("U0BOT", "B0BOT", "Labs", "T0OURS", "E0GRID", is_enterprise_install=True)


def user(team: str = "T0OURS", **fields: Any) -> dict[str, Any]:
    return {"id": "U0ANA", "team_id": team, "deleted": False, "is_bot": False, "is_restricted": False, **fields}


def in_grid(grid: str, *teams: str, team: str = "T0ELSE", **fields: Any) -> dict[str, Any]:
    return user(team, enterprise_user={"id": "W0ANA", "enterprise_id": grid, "teams": list(teams)}, **fields)


@pytest.mark.parametrize(
    ("record", "standing"),
    [
        (user(), Standing.MEMBER),
        (user(is_app_user=True), Standing.MEMBER),  # the flag means that they authorized the app, not that they are an app
        (user(is_admin=True, is_owner=True), Standing.MEMBER),
        (user(is_restricted=True), Standing.GUEST),
        (user(is_restricted=True, is_ultra_restricted=True), Standing.GUEST),
        (user(is_ultra_restricted=True), Standing.GUEST),
        (user(is_admin=True, is_restricted=True), Standing.GUEST),
        (user(is_stranger=True), Standing.FOREIGN),
        (user("T0ELSE"), Standing.FOREIGN),
        (user("T0ELSE", is_stranger=True), Standing.FOREIGN),
        (user(deleted=True), Standing.DEACTIVATED),
        (user(is_bot=True), Standing.BOT),
        (user(is_workflow_bot=True), Standing.BOT),
        (user(is_connector_bot=True), Standing.BOT),
        (user(id="USLACKBOT"), Standing.BOT),
        ({}, Standing.FOREIGN),
        ({"id": "U0ANA"}, Standing.FOREIGN),
        (user(team_id=None), Standing.FOREIGN),
        (in_grid("E0GRID", "T0OURS"), Standing.FOREIGN),  # our workspace belongs to no organization
    ],
)
def test_only_a_full_member_of_our_workspace_is_a_member(record: dict[str, Any], standing: Standing) -> None:
    """A record without a workspace, or with another one, makes a stranger."""
    assert standing is standing_of(record, OURS)


@pytest.mark.parametrize(
    ("record", "for_one", "for_all"),
    [
        (in_grid("E0GRID", "T0ELSE", "T0OURS"), Standing.MEMBER, Standing.MEMBER),  # in several, ours among them
        (in_grid("E0GRID", "T0ELSE"), Standing.FOREIGN, Standing.MEMBER),
        (in_grid("E0OTHER", "T0OURS"), Standing.FOREIGN, Standing.FOREIGN),
        (in_grid("E0GRID", "T0OURS", team="T0OURS"), Standing.MEMBER, Standing.MEMBER),
        (in_grid("E0GRID", "T0ELSE", is_restricted=True), Standing.GUEST, Standing.GUEST),
        (user("T0ELSE", enterprise_id="E0GRID"), Standing.FOREIGN, Standing.MEMBER),
        (user("T0ELSE"), Standing.FOREIGN, Standing.FOREIGN),
        (user("T0ELSE", enterprise_user="odd"), Standing.FOREIGN, Standing.FOREIGN),
    ],
)
def test_organizations_workspaces_count_if_the_app_is_installed_for_it(
    record: dict[str, Any], for_one: Standing, for_all: Standing
) -> None:
    """If it is installed for one workspace of an Enterprise Grid, the other workspaces are foreign."""
    assert (for_one, for_all) == (standing_of(record, IN_A_GRID), standing_of(record, WHOLE_GRID))


def test_empty_organization_ids_do_not_match() -> None:
    """Two empty ids are not the same organization."""
    us = Identity("U0BOT", "B0BOT", "Labs", "", "", is_enterprise_install=True)

    assert Standing.FOREIGN is standing_of(user("", enterprise_id=""), us)


@pytest.mark.parametrize("record", [user(""), {"id": "U0ANA"}, in_grid("", "T0OURS"), in_grid("", "")])
@pytest.mark.parametrize("us", [Identity("U0BOT", "B0BOT", "Labs", ""), Identity("U0BOT", "B0BOT", "Labs", "T0OTHER")])
def test_empty_workspace_ids_do_not_match(record: dict[str, Any], us: Identity) -> None:
    """An id missing on both sides does not make a person one of us."""
    assert Standing.FOREIGN is standing_of(record, us)


def test_shared_workspaces_need_an_organization_id() -> None:
    """A workspace id among a person's `teams` counts only within the organization that both name."""
    assert Standing.FOREIGN is standing_of(in_grid("", "T0OURS", enterprise_id=""), OURS)
