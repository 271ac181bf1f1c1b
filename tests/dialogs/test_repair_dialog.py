"""`/incident repair`: what was tidied away, or never got through, stands again; and the answer says what that was."""

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
    """Slack removes the bot from what is archived."""
    place = talk.house.workspace.channel(channel)
    place.is_archived = True
    place.members.remove(talk.house.workspace.bot_user_id)


async def repairs(talk: Talk, words: str = "/incident repair INC-1") -> str:
    answer = await talk.asks(talk.house.ana, words)
    await talk.house.quiet()
    return answer


async def test_nothing_is_done_where_nothing_is_missing(outage: Talk) -> None:
    assert "Nothing of INC-1 is missing in Slack." == await repairs(outage)
    assert [] == list(await outage.facts(Repaired))


async def test_a_deleted_card_comes_back_with_its_pin(outage: Talk) -> None:
    deletes(outage, CHANNEL, outage.cards(CHANNEL)[0])

    assert "Posting the card again. Nothing else was missing." == await repairs(outage)
    [card] = outage.cards(CHANNEL)
    assert [card.ts] == list(outage.house.workspace.channel(CHANNEL).pins)


async def test_a_card_that_was_unpinned_is_pinned(outage: Talk) -> None:
    outage.house.workspace.channel(CHANNEL).pins.clear()

    assert "Pinning the card. Nothing else was missing." == await repairs(outage)
    [card] = outage.cards(CHANNEL)
    assert [card.ts] == list(outage.house.workspace.channel(CHANNEL).pins)


async def test_a_topic_of_somebody_else_is_replaced(outage: Talk) -> None:
    channel = outage.house.workspace.channel(CHANNEL)
    channel.topic, channel.topic_by = "lunch at 12", outage.house.bob.id

    assert "Setting the topic. Nothing else was missing." == await repairs(outage)
    assert channel.topic.endswith("Claude API is down")


async def test_bookmarks_and_people_come_back(outage: Talk) -> None:
    """Whoever acknowledged it was removed by mistake."""
    house, channel = outage.house, outage.house.workspace.channel(CHANNEL)
    await outage.asks(house.bob, "/incident ack INC-1")
    await house.quiet()
    channel.bookmarks.clear()
    channel.members.remove(house.bob.id)

    assert "Adding the bookmarks and inviting who is missing. Nothing else was missing." == await repairs(outage)
    assert house.bob.id in channel.members
    assert 2 == len(channel.bookmarks)


async def test_a_deleted_alert_comes_back_with_its_evidence(outage: Talk) -> None:
    deletes(outage, "ops", outage.said("ops", ALERT)[0])

    await repairs(outage)
    assert 1 == len(outage.said("ops", ALERT))
    assert "HTTP 502" in outage.evidence()


async def test_deleted_evidence_comes_back_alone(outage: Talk) -> None:
    root = outage.said("ops", ALERT)[0]
    deletes(outage, "ops", outage.house.workspace.messages("ops", thread_ts=root.ts)[1])

    assert "Posting the evidence again. Nothing else was missing." == await repairs(outage)
    assert "HTTP 502" in outage.evidence()
    assert [root.ts] == [message.ts for message in outage.said("ops", ALERT)]


@pytest.mark.parametrize("how", ["archived", "deleted"])
async def test_a_lost_channel_is_replaced_by_a_new_one_with_everything_in_it(outage: Talk, how: str) -> None:
    """Nobody spoke in it since, so the bot learns of the loss by looking."""
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


async def test_a_channel_that_the_bot_was_removed_from_is_taken_again(outage: Talk) -> None:
    """Everything stands there: nothing is posted a second time."""
    house = outage.house
    channel = house.workspace.channel(CHANNEL)
    channel.members.remove(house.workspace.bot_user_id)
    before = [message.ts for message in outage.said(CHANNEL)]

    await repairs(outage)
    assert CHANNEL == house.incident_channel
    assert house.workspace.bot_user_id in channel.members
    assert before == [message.ts for message in outage.said(CHANNEL)]


async def test_a_channel_that_was_unarchived_is_taken_again(outage: Talk) -> None:
    """As the message says that told of the loss."""
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


async def test_a_channel_that_is_refused_once_more_is_said_once_more(talk: Talk) -> None:
    """The card stays where it is, in the thread."""
    house = talk.house
    house.workspace.faults.add("conversations.create", "error:restricted_action", times=9)
    await talk.asks(house.ana, "/incident declare Claude API is odd")
    await house.quiet()

    await repairs(talk)
    assert 2 == len(talk.said("ops", "has no channel of its own"))
    assert 1 == talk.thread("ops", "SEV2 · Claude API is odd").count("tells everybody")


async def test_the_channel_comes_when_the_workspace_allows_it(talk: Talk) -> None:
    house = talk.house
    house.workspace.faults.add("conversations.create", "error:restricted_action", times=1)
    await talk.asks(house.ana, "/incident declare Claude API is odd")
    await house.quiet()

    await repairs(talk)
    assert talk.cards(house.incident_channel)
    assert house.ana.id in house.workspace.channel(house.incident_channel).members


async def test_what_slack_did_not_take_is_said_again(outage: Talk) -> None:
    """An update that was given up, by the button in the line that says so; it is told once."""
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


async def test_a_summary_that_got_lost_comes_after_the_end(outage: Talk) -> None:
    """What is over is not furnished any more, but what was to be said is."""
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


async def test_two_who_ask_at_once_repair_once(outage: Talk) -> None:
    """The second is told that it is on its way, or that all of it stands."""
    house = outage.house
    deletes(outage, CHANNEL, outage.cards(CHANNEL)[0])
    await asyncio.gather(
        outage.asks(house.ana, "/incident repair INC-1"), outage.asks(house.bob, "/incident repair INC-1")
    )  # fmt: skip
    await house.quiet()

    assert 1 == len(outage.cards(CHANNEL))
    assert 1 == len(list(await outage.facts(Repaired)))


async def test_a_second_press_while_slack_is_slow_orders_nothing(outage: Talk) -> None:
    """What waits in the outbox is named."""
    house = outage.house
    channel = house.workspace.channel(CHANNEL).id
    deletes(outage, CHANNEL, outage.cards(CHANNEL)[0])
    house.workspace.faults.add("chat.postMessage", "429", times=1, retry_after=1, match=lambda args: args["channel"] == channel)
    await outage.asks(house.ana, "/incident repair INC-1")

    answer = await outage.asks(house.ana, "/incident repair INC-1")
    assert answer.startswith("Already on its way: the card, its pin")
    await house.quiet()
    assert 1 == len(outage.cards(CHANNEL))


async def test_what_was_ordered_is_done_once_when_the_bot_starts_anew(outage: Talk) -> None:
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


async def test_what_slack_does_not_tell_is_said(outage: Talk) -> None:
    """The ledger's part is repaired all the same."""
    outage.house.workspace.faults.add("conversations.replies", "error:fatal_error", times=9)

    answer = await repairs(outage)
    assert answer.startswith("Slack did not tell of everything (Slack failed inside (conversations.replies: fatal_error)")


async def test_a_guest_may_not(outage: Talk) -> None:
    """Full members only, as everywhere."""
    house = outage.house
    eve = house.workspace.add_user("eve", "Eve Guest", guest="multi")
    house.workspace.channel("ops").members.append(eve.id)
    deletes(outage, CHANNEL, outage.cards(CHANNEL)[0])

    await outage.asks(eve, "/incident repair INC-1")
    await house.quiet()
    assert [] == outage.cards(CHANNEL)
