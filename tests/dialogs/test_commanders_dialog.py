"""people.commanders: who may run incidents, listed by name or as a Slack user group."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.record.fact import Body
from bot.core.record.flag_facts import HandBackStepped, Released
from bot.sandbox.slack import Person
from tests.dialogs.talk import Talk
from tests.house import FLAG, SOON_S, a_house

REFUSED = "Only commanders may do that here: "
DENIED = "Only commanders may do that here: @sre. Ask one of them."

SWITCH_BACK = "Switch support chat back to claude"


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    """Only Bob's group may command, and INC-1 is open."""
    async with a_house(tmp_path, started=False) as house:
        group = house.workspace.add_group("sre", "SRE", members=(house.bob,))
        house.changes["people"] = {"commanders": [group]}
        await house.start()
        await house.passes(minutes=1)
        talk = Talk(house)
        await talk.asks(house.bob, "/incident declare Claude API is slow")
        await house.quiet()
        yield talk


async def test_only_members_of_the_commanders_group_may_resolve(talk: Talk) -> None:
    """Ana is told why she may not; Bob may."""
    refused = await talk.asks(talk.house.ana, "/incident resolve INC-1")
    done = await talk.asks(talk.house.bob, "/incident resolve INC-1 it was nothing")

    assert (DENIED, "INC-1 is resolved now.") == (refused, done)


@pytest.mark.parametrize(
    "words",
    [
        "/incident declare Mail is late", "/incident declare", "/incident update INC-1 all is well", "/incident update INC-1",
        "/incident role commander me",
        "/understudy mute claude api for 1h", "/understudy unmute claude api", f"/fallback engage {FLAG} gpt",
        f"/fallback release {FLAG}",
    ],
)  # fmt: skip
async def test_person_without_command_rights_changes_nothing(talk: Talk, words: str) -> None:
    """Not even a form opens, so nobody writes an update that is then refused."""
    before = len(await talk.facts(Body))
    refused = await talk.asks(talk.house.ana, words)

    assert DENIED == refused
    assert (before, None) == (len(await talk.facts(Body)), talk.house.ana.modal)


async def test_first_step_back_button_is_for_commanders(talk: Talk) -> None:
    """The button moves customers, just like the command."""
    house = talk.house
    await talk.asks(house.bob, f"/fallback engage {FLAG} gpt we try it")
    await talk.asks(house.ana, "/fallback status")
    ways = [label for label in ("Send 10 % back to claude", SWITCH_BACK) if label in house.ana.sees()]
    refused = [await talk.presses(house.ana, label) for label in ways]

    assert ways and {DENIED} == set(refused)
    assert [] == list(await talk.facts(HandBackStepped, Released))


async def test_any_member_may_acknowledge_and_add_notes(talk: Talk) -> None:
    """Whoever is awake may help, with or without command rights."""
    note = await talk.asks(talk.house.ana, "/incident note INC-1 support sees it too")
    taken = await talk.asks(talk.house.ana, "/incident ack INC-1")

    assert ["Noted in the timeline of INC-1.", "INC-1 is yours."] == [note, taken]


# --- people join and leave the group while the bot runs

WRITES = "/incident severity INC-1 SEV3 it is milder"


def group_of(talk: Talk) -> str:
    [group] = talk.house.workspace.team.groups
    return group


def secretly(talk: Talk, *members: Person) -> None:
    """Change the group's members without the event that Slack usually sends."""
    talk.house.workspace.team.groups[group_of(talk)].members = [person.id for person in members]


async def may_command(talk: Talk) -> list[str]:
    """Which of Ana and Bob may command, by name."""
    people = (talk.house.ana, talk.house.bob)
    return [person.name for person in people if not (await talk.asks(person, WRITES)).startswith(REFUSED)]


async def test_group_change_event_updates_commanders_at_once(talk: Talk) -> None:
    """A new member may command and a former member may not, as soon as Slack reports the change."""
    talk.house.workspace.change_group(group_of(talk), [talk.house.ana])
    await until(talk, talk.house.ana)

    assert ["ana"] == await may_command(talk)


async def until(talk: Talk, person: Person) -> None:
    """Wait until the group has been read with this person in it."""
    assert talk.house.app is not None
    async with asyncio.timeout(SOON_S):
        while person.id not in talk.house.app.engine.policy.incidents.commanders:
            await asyncio.sleep(0.01)


async def test_commanders_group_is_read_again_every_few_minutes(talk: Talk) -> None:
    """A missed event must not keep the previous shift in charge."""
    secretly(talk, talk.house.ana)
    await talk.house.passes(minutes=1.5)  # 2.5 min since the start
    before = await may_command(talk)
    await talk.house.passes(minutes=0.5)

    assert (["bob"], ["ana"]) == (before, await may_command(talk))


async def test_commanders_group_is_read_again_after_a_reconnection(talk: Talk) -> None:
    """Slack sends no events for changes made while the bot was disconnected."""
    secretly(talk, talk.house.ana)
    await talk.house.workspace.faults.drop_sockets()
    await talk.house.workspace.connected(within=SOON_S)
    await until(talk, talk.house.ana)

    assert ["ana"] == await may_command(talk)


async def test_unreadable_group_keeps_its_last_known_members(talk: Talk) -> None:
    """Slack fails and the bot restarts: the members read before may still command."""
    talk.house.workspace.faults.add("usergroups.users.list", "error:internal_error", times=99)
    await talk.house.passes(minutes=4)
    before = await may_command(talk)
    await talk.house.stop()
    await talk.house.start()

    assert (["bob"], ["bob"]) == (before, await may_command(talk))


async def test_deleted_group_leaves_no_commanders(talk: Talk) -> None:
    """An empty setting means everybody may command; a group without members must not."""
    talk.house.workspace.team.groups.clear()
    await talk.house.passes(minutes=4)

    assert [] == await may_command(talk)


async def test_empty_group_leaves_no_commanders(talk: Talk) -> None:
    """Removing the last member must not open the commands to everybody."""
    secretly(talk)
    await talk.house.passes(minutes=4)

    assert [] == await may_command(talk)


async def test_guest_in_the_commanders_group_may_not_command(talk: Talk) -> None:
    """Membership of the group counts for full members only."""
    house = talk.house
    secretly(talk, house.ana)
    await house.passes(minutes=4)
    house.workspace.change_user(house.ana, guest="multi")

    assert "Guests of this workspace may not do that" in await talk.asks(house.ana, WRITES)
