"""`/incident rename`: what it is called, in Slack."""

import pytest

from bot.core.record.incident_facts import TitleChanged
from tests.dialogs.talk import Talk

CHANNEL = "inc-20260320-0001-payments-are-slow"


@pytest.fixture
async def renamed(talk: Talk) -> Talk:
    """Ana has declared an incident, and Bob found out what it is."""
    await talk.asks(talk.house.ana, "/incident declare Payments are slow")
    await talk.house.quiet()
    answer = await talk.asks(talk.house.bob, "/incident rename INC-1 Stripe <answers> & fails")
    await talk.house.quiet()
    assert "INC-1 is now called “Stripe <answers> & fails”." == answer
    return talk


async def test_the_alert_bears_the_new_title(renamed: Talk) -> None:
    assert "Stripe <answers> & fails" in renamed.alert()


async def test_the_card_bears_the_new_title(renamed: Talk) -> None:
    """Also on a phone, where only the head of it is seen."""
    [card] = renamed.cards(CHANNEL)

    assert "SEV2 · Stripe <answers> & fails" in renamed.shows(card)


async def test_the_topic_bears_the_new_title(renamed: Talk) -> None:
    assert "Stripe" in renamed.house.workspace.channel(CHANNEL).topic


async def test_the_channel_hears_who_renamed_it(renamed: Talk) -> None:
    """It keeps its name, and the line has the title before."""
    assert renamed.said(CHANNEL, "INC-1 is now called “Stripe <answers> & fails” (was “Payments are slow”) (by @bob)")


async def test_the_timeline_has_it(renamed: Talk) -> None:
    shown = await renamed.asks(renamed.house.ana, "/incident timeline", channel=CHANNEL)

    assert "INC-1 is now called “Stripe <answers> & fails”" in shown


async def test_without_a_title_nothing_is_renamed(renamed: Talk) -> None:
    """The answer says what it is called."""
    answer = await renamed.asks(renamed.house.ana, "/incident rename", channel=CHANNEL)

    assert "Which title? INC-1 is called “Stripe <answers> & fails”." == answer
    assert 1 == len(list(await renamed.facts(TitleChanged)))


@pytest.fixture
async def wider(outage: Talk) -> Talk:
    """A second part of the vendor fails."""
    await outage.house.fails("anthropic.web")
    await outage.house.quiet()
    return outage


async def test_the_alert_says_how_far_it_reaches_when_more_fails(wider: Talk) -> None:
    """Until somebody names it, the title follows the provider."""
    assert "SEV2 · Claude is down (API, claude.ai)" in wider.alert()


async def test_the_topic_says_how_far_it_reaches_when_more_fails(wider: Talk) -> None:
    """The channel keeps its name: it is the provider's."""
    assert wider.house.workspace.channel("inc-20260320-0001-claude").topic.endswith("Claude is down (API, claude.ai)")


async def test_the_title_of_a_person_stays_when_more_fails(outage: Talk) -> None:
    await outage.asks(outage.house.ana, "/incident rename INC-1 Nobody can chat")
    await outage.house.fails("anthropic.web")
    await outage.house.quiet()

    assert "SEV2 · Nobody can chat" in outage.alert()
