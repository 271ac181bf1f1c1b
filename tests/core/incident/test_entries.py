"""Entries by people in the timeline: each message once; edits, deletions and corrections; and what is refused."""

from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.answers.base import Answer
from bot.core.decide.incident.entries import MessageInTimeline, MessageTakenOut
from bot.core.effects import OpenChannel, PostLine
from bot.core.model import Actor, Phase
from bot.core.record.entry_facts import EntryCorrected, EntryHidden, EntryShown, MessageAdded, MessageDeleted, MessageEdited
from bot.core.record.incident import Incident, SourceMessage
from tests.desk import ANA, BOB, START, Table, told

CHANNEL, TS = "C0ELSEWHERE", "1774008000.000100"
KEY = f"{CHANNEL}/{TS}"
WATCH = RULE = Actor.rule("message watch")


def message(text: str = "it was DNS", *, ts: str = TS, channel: str = CHANNEL, edited_ts: str = "") -> SourceMessage:
    return SourceMessage(channel, ts, BOB, text, START, "https://x.slack.com/archives/C0ELSEWHERE/p1", edited_ts=edited_ts)


@pytest.fixture
def table() -> Table:
    made = Table().all_well()
    made.send(s.Declare(actor=ANA, title="Chat is slow"))
    return made


def adds(table: Table, who: Actor = ANA, *, pinned: bool = False, of: SourceMessage | None = None) -> Answer:
    return table.send(s.AddMessage(actor=who, incident=1, message=of or message(), pinned=pinned)).answer


def unpins(table: Table, who: Actor = ANA) -> Answer:
    return table.send(s.UnpinMessage(actor=who, incident=1, message=KEY)).answer


def edits(table: Table, text: str, edited_ts: str) -> None:
    table.send(s.SourceEdited(actor=WATCH, incident=1, message=KEY, text=text, edited_ts=edited_ts))


def hidden(incident: Incident) -> bool:
    [entry] = incident.entries.values()
    return entry.hidden


def test_message_is_added_once(table: Table) -> None:
    """By shortcut, by emoji, by two people: the first counts."""
    adds(table)
    adds(table, BOB, pinned=True)
    again = adds(table)

    assert [MessageAdded(message())] == table.kinds(MessageAdded)
    assert MessageInTimeline(incident=1, before=True) == again


def test_same_timestamp_in_another_channel_is_another_message(table: Table) -> None:
    """Slack's timestamps are unique per channel."""
    adds(table)
    adds(table, of=message(channel="C0THIRD"))

    assert 2 == len(table.kinds(MessageAdded))


def test_message_from_another_channel_is_posted_in_the_incidents(table: Table) -> None:
    """Its people have not seen it."""
    adds(table)

    assert [PostLine] == [type(one.body) for one in table.steps[-1].effects if isinstance(one.body, PostLine)]


def test_message_of_the_incidents_channel_is_not_posted_again(table: Table) -> None:
    """It stands there."""
    opened = s.EffectDone(actor=RULE, key="k", kind=OpenChannel, incident=1, channel="C0ROOM", name="inc-1")
    table.send(opened)
    adds(table, of=message(channel="C0ROOM"))

    assert not [one for one in table.steps[-1].effects if isinstance(one.body, PostLine)]


def test_message_can_be_added_after_the_end(table: Table) -> None:
    """For the post-mortem."""
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED))

    assert adds(table, pinned=True).ok


def test_entry_stays_while_a_pin_is_left(table: Table) -> None:
    """Two people pinned it, and one changed their mind."""
    adds(table, pinned=True)
    adds(table, BOB, pinned=True)
    unpins(table)

    assert not hidden(table.incident())


def test_entry_is_removed_with_its_last_pin(table: Table) -> None:
    """The ledger keeps it."""
    adds(table, pinned=True)
    answer = unpins(table)

    assert hidden(table.incident())
    assert MessageTakenOut(incident=1, changed=True) == answer


def test_removal_of_an_unknown_pin_changes_nothing(table: Table) -> None:
    """It was set while the bot was away."""
    adds(table, pinned=True)
    unpins(table, BOB)

    assert not hidden(table.incident())


def test_entry_added_by_shortcut_is_not_removed_with_a_pin(table: Table) -> None:
    """Whoever chose it in the menu meant it."""
    adds(table)
    adds(table, BOB, pinned=True)
    unpins(table, BOB)

    assert not hidden(table.incident())


