"""The app is installed for a whole Enterprise Grid: one token, several workspaces, and `slack.team` to choose one."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.record.incident_facts import Declared
from bot.sandbox.slack import Person
from bot.wiring.parts import StartRefused
from tests.dialogs.talk import Talk
from tests.house import LOOSE, House, a_house

ORGANIZATION = replace(
    LOOSE, enterprise_id="E07GRID", org_install=True, team_name="Labs of the Grid", workspaces={"T07OTHER": "Sales"}
)
ELSEWHERE = {"team_id": "T07OTHER", "workspaces": ("T07OTHER",)}  # of another workspace of the organization


@pytest.fixture
async def grid(tmp_path: Path) -> AsyncIterator[House]:
    """A healthy deployment; channels are made in the first workspace, and Bob commands by his user group."""
    async with a_house(tmp_path, started=False, of=ORGANIZATION) as house:
        group = house.workspace.add_group("sre", "SRE", members=(house.bob,))
        house.changes |= {"slack": {"team": house.workspace.team_id, "invite": [group]}, "people": {"commanders": [group]}}
        await house.start()
        await house.passes(minutes=1)
        yield house


def refusals(house: House) -> list[tuple[str, str | None]]:
    """The calls that Slack refused."""
    return [(call.method, call.error) for call in house.workspace.calls if call.error]


async def test_incident_runs_from_declaring_to_resolving(grid: House) -> None:
    """Channel, card, group invitations, acknowledgement, update and resolution, without a single refusal by Slack."""
    talk = Talk(grid)
    assert grid.bob.id.startswith("W")
    await talk.asks(grid.bob, "/incident declare Claude API is slow")
    await grid.quiet()
    room = grid.incident_channel
    acknowledged = await talk.asks(grid.ana, "/incident ack INC-1")
    await talk.asks(grid.bob, "/incident update INC-1 we are on it")
    await grid.quiet()
    said, members = talk.said(room, "we are on it"), grid.workspace.channel(room).members
    ended = await talk.asks(grid.bob, "/incident resolve INC-1 it was nothing")
    await grid.quiet()

    assert ("INC-1 is yours.", "INC-1 is resolved now.") == (acknowledged, ended)
    assert "Claude API is slow" in talk.card(room)
    assert said
    assert {grid.ana.id, grid.bob.id} <= set(members)
    assert "INC-1 resolved" in talk.alert()
    assert [] == refusals(grid)


async def test_people_of_the_organizations_other_workspaces_are_members(grid: House) -> None:
    """Their commands carry their own workspace's id; the lists give them their level."""
    talk = Talk(grid)
    sam = in_ops(grid, "sam", **ELSEWHERE)
    shown = await talk.asks(sam, "/incident list")
    refused = await talk.asks(sam, "/incident declare Mail is late")

    assert "No incident is open" in shown
    assert "Only commanders may do that here: @sre. Ask one of them." == refused
    assert [] == list(await talk.facts(Declared))


@pytest.mark.parametrize(
    "kind",
    [{"guest": "multi"}, {"enterprise_id": "E07ELSE", "team_id": "T07ELSE", "workspaces": ("T07ELSE",), "stranger": True}],
    ids=["guest", "of another organization"],
)
async def test_guests_and_other_organizations_are_outsiders(grid: House, kind: dict[str, object]) -> None:
    """A guest of the organization, and a person from another one."""
    eve = in_ops(grid, "eve", **kind)

    assert "Nothing was done. Ask a full member of this workspace." in await Talk(grid).asks(eve, "/incident list")


def in_ops(house: House, name: str, **kind: object) -> Person:
    person = house.workspace.add_user(name, **kind)
    house.workspace.channel("ops").members.append(person.id)
    return person


async def test_missing_slack_team_stops_the_start_and_lists_workspaces(tmp_path: Path) -> None:
    """Without a workspace no channel could be found or made."""
    async with a_house(tmp_path, started=False, of=ORGANIZATION) as house:
        with pytest.raises(StartRefused) as refused:
            await house.start()

        known = f"{house.workspace.team_id} (Labs of the Grid), T07OTHER (Sales)"
        assert (
            "slack.team is empty, and the app is installed for the organization Labs of the Grid: "
            f"set it to the workspace in which channels are made: {known}"
        ) in str(refused.value)
