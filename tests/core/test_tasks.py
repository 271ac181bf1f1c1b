"""Tasks and follow-ups: who does what by when, who is reminded of it, and what becomes of what is left."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from bot.core import signals as s
from bot.core.answers.base import Answer, NoWords, Words
from bot.core.decide.due import next_due
from bot.core.decide.incident.tasks import (
    MOST_TASKS,
    CannotBeDue,
    NoTask,
    TaskAsBefore,
    TaskIsDone,
    TaskOver,
    TaskStillOpen,
    TaskTooLong,
    TooManyTasks,
)
from bot.core.effects import InvitePeople, PostLine, RemindOwner
from bot.core.model import LEAD, Actor, Level, Phase, Severity
from bot.core.paging import PagingPolicy, QuietHours
from bot.core.record.recent import needed, without_old
from bot.core.record.task_facts import TaskChanged, TaskReminded
from bot.core.tasks import TaskState
from tests.desk import ANA, BOB, START, Table, policy

GONE = Actor.rule("account deactivated")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def outage(*, quiet: tuple[int, int] | None = None, of: Severity = Severity.SEV2) -> Table:
    """Claude is down since 12:00; `quiet` are the hours that hold that severity."""
    hours = QuietHours(frozenset({of}), time(quiet[0]), time(quiet[1])) if quiet else None
    table = Table(replace(policy(), paging=PagingPolicy(quiet=hours))).all_well()
    table.sees("anthropic.api", Level.DOWN)
    return table


def add(
    table: Table, text: str = "Call support", *, owner: Actor | None = ANA, due: timedelta | None = None, **more: bool
) -> Answer:
    due_at = table.now + due if due else None
    return table.send(s.AddTask(actor=BOB, incident=1, text=text, owner=owner, due_at=due_at, **more)).answer


def resolve(table: Table) -> None:
    table.send(s.SetPhase(actor=ANA, incident=1, phase=Phase.RESOLVED, force=True))


def later(table: Table, length: timedelta, every: timedelta = HOUR) -> None:
    """Time passes in steps of an hour, or of `every`."""
    for _ in range(length // every):
        table.now += every
        table.send(s.TimePassed(actor=GONE))


def reminded(table: Table) -> list[tuple[timedelta, str]]:
    """After how long, and whom."""
    return [(f.at - START, f.body.owner.name if f.body.owner else "") for f in table.facts if isinstance(f.body, TaskReminded)]


# --- what people say


def test_tasks_are_numbered_within_their_incident() -> None:
    """INC-1 task 2 stays that for ever, whatever becomes of the others."""
    table = outage()
    for text in ("Call support", "Check quotas"):
        add(table, text)
    table.send(s.DropTask(actor=ANA, incident=1, task=2))
    add(table, "Write to the customers")

    assert {1: "Call support", 2: "Check quotas", 3: "Write to the customers"} == {
        number: task.text for number, task in table.incident().tasks.items()
    }


def test_an_owner_is_invited_and_helps_while_it_runs() -> None:
    """Whoever has something to do has to get into the channel."""
    table = outage()
    add(table, owner=ANA)

    assert ANA in table.incident().people.responders
    assert table.effects(InvitePeople)[-1] in [effect.key for effect in table.steps[-1].effects]


@pytest.mark.parametrize(
    ("text", "due", "refused"),
    [
        ("  \n", None, NoWords(of=Words.TASK)),
        ("x" * 501, None, TaskTooLong(most=500)),
        ("Call support", -2 * MINUTE, CannotBeDue(due_at=START - 2 * MINUTE, passed=True, days=366)),
        ("Call support", 367 * DAY, CannotBeDue(due_at=START + 367 * DAY, passed=False, days=366)),
    ],
)
def test_what_no_list_can_hold_is_refused(text: str, due: timedelta | None, refused: Answer) -> None:
    """Nothing is written then."""
    table = outage()

    assert refused == add(table, text, due=due)
    assert {} == table.incident().tasks


def test_an_incident_has_room_for_so_many_tasks() -> None:
    """A script that runs wild does not fill the ledger."""
    table = outage()
    for n in range(MOST_TASKS):
        add(table, f"Task {n}", owner=None)

    assert TooManyTasks(incident=1, most=MOST_TASKS) == add(table)


def test_who_says_done_second_is_told_who_was_first() -> None:
    """Two people press at once: done once."""
    table = outage()
    add(table)
    first = table.send(s.FinishTask(actor=ANA, incident=1, task=1)).answer
    second = table.send(s.FinishTask(actor=BOB, incident=1, task=1))

    assert TaskIsDone(incident=1, changed=True, task=1, left=0) == first
    assert TaskOver(incident=1, task=1, state=TaskState.DONE, by=ANA) == second.answer
    assert () == second.facts


def test_a_task_that_is_not_there_says_which_there_are() -> None:
    """A typo closes nothing."""
    table = outage()
    add(table)

    assert NoTask(incident=1, task=9, newest=1) == table.send(s.FinishTask(actor=ANA, incident=1, task=9)).answer


def test_a_task_may_be_handed_over() -> None:
    """Whoever had it has it no longer."""
    table = outage()
    add(table, owner=ANA)
    table.send(s.GiveTask(actor=ANA, incident=1, task=1, to=BOB))

    assert BOB == table.incident().tasks[1].owner
    assert [TaskChanged(1, owner=BOB)] == table.kinds(TaskChanged)


def test_to_take_what_one_has_changes_nothing() -> None:
    """The second press of the same button."""
    table = outage()
    add(table, owner=ANA)

    assert TaskAsBefore(incident=1, task=1, owner=ANA) == table.send(s.GiveTask(actor=BOB, incident=1, task=1, to=ANA)).answer


def test_a_form_writes_down_only_what_differs() -> None:
    """Its time comes without seconds, and is the same one all the same."""
    table = outage()
    table.now += timedelta(seconds=42)
    add(table, due=HOUR)
    due_at = table.incident().tasks[1].due_at
    assert due_at is not None
    form = s.ChangeTask(actor=ANA, incident=1, task=1, text="Call them again", owner=ANA, due_at=due_at.replace(second=0))
    table.send(form)

    assert [TaskChanged(1, text="Call them again")] == table.kinds(TaskChanged)


def test_done_can_be_taken_back() -> None:
    """And only what is done."""
    table = outage()
    add(table)
    early = table.send(s.ReopenTask(actor=ANA, incident=1, task=1)).answer
    table.send(s.FinishTask(actor=ANA, incident=1, task=1))
    table.send(s.ReopenTask(actor=BOB, incident=1, task=1))

    assert TaskStillOpen(incident=1, task=1) == early
    assert table.incident().tasks[1].open


# --- the end


def test_open_tasks_become_follow_ups_when_it_is_over() -> None:
    """What is done stays what it was."""
    table = outage()
    add(table, "Call support")
    add(table, "Check quotas")
    table.send(s.FinishTask(actor=ANA, incident=1, task=1))
    resolve(table)

    assert [False, True] == [task.follow_up for task in table.incident().tasks.values()]


def test_of_an_incident_that_is_over_everything_is_a_follow_up() -> None:
    """Also what was done and is taken up again."""
    table = outage()
    add(table)
    table.send(s.FinishTask(actor=ANA, incident=1, task=1))
    resolve(table)
    table.send(s.ReopenTask(actor=ANA, incident=1, task=1))
    add(table, "Write the runbook")

    assert [True, True] == [task.follow_up for task in table.incident().tasks.values()]


# --- reminders


def test_the_owner_is_reminded_once_when_it_is_due() -> None:
    """By a direct message; a task is not nagged about."""
    table = outage()
    add(table, due=30 * MINUTE)
    table.passes(29)
    early = reminded(table)
    table.passes(300)

    assert [] == early
    assert [(30 * MINUTE, "ana")] == reminded(table)
    assert 1 == len(table.effects(RemindOwner))


def test_nobody_is_reminded_of_what_is_done() -> None:
    """Nor of what was dropped."""
    table = outage()
    add(table, due=30 * MINUTE)
    add(table, due=30 * MINUTE)
    table.send(s.FinishTask(actor=BOB, incident=1, task=1))
    table.send(s.DropTask(actor=BOB, incident=1, task=2))
    table.passes(60)

    assert [] == reminded(table)


@pytest.mark.parametrize("owner", [None, Actor.operator("carl")], ids=["nobody", "at the terminal"])
def test_what_nobody_in_slack_has_is_said_in_the_channel(owner: Actor | None) -> None:
    """Once, for whoever reads it there may take it."""
    table = outage()
    add(table, owner=owner, due=30 * MINUTE, follow_up=True)
    lines = len(table.effects(PostLine))
    later(table, 3 * DAY)

    assert [] == table.effects(RemindOwner)
    assert 1 == len(reminded(table))
    assert lines < len(table.effects(PostLine))


def test_a_follow_up_is_reminded_of_each_day_for_a_week() -> None:
    """At the hour at which it was due."""
    table = outage()
    add(table, due=2 * HOUR, follow_up=True)
    resolve(table)
    later(table, 20 * DAY)

    assert [(2 * HOUR + n * DAY, "ana") for n in range(8)] == reminded(table)


def test_a_follow_up_that_was_due_while_the_bot_was_away_comes_once() -> None:
    """Four days without power are no four messages; then it goes on as before."""
    table = outage()
    add(table, due=2 * HOUR, follow_up=True)
    resolve(table)
    table.now += 4 * DAY
    later(table, 20 * DAY)

    assert [4 * DAY + HOUR, *(2 * HOUR + n * DAY for n in range(4, 8))] == [at for at, _ in reminded(table)]


def test_whoever_gets_an_overdue_task_hears_of_it() -> None:
    """They were not reminded when it fell due."""
    table = outage()
    add(table, owner=ANA, due=30 * MINUTE)
    table.passes(40)
    table.send(s.GiveTask(actor=ANA, incident=1, task=1, to=BOB))
    table.passes(5)

    assert [(30 * MINUTE, "ana"), (40 * MINUTE, "bob")] == reminded(table)


def test_a_reminder_waits_for_the_end_of_quiet_hours() -> None:
    """Those of the incident's severity."""
    table = outage(quiet=(12, 14))
    add(table, due=30 * MINUTE)
    later(table, 5 * HOUR)

    assert [(2 * HOUR, "ana")] == reminded(table)


