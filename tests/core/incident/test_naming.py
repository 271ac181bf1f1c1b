"""What an incident is called: by whom, until when, and how long that may be."""

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


def test_an_incident_is_renamed() -> None:
    """What it turned out to be stands in its title."""
    table = declared()

    assert "INC-1 is now called “Checkout is slow”." == told(rename(table, "Checkout is slow"))
    assert "Checkout is slow" == table.incident().title


def test_everybody_hears_of_a_new_title_once() -> None:
    """Alert and card are drawn anew, and the channel has one line."""
    table = declared()
    rename(table, "Checkout is slow")

    assert [PostLine, InvitePeople, EditAlert, EditCard] == [type(one.body) for one in table.steps[-1].effects]


def test_the_timeline_keeps_what_it_was_called() -> None:
    """A channel is named after the old title, and people look for that."""
    table = declared()
    rename(table, "Checkout is slow")

    assert [TitleChanged("Chat is slow", "Checkout is slow")] == table.kinds(TitleChanged)


def test_a_title_is_one_line() -> None:
    """It stands in a topic and in a notification."""
    table = declared()
    rename(table, "  Checkout\n is   slow ")

    assert "Checkout is slow" == table.incident().title


def test_the_same_title_changes_nothing() -> None:
    """A second press, or two people who are quick."""
    assert "INC-1 is already called “Chat is slow”." == told(rename(declared(), "Chat is slow "))


def test_no_title_is_asked_back() -> None:
    """Nothing is renamed to nothing."""
    assert "Which title? INC-1 is called “Chat is slow”." == told(rename(declared(), "  "))


def test_a_whole_text_is_no_title() -> None:
    """It would be cut on alert and card, each time in another place."""
    table = declared()

    assert not rename(table, "x" * (TITLE_CHARS + 1)).ok
    assert rename(table, "x" * TITLE_CHARS).ok


def test_it_is_renamed_also_when_it_is_over() -> None:
    """The post-mortem bears the title, and only then one knows what it was."""
    table = declared()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED))

    assert rename(table, "Checkout is slow").ok
