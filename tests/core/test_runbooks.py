"""Steps of runbooks are ticked off by whoever did them, by a number that stays."""

from dataclasses import replace

import pytest

from bot.core import signals as s
from bot.core.answers.base import Answer
from bot.core.decide.incident.runbooks import NoStep, StepAsBefore, StepIsTicked
from bot.core.model import Level, Phase
from bot.core.record.course.runbook_facts import StepTicked
from tests.desk import ANA, BOB, Table, policy

API, WEB = "anthropic.api", "anthropic.web"


@pytest.fixture
def table() -> Table:
    """Claude API is down, claude.ai joined later; each has a runbook, and claude.ai stands first in the configuration."""
    base = policy(automation="off")
    steps = {WEB: ("Look at claude.ai",), API: ("Confirm on the board", "Switch by hand")}
    known = {id: replace(base.components[id], runbook_steps=texts) for id, texts in steps.items()}
    made = Table(
        replace(base, components={**known, **{id: c for id, c in base.components.items() if id not in known}})
    ).all_well()
    made.sees(API, Level.DOWN)
    made.sees(WEB, Level.DOWN)
    return made


def tick(table: Table, step: int, *, off: bool = False) -> Answer:
    return table.send(s.TickStep(BOB, incident=1, step=step, off=off)).answer


def test_a_step_is_ticked_off_once(table: Table) -> None:
    """It is on record who did it; the second press says so."""
    done, again = tick(table, 2), tick(table, 2)

    assert StepIsTicked(incident=1, step=2, text="Switch by hand", done=True, changed=True) == done
    assert StepAsBefore(incident=1, step=2, by=BOB) == again
    assert [StepTicked(API, 2, "Switch by hand")] == table.kinds(StepTicked)


def test_a_component_that_joins_later_has_the_next_numbers(table: Table) -> None:
    """What was posted before keeps its own."""
    assert StepIsTicked(incident=1, step=3, text="Look at claude.ai", done=True, changed=True) == tick(table, 3)


def test_there_is_a_way_back(table: Table) -> None:
    """Whoever pressed too early says so; what was never done cannot be taken back."""
    tick(table, 1)
    back, nothing = tick(table, 1, off=True), tick(table, 2, off=True)

    assert StepIsTicked(incident=1, step=1, text="Confirm on the board", done=False, changed=True) == back
    assert StepAsBefore(incident=1, step=2, by=None) == nothing
    assert {} == table.incident().steps


@pytest.mark.parametrize("step", [0, 4])
def test_a_step_that_there_is_not_is_refused(step: int, table: Table) -> None:
    """With the last one that there is."""
    assert NoStep(incident=1, step=step, most=3) == tick(table, step)


def test_steps_are_ticked_off_afterwards_too(table: Table) -> None:
    """People remember."""
    table.send(s.SetPhase(ANA, incident=1, phase=Phase.RESOLVED, force=True))

    assert tick(table, 1).ok