def test_pinned_entry_added_by_shortcut_stays(table: Table) -> None:
    """Even if the pin came first."""
    adds(table, pinned=True)
    adds(table, BOB)
    unpins(table)

    assert not hidden(table.incident())


def test_new_pin_restores_an_entry(table: Table) -> None:
    """There is a way back from everything."""
    adds(table, pinned=True)
    unpins(table)
    adds(table, BOB, pinned=True)

    assert not hidden(table.incident())
    assert 1 == len(table.kinds(MessageAdded))


def test_edit_of_a_message_is_followed(table: Table) -> None:
    """The earlier text is in the earlier fact."""
    adds(table)
    edits(table, "it was BGP", "1774008100.000000")

    entry = table.incident().entry_of(KEY)
    assert entry
    assert [MessageEdited(entry, "it was BGP", "1774008100.000000")] == table.kinds(MessageEdited)


def test_late_older_edit_is_ignored(table: Table) -> None:
    """Slack guarantees no order."""
    adds(table)
    edits(table, "second", "1774008200.000000")
    edits(table, "first", "1774008100.000000")

    assert ["second"] == [fact.text for fact in table.kinds(MessageEdited)]


def test_edit_already_shown_changes_nothing(table: Table) -> None:
    """The message was edited before it was pinned."""
    adds(table, of=message("now right", edited_ts="1774008100.000000"))
    edits(table, "now right", "1774008100.000000")

    assert [] == table.kinds(MessageEdited)


def test_unfurled_link_is_no_edit(table: Table) -> None:
    """Slack reports the message as changed."""
    adds(table)
    edits(table, "it was DNS", "")

    assert [] == table.kinds(MessageEdited)


def test_deletion_is_posted_once(table: Table) -> None:
    adds(table)
    for _ in range(2):
        table.send(s.SourceDeleted(actor=WATCH, incident=1, message=KEY))

    assert 1 == len(table.kinds(MessageDeleted))


def test_edit_after_a_deletion_is_ignored(table: Table) -> None:
    """An edit that was under way when it was deleted."""
    adds(table)
    table.send(s.SourceDeleted(actor=WATCH, incident=1, message=KEY))
    edits(table, "too late", "1774009999.000000")

    assert [] == table.kinds(MessageEdited)


def test_note_may_be_corrected_by_responders(table: Table) -> None:
    table.send(s.AddNote(actor=ANA, incident=1, text="Restarted at nine"))
    entry = table.steps[-1].facts[0].seq
    answer = table.send(s.CorrectEntry(actor=BOB, incident=1, entry=entry, text=" Restarted at ten ")).answer

    assert [EntryCorrected(entry, "Restarted at ten")] == table.kinds(EntryCorrected)
    assert "Corrected in the timeline of INC-1. The exports keep the original too." == told(answer)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Text and time are as before; nothing was changed."),
        ({"text": "  "}, "A note needs words"),
        ({"ahead": timedelta(minutes=1)}, "That time is in the future. When did it happen?"),
        ({"entry": 999, "text": "x"}, "The timeline of INC-1 has no such entry."),
    ],
)
def test_invalid_correction_is_refused(table: Table, changes: dict[str, object], said: str) -> None:
    """And nothing is recorded."""
    table.send(s.AddNote(actor=ANA, incident=1, text="Restarted"))
    entry, ahead = table.steps[-1].facts[0].seq, changes.pop("ahead", None)
    at = {"happened_at": table.now + ahead} if isinstance(ahead, timedelta) else {}
    answer = table.send(s.CorrectEntry(actor=ANA, incident=1, **{"entry": entry, **changes, **at})).answer  # type: ignore[arg-type]

    assert told(answer).startswith(said)
    assert [] == table.kinds(EntryCorrected)


def test_hiding_twice_is_harmless(table: Table) -> None:
    table.send(s.AddNote(actor=ANA, incident=1, text="Wrong window"))
    entry = table.steps[-1].facts[0].seq
    for _ in range(2):
        table.send(s.HideEntry(actor=ANA, incident=1, entry=entry))

    assert [EntryHidden(entry)] == table.kinds(EntryHidden)


def test_hidden_entry_is_shown_again(table: Table) -> None:
    table.send(s.AddNote(actor=ANA, incident=1, text="Wrong window"))
    entry = table.steps[-1].facts[0].seq
    table.send(s.HideEntry(actor=ANA, incident=1, entry=entry))
    table.send(s.HideEntry(actor=BOB, incident=1, entry=entry, back=True))

    assert [EntryShown(entry)] == table.kinds(EntryShown)
