"""What a severity changes at once, and how an incident that was none is ended."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.answers.base import Answer
from bot.core.decide.cadence import next_update_at
from bot.core.effects import InvitePeople, PostLine, To
from bot.core.model import Level, Phase, Severity
from bot.core.paging import PageStep, PagingPolicy
from bot.core.record.course.merge_facts import DuplicateFound
from bot.core.record.incident_facts import ComponentMoved, PhaseChanged
from bot.core.record.paging_facts import Paged
from tests.desk import ANA, Table, policy, told

API = "anthropic.api"
NOW, SOON = timedelta(0), timedelta(minutes=5)
PAGING = PagingPolicy({
    Severity.SEV1: (PageStep(NOW, dm=("@boss",)), PageStep(SOON, notify=("all",))),
    Severity.SEV2: (PageStep(SOON, mention=("@oncall",)),),
})  # fmt: skip


def down() -> Table:
    table = Table(replace(policy(), paging=PAGING)).all_well()
    table.sees(API, Level.DOWN)
    return table


def severity(table: Table, to: Severity, reason: str = "") -> Answer:
    return table.send(s.SetSeverity(actor=ANA, incident=1, severity=to, reason=reason)).answer


def cancel(table: Table, number: int, reason: str, of: int = 0, why: str = "") -> Answer:
    signal = s.SetPhase(actor=ANA, incident=number, phase=Phase.CANCELED, reason=reason, duplicate_of=of, why=why)
    return table.send(signal).answer


# --- severity


def test_a_milder_severity_needs_a_reason() -> None:
    """Fewer people are called from then on, and the post-mortem asks why."""
    table = down()
    said = severity(table, Severity.SEV3, "  ")

    assert "SEV3 is lower than SEV2, so fewer people are called. Say why. Nothing was changed." == told(said)
    assert Severity.SEV2 is table.incident().severity


def test_a_worse_severity_needs_none() -> None:
    """Nobody is held up who raises the alarm."""
    assert severity(down(), Severity.SEV1).ok


def test_a_worse_severity_calls_its_people_in_the_same_moment() -> None:
    """Not at the next beat; and whoever the configuration invites is asked in."""
    table = down()
    severity(table, Severity.SEV1)
    step = table.steps[-1]

    assert [(Severity.SEV1, 1)] == [(b.severity, b.step) for b in (fact.body for fact in step.facts) if isinstance(b, Paged)]
    assert 1 == sum(isinstance(one.body, InvitePeople) for one in step.effects)


def test_a_milder_severity_calls_nobody_for_what_was_due_before() -> None:
    """SEV3 has no steps; those of SEV2 are off."""
    table = down()
    severity(table, Severity.SEV3, "one model only")
    table.passes(20)

    assert [] == table.kinds(Paged)


def test_a_worse_severity_brings_the_next_update_forward() -> None:
    """SEV1 speaks every half hour."""
    table = down()
    table.passes(10)
    severity(table, Severity.SEV1)
    due = next_update_at(table.incident(), table.policy)

    assert due == table.incident().declared_at + timedelta(minutes=30)


def test_a_milder_severity_puts_the_next_update_off() -> None:
    """SEV4 speaks on change only."""
    table = down()
    severity(table, Severity.SEV4, "watch only")

    assert next_update_at(table.incident(), table.policy) is None


# --- duplicates


def two() -> Table:
    table = down()
    table.send(s.Declare(actor=ANA, title="Chat is slow", separate=True))
    return table


def test_a_duplicate_without_a_number_is_asked_of_which() -> None:
    """With those that it may be."""
    said = cancel(two(), 2, "duplicate")

    assert told(said).startswith("INC-2 is a duplicate of which incident? Name it, such as `duplicate INC-4`. Open: INC-1")


def test_a_duplicate_and_the_other_one_name_each_other() -> None:
    """Whoever reads one timeline finds the other."""
    table = two()
    assert cancel(table, 2, "duplicate", 1, "bob was quicker").ok

    assert [DuplicateFound(2, "Chat is slow")] == table.kinds(DuplicateFound)
    assert (1, "bob was quicker") == (table.incident(2).ending.duplicate_of, table.incident(2).ending.why)


@pytest.mark.parametrize("of", [2, 9])
def test_a_duplicate_is_one_of_another_incident_that_there_is(of: int) -> None:
    """Of itself, or of none: nothing is ended."""
    table = two()

    assert not cancel(table, 2, "duplicate", of).ok
    assert table.incident(2).phase.open


def test_a_false_alarm_names_no_other_one() -> None:
    """Even where a form still held one."""
    table = two()
    cancel(table, 2, "false-alarm", 1, "our proxy")

    assert [] == table.kinds(DuplicateFound)
    assert (0, "our proxy") == (table.incident(2).ending.duplicate_of, table.incident(2).ending.why)


# --- relapse


def test_a_relapse_is_one_line() -> None:
    """It says which component fails again, and why."""
    table = down()
    table.all_well()
    table.sees(API, Level.DOWN, "3 of 5 checks failed")
    step = table.steps[-1]
    about = {(fact.stream, fact.seq): fact.body for fact in step.facts}
    lines = [about[one.stream, one.seq] for one in step.effects if one.body == PostLine(To.INCIDENT)]

    assert any(isinstance(body, ComponentMoved) for body in about.values())
    assert ["relapse"] == [body.move for body in lines if isinstance(body, PhaseChanged) and body.move == "relapse"]
    assert not [body for body in lines if isinstance(body, ComponentMoved)]
