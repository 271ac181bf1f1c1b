"""The timeline as people read it: entries as they read now, in the order of their time, no bookkeeping of the bot."""

import re
from datetime import timedelta

import pytest

from bot.core.model import ActorKind
from bot.core.record.entry_facts import (
    EntryCorrected,
    EntryHidden,
    EntryShown,
    MessageAdded,
    MessageDeleted,
    MessageEdited,
    MessagePinned,
    MessageUnpinned,
)
from bot.core.record.fact import Body
from bot.core.record.incident_facts import NoteAdded
from bot.exports import render
from bot.timeline.story import story
from tests.stories import ANA, BOB, T0, Story, message, outage_story

WRITTEN = T0 + timedelta(minutes=7)  # of the message in `tests.stories`


@pytest.fixture
def told() -> Story:
    """An hour into the outage."""
    return outage_story(60)


def added(told: Story, body: Body) -> int:
    return told.add("incident/7", body, ANA).seq


def then(told: Story, *bodies: Body) -> None:
    for body in bodies:
        told.add("incident/7", body, BOB)


def texts(told: Story) -> list[str]:
    return [row.text for row in story(told.about(7))]


def exported(told: Story) -> str:
    return render("md", told.incident(), told.about(7), told.policy)[1].decode().replace("\\", "")


def test_a_message_stands_at_its_own_time(told: Story) -> None:
    """It was pinned an hour later."""
    added(told, MessageAdded(message()))
    row = next(row for row in story(told.about(7)) if row.text == "bob wrote: it was DNS")

    assert WRITTEN == row.at


def test_rows_are_in_the_order_of_their_time(told: Story) -> None:
    added(told, MessageAdded(message()))
    times = [row.at for row in story(told.about(7))]

    assert sorted(times) == times


def test_rows_are_counted_as_they_stand(told: Story) -> None:
    added(told, MessageAdded(message()))
    rows = story(told.about(7))

    assert list(range(1, len(rows) + 1)) == [row.seq for row in rows]


def test_a_message_leads_to_where_it_stands_and_to_its_files(told: Story) -> None:
    """In the file for the post-mortem as a link."""
    added(told, MessageAdded(message()))

    assert "bob wrote: it was DNS<br>[message](<https://example.slack.com/archives/" in exported(told)
    assert re.search(r"\[graph\.png\]\(<https://example\.slack\.com/files/[^ ]+\.png>\)", exported(told))


def test_a_link_that_a_browser_should_not_open_is_its_name_alone(told: Story) -> None:
    """Slack sends none; a forged form might."""
    body = MessageAdded(message("x"))
    odd = body.message.__class__(**{**body.message.__dict__, "link": "javascript:alert(1)"})
    added(told, MessageAdded(odd))

    assert "javascript" not in exported(told)


def test_an_edited_message_shows_the_new_text_and_keeps_the_old(told: Story) -> None:
    entry = added(told, MessageAdded(message()))
    then(told, MessageEdited(entry, "it was BGP", "1774010900.000200"))

    assert "bob wrote: it was BGP" in texts(told)
    assert "(edited at 2026-03-20 13:25:00 UTC; was: it was DNS)" in exported(told)


def test_a_deleted_message_keeps_its_text_and_says_so(told: Story) -> None:
    entry = added(told, MessageAdded(message()))
    then(told, MessageDeleted(entry))

    assert "bob wrote: it was DNS" in texts(told)
    assert "(the message was deleted at 2026-03-20 13:25:00 UTC)" in exported(told)


def test_a_corrected_note_says_who_corrected_it_and_what_it_was(told: Story) -> None:
    entry = added(told, NoteAdded("Restarted at nine"))
    then(told, EntryCorrected(entry, "Restarted at ten"))

    assert "Note: Restarted at ten" in texts(told)
    assert "(corrected by bob at 2026-03-20 13:25:00 UTC; was: Restarted at nine)" in exported(told)


def test_a_corrected_time_moves_the_entry(told: Story) -> None:
    """And the file says where it stood."""
    entry = added(told, NoteAdded("Restarted"))
    then(told, EntryCorrected(entry, happened_at=T0 - timedelta(minutes=30)))

    assert "Note: Restarted" == texts(told)[0]
    assert "(corrected by bob at 2026-03-20 13:25:00 UTC; time was 2026-03-20 13:25:00 UTC)" in exported(told)


def test_an_edit_does_not_undo_a_correction(told: Story) -> None:
    """What a person put right stays, and the edit is told of."""
    entry = added(told, MessageAdded(message()))
    then(told, EntryCorrected(entry, "Bob found the cause"), MessageEdited(entry, "it was BGP", "1774010900.000200"))

    assert "bob wrote: Bob found the cause" in texts(told)


@pytest.mark.parametrize("gone", [EntryHidden, lambda entry: MessageUnpinned(entry, last=True)], ids=["hidden", "unpinned"])
def test_what_is_hidden_is_out_of_sight(told: Story, gone: type[EntryHidden]) -> None:
    entry = added(told, MessageAdded(message(), pinned=True))
    then(told, gone(entry))

    assert "it was DNS" not in exported(told)


@pytest.mark.parametrize("back", [EntryShown, MessagePinned])
def test_what_was_hidden_comes_back(told: Story, back: type[EntryShown]) -> None:
    entry = added(told, MessageAdded(message(), pinned=True))
    then(told, EntryHidden(entry), back(entry))

    assert "bob wrote: it was DNS" in texts(told)


def test_only_entries_of_people_can_be_corrected(told: Story) -> None:
    """What the bot saw, it saw."""
    added(told, NoteAdded("Restarted"))
    rows = story(told.about(7))

    assert {ActorKind.PERSON.value} == {row.source for row in rows if row.entry}
    assert ["Note: Vendor support says: database failover", "Note: Restarted"] == [row.text for row in rows if row.entry]
