"""`/incident repair` restores what was removed in Slack or never got through, and says what it restored."""

import asyncio

import pytest

from bot.core.record.room.room_facts import Repaired
from bot.sandbox.slack import Message
from tests.dialogs.talk import Talk
from tests.house import SOON_S

CHANNEL = "inc-20260320-0001-claude"
ALERT = "SEV2 · Claude API"


def deletes(talk: Talk, channel: str, message: Message) -> None:
    talk.house.workspace.team.delete(talk.house.workspace.channel(channel), message)


def archives(talk: Talk, channel: str) -> None:
    """Archive a channel; Slack removes the bot from it."""
    place = talk.house.workspace.channel(channel)
    place.is_archived = True
    place.members.remove(talk.house.workspace.bot_user_id)


async def repairs(talk: Talk, words: str = "/incident repair INC-1") -> str:
    answer = await talk.asks(talk.house.ana, words)
    await talk.house.quiet()
    return answer


async def test_repair_changes_nothing_if_nothing_is_missing(outage: Talk) -> None:
    assert "Nothing of INC-1 is missing in Slack." == await repairs(outage)
    assert [] == list(await outage.facts(Repaired))


async def test_repair_posts_a_deleted_card_and_pins_it(outage: Talk) -> None:
    deletes(outage, CHANNEL, outage.cards(CHANNEL)[0])

    assert "Posting the card again. Nothing else was missing." == await repairs(outage)
    [card] = outage.cards(CHANNEL)
    assert [card.ts] == list(outage.house.workspace.channel(CHANNEL).pins)


async def test_repair_pins_an_unpinned_card(outage: Talk) -> None:
    outage.house.workspace.channel(CHANNEL).pins.clear()

    assert "Pinning the card. Nothing else was missing." == await repairs(outage)
    [card] = outage.cards(CHANNEL)
    assert [card.ts] == list(outage.house.workspace.channel(CHANNEL).pins)


async def test_repair_replaces_a_changed_topic(outage: Talk) -> None:
    channel = outage.house.workspace.channel(CHANNEL)
    channel.topic, channel.topic_by = "lunch at 12", outage.house.bob.id

    assert "Setting the topic. Nothing else was missing." == await repairs(outage)
    assert channel.topic.endswith("Claude API is down")


async def test_repair_restores_bookmarks_and_people(outage: Talk) -> None:
    """The person who acknowledged the incident was removed by mistake."""
    house, channel = outage.house, outage.house.workspace.channel(CHANNEL)
    await outage.asks(house.bob, "/incident ack INC-1")
    await house.quiet()
    channel.bookmarks.clear()
    channel.members.remove(house.bob.id)

    assert "Adding the bookmarks and inviting who is missing. Nothing else was missing." == await repairs(outage)
    assert house.bob.id in channel.members
    assert 2 == len(channel.bookmarks)


async def test_repair_posts_a_deleted_alert_with_its_evidence(outage: Talk) -> None:
    deletes(outage, "ops", outage.said("ops", ALERT)[0])

    await repairs(outage)
    assert 1 == len(outage.said("ops", ALERT))
    assert "HTTP 502" in outage.evidence()


async def test_repair_posts_deleted_evidence_alone(outage: Talk) -> None:
    root = outage.said("ops", ALERT)[0]
    deletes(outage, "ops", outage.house.workspace.messages("ops", thread_ts=root.ts)[1])

    assert "Posting the evidence again. Nothing else was missing." == await repairs(outage)
    assert "HTTP 502" in outage.evidence()
    assert [root.ts] == [message.ts for message in outage.said("ops", ALERT)]


@pytest.mark.parametrize("how", ["archived", "deleted"])
async def test_repair_replaces_a_lost_channel_with_a_complete_new_one(outage: Talk, how: str) -> None:
    """Nobody has posted there since, so repair itself discovers the loss."""
    house = outage.house
    if how == "archived":
        archives(outage, CHANNEL)
    else:
        del house.workspace.team.channels[house.workspace.channel(CHANNEL).id]

    answer = await repairs(outage)
    assert "Opening its channel again, with what belongs in it. Nothing else was missing." == answer
    new = house.incident_channel
    channel = house.workspace.channel(new)
    [card] = outage.cards(new)
    assert [card.ts] == list(channel.pins)
    assert channel.topic.endswith("Claude API is down")
    assert 2 == len(channel.bookmarks)
    assert 1 == len(outage.said(new, "☐ 1. Confirm on the board"))
    assert f"#{new}" in outage.alert()
    assert [] == outage.said("ops", "has no channel of its own")


async def test_repair_rejoins_a_channel_that_the_bot_was_removed_from(outage: Talk) -> None:
    """Its messages are still there, so nothing is posted twice."""
    house = outage.house
    channel = house.workspace.channel(CHANNEL)
    channel.members.remove(house.workspace.bot_user_id)
    before = [message.ts for message in outage.said(CHANNEL)]

    await repairs(outage)
    assert CHANNEL == house.incident_channel
    assert house.workspace.bot_user_id in channel.members
    assert before == [message.ts for message in outage.said(CHANNEL)]


async def test_repair_uses_an_unarchived_channel_again(outage: Talk) -> None:
    """The message about the loss says so."""
    house = outage.house
    archives(outage, CHANNEL)
    await outage.asks(house.ana, "/incident note INC-1 where is it?")
    await house.quiet()
    house.workspace.channel(CHANNEL).is_archived = False

    answer = await outage.presses(house.ana, "Repair", channel="ops", message_containing="has no channel of its own")
    await house.quiet()
    assert answer.startswith("Opening its channel again")
    assert house.workspace.bot_user_id in house.workspace.channel(CHANNEL).members
    assert f"#{CHANNEL}" in outage.alert()
    await outage.asks(house.ana, "/incident note INC-1 there it is")
    await house.quiet()
    assert outage.said(CHANNEL, "there it is")


