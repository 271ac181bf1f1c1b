"""Tasks move when incidents merge, and move back when they are unmerged.

A task is open, done or dropped in one incident only, so that it is reminded of and reopened once. The other incident records
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
    """Move the merged incident's open tasks to the list of the incident that it is now part of."""
    for task in draft.incident(number).open_tasks:
        target = draft.incident(into)
        here, there = TaskRef(number, task.number), TaskRef(into, max(target.tasks, default=0) + 1)
        draft.add(draft.incident(number).stream, TaskMoved(task.number, there))
        draft.add(target.stream, TaskCame(there.task, here, replace(task, number=there.task, came_from=here)))


def bring_back(draft: Draft, holder: int, number: int) -> None:
    """Move back the tasks that came from it, in their current state, done or not."""
    back = draft.incident(number)
    for own, task in list(lent(draft.incident(holder), back)):
        came = replace(task, number=own.number, came_from=own.came_from, follow_up=own.follow_up)
        draft.add(draft.incident(holder).stream, TaskMoved(task.number, TaskRef(number, own.number)))
        draft.add(back.stream, TaskCame(own.number, TaskRef(holder, task.number), came))


def lent(holder: Incident, part: Incident) -> Iterator[tuple[Task, Task]]:
    """The tasks that the part handed over: as the part recorded them, and as they are now."""
    for own in part.tasks.values():
        if own.moved_to and own.moved_to.incident == holder.number and own.moved_to.task in holder.tasks:
            yield own, holder.tasks[own.moved_to.task]


def holder_of(world: World, number: int) -> Incident:
    """The incident that has this one's tasks: the one it is part of, if loaded, or itself."""
    incident = world.incidents[number]
    return world.incidents.get(incident.merged.number, incident) if incident.merged else incident


def where(world: World, incident: int, task: int) -> TaskRef:
    """Where a task is now: in this incident, or where it moved to."""
    at = TaskRef(incident, task)
    while (held := world.incidents.get(at.incident)) and (found := held.tasks.get(at.task)) and found.moved_to:
        if found.moved_to.incident not in world.incidents:
            break
        at = found.moved_to
    return at
