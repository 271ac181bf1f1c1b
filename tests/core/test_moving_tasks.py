"""Tasks of an incident that is merged follow into the one that goes on, and come back: never lost, reminded of once."""

from datetime import timedelta

from bot.core import signals as s
from bot.core.decide.incident.tasks import TaskElsewhere, TaskIsDone, TaskStillOpen
from bot.core.model import Actor, Phase
from bot.core.record.task_facts import TaskReminded
from bot.core.tasks import Task, TaskRef, TaskState
from tests.core.test_merging import merge, phase, two, unmerge
from tests.desk import ANA, BOB, START, Table, told

HALF_AN_HOUR = timedelta(minutes=30)


def add(table: Table, incident: int, text: str, *, owner: Actor | None = ANA, due: timedelta | None = None) -> None:
    due_at = table.now + due if due else None
    assert table.send(s.AddTask(actor=BOB, incident=incident, text=text, owner=owner, due_at=due_at)).answer.ok


def merged() -> Table:
    """INC-1 has one task, INC-2 two, of which one is due in half an hour; then INC-2 becomes part of INC-1."""
    table = two()
    add(table, 1, "Ask OpenAI")
    add(table, 2, "Call support", due=HALF_AN_HOUR)
    add(table, 2, "Check quotas", owner=None)
    merge(table, 2, 1)
    return table


def open_tasks(table: Table, incident: int) -> list[str]:
    return [task.text for task in table.incident(incident).open_tasks]


def task(table: Table, incident: int, number: int) -> Task:
    return table.incident(incident).tasks[number]


def reminded(table: Table) -> list[tuple[int | None, timedelta]]:
    """In which incident, after how long."""
    return [(fact.incident, fact.at - START) for fact in table.facts if isinstance(fact.body, TaskReminded)]


def test_open_tasks_follow_into_the_one_that_goes_on() -> None:
    """Under the next numbers there, with where they came from."""
    table = merged()

    assert ["Ask OpenAI", "Call support", "Check quotas"] == open_tasks(table, 1)
    assert [TaskRef(2, 1), TaskRef(2, 2)] == [task(table, 1, n).came_from for n in (2, 3)]


def test_a_task_that_is_added_afterwards_is_one_of_the_one_that_goes_on() -> None:
    """Nobody looks at the list of the merged one any more."""
    table = merged()
    said = table.send(s.AddTask(actor=BOB, incident=2, text="Tell the bank")).answer

    assert (1, "Task 4 of INC-1") == (said.incident, told(said)[:15])
    assert "Tell the bank" in open_tasks(table, 1)
    assert [] == open_tasks(table, 2)


def test_what_was_done_stays_where_it_was_done() -> None:
    """It is history."""
    table = two()
    add(table, 2, "Call support")
    table.send(s.FinishTask(actor=ANA, incident=2, task=1))
    merge(table, 2, 1)

    assert ({}, TaskState.DONE) == (table.incident(1).tasks, task(table, 2, 1).state)


def test_the_merged_one_says_where_its_tasks_went() -> None:
    """Whoever looks there finds them."""
    table = merged()

    assert [] == open_tasks(table, 2)
    assert [TaskRef(1, 2), TaskRef(1, 3)] == [task(table, 2, n).moved_to for n in (1, 2)]


def test_a_task_that_went_along_is_reminded_of_once() -> None:
    """In the incident that people work on."""
    table = merged()
    table.passes(31)

    assert [(1, HALF_AN_HOUR)] == [(number, min(at, HALF_AN_HOUR)) for number, at in reminded(table)]


def test_what_was_reminded_of_is_not_reminded_of_again_after_a_merge() -> None:
    """The owner knows."""
    table = two()
    add(table, 2, "Call support", due=HALF_AN_HOUR)
    table.passes(31)
    merge(table, 2, 1)
    table.passes(31)
    unmerge(table, 2)
    table.passes(31)

    assert 1 == len(reminded(table))


def test_done_on_an_old_reminder_finds_the_task() -> None:
    """Its button names the incident that the task was in."""
    table = merged()
    answer = table.send(s.FinishTask(actor=ANA, incident=2, task=1)).answer

    assert TaskIsDone(incident=1, changed=True, task=2, left=2) == answer


def test_open_tasks_come_back_when_they_are_taken_apart() -> None:
    """Under their old numbers, as they read by then."""
    table = merged()
    table.send(s.GiveTask(actor=ANA, incident=1, task=3, to=BOB))
    unmerge(table, 2)

    assert ["Ask OpenAI"] == open_tasks(table, 1)
    assert ["Call support", "Check quotas"] == open_tasks(table, 2)
    assert BOB == task(table, 2, 2).owner
    assert BOB in table.incident(2).people.everybody


def test_what_was_done_meanwhile_comes_back_as_done() -> None:
    """Nobody does it twice, nor reopens it twice: it is in one place."""
    table = merged()
    table.send(s.FinishTask(actor=BOB, incident=1, task=2))
    unmerge(table, 2)

    assert (TaskState.DONE, BOB) == (task(table, 2, 1).state, task(table, 2, 1).ended_by)
    assert (TaskState.MOVED, TaskRef(2, 1)) == (task(table, 1, 2).state, task(table, 1, 2).moved_to)


def test_tasks_come_back_from_one_that_is_over() -> None:
    """There they had become follow-ups; in a running incident they are tasks again."""
    table = merged()
    phase(table, 1, Phase.RESOLVED)
    unmerge(table, 2)
    table.passes(31)

    assert (["Ask OpenAI"], ["Call support", "Check quotas"]) == (open_tasks(table, 1), open_tasks(table, 2))
    assert not task(table, 2, 1).follow_up
    assert [2] == [number for number, _ in reminded(table)]


def test_tasks_go_and_come_as_often_as_people_change_their_minds() -> None:
    """Open in one place at a time."""
    table = merged()
    for _ in range(3):
        unmerge(table, 2)
        merge(table, 2, 1)

    assert (["Ask OpenAI", "Call support", "Check quotas"], []) == (open_tasks(table, 1), open_tasks(table, 2))
    answer = table.send(s.ReopenTask(actor=ANA, incident=2, task=1)).answer
    assert isinstance(answer, TaskStillOpen)


def test_an_old_number_finds_the_task_that_came_back() -> None:
    """That of the other list, too."""
    table = merged()
    unmerge(table, 2)
    answer = table.send(s.FinishTask(actor=ANA, incident=1, task=2)).answer

    assert TaskIsDone(incident=2, changed=True, task=1, left=1) == answer


def test_an_incident_that_nobody_has_at_hand_is_named() -> None:
    """Rather than a word about a task that is over."""
    table = merged()
    table.world = table.world.without_incidents([1])
    answer = table.send(s.FinishTask(actor=ANA, incident=2, task=1)).answer

    assert TaskElsewhere(incident=2, task=1, to=TaskRef(1, 2)) == answer
