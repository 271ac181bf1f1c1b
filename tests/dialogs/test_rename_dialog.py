"""`/incident rename`: changing an incident's title, as seen in Slack."""

import pytest

from bot.core.record.incident_facts import TitleChanged
from tests.dialogs.talk import Talk

CHANNEL = "inc-20260320-0001-payments-are-slow"


@pytest.fixture
async def renamed(talk: Talk) -> Talk:
    """Ana has declared an incident, and Bob renames it after finding the cause."""
    await talk.asks(talk.house.ana, "/incident declare Payments are slow")
    await talk.house.quiet()
    answer = await talk.asks(talk.house.bob, "/incident rename INC-1 Stripe <answers> & fails")
    await talk.house.quiet()
    assert "INC-1 is now called “Stripe <answers> & fails”." == answer
    return talk


async def test_alert_shows_the_new_title(renamed: Talk) -> None:
    """The alert is where people in #ops read the title."""
    assert "Stripe <answers> & fails" in renamed.alert()


async def test_card_shows_the_new_title(renamed: Talk) -> None:
    """Also in the phone notification, which shows only the first line."""
    [card] = renamed.cards(CHANNEL)

    assert "SEV2 · Stripe <answers> & fails" in renamed.shows(card)


async def test_topic_shows_the_new_title(renamed: Talk) -> None:
    """The topic is what people in the channel see first."""
    assert "Stripe" in renamed.house.workspace.channel(CHANNEL).topic


async def test_channel_is_told_who_renamed_the_incident(renamed: Talk) -> None:
    """The channel keeps its name, and the message has the previous title."""
    assert renamed.said(CHANNEL, "INC-1 is now called “Stripe <answers> & fails” (was “Payments are slow”) (by @bob)")


async def test_timeline_records_the_new_title(renamed: Talk) -> None:
    """The export must explain why the title changed."""
    shown = await renamed.asks(renamed.house.ana, "/incident timeline", channel=CHANNEL)

    assert "INC-1 is now called “Stripe <answers> & fails”" in shown


async def test_rename_without_a_title_changes_nothing(renamed: Talk) -> None:
    """The reply gives the current title."""
    answer = await renamed.asks(renamed.house.ana, "/incident rename", channel=CHANNEL)

    assert "Which title? INC-1 is called “Stripe <answers> & fails”." == answer
    assert 1 == len(list(await renamed.facts(TitleChanged)))


@pytest.fixture
async def wider(outage: Talk) -> Talk:
    """A second component of the vendor fails."""
    await outage.house.fails("anthropic.web")
    await outage.house.quiet()
    return outage


async def test_alerts_title_widens_when_more_components_fail(wider: Talk) -> None:
    """Until a person renames it, the title follows the provider."""
    assert "SEV2 · Claude is down (API, claude.ai)" in wider.alert()


async def test_topic_widens_when_more_components_fail(wider: Talk) -> None:
    """The channel keeps its name, which is the provider's."""
    assert wider.house.workspace.channel("inc-20260320-0001-claude").topic.endswith("Claude is down (API, claude.ai)")


async def test_title_given_by_a_person_stays_when_more_fails(outage: Talk) -> None:
    """A rule must not overrule a person."""
    await outage.asks(outage.house.ana, "/incident rename INC-1 Nobody can chat")
    await outage.house.fails("anthropic.web")
    await outage.house.quiet()

    assert "SEV2 · Nobody can chat" in outage.alert()
