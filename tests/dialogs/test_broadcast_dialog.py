"""Stakeholders get one message per incident, kept current, without names or working discussion."""

import pytest

from bot.core.model import Actor, Phase
from bot.core.signals import SetPhase, WriteUpdate
from tests.dialogs.talk import Talk
from tests.house import House

CHANNEL = "inc-20260320-0001-claude"
SHORT = {"channel": "#stakeholders", "severities": ["SEV1", "SEV2"]}
FULL = {"channel": "#support-leads", "severities": ["SEV1"], "detail": "full"}


@pytest.fixture
async def broadcast(empty_house: House) -> Talk:
    """Claude is down (SEV2), and Ana has acknowledged it."""
    house = empty_house
    house.changes["broadcast"] = [SHORT, FULL]
    house.workspace.add_channel("stakeholders", members=("bob",))
    house.workspace.add_channel("support-leads", members=("bob",))
    await house.start()
    await house.passes(minutes=1)
    await house.fails("anthropic.api")
    await house.quiet()
    talk = Talk(house)
    await talk.asks(house.ana, "/incident ack")
    await house.quiet()
    return talk


def shown(talk: Talk, channel: str = "stakeholders") -> list[str]:
    """The bot's messages in the stakeholders' channel, with replies."""
    house = talk.house
    return [talk.shows(m) for m in house.workspace.messages(channel) if m.user == house.workspace.bot_user_id]


def thread(talk: Talk, channel: str = "stakeholders") -> list[str]:
    root = talk.said(channel)[0]
    return [talk.shows(m) for m in talk.house.workspace.messages(channel, thread_ts=root.ts)[1:]]


async def test_stakeholders_see_the_state_of_the_incident(broadcast: Talk) -> None:
    """Title, severity, whether customers are served, since when, and the time of the next update."""
    assert ["🔴 SEV2 · Claude API is down.\nCustomers are served.\nSince 12:01 UTC · Next update by 13:02 UTC"] == shown(
        broadcast
    )
    assert [] == shown(broadcast, "support-leads")


async def test_updates_and_resolution_are_replies_without_names(broadcast: Talk) -> None:
    """The message itself shows the current state; nobody who works on the incident is named."""
    house = broadcast.house
    await broadcast.asks(house.ana, "/incident update Quality is fine")
    await broadcast.asks(house.bob, "/incident note INC-1 the vendor's phone is busy")
    await house.recovers("anthropic.api")
    await broadcast.resolves(house.ana, reason="the vendor mended it")
    await house.quiet()

    assert ["Update:\n> Quality is fine", "🟢 Resolved after 4 min · Claude API is down"] == thread(broadcast)
    (message,) = [one for one in shown(broadcast) if "Since" in one or "to 12" in one]
    assert message.startswith("🟢 Resolved after 4 min · Claude API is down\n12:01 UTC to 12:0")
    everything = "\n".join([*shown(broadcast), *thread(broadcast)])
    assert not any(word in everything for word in ("ana", "bob", "phone", "mended"))


async def test_full_broadcast_of_a_raised_incident_lists_components_and_lead(broadcast: Talk) -> None:
    """With full broadcasts configured it shows components, flags, the lead and the incident's channel."""
    house = broadcast.house
    await broadcast.asks(house.ana, "/incident severity SEV1 nobody can pay")
    await broadcast.asks(house.ana, "/incident role lead me")
    await house.quiet()

    (message,) = shown(broadcast, "support-leads")
    for words in (
        "🔴 SEV1 · Claude API is down.",
        "support chat switched to gpt",
        "Claude API: down",
        "Lead: @ana",
        f"#{CHANNEL}",
    ):
        assert words in message
    assert shown(broadcast)[0].startswith("🔴 SEV1 · Claude API is down.")


async def test_missing_broadcast_channel_is_reported_once_in_ops(empty_house: House) -> None:
    """The report says what to do; everything else goes on."""
    house = empty_house
    house.changes["broadcast"] = [{"channel": "#nowhere"}]
    await house.start()
    await house.passes(minutes=1)
    await house.fails("anthropic.api")
    await house.quiet()
    talk = Talk(house)
    await talk.asks(house.ana, "/incident severity SEV1")
    await house.passes(minutes=70)
    await house.quiet()

    (line,) = [talk.shows(m) for m in talk.said("ops", "the broadcast to #nowhere")]
    assert "I see no channel #nowhere: create it" in line


async def test_broadcast_is_posted_once_over_a_restart(broadcast: Talk) -> None:
    """The bot keeps editing the same message afterwards."""
    house = broadcast.house
    await house.stop()
    await house.start()
    await broadcast.asks(house.ana, "/incident rename INC-1 Support chat is slow")
    await house.quiet()

    assert 1 == len(shown(broadcast))
    assert "Support chat is slow" in shown(broadcast)[0]


async def test_updates_held_while_slack_was_away_arrive_in_order(broadcast: Talk) -> None:
    """Commands from the terminal are posted once each, the update before the resolution."""
    house, carla = broadcast.house, Actor.operator("carla")
    await house.workspace.faults.offline()
    assert house.app is not None
    await house.app.engine.handle(WriteUpdate(carla, "u1", incident=1, text="The vendor says it is over"))
    await house.passes(minutes=5)
    await house.app.engine.handle(SetPhase(carla, "r1", incident=1, phase=Phase.RESOLVED, force=True))
    await house.workspace.faults.online()
    await house.quiet()

    update, end = thread(broadcast)
    assert "Update:\n> The vendor says it is over" == update
    assert end.startswith("🟢 Resolved after ")
    assert shown(broadcast)[0].startswith("🟢 Resolved after ")


async def test_repair_delivers_to_a_recreated_broadcast_channel(broadcast: Talk) -> None:
    """Messages that Slack refused go out once someone has recreated the channel, and the reply says so."""
    house = broadcast.house
    channel = house.workspace.channel("stakeholders")
    channel.is_archived = True
    await broadcast.asks(house.ana, "/incident update We look into it")
    await house.quiet()
    channel.is_archived = False
    channel.members.append(house.workspace.bot_user_id)
    said = await broadcast.asks(house.ana, "/incident repair INC-1")
    await house.quiet()

    assert "elling the broadcast channels again" in said
    assert 1 == len([text for text in shown(broadcast) if "Since 12:01 UTC" in text])
    assert "Update:\n> We look into it" in thread(broadcast)


async def test_broadcast_of_a_merged_incident_names_the_surviving_one(broadcast: Talk) -> None:
    """People who followed the merged incident need to know which one to follow now."""
    ana = broadcast.house.ana
    await broadcast.asks(ana, "/incident declare separate Search is slow")
    await broadcast.house.quiet()
    await broadcast.asks(ana, "/incident merge INC-2 into INC-1")
    await broadcast.house.quiet()

    assert shown(broadcast)[-1] == "⚪ Search is slow. It is part of “Claude API is down” now."
