"""The timeline as people read it: entries in their current wording, ordered by time, without the bot's bookkeeping."""

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
def incident_story() -> Story:
    """The outage one hour in."""
    return outage_story(60)


def added(incident_story: Story, body: Body) -> int:
    return incident_story.add("incident/7", body, ANA).seq


def then_add(incident_story: Story, *bodies: Body) -> None:
    for body in bodies:
        incident_story.add("incident/7", body, BOB)


def texts(incident_story: Story) -> list[str]:
    return [row.text for row in story(incident_story.about(7))]


def exported(incident_story: Story) -> str:
    return render("md", incident_story.incident(), incident_story.about(7), incident_story.policy)[1].decode().replace("\\", "")


def test_pinned_message_is_listed_at_the_time_it_was_written(incident_story: Story) -> None:
    """It was pinned an hour after it was written."""
    added(incident_story, MessageAdded(message()))
    row = next(row for row in story(incident_story.about(7)) if row.text == "bob wrote: it was DNS")

    assert WRITTEN == row.at


def test_rows_are_sorted_by_time(incident_story: Story) -> None:
    """A message that was pinned late still moves up to where it belongs."""
    added(incident_story, MessageAdded(message()))
    times = [row.at for row in story(incident_story.about(7))]

    assert sorted(times) == times


def test_rows_are_numbered_in_the_order_shown(incident_story: Story) -> None:
    """The numbers follow the sorted rows, not the order of the facts."""
    added(incident_story, MessageAdded(message()))
    rows = story(incident_story.about(7))

    assert list(range(1, len(rows) + 1)) == [row.seq for row in rows]


def test_message_links_to_slack_and_to_its_files(incident_story: Story) -> None:
    """The post-mortem file shows them as links."""
    added(incident_story, MessageAdded(message()))

    assert "bob wrote: it was DNS<br>[message](<https://example.slack.com/archives/" in exported(incident_story)
    assert re.search(r"\[graph\.png\]\(<https://example\.slack\.com/files/[^ ]+\.png>\)", exported(incident_story))


def test_unsafe_link_is_left_out(incident_story: Story) -> None:
    """Slack never sends such a link, but a forged request might."""
    body = MessageAdded(message("x"))
    odd = body.message.__class__(**{**body.message.__dict__, "link": "javascript:alert(1)"})
    added(incident_story, MessageAdded(odd))

    assert "javascript" not in exported(incident_story)


def test_edited_message_shows_the_new_text_and_keeps_the_old(incident_story: Story) -> None:
    """An edit in Slack must not erase what people read during the outage."""
    entry = added(incident_story, MessageAdded(message()))
    then_add(incident_story, MessageEdited(entry, "it was BGP", "1774010900.000200"))

    assert "bob wrote: it was BGP" in texts(incident_story)
    assert "(edited at 2026-03-20 13:25:00 UTC; was: it was DNS)" in exported(incident_story)


def test_deleted_message_keeps_its_text_and_is_marked_deleted(incident_story: Story) -> None:
    """Deleting a message in Slack does not remove it from the record."""
    entry = added(incident_story, MessageAdded(message()))
    then_add(incident_story, MessageDeleted(entry))

    assert "bob wrote: it was DNS" in texts(incident_story)
    assert "(the message was deleted at 2026-03-20 13:25:00 UTC)" in exported(incident_story)


def test_corrected_note_shows_the_corrector_and_the_original_text(incident_story: Story) -> None:
    """A correction can always be traced."""
    entry = added(incident_story, NoteAdded("Restarted at nine"))
    then_add(incident_story, EntryCorrected(entry, "Restarted at ten"))

    assert "Note: Restarted at ten" in texts(incident_story)
    assert "(corrected by bob at 2026-03-20 13:25:00 UTC; was: Restarted at nine)" in exported(incident_story)


def test_corrected_time_moves_the_entry(incident_story: Story) -> None:
    """The exported file also gives the original time."""
    entry = added(incident_story, NoteAdded("Restarted"))
    then_add(incident_story, EntryCorrected(entry, happened_at=T0 - timedelta(minutes=30)))

    assert "Note: Restarted" == texts(incident_story)[0]
    assert "(corrected by bob at 2026-03-20 13:25:00 UTC; time was 2026-03-20 13:25:00 UTC)" in exported(incident_story)


def test_later_edit_does_not_undo_a_correction(incident_story: Story) -> None:
    """The corrected text stays, and the edit is mentioned."""
    entry = added(incident_story, MessageAdded(message()))
    then_add(
        incident_story, EntryCorrected(entry, "Bob found the cause"), MessageEdited(entry, "it was BGP", "1774010900.000200")
    )

    assert "bob wrote: Bob found the cause" in texts(incident_story)


@pytest.mark.parametrize("gone", [EntryHidden, lambda entry: MessageUnpinned(entry, last=True)], ids=["hidden", "unpinned"])
def test_hidden_or_unpinned_entry_is_not_shown(incident_story: Story, gone: type[EntryHidden]) -> None:
    """Removing the last pin hides a message just as hiding its entry does."""
    entry = added(incident_story, MessageAdded(message(), pinned=True))
    then_add(incident_story, gone(entry))

    assert "it was DNS" not in exported(incident_story)


@pytest.mark.parametrize("back", [EntryShown, MessagePinned])
def test_hidden_entry_returns_when_shown_or_pinned_again(incident_story: Story, back: type[EntryShown]) -> None:
    """Either action reverses the hiding."""
    entry = added(incident_story, MessageAdded(message(), pinned=True))
    then_add(incident_story, EntryHidden(entry), back(entry))

    assert "bob wrote: it was DNS" in texts(incident_story)


def test_only_entries_by_people_can_be_corrected(incident_story: Story) -> None:
    """What the bot recorded itself stays as recorded."""
    added(incident_story, NoteAdded("Restarted"))
    rows = story(incident_story.about(7))

    assert {ActorKind.PERSON.value} == {row.source for row in rows if row.entry}
    assert ["Note: Vendor support says: database failover", "Note: Restarted"] == [row.text for row in rows if row.entry]
