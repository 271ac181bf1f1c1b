"""Tasks and follow-ups: who does what by when, reminders, and what happens to open ones at the end.

The time of a reminder follows from the due time and the last reminder, both recorded. While the incident is open its
severity's quiet hours apply; a follow-up waits for the end of all quiet hours, whatever the severity was.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.core.answers.base import Done, NoWords, Refused, Words
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.incident.moving_tasks import holder_of, where
from bot.core.effects import InvitePeople, PostLine, RemindOwner
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, ActorKind
from bot.core.policy import Policy
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.core.record.task_facts import TaskAdded, TaskChanged, TaskDone, TaskDropped, TaskReminded, TaskReopened
from bot.core.record.world import World
from bot.core.signals.tasks import AddTask, ChangeTask, DropTask, FinishTask, GiveTask, ReopenTask
from bot.core.tasks import Task, TaskRef, TaskState

TASKS = Actor.rule("tasks")
TASK_CHARS = 500
MOST_TASKS = 200  # per incident, including finished ones
FARTHEST = timedelta(days=366)
CLOCKS_DIFFER = timedelta(minutes=1)  # a time given to the minute is not past until the minute is
NOW = timedelta(0)


@dataclass(frozen=True, kw_only=True)
class TaskIsAdded(Done):
    """The task is on the list."""

    KIND = "task_added"
    task: int
    text: str
    owner: Actor | None
    due_at: datetime | None
    follow_up: bool
    at: datetime  # now, so that a due time today can be shown without its date


@dataclass(frozen=True, kw_only=True)
class TaskIsChanged(Done):
    """The task reads like this now."""

    KIND = "task_changed"
    task: int
    text: str
    owner: Actor | None
    due_at: datetime | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class TaskIsDone(Done):
    """The task is done; `left` are still open."""

    KIND = "task_done"
    task: int
    left: int


@dataclass(frozen=True, kw_only=True)
class TaskIsDropped(Done):
    """The task will not be done; `left` are still open."""

    KIND = "task_dropped"
    task: int
    left: int


@dataclass(frozen=True, kw_only=True)
class TaskIsOpen(Done):
    """The task is open again."""

    KIND = "task_reopened"
    task: int


@dataclass(frozen=True, kw_only=True)
class NoTask(Refused):
    """There is no such task; `newest` is the highest number, 0 where there is none."""

    KIND = "no_task"
    task: int
    newest: int


@dataclass(frozen=True, kw_only=True)
class TaskOver(Refused):
    """The task is already done or dropped."""

    KIND = "task_over"
    task: int
    state: TaskState
    by: Actor | None


@dataclass(frozen=True, kw_only=True)
class TaskElsewhere(Refused):
    """The task continues in another incident, since this one was merged into it or unmerged from it."""

    KIND = "task_elsewhere"
    task: int
    to: TaskRef


@dataclass(frozen=True, kw_only=True)
class TaskStillOpen(Refused):
    """The task is open already."""

    KIND = "task_still_open"
    task: int


@dataclass(frozen=True, kw_only=True)
class TaskAsBefore(Refused):
    """Nothing about the task would change."""

    KIND = "task_as_before"
    task: int
    owner: Actor | None


@dataclass(frozen=True, kw_only=True)
class TaskTooLong(Refused):
    """The text is too long for a list."""

    KIND = "task_too_long"
    most: int


@dataclass(frozen=True, kw_only=True)
class TooManyTasks(Refused):
    """The incident cannot take more tasks."""

    KIND = "too_many_tasks"
    most: int


@dataclass(frozen=True, kw_only=True)
class CannotBeDue(Refused):
    """The due time has passed, or is unreasonably far away."""

    KIND = "cannot_be_due"
    due_at: datetime
    passed: bool
    days: int


# --- what people ask for


def on_add(draft: Draft, signal: AddTask) -> Step:
    """Add a task with the next number; the line in the channel mentions its owner.

    In a merged incident it becomes a task of the incident that continues.
    """
    incident, text = holder_of(draft.world, signal.incident), _one_line(signal.text)
    if len(incident.tasks) >= MOST_TASKS:
        return draft.refuse(TooManyTasks(incident=incident.number, most=MOST_TASKS))
    if wrong := _wrong(draft, text, signal.due_at):
        return draft.refuse(wrong)
    follow_up = signal.follow_up or not incident.phase.open
    body = TaskAdded(max(incident.tasks, default=0) + 1, text, signal.owner, signal.due_at, follow_up)
    _invite(draft, draft.add(incident.stream, body), signal.owner)
    return draft.done(TaskIsAdded(
        incident=incident.number, task=body.task, text=text, owner=body.owner, due_at=body.due_at, follow_up=follow_up,
        at=draft.now,
    ))  # fmt: skip


def on_change(draft: Draft, signal: ChangeTask) -> Step:
    """Record only what differs."""
    text, (incident, number) = _one_line(signal.text), _at(draft, signal)
    task = incident.tasks.get(number)
    if task is None or not task.open:
        return draft.refuse(not_open(incident, number))
    due_at = task.due_at if _same_minute(task.due_at, signal.due_at) else signal.due_at
    if wrong := _wrong(draft, text, due_at if due_at != task.due_at else None):
        return draft.refuse(wrong)
    return _change(draft, incident, task, text, signal.owner, due_at)


def on_give(draft: Draft, signal: GiveTask) -> Step:
    """Give the task to somebody instead of its present owner."""
    incident, number = _at(draft, signal)
    task = incident.tasks.get(number)
    if task is None or not task.open:
        return draft.refuse(not_open(incident, number))
    return _change(draft, incident, task, task.text, signal.to, task.due_at)


def _change(draft: Draft, incident: Incident, task: Task, text: str, owner: Actor | None, due_at: datetime | None) -> Step:
    same_owner = (owner.id if owner else "") == (task.owner.id if task.owner else "")
    if text == task.text and same_owner and due_at == task.due_at:
        return draft.refuse(TaskAsBefore(incident=incident.number, task=task.number, owner=task.owner))
    body = TaskChanged(
        task.number, text if text != task.text else None, None if same_owner else owner,
        due_at if due_at != task.due_at else None, unowned=not same_owner and owner is None,
        undated=task.due_at is not None and due_at is None,
    )  # fmt: skip
    _invite(draft, draft.add(incident.stream, body), owner)
    return draft.done(TaskIsChanged(
        incident=incident.number, task=task.number, text=text, owner=task.owner if same_owner else owner, due_at=due_at,
        at=draft.now,
    ))  # fmt: skip


def _invite(draft: Draft, fact: Fact, owner: Actor | None) -> None:
    """Invite the task's owner into the channel of an open incident."""
    if owner and owner.kind is ActorKind.PERSON and draft.incident(fact.incident or 0).phase.open:
        draft.send(InvitePeople(), fact)


