"""`/incident merge` and `unmerge` in Slack: one outage with two channels."""

import pytest

from tests.dialogs.talk import Talk

PAYMENTS, MAIL = "inc-20260320-0001-payments-are-slow", "inc-20260320-0002-mail-is-late"


@pytest.fixture
async def merged(talk: Talk) -> Talk:
    """Ana has declared two incidents, and merges the second into the first from the second's channel."""
    await talk.asks(talk.house.ana, "/incident declare Payments are slow")
    await talk.asks(talk.house.ana, "/incident declare separate Mail is late")
    await talk.house.quiet()
    answer = await talk.asks(talk.house.ana, "/incident merge INC-1 the same queue", channel=MAIL)
    await talk.house.quiet()
    assert answer.startswith("INC-2 is part of INC-1 now. It continues in")
    return talk


async def test_merged_incidents_channel_links_to_the_surviving_one(merged: Talk) -> None:
    """With a link, so that nobody has to search."""
    [line] = merged.said(MAIL, "INC-2 is part of INC-1 now (by @ana)")
    room = merged.house.workspace.channel(PAYMENTS)

    assert "The same queue. Continue in" in merged.shows(line)
    assert f"<#{room.id}>" in line.text or room.id in str(line.blocks)


async def test_surviving_incidents_channel_is_told_of_the_merge(merged: Talk) -> None:
    """People there need to know what else they now work on."""
    assert merged.said(PAYMENTS, "INC-2 is part of INC-1 now (by @ana): Mail is late.")


async def test_card_names_merged_incidents(merged: Talk) -> None:
    """People who join later can find what was said there."""
    [card] = merged.cards(PAYMENTS)

    assert "Merged into this: INC-2" in merged.shows(card)


async def test_only_the_surviving_incident_is_listed_as_open(merged: Talk) -> None:
    """The merged incident is no longer worked on by itself."""
    listed = await merged.asks(merged.house.ana, "/incident list")

    assert "Payments are slow" in listed and "Mail is late" not in listed


async def test_export_of_each_names_the_other(merged: Talk) -> None:
    """Both timelines stay complete."""
    listed = await merged.asks(merged.house.ana, "/incident timeline INC-2")
    other = await merged.asks(merged.house.ana, "/incident timeline INC-1")

    assert "INC-2 is part of INC-1 now: the same queue" in listed
    assert "INC-2 “Mail is late” became part of INC-1" in other


async def test_unmerge_button_reopens_the_merged_incident(merged: Talk) -> None:
    """It is open again, in its own channel."""
    await merged.presses(merged.house.bob, "Unmerge", channel=MAIL)
    await merged.house.quiet()

    assert merged.said(MAIL, "INC-2 is its own incident again: triage (by @bob)")
    assert merged.said(PAYMENTS, "INC-2 was taken out of INC-1 (by @bob)")


async def test_merge_names_both_incidents_from_any_channel(merged: Talk) -> None:
    """Also in a channel that belongs to neither."""
    assert "INC-2 is its own incident again: triage." == await merged.asks(merged.house.bob, "/incident unmerge INC-2")
    assert (await merged.asks(merged.house.bob, "/incident merge INC-2 into INC-1")).startswith("INC-2 is part of INC-1 now.")


async def test_merge_without_a_target_asks_for_it(merged: Talk) -> None:
    """The bot must not guess which incident was meant."""
    said = await merged.asks(merged.house.ana, "/incident merge", channel=PAYMENTS)

    assert "INC-1 into which incident? Write into INC-7; /incident list shows what is open." == said


async def test_commands_on_a_merged_incident_point_to_the_surviving_one(merged: Talk) -> None:
    """A merged incident cannot be reopened, so the reply does not suggest it."""
    update = await merged.asks(merged.house.ana, "/incident update INC-2 we wait", channel=MAIL)
    role = await merged.asks(merged.house.ana, "/incident role", channel=MAIL)

    assert "INC-2 is merged; write it in the other one, or add a note here." == update
    assert role.startswith("It is part of INC-1; go on there.")
