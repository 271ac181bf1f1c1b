"""The lead is reminded of an overdue update, and can snooze or turn off reminders, also over restarts."""

import pytest

from bot.core.record.reminder_facts import UpdateOverdue
from tests.dialogs.talk import Talk

CHANNEL = "inc-20260320-0001-claude"
REMINDER = "no person has written an update for"


@pytest.fixture
async def led(outage: Talk) -> Talk:
    """Ana leads, and has posted no update for an hour."""
    await outage.asks(outage.house.ana, "/incident ack INC-1")
    await later(outage, 62)
    return outage


async def later(talk: Talk, minutes: float) -> None:
    await talk.house.passes(minutes=minutes)
    await talk.house.quiet()


def reminders(talk: Talk) -> list[str]:
    return [talk.shows(one) for one in talk.said(CHANNEL, REMINDER)]


async def test_lead_is_reminded_in_the_incidents_channel(led: Talk) -> None:
    """In the hourly update that is due then: a mention, the time since the last update, and the buttons."""
    (reminder,) = reminders(led)

    assert "Update 1 of INC-1" in reminder
    assert "@ana: no person has written an update for 1 h." in reminder
    assert reminder.endswith("[Post update] [Snooze 30 min]")


async def test_reminder_opens_a_form_with_the_facts_filled_in(led: Talk) -> None:
    """The lead adds what no check can know, and sees what is posted anyway and when the next update is due."""
    await led.asks(led.house.bob, "/incident note INC-1 we called the vendor")
    await led.house.ana.clicks("Post update", channel=CHANNEL, message_containing=REMINDER)
    await led.submits_when_open(led.house.ana, text="Quality is fine")
    await led.house.quiet()

    shown = led.shows(led.said(CHANNEL, "ana writes:")[-1])
    assert "Quality is fine" in shown
    assert "Customers are served: support chat switched to gpt" in shown
    await later(led, 55)
    assert 1 == len(reminders(led))


async def test_update_form_lists_what_happened_since_the_last_update(led: Talk) -> None:
    """States, customers, news, and when the next update would be due."""
    await led.asks(led.house.bob, "/incident note INC-1 we called the vendor")
    await led.house.ana.types("/incident update", channel=CHANNEL)
    await led.house.quiet()
    form = str(led.house.ana.modal)

    for words in (
        "The update already says:", "Claude API", "Customers are served: *support chat* switched to *gpt*",
        "Note: we called the vendor", "The next update is due by 14:05 UTC.",
    ):  # fmt: skip
        assert words in form
    assert "acknowledged" not in form  # the previous update had it


async def test_snoozed_reminder_comes_back_after_half_an_hour(led: Talk) -> None:
    """The button becomes a record; a restart in between changes nothing."""
    said = await led.presses(led.house.ana, "Snooze 30 min", channel=CHANNEL)
    await later(led, 20)
    await led.house.stop()
    await led.house.start()
    held = len(reminders(led))
    await later(led, 11)

    assert "The next reminder of INC-1 comes at 13:35 UTC, unless somebody writes an update first." == said
    assert (1, 2) == (held, len(reminders(led)))


async def test_reminders_can_be_turned_off_and_on_by_slash_command(led: Talk) -> None:
    """`never`, `off` or a length; the channel is told who did it."""
    off = await led.asks(led.house.ana, "/incident snooze never", channel=CHANNEL)
    await later(led, 180)
    held = len(reminders(led))
    on = await led.asks(led.house.bob, "/incident snooze INC-1 off")
    await later(led, 1)

    assert "Nobody is reminded of INC-1 until somebody writes an update." == off
    assert "Reminders of overdue updates are on again for INC-1." == on
    assert (1, 2) == (held, len(reminders(led)))
    assert 1 == len(led.said(CHANNEL, "@ana snoozed reminders of overdue updates until somebody writes one."))
    assert 1 == len(led.said(CHANNEL, "@bob turned reminders of overdue updates on again."))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("INC-1", "The next reminder of INC-1 comes at 13:35 UTC"),
        ("INC-1 for 2h", "The next reminder of INC-1 comes at 15:05 UTC"),
        ("INC-1 soon", "soon is not a duration. Write 30m, 2h or 1d. Or never or off."),
        ("INC-1 3d", "A snooze lasts from 1 min to 24 h. Nothing was changed."),
        ("INC-1 off", "Reminders of INC-1 are not snoozed."),
    ],
)
async def test_snooze_command_is_answered(words: str, expected: str, led: Talk) -> None:
    """Without a length it means half an hour; an unreadable length gets the possible ones."""
    assert (await led.asks(led.house.ana, f"/incident snooze {words}")).startswith(expected)


async def test_reminder_comes_once_over_restarts(led: Talk) -> None:
    """The ledger knows that it was posted."""
    await led.house.stop()
    await led.house.start()
    await later(led, 30)

    assert 1 == len(reminders(led))
    assert 1 == len(await led.facts(UpdateOverdue))
