"""The facts of tasks and follow-ups, each with its effect on their incident."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, ActorKind
from bot.core.record.fact import Body, Fact, Reasoned
from bot.core.record.incident import Incident
from bot.core.tasks import Task, TaskRef, TaskState


class OfTask:
    """A fact about an existing task."""

    task: int


@dataclass(frozen=True)
class TaskAdded(Body):
    """Somebody added something to be done, by whom and by when. A follow-up outlives the incident."""

    KIND = "incident.task_added"
    ANNOUNCED = True
    task: int
    text: str
    owner: Actor | None = None
    due_at: datetime | None = None
    follow_up: bool = False

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Add it under the next number."""
        made = Task(self.task, self.text, self.owner, self.due_at, self.follow_up, fact.actor, fact.at)
        return _with(self.owner, replace(state, tasks={**state.tasks, self.task: made}))


@dataclass(frozen=True)
class TaskChanged(OfTask, Reasoned, Body):
    """Text, owner or due time of a task changed. None: unchanged; `unowned`, `undated`: no owner, no due time any more."""

    KIND = "incident.task_changed"
    ANNOUNCED = True
    task: int
    text: str | None = None
    owner: Actor | None = None
    due_at: datetime | None = None
    unowned: bool = False
    undated: bool = False
    reason: str = ""  # set if no person decided it

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """A new owner or due time gets new reminders."""
        before = state.tasks[self.task]
        anew = bool(self.due_at or self.undated or self.owner or self.unowned)
        changed = _changed(
            state, self.task, text=self.text if self.text is not None else before.text,
            owner=None if self.unowned else self.owner or before.owner,
            due_at=None if self.undated else self.due_at or before.due_at,
            reminded_at=None if anew else before.reminded_at,
        )  # fmt: skip
        return _with(self.owner, changed)


@dataclass(frozen=True)
class TaskDone(OfTask, Body):
    """Somebody did the task, or says that it is done."""

    KIND = "incident.task_done"
    ANNOUNCED = True
    task: int

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Nobody has to do it any more."""
        return _changed(state, self.task, state=TaskState.DONE, ended_at=fact.at, ended_by=fact.actor)


@dataclass(frozen=True)
class TaskDropped(OfTask, Reasoned, Body):
    """The task will not be done."""

    KIND = "incident.task_dropped"
    ANNOUNCED = True
    task: int
    reason: str = ""

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """It stays on record."""
        dropped = TaskState.DROPPED
        return _changed(state, self.task, state=dropped, ended_at=fact.at, ended_by=fact.actor, reason=self.reason)


@dataclass(frozen=True)
class TaskReopened(OfTask, Body):
    """The task is not done after all, or should be done after all."""

    KIND = "incident.task_reopened"
    ANNOUNCED = True
    task: int

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """As before, without repeating past reminders. Once the incident is over it is a follow-up."""
        follow_up = state.tasks[self.task].follow_up or not state.phase.open
        return _changed(state, self.task, state=TaskState.OPEN, ended_at=None, ended_by=None, reason="", follow_up=follow_up)


@dataclass(frozen=True)
class TaskReminded(OfTask, Body):
    """A task is due: its owner was reminded by direct message; without an owner (`owner` None), the channel was."""

    KIND = "incident.task_reminded"
    BOOKKEEPING = True
    task: int
    owner: Actor | None

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Not again on the same day."""
        return _changed(state, self.task, reminded_at=fact.at)


@dataclass(frozen=True)
class TaskMoved(OfTask, Body):
    """A task continues in another incident, after a merge or unmerge."""

    KIND = "incident.task_moved"
    task: int
    to: TaskRef

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """It stays on record here, but nobody has to do it here."""
        return _changed(state, self.task, state=TaskState.MOVED, moved_to=self.to, ended_at=fact.at, ended_by=fact.actor)


@dataclass(frozen=True)
class TaskCame(OfTask, Body):
    """A task of another incident continues here in its current state, reminders included; or returns, done or not."""

    KIND = "incident.task_came"
    task: int
    out_of: TaskRef
    came: Task

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Under this number, which is its old one if it returns."""
        return _with(self.came.owner, replace(state, tasks={**state.tasks, self.task: self.came}))


def _changed(incident: Incident, task: int, **changes: Any) -> Incident:
    return replace(incident, tasks={**incident.tasks, task: replace(incident.tasks[task], **changes)})


def _with(owner: Actor | None, incident: Incident) -> Incident:
    """The owner of a task in an open incident is a responder."""
    known = {person.id for person in incident.people.everybody}
    if owner is None or owner.kind is not ActorKind.PERSON or owner.id in known or not incident.phase.open:
        return incident
    return replace(incident, people=replace(incident.people, responders=(*incident.people.responders, owner)))
