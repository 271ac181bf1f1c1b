"""A second part of the vendor fails: its runbook, its flags and its people come into the channel that is there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.record.room.room_facts import PeopleInvited
from tests.dialogs.talk import Talk
from tests.house import FLAG, House, a_house, settings

CHANNEL = "inc-20260320-0001-claude"
WEB_FLAG = "search.answers"


@pytest.fixture
async def wider(tmp_path: Path) -> AsyncIterator[Talk]:
    """The API fails, a minute later claude.ai does; the one has a runbook and Bob, the other one has a group and a flag."""
    async with a_house(tmp_path, started=False) as house:
        house.workspace.add_user("eve", "Eve Web")
        group = house.workspace.add_group("web", "Web people", [house.workspace.person("eve").id])
        flags = settings(house.workspace, house.vendor)["flags"]
        house.changes = {
            "slack": {"invite": [house.ana.id]},
            "runbooks": {
                "anthropic.api": {"steps": ["Confirm on the board"], "invite": [house.bob.id]},
                "anthropic.web": {"url": "https://wiki.example.com/web", "steps": ["Close the chat window"], "invite": [group]},
            },
            "flags": {**flags, WEB_FLAG: {**flags[FLAG], "depends_on": ["anthropic.web"]}},
        }
        await house.start()
        await house.passes(minutes=1)
        await house.fails("anthropic.api")
        await house.quiet()
        assert {house.ana.id, house.bob.id} <= members(house)
        assert house.workspace.person("eve").id not in members(house)
        await house.fails("anthropic.web")
        await house.quiet()
        yield Talk(house)


def members(house: House) -> set[str]:
    return set(house.workspace.channel(CHANNEL).members)


async def test_each_checklist_is_posted_once(wider: Talk) -> None:
    """The second holds the steps of what joined, and not those of the first once more."""
    first, second = (wider.shows(message) for message in wider.said(CHANNEL, "☐"))

    assert "Confirm on the board" in first
    assert "Close the chat window" in second
    assert "Confirm on the board" not in second


async def test_the_card_lists_both_runbooks(wider: Talk) -> None:
    assert "Runbook: Claude API and claude.ai" in wider.card(CHANNEL)


async def test_its_runbook_is_bookmarked(wider: Talk) -> None:
    titles = [bookmark.title for bookmark in wider.house.workspace.channel(CHANNEL).bookmarks]

    assert ["Claude status page", "Runbook: claude.ai"] == titles


async def test_its_people_are_invited(wider: Talk) -> None:
    assert wider.house.workspace.person("eve").id in members(wider.house)


async def test_its_flag_is_switched_and_shown(wider: Talk) -> None:
    """On the card, and in the head of the alert."""
    assert "search: gpt until" in wider.card(CHANNEL)
    assert "search switched to gpt" in wider.alert()


async def test_whoever_left_is_not_invited_again(wider: Talk) -> None:
    """They meant it; a restart and somebody who acknowledges change nothing of that."""
    house = wider.house
    house.workspace.channel(CHANNEL).members.remove(house.workspace.person("eve").id)
    await house.stop()
    await house.start()
    await wider.asks(house.ana, "/incident ack INC-1")
    await house.quiet()

    assert house.workspace.person("eve").id not in members(house)
    invited = [
        id for fact in await wider.facts(PeopleInvited) if isinstance(fact.body, PeopleInvited) for id in fact.body.people
    ]
    assert len(invited) == len(set(invited))


async def test_who_cannot_be_invited_is_said_once(empty_house: House) -> None:
    """An id with a typing error is named in the ops channel; who acknowledges does not bring it up again."""
    house = empty_house
    house.changes = {"runbooks": {"anthropic.api": {"invite": ["U0NOBODY00"]}}}
    await house.start()
    await house.passes(minutes=1)
    await house.fails("anthropic.api")
    await house.quiet()
    talk = Talk(house)
    await talk.asks(house.ana, "/incident ack INC-1")
    await house.quiet()

    assert house.ana.id in members(house)
    assert 1 == len(talk.said("ops", "was not invited"))
