"""The facts of tasks and follow-ups, each with what it makes of the incident that they belong to."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, ActorKind
from bot.core.record.fact import Body, Fact, Reasoned
from bot.core.record.incident import Incident
from bot.core.tasks import Task, TaskRef, TaskState


class OfTask:
    """A fact about a task that is there already."""

    task: int


@dataclass(frozen=True)
class TaskAdded(Body):
    """Somebody said what is to be done, by whom and by when. A follow-up outlives the incident."""

    KIND = "incident.task_added"
    ANNOUNCED = True
    task: int
    text: str
    owner: Actor | None = None
    due_at: datetime | None = None
    follow_up: bool = False

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """One more, under the next number."""
        made = Task(self.task, self.text, self.owner, self.due_at, self.follow_up, fact.actor, fact.at)
        return _with(self.owner, replace(state, tasks={**state.tasks, self.task: made}))


@dataclass(frozen=True)
class TaskChanged(OfTask, Reasoned, Body):
    """What is to be done, by whom or by when is another one now. None: as before; `unowned`, `undated`: nobody, no time."""

    KIND = "incident.task_changed"
    ANNOUNCED = True
    task: int
    text: str | None = None
    owner: Actor | None = None
    due_at: datetime | None = None
    unowned: bool = False
    undated: bool = False
    reason: str = ""  # why, where nobody decided it

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """A new owner or due time is reminded of anew."""
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
    """Somebody did it, or says that it is done."""

    KIND = "incident.task_done"
    ANNOUNCED = True
    task: int

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Nobody has to do it any more."""
        return _changed(state, self.task, state=TaskState.DONE, ended_at=fact.at, ended_by=fact.actor)


@dataclass(frozen=True)
class TaskDropped(OfTask, Reasoned, Body):
    """It is not going to be done."""

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
    """It is not done, or to be done after all."""

    KIND = "incident.task_reopened"
    ANNOUNCED = True
    task: int

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """As it was before; what it was reminded of is not repeated. Of an incident that is over it is a follow-up."""
        follow_up = state.tasks[self.task].follow_up or not state.phase.open
        return _changed(state, self.task, state=TaskState.OPEN, ended_at=None, ended_by=None, reason="", follow_up=follow_up)


@dataclass(frozen=True)
class TaskReminded(OfTask, Body):
    """A task is due: its owner was reminded in a direct message; one that nobody has was said in the channel (`owner` None)."""

    KIND = "incident.task_reminded"
    BOOKKEEPING = True
    task: int
    owner: Actor | None

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Not again for the same day."""
        return _changed(state, self.task, reminded_at=fact.at)


@dataclass(frozen=True)
class TaskMoved(OfTask, Body):
    """A task goes on in another incident, since the two became one, or are two again."""

    KIND = "incident.task_moved"
    task: int
    to: TaskRef

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """It stays on record here, and is nobody's to do."""
        return _changed(state, self.task, state=TaskState.MOVED, moved_to=self.to, ended_at=fact.at, ended_by=fact.actor)


@dataclass(frozen=True)
class TaskCame(OfTask, Body):
    """A task of another incident goes on here as it stood there, reminders and all; or comes back, done or not."""

    KIND = "incident.task_came"
    task: int
    out_of: TaskRef
    came: Task

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Under this number, which is its old one where it comes back."""
        return _with(self.came.owner, replace(state, tasks={**state.tasks, self.task: self.came}))


def _changed(incident: Incident, task: int, **changes: Any) -> Incident:
    return replace(incident, tasks={**incident.tasks, task: replace(incident.tasks[task], **changes)})


def _with(owner: Actor | None, incident: Incident) -> Incident:
    """Whoever gets something to do while it runs is among those who help."""
    known = {person.id for person in incident.people.everybody}
    if owner is None or owner.kind is not ActorKind.PERSON or owner.id in known or not incident.phase.open:
        return incident
    return replace(incident, people=replace(incident.people, responders=(*incident.people.responders, owner)))
