"""The app is installed for a whole Enterprise Grid organization: one token, several workspaces, `slack.team` says where."""

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
    """Everything is well; channels are made in the first workspace, and Bob commands by his user group."""
    async with a_house(tmp_path, started=False, of=ORGANIZATION) as house:
        group = house.workspace.add_group("sre", "SRE", members=(house.bob,))
        house.changes |= {"slack": {"team": house.workspace.team_id, "invite": [group]}, "people": {"commanders": [group]}}
        await house.start()
        await house.passes(minutes=1)
        yield house


def refusals(house: House) -> list[tuple[str, str | None]]:
    """What Slack did not take."""
    return [(call.method, call.error) for call in house.workspace.calls if call.error]


async def test_an_incident_lives_from_declaring_to_resolving(grid: House) -> None:
    """Channel, card, invitations by user group, acknowledging, an update and the end, without one refusal of Slack's."""
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


async def test_people_of_the_other_workspaces_belong_to_us(grid: House) -> None:
    """What they type comes with their workspace's id; they have the level that the lists give them."""
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
async def test_outsiders_of_an_organization_are_outsiders(grid: House, kind: dict[str, object]) -> None:
    """A guest of the organization, and somebody of another one."""
    eve = in_ops(grid, "eve", **kind)

    assert "Nothing was done. Ask a full member of this workspace." in await Talk(grid).asks(eve, "/incident list")


def in_ops(house: House, name: str, **kind: object) -> Person:
    person = house.workspace.add_user(name, **kind)
    house.workspace.channel("ops").members.append(person.id)
    return person


async def test_without_a_workspace_the_bot_does_not_start_and_says_which_there_are(tmp_path: Path) -> None:
    """No channel could be found or made."""
    async with a_house(tmp_path, started=False, of=ORGANIZATION) as house:
        with pytest.raises(StartRefused) as refused:
            await house.start()

        known = f"{house.workspace.team_id} (Labs of the Grid), T07OTHER (Sales)"
        assert (
            "slack.team is empty, and the app is installed for the organization Labs of the Grid: "
            f"set it to the workspace in which channels are made: {known}"
        ) in str(refused.value)
