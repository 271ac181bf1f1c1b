"""`/incident merge` and `unmerge`: one outage in two channels, in Slack."""

import pytest

from tests.dialogs.talk import Talk

PAYMENTS, MAIL = "inc-20260320-0001-payments-are-slow", "inc-20260320-0002-mail-is-late"


@pytest.fixture
async def merged(talk: Talk) -> Talk:
    """Ana has declared two incidents, and merges the second into the first, in the channel of the second."""
    await talk.asks(talk.house.ana, "/incident declare Payments are slow")
    await talk.asks(talk.house.ana, "/incident declare separate Mail is late")
    await talk.house.quiet()
    answer = await talk.asks(talk.house.ana, "/incident merge INC-1 the same queue", channel=MAIL)
    await talk.house.quiet()
    assert answer.startswith("INC-2 is part of INC-1 now. It continues in")
    return talk


async def test_the_channel_of_the_merged_one_is_told_where_to_go(merged: Talk) -> None:
    """With a link, so that nobody searches."""
    [line] = merged.said(MAIL, "INC-2 is part of INC-1 now (by @ana)")
    room = merged.house.workspace.channel(PAYMENTS)

    assert "The same queue. Continue in" in merged.shows(line)
    assert f"<#{room.id}>" in line.text or room.id in str(line.blocks)


async def test_the_other_channel_is_told_what_came(merged: Talk) -> None:
    assert merged.said(PAYMENTS, "INC-2 is part of INC-1 now (by @ana): Mail is late.")


async def test_the_card_names_what_is_part_of_it(merged: Talk) -> None:
    """Whoever comes later finds what was said there."""
    [card] = merged.cards(PAYMENTS)

    assert "Merged into this: INC-2" in merged.shows(card)


async def test_one_is_listed_as_open(merged: Talk) -> None:
    listed = await merged.asks(merged.house.ana, "/incident list")

    assert "Payments are slow" in listed and "Mail is late" not in listed


async def test_the_export_of_each_names_the_other(merged: Talk) -> None:
    """Both timelines stay whole."""
    listed = await merged.asks(merged.house.ana, "/incident timeline INC-2")
    other = await merged.asks(merged.house.ana, "/incident timeline INC-1")

    assert "INC-2 is part of INC-1 now: the same queue" in listed
    assert "INC-2 “Mail is late” became part of INC-1" in other


async def test_a_press_takes_them_apart(merged: Talk) -> None:
    """It is open again, in its own channel."""
    await merged.presses(merged.house.bob, "Unmerge", channel=MAIL)
    await merged.house.quiet()

    assert merged.said(MAIL, "INC-2 is its own incident again: triage (by @bob)")
    assert merged.said(PAYMENTS, "INC-2 was taken out of INC-1 (by @bob)")


async def test_both_may_be_named_anywhere(merged: Talk) -> None:
    """In a channel of neither."""
    assert "INC-2 is its own incident again: triage." == await merged.asks(merged.house.bob, "/incident unmerge INC-2")
    assert (await merged.asks(merged.house.bob, "/incident merge INC-2 into INC-1")).startswith("INC-2 is part of INC-1 now.")


async def test_without_the_other_one_it_asks_for_it(merged: Talk) -> None:
    said = await merged.asks(merged.house.ana, "/incident merge", channel=PAYMENTS)

    assert "INC-1 into which incident? Write into INC-7; /incident list shows what is open." == said


async def test_what_was_merged_sends_on_to_the_other_one(merged: Talk) -> None:
    """It cannot be reopened, so nobody is told to."""
    update = await merged.asks(merged.house.ana, "/incident update INC-2 we wait", channel=MAIL)
    role = await merged.asks(merged.house.ana, "/incident role", channel=MAIL)

    assert "INC-2 is merged; write it in the other one, or add a note here." == update
    assert role.startswith("It is part of INC-1; go on there.")
