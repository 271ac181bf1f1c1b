"""Whoever does something in an incident is on record as one who helps, and is invited."""

from collections.abc import Callable

import pytest

from bot.core import signals as s
from bot.core.effects import InvitePeople, PostLine
from bot.core.model import LEAD, Actor, Level, Phase, Severity
from bot.core.record.incident_facts import ResponderJoined
from tests.desk import ANA, BOB, Table

FLAG = "support-chat.llm"
CARL = Actor.operator("carl")


def outage() -> Table:
    """INC-1 is open for Claude."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    return table


@pytest.mark.parametrize(
    "signal",
    [
        lambda: s.AddNote(actor=BOB, incident=1, text="support was told"),
        lambda: s.WriteUpdate(actor=BOB, incident=1, text="we serve from the fallback"),
        lambda: s.SetSeverity(actor=BOB, incident=1, severity=Severity.SEV1),
        lambda: s.Rename(actor=BOB, incident=1, title="Support chat is slow"),
        lambda: s.SetPhase(actor=BOB, incident=1, phase=Phase.MONITORING),
        lambda: s.GiveRole(actor=BOB, incident=1, role=LEAD, to=ANA),
        lambda: s.ReleaseFlag(actor=BOB, flag=FLAG, force=True),
    ],
)
def test_who_does_something_is_a_responder(signal: Callable[[], s.Signal]) -> None:
    """Invited, and without a line of their own: what they did is said."""
    table = outage()
    step = table.send(signal())
    lines = [one.seq for one in step.effects if isinstance(one.body, PostLine) and one.stream == "incident/1"]
    [joined] = [fact for fact in step.facts if isinstance(fact.body, ResponderJoined)]

    assert BOB in table.incident().people.responders
    assert any(isinstance(one.body, InvitePeople) for one in step.effects)
    assert joined.seq not in lines


def test_who_acknowledged_is_known_already() -> None:
    """The second thing that somebody does makes them no responder twice."""
    table = outage()
    table.send(s.Acknowledge(actor=ANA, incident=1))
    table.send(s.AddNote(actor=ANA, incident=1, text="one"))
    table.send(s.AddNote(actor=BOB, incident=1, text="two"))
    table.send(s.AddNote(actor=BOB, incident=1, text="three"))

    assert 1 == len(table.kinds(ResponderJoined))
    assert (ANA, BOB) == table.incident().people.everybody


@pytest.mark.parametrize(
    "signal",
    [
        lambda: s.AddNote(actor=CARL, incident=1, text="from the terminal"),
        lambda: s.Reported(actor=BOB, component="anthropic.api", text="it hangs"),
        lambda: s.AskExport(actor=BOB, incident=1, format="md"),
        lambda: s.SetPhase(actor=BOB, incident=1, phase=Phase.CANCELED, reason="false-alarm"),
    ],
)
def test_who_only_looks_or_tells_is_none(signal: Callable[[], s.Signal]) -> None:
    """Nor is a program behind the API, or whoever ends it: there is nothing left to help with."""
    table = outage()
    table.send(signal())

    assert () == table.incident().people.responders


def test_a_note_afterwards_makes_no_responder() -> None:
    """People remember things days later."""
    table = outage()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.send(s.AddNote(actor=BOB, incident=1, text="the vendor wrote a post-mortem"))

    assert () == table.incident().people.everybody


def test_who_declares_is_no_responder_by_that() -> None:
    """Many see that something is broken; who helps is another question."""
    table = Table().all_well()
    table.send(s.Declare(actor=ANA, title="Chat is slow"))

    assert () == table.incident().people.everybody
