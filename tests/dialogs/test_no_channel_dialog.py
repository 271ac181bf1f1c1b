"""Slack refuses the channel, has its name taken, or archives it: the incident goes on, and people are told where."""

from bot.core.record.room.room_facts import ChannelRefused, GivenUp
from tests.dialogs.talk import Talk

CHANNEL = "inc-20260320-0001-claude"


async def test_refused_channel_is_explained_and_the_thread_is_used_instead(talk: Talk) -> None:
    """#ops and the declarer read why and what to do; updates appear under the alert."""
    house, ana = talk.house, talk.house.ana
    house.workspace.faults.add("conversations.create", "error:restricted_action", times=9)
    await talk.asks(ana, "/incident declare Claude API is odd")
    await house.quiet()

    [refusal] = talk.said("ops", "has no channel of its own")
    [direct] = house.workspace.direct_messages(ana)
    for words in (
        "INC-1 has no channel of its own:",
        "INC-1 (Claude API is odd) continues in the thread under its alert in #ops, updates included.",
        "Name it in commands: /incident update INC-1 TEXT.",
        "This workspace does not let apps create channels; an owner can allow it in the settings.",
        "Then press Repair to open the channel.",
    ):
        assert words in talk.shows(refusal)
        assert words in talk.shows(direct)

    await talk.asks(ana, "/incident update INC-1 We watch it")
    answer = await talk.asks(ana, "/incident export INC-1")
    assert "The timeline of INC-1 will be posted as a file in the thread under its alert." == answer
    await house.passes(minutes=61)
    await house.quiet()
    thread = talk.thread("ops", "SEV2 · Claude API is odd")
    assert "Update 1 of INC-1 · SEV2" in thread
    assert "> We watch it" in thread
    assert "Update 2 of INC-1" in thread
    assert "[file: INC-1-timeline.md]" in thread
    assert "/incident update TEXT tells everybody" in thread
    assert talk.said("ops", "INC-1, in this thread (it has no channel)")
    assert [] == [c.name for c in house.workspace.channels() if c.name.startswith("inc-")]


async def test_taken_channel_name_gets_the_next_suffix(talk: Talk) -> None:
    """The bot never takes over an existing channel, archived or not."""
    house = talk.house
    house.workspace.add_channel(CHANNEL, members=("bob",))
    house.workspace.add_channel(f"{CHANNEL}-2", members=("bob",))
    house.workspace.channel(f"{CHANNEL}-2").is_archived = True
    await house.fails("anthropic.api")
    await house.quiet()

    assert f"{CHANNEL}-3" == house.incident_channel
    assert f"· #{CHANNEL}-3" in talk.alert()
    assert talk.cards(f"{CHANNEL}-3")
    assert [] == talk.said(CHANNEL)
    assert house.workspace.bot_user_id not in house.workspace.channel(CHANNEL).members


async def test_updates_go_to_the_thread_after_the_channel_is_archived(outage: Talk) -> None:
    """#ops is told, and later messages appear under the alert, each once."""
    house = outage.house
    channel = house.workspace.channel(CHANNEL)
    channel.is_archived = True
    channel.members.remove(house.workspace.bot_user_id)
    before = len(channel.messages)
    await outage.asks(house.ana, "/incident note INC-1 it was tidied away")
    await house.passes(minutes=61)
    await house.quiet()

    refusal = outage.shows(outage.said("ops", "has no channel of its own")[-1])
    assert f"INC-1 has no channel of its own: #{CHANNEL} takes no more posts: it was archived (is_archived)" in refusal
    assert (
        "The channel was archived; unarchive it by hand and invite the bot. Then press Repair to open the channel." in refusal
    )
    thread = outage.thread("ops", "SEV2 · Claude API")
    assert 1 == thread.count("> it was tidied away")
    assert 1 == thread.count("Update 1 of INC-1")
    assert before == len(channel.messages)
    assert [1, 0] == [len(await outage.facts(kind)) for kind in (ChannelRefused, GivenUp)]

    await house.recovers("anthropic.api")
    await house.passes(minutes=31)
    await house.quiet()
    await outage.asks(house.bob, "/incident resolve INC-1 force")
    await house.quiet()
    thread = outage.thread("ops", "INC-1 resolved after")
    assert "INC-1 resolved after" in thread
    assert "[file: INC-1-timeline.md]" in thread
    assert "support chat on gpt 12:02 UTC until now: still away" in thread
