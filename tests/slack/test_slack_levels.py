"""Reading user groups: again if one changed meanwhile, and each failure is reported once."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_house import Notes, house, receive
from structlog.testing import capture_logs

from bot.sandbox.slack import LocalWorkspace, Person, payloads
from bot.sandbox.world import EPOCH
from bot.slack.gateway import SlackGateway
from bot.slack.people import People
from bot.system.clock import ManualClock, SystemClock
from bot.wiring.levels import Levels

UNREAD = "a user group of people cannot be read"
READS = "usergroups.users.list"


@pytest.fixture
def people(workspace: LocalWorkspace) -> list[Person]:
    return [workspace.add_user(name) for name in ("ana", "bob")]


@pytest.fixture
def group(workspace: LocalWorkspace, people: list[Person]) -> str:
    """Ana is on call."""
    return workspace.add_group("sre", "SRE", members=people[:1])


@pytest.fixture
async def levels(gateway: SlackGateway, group: str, notes: Notes) -> AsyncIterator[Levels]:
    made = Levels({"commanders": [group]}, gateway, notes, ManualClock(EPOCH), lambda _: None)
    yield made
    await made.close()


@pytest.fixture
def notes() -> Notes:
    return Notes()


async def test_group_that_changes_while_it_is_read_is_read_again(
    workspace: LocalWorkspace, levels: Levels, group: str, people: list[Person]
) -> None:
    """The event arrived while Slack's answer with the previous members was on its way."""
    ana, bob = people

    async def change(method: str, phase: str, args: object) -> None:
        members = workspace.team.groups[group].members
        if method == READS and phase == "after" and members == [ana.id]:
            workspace.team.groups[group].members = [bob.id]
            levels.heard(group)

    workspace.faults.on_call(change)
    levels.soon()
    await levels.idle()

    assert (bob.id,) == levels.people["commanders"]


async def test_reading_from_slack_wins_over_the_stored_members(
    levels: Levels, group: str, people: list[Person], notes: Notes
) -> None:
    """The bot reconnected, and the ledger had refused the last reading."""
    ana, bob = people
    await levels.read()
    notes.settings.update((name, kept.replace(ana.id, bob.id)) for name, kept in list(notes.settings.items()))
    await levels.recall()

    assert (ana.id,) == levels.people["commanders"]


async def test_unreadable_group_is_logged_once_per_reason(workspace: LocalWorkspace, levels: Levels) -> None:
    """The same line every three minutes would hide all others."""
    with capture_logs() as lines:
        for fault in ("internal_error", "internal_error", "missing_scope"):
            workspace.faults.add(READS, f"error:{fault}", times=1)
            await levels.read()

    assert 2 == sum(line["event"] == UNREAD for line in lines)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "subteam_members_changed", "subteam_id": "S0SRE"},
        {"type": "subteam_updated", "subteam": {"id": "S0SRE"}},
    ],
    ids=lambda event: event["type"],
)
async def test_every_kind_of_group_event_names_its_group(
    workspace: LocalWorkspace, gateway: SlackGateway, event: dict[str, Any]
) -> None:
    """Slack sends one event about members and another about the rest; either may be the only one."""
    heard: list[str] = []
    people = People(gateway, Notes(), SystemClock())
    async with house(workspace, reception=receive(people, groups=heard)):
        await workspace.links.deliver("events_api", payloads.event_callback(workspace.team, event, "Ev1"))

    assert ["S0SRE"] == heard
    await people.close()