def on_finish(draft: Draft, signal: FinishTask) -> Step:
    """Finish a task once; a second person is told who was first."""
    incident, number = _at(draft, signal)
    if not _is_open(incident, number):
        return draft.refuse(not_open(incident, number))
    draft.add(incident.stream, TaskDone(number))
    return draft.done(TaskIsDone(incident=incident.number, task=number, left=len(incident.open_tasks) - 1))


def on_drop(draft: Draft, signal: DropTask) -> Step:
    """Drop a task; it stays on record, with the reason."""
    incident, number = _at(draft, signal)
    if not _is_open(incident, number):
        return draft.refuse(not_open(incident, number))
    draft.add(incident.stream, TaskDropped(number, _one_line(signal.reason)))
    return draft.done(TaskIsDropped(incident=incident.number, task=number, left=len(incident.open_tasks) - 1))


def on_reopen(draft: Draft, signal: ReopenTask) -> Step:
    """Reopen a task; once the incident is over it is a follow-up."""
    incident, number = _at(draft, signal)
    task = incident.tasks.get(number)
    if task is None or task.moved_to:
        return draft.refuse(not_open(incident, number))
    if task.open:
        return draft.refuse(TaskStillOpen(incident=incident.number, task=number))
    draft.add(incident.stream, TaskReopened(number))
    return draft.done(TaskIsOpen(incident=incident.number, task=number))


