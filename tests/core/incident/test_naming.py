"""The title of an incident: who may change it, until when, and how long it may be."""

from bot.core import signals as s
from bot.core.answers.base import Answer
from bot.core.decide.incident.naming import TITLE_CHARS
from bot.core.effects import EditAlert, EditCard, InvitePeople, PostLine
from bot.core.model import Phase
from bot.core.record.incident_facts import TitleChanged
from tests.desk import ANA, Table, told


def declared() -> Table:
    table = Table().all_well()
    table.send(s.Declare(actor=ANA, title="Chat is slow"))
    return table


def rename(table: Table, title: str) -> Answer:
    return table.send(s.Rename(actor=ANA, incident=1, title=title)).answer


def test_incident_is_renamed() -> None:
    """To what it turned out to be."""
    table = declared()

    assert "INC-1 is now called “Checkout is slow”." == told(rename(table, "Checkout is slow"))
    assert "Checkout is slow" == table.incident().title


def test_new_title_is_posted_once() -> None:
    """Alert and card are updated, and the channel gets one line."""
    table = declared()
    rename(table, "Checkout is slow")

    assert [PostLine, InvitePeople, EditAlert, EditCard] == [type(one.body) for one in table.steps[-1].effects]


def test_timeline_keeps_the_old_title() -> None:
    """The channel is named after it."""
    table = declared()
    rename(table, "Checkout is slow")

    assert [TitleChanged("Chat is slow", "Checkout is slow")] == table.kinds(TitleChanged)


def test_title_is_one_line() -> None:
    """It is used in topics and notifications."""
    table = declared()
    rename(table, "  Checkout\n is   slow ")

    assert "Checkout is slow" == table.incident().title


def test_same_title_changes_nothing() -> None:
    """A second press, or two people who are quick."""
    assert "INC-1 is already called “Chat is slow”." == told(rename(declared(), "Chat is slow "))


def test_missing_title_is_requested() -> None:
    """Nothing is renamed to nothing."""
    assert "Which title? INC-1 is called “Chat is slow”." == told(rename(declared(), "  "))


def test_very_long_title_is_refused() -> None:
    """Alert and card would cut it, each elsewhere."""
    table = declared()

    assert not rename(table, "x" * (TITLE_CHARS + 1)).ok
    assert rename(table, "x" * TITLE_CHARS).ok


def test_ended_incident_can_be_renamed() -> None:
    """Only the post-mortem knows what it was."""
    table = declared()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED))

    assert rename(table, "Checkout is slow").ok