def test_a_follow_up_waits_for_them_whatever_the_severity_was() -> None:
    """Nothing burns any more."""
    table = outage(quiet=(13, 15), of=Severity.SEV4)
    add(table, due=90 * MINUTE)
    add(table, due=90 * MINUTE, follow_up=True)
    later(table, 5 * HOUR, 30 * MINUTE)

    assert [(90 * MINUTE, "ana"), (3 * HOUR, "ana")] == reminded(table)


def test_an_old_follow_up_is_held_until_its_week_is_over() -> None:
    """However long the incident is over; afterwards it leaves the memory, and stays in the ledger."""
    table = outage()
    add(table, due=90 * DAY, follow_up=True)
    resolve(table)
    table.all_well()
    table.send(s.ReleaseFlag(actor=ANA, flag="support-chat.llm"))
    later(table, 60 * DAY, DAY)
    held = needed(table.world)
    table.world = without_old(table.world, table.now)
    later(table, 60 * DAY, DAY)

    assert frozenset({1}) == held
    assert [(n * DAY, "ana") for n in range(90, 98)] == reminded(table)
    assert frozenset() == needed(table.world)


def test_time_is_looked_at_when_a_task_is_due() -> None:
    """Not a beat later."""
    table = outage()
    table.send(s.Acknowledge(actor=ANA, incident=1))
    add(table, due=5 * MINUTE)

    assert START + 5 * MINUTE == next_due(table.world, table.policy)


# --- who is gone


def test_whoever_is_gone_has_no_task_any_more() -> None:
    """The channel hears which ones are free, with why."""
    table = outage()
    add(table, owner=ANA)
    add(table, owner=BOB)
    table.send(s.GiveRole(actor=ANA, incident=1, role=LEAD, to=BOB))
    table.send(s.HolderGone(actor=GONE, user=ANA.id))

    assert [None, BOB] == [task.owner for task in table.incident().tasks.values()]
    assert [TaskChanged(1, unowned=True, reason="ana's account is deactivated")] == table.kinds(TaskChanged)


def test_due_times_are_kept_in_utc() -> None:
    """Whatever the zone of whoever said it."""
    table = outage()
    add(table, due=HOUR)

    assert datetime(2026, 3, 20, 13, 0, tzinfo=UTC) == table.incident().tasks[1].due_at
