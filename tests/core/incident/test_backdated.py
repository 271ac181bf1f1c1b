"""Declaring afterwards: the times are those of the outage, and nobody is woken for one that has ended."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.answers.base import Answer
from bot.core.answers.incident import CannotHaveBeen, Declared, WrongTime
from bot.core.effects import OpenChannel, PostAlert, PostEvidence, PostLine, PostSummary, To
from bot.core.model import Level, Phase
from bot.core.paging import PageStep, PagingPolicy
from bot.core.record.incident_facts import ComponentJoined
from bot.core.record.paging_facts import Paged
from bot.timeline.durations import durations
from tests.desk import BOB, START, Table, policy, told

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def declare(
    table: Table, title: str = "Claude was slow", *, began: timedelta | None = None, ended: timedelta | None = None,
    separate: bool = False,
) -> Answer:  # fmt: skip
    """By Bob; times count back from now."""
    at = [None if ago is None else table.now - ago for ago in (began, ended)]
    return table.send(s.Declare(actor=BOB, title=title, began_at=at[0], ended_at=at[1], separate=separate)).answer


def test_incident_begins_when_the_person_says() -> None:
    """Not when it was declared; it is open and announced like any other."""
    table = Table().all_well()
    said = declare(table, began=2 * HOUR)

    assert type(said) is Declared
    assert (table.now - 2 * HOUR, True) == (table.incident().began_at, table.incident().phase.open)
    assert "INC-1 is declared at 12:00 UTC for 10:00 UTC: Claude was slow" == told(said)


def test_earlier_evidence_moves_the_start_forward() -> None:
    """The person noticed it later than the checks."""
    table = Table().all_well()
    table.sees("openai.api", Level.DEGRADED)  # told in a thread only
    began = table.now
    table.passes(60)
    table.send(s.Declare(actor=BOB, title="GPT is slow", components=("openai.api",), began_at=table.now - timedelta(minutes=5)))

    assert began == table.incident().began_at


def test_ended_outage_is_resolved_with_its_own_times() -> None:
    """It ended 25 hours ago, an hour after it began."""
    table = Table().all_well()
    declare(table, began=26 * HOUR, ended=25 * HOUR)
    incident = table.incident()
    took = durations(incident, table.facts)

    assert (Phase.RESOLVED, table.now - 25 * HOUR) == (incident.phase, incident.ending.at)
    assert (HOUR, HOUR) == (took.resolve, took.mitigate)


def test_ended_outage_pages_nobody() -> None:
    """Alert, channel and summary, without notifications."""
    steps = (PageStep(timedelta(0), mention=("primary",)),)
    paging = PagingPolicy(steps=dict.fromkeys(policy().incidents.update_every, steps))
    table = Table(replace(policy(), paging=paging)).all_well()
    declare(table, began=26 * HOUR, ended=25 * HOUR)
    table.passes(60)
    sent = [one.body for step in table.steps for one in step.effects]

    assert [] == table.kinds(Paged)
    assert [1, 1, 1, 0] == [
        len([one for one in sent if isinstance(one, kind)]) for kind in (PostAlert, OpenChannel, PostSummary, PostEvidence)
    ]
    assert [] == [one for one in sent if isinstance(one, PostLine) and one.to is To.THREAD]


def test_ended_outage_gets_no_verdicts() -> None:
    """Today's failures are today's incident."""
    table = Table().all_well()
    declare(table, "Claude API was down", began=26 * HOUR, ended=25 * HOUR)
    table.sees("anthropic.api", Level.DOWN)

    assert (Phase.RESOLVED, "anthropic") == (table.incident(1).phase, table.incident(2).provider)
    assert [2] == [fact.incident for fact in table.facts if isinstance(fact.body, ComponentJoined)]


def test_outage_that_ended_before_the_open_one_is_separate() -> None:
    """Nobody is pointed to today's outage for yesterday's."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)

    assert 2 == declare(table, "Claude was down", began=26 * HOUR, ended=25 * HOUR).incident


def test_outage_during_the_open_one_may_be_the_same() -> None:
    """The person is asked."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.passes(60)

    assert not declare(table, "Claude was down", began=HOUR, ended=HOUR / 2).ok
    assert declare(table, "Claude was down", began=HOUR, ended=HOUR / 2, separate=True).ok


WRONG = [
    (-2 * HOUR, None, WrongTime.FUTURE, "2026-03-20 14:00 UTC has not come yet. Nothing was declared."),
    (HOUR, -HOUR, WrongTime.FUTURE, "2026-03-20 13:00 UTC has not come yet."),
    (31 * DAY, None, WrongTime.TOO_OLD, "2026-02-17 12:00 UTC is more than 30 days ago. Nothing was declared."),
    (HOUR, 2 * HOUR, WrongTime.BACKWARDS, "It cannot have ended (2026-03-20 10:00 UTC) before it began."),
    (HOUR, HOUR, WrongTime.BACKWARDS, "It cannot have ended"),
    (None, HOUR, WrongTime.NO_BEGINNING, "It ended at 2026-03-20 11:00 UTC, but when did it begin?"),
]


@pytest.mark.parametrize(("began", "ended", "why", "words"), WRONG)
def test_impossible_times_are_refused(began: timedelta | None, ended: timedelta | None, why: WrongTime, words: str) -> None:
    """With the time as understood, and nothing is recorded."""
    table = Table().all_well()
    said = declare(table, began=began, ended=ended)

    assert isinstance(said, CannotHaveBeen)
    assert (why, True, 0) == (said.why, told(said).startswith(words), table.world.last_incident)


def test_slightly_fast_clock_is_no_future() -> None:
    """People type the minute that their phone shows."""
    assert declare(Table().all_well(), began=-timedelta(seconds=50)).ok


def test_thirty_days_back_are_allowed() -> None:
    """The limit itself."""
    assert declare(Table().all_well(), began=30 * DAY, ended=29 * DAY).ok
    assert START == Table().now
