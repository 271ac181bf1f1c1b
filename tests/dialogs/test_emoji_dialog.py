"""An emoji on a message offers to declare an incident, to the person who added it and to nobody else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.record.entry_facts import MessageAdded
from bot.core.record.incident_facts import Declared
from bot.sandbox.slack import Person
from tests.dialogs.talk import Talk
from tests.house import a_house

EMOJI = "rotating_light"


@pytest.fixture
async def alert(tmp_path: Path) -> AsyncIterator[Talk]:
    """The emoji is configured, and Bob has posted what he sees."""
    async with a_house(tmp_path, incidents={"declare_emoji": f":{EMOJI}:"}) as house:
        await house.bob.says("Mail is late & customers wait", channel="ops")
        yield Talk(house)


async def reacts(talk: Talk, person: Person, emoji: str = EMOJI) -> str:
    """Add the emoji; return what only this person is told."""

    async def put() -> None:
        await person.reacts(emoji, message_containing="Mail is late", channel="ops")

    return await talk.hears(person, put())


async def test_emoji_offers_to_declare_an_incident(alert: Talk) -> None:
    """One press opens the form with the message's words, and the message becomes the first entry."""
    ana = alert.house.ana
    offered = await reacts(alert, ana)
    await ana.clicks("Declare incident", channel="ops")
    form = await ana.waits_for("== Declare incident ==")
    await ana.submits({})
    await ana.waits_for("is declared")
    await alert.house.quiet()
    [entry] = [fact.body for fact in await alert.facts(MessageAdded)]

    assert "Declare an incident from “Mail is late & customers wait”?" in offered
    assert "Mail is late & customers wait" in form
    assert isinstance(entry, MessageAdded) and "Mail is late & customers wait" == entry.message.text


async def test_only_the_reacting_person_sees_the_offer(alert: Talk) -> None:
    """An emoji alone declares nothing."""
    await reacts(alert, alert.house.ana)
    await alert.house.quiet()

    assert ([], []) == (alert.whispers(alert.house.bob), list(await alert.facts(Declared)))


async def test_other_emojis_and_removed_emojis_offer_nothing(alert: Talk) -> None:
    """Most reactions have nothing to do with the bot."""
    ana = alert.house.ana
    await reacts(alert, ana)
    await ana.unreacts(EMOJI, message_containing="Mail is late", channel="ops")
    await ana.reacts("eyes", message_containing="Mail is late", channel="ops")
    await alert.asks(ana, "/incident list")

    assert 2 == len(alert.whispers(ana))


async def test_no_emoji_offers_anything_by_default(talk: Talk) -> None:
    """The setting is off unless configured."""
    ana = talk.house.ana
    await talk.house.bob.says("Mail is late", channel="ops")
    await ana.reacts(EMOJI, message_containing="Mail is late", channel="ops")
    await talk.asks(ana, "/incident list")

    assert 1 == len(talk.whispers(ana))


async def test_guests_emojis_are_ignored(alert: Talk) -> None:
    """Guests are offered nothing and told nothing."""
    eve = alert.house.workspace.add_user("eve", guest="multi")
    alert.house.workspace.channel("ops").members.append(eve.id)
    await eve.reacts(EMOJI, message_containing="Mail is late", channel="ops")
    await reacts(alert, alert.house.ana)

    assert ([], []) == (alert.whispers(eve), alert.house.workspace.direct_messages(eve))


async def test_person_who_may_not_declare_is_told_so(tmp_path: Path) -> None:
    """The refusal comes before a form opens, as everywhere."""
    async with a_house(tmp_path, started=False) as house:
        house.changes |= {"incidents": {"declare_emoji": EMOJI}, "people": {"commanders": [house.ana.id]}}
        await house.start()
        await house.ana.says("Mail is late", channel="ops")

        assert "Only commanders may do that here" in await reacts(Talk(house), house.bob)


async def test_long_message_reaches_the_timeline_whole(alert: Talk) -> None:
    """The offer shows an excerpt; the timeline has the full text."""
    ana, words = alert.house.ana, 'Mail is late "again" \\ ' * 60
    await alert.house.bob.says(words, channel="ops")
    await reacts(alert, ana)
    await ana.clicks("Declare incident", channel="ops")
    await ana.waits_for("== Declare incident ==")
    await ana.submits({})
    await ana.waits_for("is declared")
    await alert.house.quiet()
    [entry] = [fact.body for fact in await alert.facts(MessageAdded)]

    assert isinstance(entry, MessageAdded) and words.strip() == entry.message.text
