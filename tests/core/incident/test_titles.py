"""What an incident is called while nobody named it."""

from bot.core import signals as s
from bot.core.effects import PostLine
from bot.core.model import Level
from bot.core.record.incident_facts import TitleChanged
from tests.desk import ANA, RULE, Table

API, WEB = "anthropic.api", "anthropic.web"


def outage() -> Table:
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    return table


def test_one_component_names_it() -> None:
    """Who is woken reads what is broken."""
    assert "Claude API is down" == outage().incident().title


def test_the_title_says_how_far_it_reaches_when_more_of_the_provider_fails() -> None:
    """Nobody takes it for the API alone any more."""
    table = outage()
    table.sees(WEB, Level.DEGRADED)

    assert "Claude is down (API, claude.ai)" == table.incident().title


def test_what_fails_already_is_named_when_it_opens() -> None:
    """Two that were bad before one of them was worth an incident."""
    table = Table().all_well()
    table.sees(WEB, Level.DEGRADED)
    table.sees(API, Level.DOWN)

    assert "Claude is down (" in table.incident().title


def test_the_title_follows_to_the_worse() -> None:
    table = Table().all_well()
    table.sees(API, Level.DEGRADED)
    table.sees(API, Level.DOWN)

    assert "Claude API is down" == table.incident().title


def test_the_title_does_not_shrink_when_a_part_recovers() -> None:
    """The card says what is back; the post-mortem is about all of it."""
    table = outage()
    table.sees(WEB, Level.DEGRADED)
    table.sees(API, Level.OPERATIONAL)

    assert "Claude is down (API, claude.ai)" == table.incident().title


def test_what_a_person_named_stays() -> None:
    table = outage()
    table.send(s.Rename(actor=ANA, incident=1, title="Nobody can chat"))
    table.sees(WEB, Level.DOWN)

    assert "Nobody can chat" == table.incident().title


def test_what_a_person_declared_keeps_their_words() -> None:
    """They knew why they said it so."""
    table = Table().all_well()
    table.send(s.Declare(actor=ANA, title="Claude loses our files", components=(API,)))
    table.sees(WEB, Level.DOWN)

    assert "Claude loses our files" == table.incident().title


def test_a_title_that_follows_makes_no_line_of_its_own() -> None:
    """The line that a component failed says it; the timeline keeps both titles."""
    table = outage()
    before = len(table.effects(PostLine))
    table.sees(WEB, Level.DOWN)

    assert [TitleChanged("Claude API is down", "Claude is down (API, claude.ai)")] == table.kinds(TitleChanged)
    assert before + 1 == len(table.effects(PostLine))


def test_the_channel_is_named_after_the_provider() -> None:
    """It keeps its name whatever joins later."""
    assert "inc-20260320-0001-claude" == outage().incident().room.name


def test_another_name_is_tried_after_the_provider_too() -> None:
    """Whatever the incident is called by then."""
    table = outage()
    table.send(s.Rename(actor=ANA, incident=1, title="Nobody can chat"))
    table.send(s.NameTaken(actor=RULE, incident=1, name="inc-20260320-0001-claude"))

    assert "inc-20260320-0001-claude-2" == table.incident().room.name
