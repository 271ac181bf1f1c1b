"""A second component of the vendor fails: its runbook, flags and people are added to the existing channel."""

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
    """The API fails, and a minute later claude.ai; the first has a runbook and Bob, the second a group and a flag."""
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
    """The second checklist has the new component's steps without repeating the first one's."""
    first, second = (wider.shows(message) for message in wider.said(CHANNEL, "☐"))

    assert "Confirm on the board" in first
    assert "Close the chat window" in second
    assert "Confirm on the board" not in second


async def test_card_lists_both_runbooks(wider: Talk) -> None:
    """People need the runbook of each component that fails."""
    assert "Runbook: Claude API and claude.ai" in wider.card(CHANNEL)


async def test_joined_components_runbook_is_bookmarked(wider: Talk) -> None:
    """Just like that of the first component."""
    titles = [bookmark.title for bookmark in wider.house.workspace.channel(CHANNEL).bookmarks]

    assert ["Claude status page", "Runbook: claude.ai"] == titles


async def test_joined_components_people_are_invited(wider: Talk) -> None:
    """The second component's group is added to the channel."""
    assert wider.house.workspace.person("eve").id in members(wider.house)


async def test_joined_components_flag_is_switched_and_shown(wider: Talk) -> None:
    """On the card, and at the top of the alert."""
    assert "search: gpt until" in wider.card(CHANNEL)
    assert "search switched to gpt" in wider.alert()


async def test_person_who_left_the_channel_is_not_invited_again(wider: Talk) -> None:
    """They left on purpose; neither a restart nor an acknowledgement brings them back."""
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


async def test_person_who_cannot_be_invited_is_reported_once(empty_house: House) -> None:
    """#ops is told of a mistyped id; an acknowledgement does not repeat the report."""
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