def _at(draft: Draft, signal: ChangeTask | GiveTask | FinishTask | DropTask | ReopenTask) -> tuple[Incident, int]:
    """Where the task is now: old buttons and numbers still find a task that moved to another incident."""
    at = where(draft.world, signal.incident, signal.task)
    return draft.incident(at.incident), at.task


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _wrong(draft: Draft, text: str, due_at: datetime | None) -> Refused | None:
    if not text:
        return NoWords(of=Words.TASK)
    if len(text) > TASK_CHARS:
        return TaskTooLong(most=TASK_CHARS)
    if due_at is None or draft.now - CLOCKS_DIFFER < due_at <= draft.now + FARTHEST:
        return None
    return CannotBeDue(due_at=due_at, passed=due_at <= draft.now, days=FARTHEST.days)


def _is_open(incident: Incident, number: int) -> bool:
    return number in incident.tasks and incident.tasks[number].open


def not_open(incident: Incident, number: int) -> Refused:
    """Why a task cannot be changed: it does not exist, it is over, or it moved."""
    task = incident.tasks.get(number)
    if task is None:
        return NoTask(incident=incident.number, task=number, newest=max(incident.tasks, default=0))
    if task.moved_to:
        return TaskElsewhere(incident=incident.number, task=number, to=task.moved_to)
    return TaskOver(incident=incident.number, task=number, state=task.state, by=task.ended_by)


def _same_minute(one: datetime | None, other: datetime | None) -> bool:
    """Whether they agree to the minute: forms have no seconds, so an untouched time comes back without them."""
    return bool(one and other) and int(one.timestamp()) // 60 == int(other.timestamp()) // 60  # type: ignore[union-attr]


# --- reminders and changes by rule


def let_go(draft: Draft, user: str, rule: Actor) -> None:
    """Free the tasks of a person who is gone, and tell the channels which ones."""
    for incident in awaiting(draft.world):
        for task in incident.open_tasks:
            if task.owner and task.owner.kind is ActorKind.PERSON and task.owner.id == user:
                reason = f"{task.owner.name}'s account is deactivated"
                draft.add(incident.stream, TaskChanged(task.number, unowned=True, reason=reason), actor=rule)


def awaiting(world: World) -> Iterator[Incident]:
    """Open incidents, and those with a follow-up that still needs reminders."""
    some = (incident for incident in world.incidents.values() if incident.tasks)
    for incident in sorted(some, key=lambda one: one.number):  # memory holds them in arrival order
        if incident.phase.open or incident.reminds:
            yield incident


def reminder_at(incident: Incident, task: Task, policy: Policy) -> datetime | None:
    """When the next reminder of the task is due, moved out of quiet hours; None = never."""
    at, quiet = task.next_reminder_at, policy.paging.quiet
    if at is None:
        return None
    if task.follow_up:
        return quiet.later(at, NOW) if quiet else at
    return policy.paging.later(incident.severity, at, NOW)


def on_time(draft: Draft) -> None:
    """Send the reminders that are due."""
    for incident in list(awaiting(draft.world)):
        for task in incident.open_tasks:
            at = reminder_at(incident, task, draft.policy)
            if at is not None and at <= draft.now:
                _remind(draft, incident, task)


def _remind(draft: Draft, incident: Incident, task: Task) -> None:
    """Remind the owner directly if they are a Slack user; else the channel."""
    owner = task.owner
    fact = draft.add(incident.stream, TaskReminded(task.number, owner), actor=TASKS)
    if owner and owner.kind is ActorKind.PERSON:
        draft.send(RemindOwner(task.number, owner.id), fact)
    else:
        draft.send(PostLine(), fact)


HANDLERS: Handlers = {
    AddTask: on_add, ChangeTask: on_change, GiveTask: on_give, FinishTask: on_finish, DropTask: on_drop,
    ReopenTask: on_reopen,
}  # fmt: skip


def due(world: World, policy: Policy) -> Iterator[datetime]:
    """When the next reminder of each task is due."""
    for incident in awaiting(world):
        yield from filter(None, (reminder_at(incident, task, policy) for task in incident.open_tasks))
