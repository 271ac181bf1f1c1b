"""Incidents that are long over leave the memory, and no decision can tell."""

import random
from datetime import timedelta

import pytest

from bot.core import signals as s
from bot.core.decide.due import next_due
from bot.core.decide.step import step
from bot.core.model import Level, Phase
from bot.core.record.component_facts import AlertSuppressed
from bot.core.record.fact import Fact
from bot.core.record.recent import MOST_RECENT, RECENT_FOR, SLACK, is_recent, needed, without_old
from bot.core.record.streams import evolve
from tests.core.test_merging import merge, phase, two
from tests.desk import ANA, RULE, Table
from tests.years import named_in, signals

LONG = RECENT_FOR + SLACK + timedelta(days=1)


def outage() -> Table:
    """An outage of an hour that was resolved."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.passes(2)
    table.all_well()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.send(s.ReleaseFlag(actor=ANA, flag="support-chat.llm"))
    return table


@pytest.mark.parametrize("seed", range(25))
def test_a_world_without_old_incidents_decides_as_the_whole_one(seed: int) -> None:
    """Whatever happens in years: the same facts, effects, answers and deadlines, whenever the old ones leave the memory."""
    table, dice = Table(), random.Random(seed)
    bounded = table.world
    for signal in signals(table, dice, 160):
        bounded = named_in(bounded, signal, table.world)
        here = step(bounded, signal, table.now, table.policy)
        there = table.send(signal)
        assert there.facts == here.facts, signal
        assert there.effects == here.effects, signal
        assert there.answer == here.answer, signal
        bounded = without_old(here.world, table.now) if dice.random() < 0.5 else here.world
        assert next_due(table.world, table.policy) == next_due(bounded, table.policy)
        assert table.world.running == bounded.running
    assert len(bounded.incidents) < len(table.world.incidents)


def test_an_incident_is_recent_for_thirty_days() -> None:
    """To the second, by when it ended."""
    table = outage()
    ended_at = table.incident().ending.at
    assert ended_at is not None
    assert is_recent(table.incident(), 1, ended_at + RECENT_FOR)
    assert not is_recent(table.incident(), 1, ended_at + RECENT_FOR + timedelta(seconds=1))


def test_an_incident_is_held_a_day_longer_than_it_is_recent() -> None:
    """A clock that is set back by hours finds it still."""
    table = outage()
    ended_at = table.incident().ending.at
    assert ended_at is not None
    within, after = RECENT_FOR + SLACK, RECENT_FOR + SLACK + timedelta(seconds=1)

    assert [{1}, set()] == [set(without_old(table.world, ended_at + gone).incidents) for gone in (within, after)]


def test_an_incident_is_recent_while_it_is_one_of_the_newest_two_hundred() -> None:
    """A storm of incidents cannot fill the memory within thirty days."""
    table = outage()
    assert is_recent(table.incident(), MOST_RECENT, table.now)
    assert not is_recent(table.incident(), MOST_RECENT + 1, table.now)


def test_an_open_incident_stays_however_old_it_is() -> None:
    """Somebody still has to end it."""
    table = Table()
    table.send(s.Declare(actor=ANA, title="Payments are slow"))
    assert 1 in without_old(table.world, table.now + 12 * LONG).incidents


def test_an_old_incident_leaves_with_its_place_in_the_ledger() -> None:
    """Nothing of it stays in memory; the next one gets the next number all the same."""
    table = outage()
    table.now += LONG
    table.world = without_old(table.world, table.now)
    assert 0 == len(table.world.incidents)
    assert "incident/1" not in table.world.seqs
    assert 2 == table.send(s.Declare(actor=ANA, title="Payments are slow")).answer.incident


def test_a_canceled_incident_is_held_while_its_component_fails() -> None:
    """What people called no incident opens none a year later, while it fails as it did then."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.CANCELED, reason="external"))
    table.now += 12 * LONG
    table.world = without_old(table.world, table.now)
    table.passes(1)
    assert [1] == list(table.world.incidents)
    table.sees("anthropic.api", Level.OPERATIONAL)
    assert frozenset() == needed(table.world) - {table.world.flag("support-chat.llm").engagement.incident}  # type: ignore[union-attr]


def test_the_incident_of_a_switched_flag_is_held() -> None:
    """Its alert and card show each step of the hand-back, also when the flag stayed switched for months."""
    table = Table().all_well()
    table.sees("anthropic.api", Level.DOWN)
    table.all_well()
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))
    table.now += LONG
    table.world = without_old(table.world, table.now)
    assert frozenset({1}) == needed(table.world)
    assert table.send(s.ReleaseFlag(actor=ANA, flag="support-chat.llm")).answer.ok
    assert frozenset() == needed(table.world)


def test_an_alert_held_back_for_an_incident_that_left_comes_at_once() -> None:
    """That it is told elsewhere is no reason any more."""
    table = outage()
    incident, table.now = table.incident(), table.now + LONG
    table.world = without_old(table.world, table.now)
    table.sees("openai.api", Level.DOWN)
    body = AlertSuppressed("openai.api", "it depends on Claude API", None, "")
    fact = Fact("component/openai.api", table.world.seqs["component/openai.api"] + 1, table.now, RULE, incident.number, body)
    due = next_due(evolve(table.world, fact), table.policy)
    assert due is not None
    assert due <= table.now


def test_the_parts_of_what_a_flag_points_at_are_held() -> None:
    """What the flag serves next is noted in them too, however long ago they were merged."""
    table = two()
    merge(table, 2, 1)
    phase(table, 1, Phase.RESOLVED)

    assert {1, 2} <= set(without_old(table.world, table.now + LONG).incidents)
