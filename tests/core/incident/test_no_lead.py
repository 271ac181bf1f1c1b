"""An incident that affects customers needs a lead: its channel is asked once while there is none."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.codec import decode, encode
from bot.core.decide.due import next_due
from bot.core.effects import PostLine
from bot.core.model import LEAD, Actor, Level, Phase, Severity
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import LeadAsked, RoleChanged
from tests.desk import ANA, BOB, Table, policy

API = "anthropic.api"


def acknowledged(severity: Severity = Severity.SEV2) -> Table:
    """INC-1 is open, and Ana has acknowledged it."""
    table = Table().all_well()
    table.send(s.Declare(actor=ANA, title="Chat is slow", severity=severity))
    table.send(s.Acknowledge(actor=ANA, incident=1))
    return table


def asked(table: Table, minutes: float) -> int:
    """How often the channel was asked after so many minutes."""
    table.passes(minutes)
    return len(table.kinds(LeadAsked))


def lead(table: Table, to: Actor | None, by: Actor = ANA) -> None:
    table.send(s.GiveRole(actor=by, incident=1, role=LEAD, to=to))


def test_channel_is_asked_once() -> None:
    """In one line, ten minutes after the acknowledgement."""
    table = acknowledged()

    assert [0, 1, 1] == [asked(table, 9), asked(table, 1), asked(table, 180)]
    [fact] = [fact for fact in table.facts if isinstance(fact.body, LeadAsked)]
    assert 1 == sum(e.seq == fact.seq and isinstance(e.body, PostLine) for step in table.steps for e in step.effects)


def test_channel_with_a_lead_is_not_asked() -> None:
    """They took it in time."""
    table = acknowledged()
    lead(table, BOB)

    assert 0 == asked(table, 60)


def test_channel_is_not_asked_before_the_acknowledgement() -> None:
    """Paging calls people until then."""
    table = Table().all_well()
    table.send(s.Declare(actor=ANA, title="Chat is slow"))

    assert 0 == asked(table, 60)


@pytest.mark.parametrize(("severity", "times"), [("SEV1", 1), ("SEV2", 1), ("SEV3", 0), ("SEV4", 0)])
def test_minor_incident_needs_no_lead(severity: str, times: int) -> None:
    """One person looks after it."""
    assert times == asked(acknowledged(Severity(severity)), 30)


def test_raised_severity_needs_a_lead() -> None:
    """It was small, and is not any more."""
    table = acknowledged(Severity.SEV3)
    table.passes(30)
    table.send(s.SetSeverity(actor=ANA, incident=1, severity=Severity.SEV1))

    assert 1 == asked(table, 1)


def test_recovered_incident_needs_no_lead() -> None:
    """Only somebody who resolves it."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    table.send(s.Acknowledge(actor=ANA, incident=1))
    table.sees(API, Level.OPERATIONAL)

    assert 0 == asked(table, 20)


def test_channel_is_asked_again_after_the_lead_left() -> None:
    """Ten minutes later, since the line about that asks already."""
    table = acknowledged()
    table.passes(10)
    lead(table, BOB)
    table.passes(30)
    lead(table, None)

    assert [1, 2, 2] == [asked(table, 9), asked(table, 1), asked(table, 60)]


def test_handover_of_the_lead_causes_no_question() -> None:
    """There was one at every moment."""
    table = acknowledged()
    lead(table, ANA)
    lead(table, BOB)

    assert 0 == asked(table, 60)


def test_another_role_is_no_lead() -> None:
    """The scribe does not decide."""
    table = acknowledged()
    table.send(s.GiveRole(actor=ANA, incident=1, role="scribe", to=BOB))

    assert 1 == asked(table, 10)


def test_nag_after_never_asks_nobody() -> None:
    """`people.nag_after: never`."""
    table = acknowledged()
    table.policy = replace(policy(), incidents=replace(policy().incidents, nag_after=None))

    assert 0 == asked(table, 60)


def test_ended_incident_asks_nobody() -> None:
    """Nobody looks there any more."""
    table = acknowledged()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED))

    assert 0 == asked(table, 60)


def test_question_is_due_at_its_time() -> None:
    """The beat sleeps until then."""
    table = acknowledged()
    due = next_due(table.world, table.policy)

    assert due is not None
    assert due <= table.now + timedelta(minutes=10)


def test_question_is_not_repeated_after_a_restart() -> None:
    """Nor is the one after the lead left."""
    table = acknowledged()
    lead(table, BOB)
    lead(table, None)
    table.passes(10)

    assert table.incident() == decode(Incident, encode(table.incident()))
    assert table.incident().people.lead_asked_at == table.now
    assert [False, True] == [body.vacant for body in table.kinds(RoleChanged) if isinstance(body, RoleChanged)]
