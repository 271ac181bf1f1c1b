"""`/incident convert` turns a channel that people already talk in into the incident's channel."""

import pytest

from bot.core.record.incident_facts import Declared
from bot.core.record.room.room_facts import ChannelOpened
from bot.views.text import plain
from tests.dialogs.talk import Talk
from tests.house import BOTH_WAYS


@pytest.fixture
def talking(talk: Talk) -> Talk:
    """Ana and Bob discuss a problem in a channel without the bot."""
    talk.house.workspace.add_channel("payments-trouble", members=[talk.house.ana, talk.house.bob])
    return talk


@BOTH_WAYS
async def test_converted_channel_becomes_the_incidents_channel(talking: Talk) -> None:
    """The bot joins, sets the topic, and posts card and alert; it creates no other channel."""
    house, before = talking.house, len(talking.house.workspace.channels())
    said = await talking.asks(house.ana, "/incident convert Payments are slow", channel="payments-trouble")
    await house.quiet()
    channel = house.workspace.channel("payments-trouble")

    assert "INC-1 is declared: Payments are slow. This is its channel now." == said
    assert "Payments are slow" in talking.card("payments-trouble")
    assert "Payments are slow" in channel.topic
    assert "#payments-trouble" in talking.alert()
    assert before == len(house.workspace.channels())
    assert ["payments-trouble"] == [fact.body.name for fact in await talking.facts(ChannelOpened)]  # type: ignore[attr-defined]


async def test_commands_in_a_converted_channel_need_no_incident_id(talking: Talk) -> None:
    """Notes and updates work as in any incident's channel."""
    house = talking.house
    await talking.asks(house.ana, "/incident convert Payments are slow", channel="payments-trouble")
    await talking.asks(house.ana, "/incident declare separate Mail is late")
    await house.quiet()

    assert "INC-1 is yours." == await talking.asks(house.bob, "/incident ack", channel="payments-trouble")


async def test_convert_without_a_title_uses_the_channels_name(talking: Talk) -> None:
    """Nobody should have to think of a title."""
    said = await talking.asks(talking.house.ana, "/incident convert", channel="payments-trouble")

    assert said.startswith("INC-1 is declared: payments trouble.")


async def test_incidents_channel_cannot_be_converted_again(talking: Talk) -> None:
    """Neither while the incident is open nor after it was resolved."""
    house = talking.house
    await talking.asks(house.ana, "/incident convert Payments are slow", channel="payments-trouble")
    await house.quiet()
    running = await talking.asks(house.bob, "/incident convert Something else", channel="payments-trouble")
    await talking.asks(house.ana, "/incident resolve it works", channel="payments-trouble")
    over = await talking.asks(house.bob, "/incident convert Something else", channel="payments-trouble")

    assert ["This is already the channel of INC-1. Nothing was declared."] * 2 == [running, over]
    assert 1 == len(await talking.facts(Declared))


async def test_converting_a_private_channel_explains_what_to_do(talk: Talk) -> None:
    """The bot cannot join by itself, since Slack does not show it the channel."""
    talk.house.workspace.add_channel("secret-trouble", members=[talk.house.ana], private=True)
    said = await talk.asks(talk.house.ana, "/incident convert It leaks", channel="secret-trouble")

    assert "Type /invite @understudy here, then this again." in said
    assert [] == list(await talk.facts(Declared))


@pytest.mark.parametrize(
    ("channel", "words"), [("ops", "This is where alerts come in."), ("general", "This channel is for everybody.")]
)
async def test_convert_refuses_a_channel_with_another_purpose(talk: Talk, channel: str, words: str) -> None:
    """Converting it would replace its topic and flood its members."""
    said = await talk.asks(talk.house.ana, "/incident convert It burns", channel=channel)

    assert said.startswith(words)
    assert [] == list(await talk.facts(Declared))


async def test_convert_points_to_an_open_incident_of_the_provider(outage: Talk) -> None:
    """Declaring a separate incident still converts the channel."""
    house = outage.house
    house.workspace.add_channel("claude-trouble", members=[house.ana])
    pointed = await outage.asks(house.ana, "/incident convert Claude is broken", channel="claude-trouble")
    separate = await outage.presses(house.ana, "Declare a separate one", channel="claude-trouble")
    await house.quiet()

    assert "INC-1 is already open for Claude" in pointed
    assert "INC-2 is declared: Claude is broken. This is its channel now." == separate
    assert "Claude is broken" in plain(outage.card("claude-trouble"))
