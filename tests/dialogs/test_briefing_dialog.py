"""People who join an incident's channel late get a briefing that only they see."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.effects import SetTopic
from tests.dialogs.talk import Talk
from tests.house import House, a_house

CHANNEL = "inc-20260320-0001-claude"
CALL = "https://meet.example.com/incidents"
BROKEN = "SEV2 · Claude API is down. It's Claude, not us."


@pytest.fixture
async def called(tmp_path: Path) -> AsyncIterator[Talk]:
    """An outage in a deployment whose incidents have a call link."""
    async with a_house(tmp_path, incidents={"bridge_url": CALL}) as house:
        await house.fails("anthropic.api")
        await house.quiet()
        yield Talk(house)


def joins(house: House, name: str) -> None:
    """Someone finds the channel and joins it without an invitation."""
    team = house.workspace.team
    team.join(team.channel_named(CHANNEL), team.user_named(name).id)


async def test_late_joiner_gets_a_private_briefing(outage: Talk) -> None:
    """Three lines: what is broken and on whose side, customers and flags, the lead and the time of the next update."""
    house = outage.house
    await outage.asks(house.ana, "/incident role INC-1 lead me")
    await house.passes(minutes=2)
    joins(house, "bob")
    seen = await house.bob.waits_for("(only you)", channel=CHANNEL)
    [whisper] = outage.whispers(house.bob)

    assert BROKEN in seen
    lines = outage.shows(whisper).splitlines()
    assert 3 == len(lines)
    assert lines[1].startswith("Customers are served: support chat switched to gpt")
    assert lines[2].startswith("Lead: @ana · next update by")


async def test_people_invited_at_the_start_get_no_briefing(outage: Talk) -> None:
    """They read the card as it is posted; a later joiner is briefed, which proves that the bot handled the earlier events."""
    house = outage.house
    house.workspace.add_user("eve", "Eve Early")
    house.workspace.add_user("liv", "Liv Late")
    await house.fails("openai.api")
    await house.done(SetTopic)
    await house.quiet()
    newest = house.workspace.team.channel_named(house.incident_channel)
    house.workspace.team.join(newest, house.workspace.person("eve").id)
    joins(house, "liv")
    await house.workspace.person("liv").waits_for(BROKEN, channel=CHANNEL)

    assert "(only you)" not in house.workspace.person("eve").sees(newest.name)


async def test_joining_an_unrelated_or_closed_channel_brings_no_briefing(outage: Talk) -> None:
    """Neither a channel without an incident nor that of a resolved incident briefs anybody."""
    house = outage.house
    house.workspace.add_user("liv", "Liv Late")
    await outage.asks(house.ana, "/incident cancel INC-1 external")
    await house.quiet()
    joins(house, "liv")
    await outage.asks(house.ana, "/incident declare Payments are slow")
    await house.quiet()

    assert [] == outage.whispers(house.workspace.person("liv"))


async def test_only_people_who_may_view_are_briefed(outage: Talk) -> None:
    """Guests and people without the right to ask get nothing on joining; people with it do."""
    house = outage.house
    policy = house.app.engine.policy  # type: ignore[union-attr]
    people = (house.bob.id,)
    named = replace(policy.incidents, viewers=people, responders=people, commanders=people, admins=people)
    house.app.engine.policy = replace(policy, incidents=named)  # type: ignore[union-attr]
    house.workspace.add_user("gil", "Gil Guest", guest=True)
    house.workspace.add_user("liv", "Liv Late")
    await house.passes(minutes=2)
    for name in ("gil", "liv", "bob"):
        joins(house, name)
    await house.bob.waits_for("(only you)", channel=CHANNEL)

    assert [] == [*outage.whispers(house.workspace.person("gil")), *outage.whispers(house.workspace.person("liv"))]


async def test_briefing_can_be_requested_from_any_channel(outage: Talk) -> None:
    """Only the person who asked sees it."""
    said = await outage.asks(outage.house.bob, "/incident brief")

    assert BROKEN in said
    assert "No lead yet · next update by" in said


async def test_call_link_is_in_bookmark_card_and_briefing(called: Talk) -> None:
    """Nobody should have to look for the link at night."""
    channel = called.house.workspace.channel(CHANNEL)
    bookmarks = {one.title: one.link for one in channel.bookmarks}

    assert CALL == bookmarks["Call"]
    assert "Call: meet.example.com" in called.card(CHANNEL)
    assert "Join the call" in await called.asks(called.house.bob, "/incident brief")
