"""What is to be done by somebody: a task of an incident, or a follow-up, which outlives it. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, ActorKind

A_DAY = timedelta(days=1)
MOST_DAYS = 7  # that a follow-up is reminded of after it fell due


class TaskState(StrEnum):
    """Whether anybody still has to do something."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"
    MOVED = "moved"  # it goes on in another incident: `moved_to`


@dataclass(frozen=True)
class TaskRef:
    """A task of some incident, by both numbers."""

    incident: int
    task: int


@dataclass(frozen=True)
class Task:
    """One thing to do, by its number within the incident. Without an owner it waits for one; without `due_at` it has time."""

    number: int
    text: str
    owner: Actor | None
    due_at: datetime | None
    follow_up: bool
    added_by: Actor
    added_at: datetime
    state: TaskState = TaskState.OPEN
    ended_at: datetime | None = None
    ended_by: Actor | None = None
    reason: str = ""  # why it was dropped
    reminded_at: datetime | None = None  # the last time, for this owner and this due time
    came_from: TaskRef | None = None  # it was said in an incident that became part of this one
    moved_to: TaskRef | None = None  # where it goes on

    @property
    def open(self) -> bool:
        """Whether it is still to be done."""
        return self.state is TaskState.OPEN

    @property
    def next_reminder_at(self) -> datetime | None:
        """When the owner is reminded next, quiet hours not looked at; None = not (any more).

        Once when it falls due; of a follow-up once a day after that, for a week at most.
        """
        if not self.open or self.due_at is None:
            return None
        if self.reminded_at is None:
            return self.due_at
        known = self.owner is not None and self.owner.kind is ActorKind.PERSON  # others are not told every day
        days = (self.reminded_at - self.due_at) // A_DAY + 1
        return self.due_at + days * A_DAY if self.follow_up and known and days <= MOST_DAYS else None


def outliving(tasks: Mapping[int, Task]) -> dict[int, Task]:
    """What becomes of tasks when their incident is over: those that are open are follow-ups."""
    return {number: replace(task, follow_up=True) if task.open else task for number, task in tasks.items()}
