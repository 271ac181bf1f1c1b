"""people.commanders: who may command, also when they are named as a user group."""

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
    """Only Bob's group commands, and INC-1 is open."""
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
    """Ana is told why not; Bob may."""
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
async def test_whoever_may_not_command_changes_nothing(talk: Talk, words: str) -> None:
    """A form is not even opened: nobody should write an update that is then refused."""
    before = len(await talk.facts(Body))
    refused = await talk.asks(talk.house.ana, words)

    assert DENIED == refused
    assert (before, None) == (len(await talk.facts(Body)), talk.house.ana.modal)


async def test_the_first_step_back_is_for_commanders(talk: Talk) -> None:
    """The button moves customers, as the command does."""
    house = talk.house
    await talk.asks(house.bob, f"/fallback engage {FLAG} gpt we try it")
    await talk.asks(house.ana, "/fallback status")
    ways = [label for label in ("Send 10 % back to claude", SWITCH_BACK) if label in house.ana.sees()]
    refused = [await talk.presses(house.ana, label) for label in ways]

    assert ways and {DENIED} == set(refused)
    assert [] == list(await talk.facts(HandBackStepped, Released))


async def test_every_member_may_take_an_incident_and_note_what_they_know(talk: Talk) -> None:
    """Who is awake helps, whoever commands."""
    note = await talk.asks(talk.house.ana, "/incident note INC-1 support sees it too")
    taken = await talk.asks(talk.house.ana, "/incident ack INC-1")

    assert ["Noted in the timeline of INC-1.", "INC-1 is yours."] == [note, taken]


# --- people join and leave the group while the bot runs

WRITES = "/incident severity INC-1 SEV3 it is milder"


def group_of(talk: Talk) -> str:
    [group] = talk.house.workspace.team.groups
    return group


def secretly(talk: Talk, *members: Person) -> None:
    """The group changes, and Slack tells nobody."""
    talk.house.workspace.team.groups[group_of(talk)].members = [person.id for person in members]


async def may_command(talk: Talk) -> list[str]:
    """Who of ana and bob may, by name."""
    people = (talk.house.ana, talk.house.bob)
    return [person.name for person in people if not (await talk.asks(person, WRITES)).startswith(REFUSED)]


async def test_whoever_joins_the_group_commands_and_whoever_leaves_does_not(talk: Talk) -> None:
    """Slack tells of it, and the group is read at once."""
    talk.house.workspace.change_group(group_of(talk), [talk.house.ana])
    await until(talk, talk.house.ana)

    assert ["ana"] == await may_command(talk)


async def until(talk: Talk, person: Person) -> None:
    """Wait until the group was read with this person in it."""
    assert talk.house.app is not None
    async with asyncio.timeout(SOON_S):
        while person.id not in talk.house.app.engine.policy.incidents.commanders:
            await asyncio.sleep(0.01)


async def test_the_group_is_read_anew_every_few_minutes(talk: Talk) -> None:
    """An event may be missed; the shift changes all the same."""
    secretly(talk, talk.house.ana)
    await talk.house.passes(minutes=1.5)  # two and a half since the start
    before = await may_command(talk)
    await talk.house.passes(minutes=0.5)

    assert (["bob"], ["ana"]) == (before, await may_command(talk))


async def test_the_group_is_read_anew_after_a_reconnection(talk: Talk) -> None:
    """What changed while the bot was deaf, Slack told nobody."""
    secretly(talk, talk.house.ana)
    await talk.house.workspace.faults.drop_sockets()
    await talk.house.workspace.connected(within=SOON_S)
    await until(talk, talk.house.ana)

    assert ["ana"] == await may_command(talk)


async def test_a_group_that_cannot_be_read_keeps_its_members(talk: Talk) -> None:
    """Slack is half down, and the bot is restarted besides: whoever was on call still commands."""
    talk.house.workspace.faults.add("usergroups.users.list", "error:internal_error", times=99)
    await talk.house.passes(minutes=4)
    before = await may_command(talk)
    await talk.house.stop()
    await talk.house.start()

    assert (["bob"], ["bob"]) == (before, await may_command(talk))


async def test_a_group_that_is_gone_lets_nobody_in(talk: Talk) -> None:
    """No commanders configured means everybody; a group without members must not."""
    talk.house.workspace.team.groups.clear()
    await talk.house.passes(minutes=4)

    assert [] == await may_command(talk)


async def test_an_empty_group_lets_nobody_in(talk: Talk) -> None:
    """The last one left it."""
    secretly(talk)
    await talk.house.passes(minutes=4)

    assert [] == await may_command(talk)


async def test_a_guest_in_the_group_does_not_command(talk: Talk) -> None:
    """The group gives command to members only."""
    house = talk.house
    secretly(talk, house.ana)
    await house.passes(minutes=4)
    house.workspace.change_user(house.ana, guest="multi")

    assert "Guests of this workspace may not do that" in await talk.asks(house.ana, WRITES)
