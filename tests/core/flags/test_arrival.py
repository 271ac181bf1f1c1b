"""Whether a switch has arrived at its readers: what is written down of it, and what people are told."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.core import signals as s
from bot.core.effects import PostLine
from bot.core.model import Level, Phase
from bot.core.record.flag_facts import ReadersSaw
from tests.desk import ANA, CHAT_FLAG, RULE, START, Table

FLAG = CHAT_FLAG.key
API = "anthropic.api"


@pytest.fixture
def table() -> Table:
    """Switched in an incident."""
    table = Table().all_well()
    table.sees(API, Level.DOWN)
    table.passes(1)
    return table


def counted(table: Table, by: int, of: int, *missing: str, at: datetime | None = None) -> list[ReadersSaw]:
    """What is on record of this count."""
    switched = at or table.world.flag(FLAG).changed_at
    assert switched is not None
    step = table.send(s.ReadersCounted(RULE, flag=FLAG, changed_at=switched, by=by, of=of, missing=missing))
    return [fact.body for fact in step.facts if isinstance(fact.body, ReadersSaw)]


def test_all_readers_are_told_once(table: Table) -> None:
    """However often they are counted."""
    switched = table.world.flag(FLAG).changed_at
    assert switched is not None
    found = [counted(table, 3, 3), counted(table, 3, 3), counted(table, 4, 4)]

    assert [[ReadersSaw(FLAG, "gpt", 3, 3, (), switched)], [], []] == found


def test_those_that_lag_behind_are_named_once_and_then_their_arrival(table: Table) -> None:
    """Not each time that one more of them is there."""
    found = [counted(table, 1, 3, "b", "c"), counted(table, 2, 3, "c"), counted(table, 3, 3)]

    assert [[(1, ("b", "c"))], [], [(3, ())]] == [[(one.by, one.missing) for one in some] for some in found]


def test_few_are_named(table: Table) -> None:
    """The line is for a phone."""
    (found,) = counted(table, 0, 40, *(f"web-{n}" for n in range(40)))

    assert ("web-0", "web-1", "web-2", "web-3", "web-4") == found.missing


def test_count_of_an_earlier_switch_tells_nothing(table: Table) -> None:
    """It was overtaken."""
    assert [] == counted(table, 3, 3, at=START - timedelta(minutes=1))


@pytest.mark.parametrize(("by", "of"), [(0, 0), (2, 1), (-1, 1)])
def test_impossible_counts_tell_nothing(table: Table, by: int, of: int) -> None:
    assert [] == counted(table, by, of)


def test_each_switch_is_counted_anew(table: Table) -> None:
    """The way back is one too."""
    counted(table, 3, 3)
    table.send(s.ReleaseFlag(ANA, flag=FLAG, force=True))

    assert [("claude", 2)] == [(one.variant, one.by) for one in counted(table, 2, 3, "c")]


def test_step_of_a_hand_back_is_not_counted(table: Table) -> None:
    """A line for each step would be noise."""
    table.sees(API, Level.OPERATIONAL)
    table.passes(10)
    table.send(s.StepBack(ANA, flag=FLAG))

    assert [] == counted(table, 3, 3)


def lines(table: Table, by: int, of: int, *missing: str) -> int:
    switched = table.world.flag(FLAG).changed_at
    assert switched is not None
    step = table.send(s.ReadersCounted(RULE, flag=FLAG, changed_at=switched, by=by, of=of, missing=missing))
    return sum(isinstance(effect.body, PostLine) for effect in step.effects)


def test_people_of_the_incident_hear_of_it(table: Table) -> None:
    assert 1 == lines(table, 3, 3)


def test_without_an_incident_only_who_lags_behind_is_told() -> None:
    """A switch by hand that everybody has is what was asked for."""
    told = []
    for counts in (((3, 3),), ((2, 3, "c"), (3, 3))):
        table = Table().all_well()
        table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt"))
        told.append([lines(table, *count) for count in counts])

    assert [[0], [1, 1]] == told


def test_flag_that_left_the_configuration_is_counted_too(table: Table) -> None:
    """It is served until somebody releases it."""
    table.policy = replace(table.policy, flags={})

    assert [("gpt", 3)] == [(one.variant, one.by) for one in counted(table, 3, 3)]


def test_an_arrival_stands_in_the_incident_of_the_switch(table: Table) -> None:
    """Its timeline says from when on customers were served."""
    counted(table, 3, 3)
    assert [1] == [written.incident for written in table.written(ReadersSaw)]


def test_the_way_back_arrives_in_the_incident_that_still_runs(table: Table) -> None:
    """Released by hand, while people work on it."""
    table.send(s.ReleaseFlag(ANA, flag=FLAG, force=True))
    counted(table, 3, 3)

    assert [1] == [written.incident for written in table.written(ReadersSaw)]


def test_a_switch_by_hand_that_outlives_its_incident_arrives_in_none(table: Table) -> None:
    """Nothing is added to a timeline that is over."""
    table.sees(API, Level.OPERATIONAL)
    table.send(s.SetPhase(ANA, incident=1, phase=Phase.RESOLVED, reason="over", force=True))
    counted(table, 3, 3)

    assert [None] == [written.incident for written in table.written(ReadersSaw)]


def test_a_switch_for_an_incident_arrives_there_whatever_the_flag_depends_on(table: Table) -> None:
    """The configuration changed meanwhile: the flag stands on OpenAI now."""
    flag = replace(table.policy.flags[FLAG], depends_on=("openai.api",))
    table.policy = replace(table.policy, flags={FLAG: flag})
    counted(table, 3, 3)

    assert [1] == [written.incident for written in table.written(ReadersSaw)]
