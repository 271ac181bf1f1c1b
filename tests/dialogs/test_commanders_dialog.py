"""people.commanders: who may command, also when they are named as a user group."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core import facts as f
from tests.dialogs.talk import Talk
from tests.house import FLAG, a_house

DENIED = "Only commanders may do that here (people.commanders in the configuration). Ask one of them."


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
        "/understudy mute claude api for 1h", "/understudy unmute claude api", f"/fallback engage {FLAG} gpt",
        f"/fallback release {FLAG}",
    ],
)  # fmt: skip
async def test_whoever_may_not_command_changes_nothing(talk: Talk, words: str) -> None:
    """A form is not even opened: nobody should write an update that is then refused."""
    before = len(await talk.facts(f.Body))
    refused = await talk.asks(talk.house.ana, words)

    assert DENIED == refused
    assert (before, None) == (len(await talk.facts(f.Body)), talk.house.ana.modal)


async def test_the_first_step_back_is_for_commanders(talk: Talk) -> None:
    """The button moves customers, as the command does."""
    house = talk.house
    await talk.asks(house.bob, f"/fallback engage {FLAG} gpt we try it")
    await talk.asks(house.ana, "/fallback status")
    ways = [label for label in ("Start hand-back (10 %)", f"Release {FLAG}") if label in house.ana.sees()]
    refused = [await talk.presses(house.ana, label) for label in ways]

    assert ways and {DENIED} == set(refused)
    assert [] == list(await talk.facts(f.HandBackStepped, f.Released))


async def test_every_member_may_take_an_incident_and_note_what_they_know(talk: Talk) -> None:
    """Who is awake helps, whoever commands."""
    note = await talk.asks(talk.house.ana, "/incident note INC-1 support sees it too")
    taken = await talk.asks(talk.house.ana, "/incident ack INC-1")

    assert ["Noted in the timeline of INC-1.", "INC-1 is yours."] == [note, taken]
