"""Whether a switch has arrived at its readers: what is recorded, and what people are told."""

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


def test_complete_arrival_is_reported_once(table: Table) -> None:
    """However often readers are counted."""
    switched = table.world.flag(FLAG).changed_at
    assert switched is not None
    found = [counted(table, 3, 3), counted(table, 3, 3), counted(table, 4, 4)]

    assert [[ReadersSaw(FLAG, "gpt", 3, 3, (), switched)], [], []] == found


def test_late_readers_are_named_once_and_then_their_arrival_is_reported(table: Table) -> None:
    """Not for each reader that arrives."""
    found = [counted(table, 1, 3, "b", "c"), counted(table, 2, 3, "c"), counted(table, 3, 3)]

    assert [[(1, ("b", "c"))], [], [(3, ())]] == [[(one.by, one.missing) for one in some] for some in found]


def test_few_late_readers_are_named(table: Table) -> None:
    """The line is read on a phone."""
    (found,) = counted(table, 0, 40, *(f"web-{n}" for n in range(40)))

    assert ("web-0", "web-1", "web-2", "web-3", "web-4") == found.missing


def test_count_of_an_earlier_switch_is_ignored(table: Table) -> None:
    """It was overtaken."""
    assert [] == counted(table, 3, 3, at=START - timedelta(minutes=1))


@pytest.mark.parametrize(("by", "of"), [(0, 0), (2, 1), (-1, 1)])
def test_impossible_counts_are_ignored(table: Table, by: int, of: int) -> None:
    assert [] == counted(table, by, of)


def test_each_switch_is_counted_separately(table: Table) -> None:
    """Also the way back."""
    counted(table, 3, 3)
    table.send(s.ReleaseFlag(ANA, flag=FLAG, force=True))

    assert [("claude", 2)] == [(one.variant, one.by) for one in counted(table, 2, 3, "c")]


def test_hand_back_steps_are_not_counted(table: Table) -> None:
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


def test_arrival_is_posted_in_the_incident(table: Table) -> None:
    assert 1 == lines(table, 3, 3)


def test_without_an_incident_only_late_readers_are_reported() -> None:
    """A manual switch that everybody got is as requested."""
    told = []
    for counts in (((3, 3),), ((2, 3, "c"), (3, 3))):
        table = Table().all_well()
        table.send(s.EngageFlag(ANA, flag=FLAG, variant="gpt"))
        told.append([lines(table, *count) for count in counts])

    assert [[0], [1, 1]] == told


def test_readers_of_a_removed_flag_are_counted_too(table: Table) -> None:
    """It is served until somebody releases it."""
    table.policy = replace(table.policy, flags={})

    assert [("gpt", 3)] == [(one.variant, one.by) for one in counted(table, 3, 3)]


def test_arrival_is_recorded_in_the_switchs_incident(table: Table) -> None:
    """Its timeline says since when customers were served."""
    counted(table, 3, 3)
    assert [1] == [written.incident for written in table.written(ReadersSaw)]


def test_arrival_of_the_way_back_is_recorded_in_the_open_incident(table: Table) -> None:
    """Released by hand, while people work on it."""
    table.send(s.ReleaseFlag(ANA, flag=FLAG, force=True))
    counted(table, 3, 3)

    assert [1] == [written.incident for written in table.written(ReadersSaw)]


def test_arrival_after_the_incident_is_recorded_in_none(table: Table) -> None:
    """Nothing is added to a closed timeline."""
    table.sees(API, Level.OPERATIONAL)
    table.send(s.SetPhase(ANA, incident=1, phase=Phase.RESOLVED, reason="over", force=True))
    counted(table, 3, 3)

    assert [None] == [written.incident for written in table.written(ReadersSaw)]


def test_arrival_is_recorded_in_its_incident_although_the_configuration_changed(table: Table) -> None:
    """The flag depends on OpenAI now."""
    flag = replace(table.policy.flags[FLAG], depends_on=("openai.api",))
    table.policy = replace(table.policy, flags={FLAG: flag})
    counted(table, 3, 3)

    assert [1] == [written.incident for written in table.written(ReadersSaw)]
