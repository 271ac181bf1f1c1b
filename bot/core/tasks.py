"""Things to be done: tasks of an incident, and follow-ups, which outlive it. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, ActorKind

A_DAY = timedelta(days=1)
MOST_DAYS = 7  # of daily reminders after a follow-up fell due


class TaskState(StrEnum):
    """Whether a task is still to be done."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"
    MOVED = "moved"  # it continues in another incident: `moved_to`


@dataclass(frozen=True)
class TaskRef:
    """A task, by the number of its incident and its own."""

    incident: int
    task: int


@dataclass(frozen=True)
class Task:
    """One thing to do, numbered within its incident. It may have no owner and no due time."""

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
    reminded_at: datetime | None = None  # the last reminder for this owner and due time
    came_from: TaskRef | None = None  # where it was added, if that incident was merged into this one
    moved_to: TaskRef | None = None  # where it continues

    @property
    def open(self) -> bool:
        """Whether it is still to be done."""
        return self.state is TaskState.OPEN

    @property
    def next_reminder_at(self) -> datetime | None:
        """When the owner is reminded next, ignoring quiet hours; None = never again.

        Once when it falls due; a follow-up also once a day after that, for at most a week.
        """
        if not self.open or self.due_at is None:
            return None
        if self.reminded_at is None:
            return self.due_at
        known = self.owner is not None and self.owner.kind is ActorKind.PERSON  # only people are reminded daily
        days = (self.reminded_at - self.due_at) // A_DAY + 1
        return self.due_at + days * A_DAY if self.follow_up and known and days <= MOST_DAYS else None


def outliving(tasks: Mapping[int, Task]) -> dict[int, Task]:
    """The tasks once their incident is over: open ones become follow-ups."""
    return {number: replace(task, follow_up=True) if task.open else task for number, task in tasks.items()}