async def test_channel_refused_again_is_reported_again(talk: Talk) -> None:
    """The card stays in the thread."""
    house = talk.house
    house.workspace.faults.add("conversations.create", "error:restricted_action", times=9)
    await talk.asks(house.ana, "/incident declare Claude API is odd")
    await house.quiet()

    await repairs(talk)
    assert 2 == len(talk.said("ops", "has no channel of its own"))
    assert 1 == talk.thread("ops", "SEV2 · Claude API is odd").count("tells everybody")


async def test_repair_creates_the_channel_once_the_workspace_allows_it(talk: Talk) -> None:
    house = talk.house
    house.workspace.faults.add("conversations.create", "error:restricted_action", times=1)
    await talk.asks(house.ana, "/incident declare Claude API is odd")
    await house.quiet()

    await repairs(talk)
    assert talk.cards(house.incident_channel)
    assert house.ana.id in house.workspace.channel(house.incident_channel).members


async def test_repair_posts_an_update_that_slack_refused(outage: Talk) -> None:
    """By the button in the message about the refusal; the update appears once."""
    house = outage.house
    channel = house.workspace.channel(CHANNEL).id
    house.workspace.faults.add(
        "chat.postMessage", "error:restricted_action", times=1, match=lambda args: args["channel"] == channel
    )
    await outage.asks(house.ana, "/incident update INC-1 We call the vendor")
    await house.quiet()
    assert [] == outage.said(CHANNEL, "We call the vendor")

    answer = await outage.presses(house.bob, "Repair", channel="ops", message_containing="Slack did not accept an update")
    await house.quiet()
    assert "Posting updates that got lost. Nothing else was missing." == answer
    assert 1 == len(outage.said(CHANNEL, "We call the vendor"))
    assert "Nothing of INC-1 is missing in Slack." == await repairs(outage)


async def test_repair_posts_a_lost_summary_of_a_resolved_incident(outage: Talk) -> None:
    """A resolved incident's channel is not set up again, but undelivered messages still are posted."""
    house = outage.house
    channel = house.workspace.channel(CHANNEL).id
    house.workspace.faults.add(
        "chat.postMessage", "error:restricted_action", times=1, match=lambda args: args["channel"] == channel
    )
    await outage.asks(house.ana, "/incident resolve INC-1 force over")
    await house.quiet()
    for card in outage.cards(CHANNEL):
        deletes(outage, CHANNEL, card)

    assert "Posting the summary again. Nothing else was missing." == await repairs(outage)
    assert 1 == len(outage.said(CHANNEL, "INC-1 resolved after"))
    assert [] == outage.cards(CHANNEL)[1:]


async def test_two_repairs_at_once_repair_once(outage: Talk) -> None:
    """The second person is told that the repair is running, or that nothing is missing."""
    house = outage.house
    deletes(outage, CHANNEL, outage.cards(CHANNEL)[0])
    await asyncio.gather(
        outage.asks(house.ana, "/incident repair INC-1"), outage.asks(house.bob, "/incident repair INC-1")
    )  # fmt: skip
    await house.quiet()

    assert 1 == len(outage.cards(CHANNEL))
    assert 1 == len(list(await outage.facts(Repaired)))


async def test_second_repair_while_slack_is_slow_adds_no_work(outage: Talk) -> None:
    """The reply names what waits in the outbox."""
    house = outage.house
    channel = house.workspace.channel(CHANNEL).id
    deletes(outage, CHANNEL, outage.cards(CHANNEL)[0])
    house.workspace.faults.add("chat.postMessage", "429", times=1, retry_after=1, match=lambda args: args["channel"] == channel)
    await outage.asks(house.ana, "/incident repair INC-1")

    answer = await outage.asks(house.ana, "/incident repair INC-1")
    assert answer.startswith("Already on its way: the card, its pin")
    await house.quiet()
    assert 1 == len(outage.cards(CHANNEL))


async def test_repair_is_done_once_over_a_restart(outage: Talk) -> None:
    house = outage.house
    channel = house.workspace.channel(CHANNEL).id
    deletes(outage, CHANNEL, outage.cards(CHANNEL)[0])
    house.workspace.faults.add("chat.postMessage", "429", times=1, retry_after=1, match=lambda args: args["channel"] == channel)
    await outage.asks(house.ana, "/incident repair INC-1")
    await house.stop()
    await house.start()
    async with asyncio.timeout(SOON_S):
        while not outage.cards(CHANNEL):
            await asyncio.sleep(0.02)
    await house.quiet()

    assert 1 == len(outage.cards(CHANNEL))
    assert "Nothing of INC-1 is missing in Slack." == await repairs(outage)


async def test_repair_says_what_slack_could_not_tell(outage: Talk) -> None:
    """What the ledger shows as missing is repaired all the same."""
    outage.house.workspace.faults.add("conversations.replies", "error:fatal_error", times=9)

    answer = await repairs(outage)
    assert answer.startswith("Slack did not tell of everything (Slack failed inside (conversations.replies: fatal_error)")


async def test_guest_may_not_repair(outage: Talk) -> None:
    """Full members only, as everywhere."""
    house = outage.house
    eve = house.workspace.add_user("eve", "Eve Guest", guest="multi")
    house.workspace.channel("ops").members.append(eve.id)
    deletes(outage, CHANNEL, outage.cards(CHANNEL)[0])

    await outage.asks(eve, "/incident repair INC-1")
    await house.quiet()
    assert [] == outage.cards(CHANNEL)
