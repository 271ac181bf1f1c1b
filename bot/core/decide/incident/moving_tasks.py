"""Tasks go along: into the incident that another one became part of, and back when they are taken apart.

A task is done, dropped or open in one incident only, so that it is reminded of and reopened once; the other one keeps on record
where it went.
"""

from collections.abc import Iterator
from dataclasses import replace

from bot.core.decide.draft import Draft
from bot.core.record.incident import Incident
from bot.core.record.task_facts import TaskCame, TaskMoved
from bot.core.record.world import World
from bot.core.tasks import Task, TaskRef


def hand_over(draft: Draft, number: int, into: int) -> None:
    """What is still to be done in the merged one is on the list of the other one from now on."""
    for task in draft.incident(number).open_tasks:
        target = draft.incident(into)
        here, there = TaskRef(number, task.number), TaskRef(into, max(target.tasks, default=0) + 1)
        draft.add(draft.incident(number).stream, TaskMoved(task.number, there))
        draft.add(target.stream, TaskCame(there.task, here, replace(task, number=there.task, came_from=here)))


def bring_back(draft: Draft, holder: int, number: int) -> None:
    """What came from it goes back: on its list as it is now, done or not."""
    back = draft.incident(number)
    for own, task in list(lent(draft.incident(holder), back)):
        came = replace(task, number=own.number, came_from=own.came_from, follow_up=own.follow_up)
        draft.add(draft.incident(holder).stream, TaskMoved(task.number, TaskRef(number, own.number)))
        draft.add(back.stream, TaskCame(own.number, TaskRef(holder, task.number), came))


def lent(holder: Incident, part: Incident) -> Iterator[tuple[Task, Task]]:
    """The tasks that the part gave to the other one: as it keeps them on record, and as they stand there."""
    for own in part.tasks.values():
        if own.moved_to and own.moved_to.incident == holder.number and own.moved_to.task in holder.tasks:
            yield own, holder.tasks[own.moved_to.task]


def holder_of(world: World, number: int) -> Incident:
    """The incident that has the tasks of this one: the one that it is part of, where that is at hand, or itself."""
    incident = world.incidents[number]
    return world.incidents.get(incident.merged.number, incident) if incident.merged else incident


def where(world: World, incident: int, task: int) -> TaskRef:
    """Where a task is now: in this incident, or where it went from there."""
    at = TaskRef(incident, task)
    while (held := world.incidents.get(at.incident)) and (found := held.tasks.get(at.task)) and found.moved_to:
        if found.moved_to.incident not in world.incidents:
            break
        at = found.moved_to
    return at
