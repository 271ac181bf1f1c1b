"""Stakeholders see one message for each incident, kept true, without names and without the talk of the work."""

import pytest

from bot.core.model import Actor, Phase
from bot.core.signals import SetPhase, WriteUpdate
from tests.dialogs.talk import Talk
from tests.house import House

CHANNEL = "inc-20260320-0001-claude"
SHORT = {"channel": "#stakeholders", "severities": ["SEV1", "SEV2"]}
FULL = {"channel": "#support-leads", "severities": ["SEV1"], "detail": "full"}


@pytest.fixture
async def told(empty_house: House) -> Talk:
    """Claude is down, a SEV2; ana has acknowledged it."""
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
    """The bot's messages there, replies among them."""
    house = talk.house
    return [talk.shows(m) for m in house.workspace.messages(channel) if m.user == house.workspace.bot_user_id]


def thread(talk: Talk, channel: str = "stakeholders") -> list[str]:
    root = talk.said(channel)[0]
    return [talk.shows(m) for m in talk.house.workspace.messages(channel, thread_ts=root.ts)[1:]]


async def test_stakeholders_see_how_it_stands(told: Talk) -> None:
    """Title, severity, whether customers are served, since when, and when the next word comes."""
    assert ["🔴 SEV2 · Claude API is down.\nCustomers are served.\nSince 12:01 UTC · Next update by 13:02 UTC"] == shown(told)
    assert [] == shown(told, "support-leads")


async def test_an_update_and_the_end_are_replies(told: Talk) -> None:
    """The message says how it stands; no name of anybody who works on it appears."""
    house = told.house
    await told.asks(house.ana, "/incident update Quality is fine")
    await told.asks(house.bob, "/incident note INC-1 the vendor's phone is busy")
    await house.recovers("anthropic.api")
    await told.resolves(house.ana, reason="the vendor mended it")
    await house.quiet()

    assert ["Update:\n> Quality is fine", "🟢 Resolved after 4 min · Claude API is down"] == thread(told)
    (message,) = [one for one in shown(told) if "Since" in one or "to 12" in one]
    assert message.startswith("🟢 Resolved after 4 min · Claude API is down\n12:01 UTC to 12:0")
    everything = "\n".join([*shown(told), *thread(told)])
    assert not any(word in everything for word in ("ana", "bob", "phone", "mended"))


async def test_one_that_is_raised_is_told_in_full_where_people_want_that(told: Talk) -> None:
    """Components, flags, lead and where it goes on."""
    house = told.house
    await told.asks(house.ana, "/incident severity SEV1 nobody can pay")
    await told.asks(house.ana, "/incident role lead me")
    await house.quiet()

    (message,) = shown(told, "support-leads")
    for words in (
        "🔴 SEV1 · Claude API is down.",
        "support chat switched to gpt",
        "Claude API: down",
        "Lead: @ana",
        f"#{CHANNEL}",
    ):
        assert words in message
    assert shown(told)[0].startswith("🔴 SEV1 · Claude API is down.")


async def test_a_channel_that_is_not_there_is_said_once_in_ops(empty_house: House) -> None:
    """With what to do; everything else goes on."""
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


async def test_it_is_posted_once_over_a_restart(told: Talk) -> None:
    """And goes on being edited."""
    house = told.house
    await house.stop()
    await house.start()
    await told.asks(house.ana, "/incident rename INC-1 Support chat is slow")
    await house.quiet()

    assert 1 == len(shown(told))
    assert "Support chat is slow" in shown(told)[0]


async def test_what_waited_for_slack_comes_in_order(told: Talk) -> None:
    """Said at the terminal while Slack was away: each once, the update before the end."""
    house, carla = told.house, Actor.operator("carla")
    await house.workspace.faults.offline()
    assert house.app is not None
    await house.app.engine.handle(WriteUpdate(carla, "u1", incident=1, text="The vendor says it is over"))
    await house.passes(minutes=5)
    await house.app.engine.handle(SetPhase(carla, "r1", incident=1, phase=Phase.RESOLVED, force=True))
    await house.workspace.faults.online()
    await house.quiet()

    update, end = thread(told)
    assert "Update:\n> The vendor says it is over" == update
    assert end.startswith("🟢 Resolved after ")
    assert shown(told)[0].startswith("🟢 Resolved after ")


async def test_repair_tells_a_channel_that_was_archived(told: Talk) -> None:
    """What Slack did not take goes out once somebody has made the channel anew, and the answer says so."""
    house = told.house
    channel = house.workspace.channel("stakeholders")
    channel.is_archived = True
    await told.asks(house.ana, "/incident update We look into it")
    await house.quiet()
    channel.is_archived = False
    channel.members.append(house.workspace.bot_user_id)
    said = await told.asks(house.ana, "/incident repair INC-1")
    await house.quiet()

    assert "elling the broadcast channels again" in said
    assert 1 == len([text for text in shown(told) if "Since 12:01 UTC" in text])
    assert "Update:\n> We look into it" in thread(told)


async def test_what_is_merged_says_where_it_goes_on(told: Talk) -> None:
    """Whoever follows the one has to know that the other is theirs now."""
    ana = told.house.ana
    await told.asks(ana, "/incident declare separate Search is slow")
    await told.house.quiet()
    await told.asks(ana, "/incident merge INC-2 into INC-1")
    await told.house.quiet()

    assert shown(told)[-1] == "⚪ Search is slow. It is part of “Claude API is down” now."
