"""The hourly update: exactly once, also over restarts, and open about those that were missed."""

from datetime import timedelta

from bot.core.record.incident_facts import UpdateWritten
from tests.dialogs.talk import Talk
from tests.house import BOTH_WAYS

CHANNEL = "inc-20260320-0001-claude"


async def test_hourly_update_says_what_people_need(outage: Talk) -> None:
    """State, flags and their readers, the vendor's words, what is asked of people, and the time of the next update."""
    await outage.asks(outage.house.bob, "/incident note we called the vendor", channel="ops")
    await outage.house.passes(minutes=61)
    await outage.house.quiet()
    updates = outage.said(CHANNEL, "Update ")
    assert 1 == len(updates)
    for words in (
        "Update 1 of INC-1 · SEV2 · mitigated",
        "1 h 01 min in\n🔴 Claude API: down since 12:01 UTC.",
        "Customers are served: support chat switched to gpt at 12:02 UTC (automatic).",
        "Since the last update:\n• 12:03 UTC Note: we called the vendor",
        "Nobody has acknowledged this: press Acknowledge on the alert, or /incident ack INC-1.",
        "Next update by 14:02 UTC.",
    ):
        assert words in outage.shows(updates[0])
    assert "Update 1 of INC-1: Claude API down. Next update by 14:02 UTC." == updates[0].text
    assert "next update 14:02 UTC" in outage.house.workspace.channel(CHANNEL).topic


async def test_update_is_one_line_if_nothing_changed(outage: Talk) -> None:
    """Questions that wait for people are repeated."""
    await outage.house.passes(minutes=121)
    await outage.house.quiet()
    second = outage.shows(outage.said(CHANNEL, "Update 2 of INC-1")[-1])

    assert (
        "Update 2 of INC-1: nothing new after 2 h 01 min. Claude API down. "
        "Customers are served: support chat switched to gpt at 12:02 UTC (automatic). "
        "Nobody has acknowledged this: press Acknowledge on the alert, or /incident ack INC-1. Next update by 15:02 UTC."
    ) == second


@BOTH_WAYS
async def test_update_comes_once_if_the_bot_restarts_around_it(outage: Talk) -> None:
    """Down from a minute before the hour to two minutes after, or restarted right after the post."""
    house = outage.house
    await house.passes(minutes=57)
    await house.stop()
    house.clock.advance(timedelta(minutes=4))
    await house.start()
    await house.passes(seconds=30)
    await house.quiet()
    assert 1 == len(outage.said(CHANNEL, "Update "))

    await house.stop()
    await house.start()
    await house.passes(minutes=5)
    await house.quiet()
    updates = outage.said(CHANNEL, "Update ")
    assert 1 == len(updates)
    assert "missed" not in outage.shows(updates[0])


async def test_one_update_counts_those_missed_while_the_bot_was_down(outage: Talk) -> None:
    """Three hours without power bring one update that says so; the next is due an hour later."""
    house = outage.house
    await house.stop()
    house.clock.advance(timedelta(hours=3, minutes=10))
    await house.start()
    await house.passes(minutes=5)
    await house.quiet()
    updates = [outage.shows(message) for message in outage.said(CHANNEL, "Update ")]

    assert 1 == len(updates)
    assert "2 updates before this one were missed: the bot was not running or could not write." in updates[0]
    assert "Next update by 16:13 UTC." in updates[0]


async def test_persons_update_resets_the_clock(outage: Talk) -> None:
    """The bot must not talk over somebody who has just posted."""
    house = outage.house
    await house.passes(minutes=50)
    answer = await outage.asks(house.ana, "/incident update Support knows; @bob calls the vendor", channel="ops")
    assert "Update 1 of INC-1 is written." == answer
    await house.passes(minutes=55)
    await house.quiet()

    updates = [outage.shows(message) for message in outage.said(CHANNEL, "Update ")]
    assert 1 == len(updates)
    assert "@ana writes:\n> Support knows; @bob calls the vendor" in updates[0]
    assert "Next update by 13:53 UTC." in updates[0]
    await house.passes(minutes=6)
    await house.quiet()
    assert 2 == len(outage.said(CHANNEL, "Update "))


async def test_severity_sets_the_pace_of_updates(outage: Talk) -> None:
    """SEV1 gets an update every half hour, SEV4 only on change, and both say so."""
    house = outage.house
    await outage.asks(house.ana, "/incident severity SEV1 nobody can log in", channel="ops")
    await house.passes(minutes=31)
    await house.quiet()
    assert outage.said(CHANNEL, "INC-1 is SEV1 now, was SEV2 (by @ana). Nobody can log in. Updates come every 30 min.")
    assert 1 == len(outage.said(CHANNEL, "Update "))

    await outage.asks(house.ana, "/incident severity 4 few notice it", channel="ops")
    await house.passes(minutes=120)
    await house.quiet()
    assert 1 == len(outage.said(CHANNEL, "Update "))
    assert "updates on change" in outage.card(CHANNEL)
    assert "updates on change" in house.workspace.channel(CHANNEL).topic


async def test_updates_end_with_the_incident(outage: Talk) -> None:
    """A resolved incident needs no updates."""
    house = outage.house
    await house.recovers("anthropic.api")
    await outage.asks(house.ana, "/incident resolve INC-1 force the vendor fixed it")
    await house.passes(minutes=130)
    await house.quiet()

    assert [] == outage.said(CHANNEL, "Update ")
    assert [] == list(await outage.facts(UpdateWritten))


@BOTH_WAYS
async def test_update_can_be_written_in_a_form(outage: Talk) -> None:
    """`/incident update` opens it; a blank text is refused, a good one is posted in the channel."""
    ana = outage.house.ana
    await ana.types("/incident update", channel="ops")
    await ana.waits_for("Write an update")
    await ana.submits({"What else should everybody know?": "Support answers by hand\nuntil noon"})
    await outage.house.quiet()

    posted = outage.said(CHANNEL, "Support answers by hand")
    assert 1 == len(posted)
    assert "until noon" in outage.shows(posted[0])
    assert ana.modal is None
