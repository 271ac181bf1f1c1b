"""Tasks and follow-ups, as people read them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.core.model import Actor
from bot.core.record.fact import Fact
from bot.core.record.task_facts import (
    TaskAdded,
    TaskCame,
    TaskChanged,
    TaskDone,
    TaskDropped,
    TaskMoved,
    TaskReminded,
    TaskReopened,
)


def sentence(fact: Fact, names: Mapping[str, str]) -> str:
    """A fact about a task; empty for others."""
    match fact.body:
        case TaskAdded() as b:
            parts = [f"for {_name(b.owner)}" if b.owner else "", f"due {_when(b.due_at)}" if b.due_at else ""]
            told = ", ".join(filter(None, parts))
            return f"{'Follow-up' if b.follow_up else 'Task'} {b.task}{f' ({told})' if told else ''}: {b.text}"
        case TaskChanged() as b:
            return f"Task {b.task} {' and '.join(changes(b))}"
        case TaskDone(task=task):
            return f"Task {task} is done"
        case TaskDropped(task=task):
            return f"Task {task} was dropped"
        case TaskReopened(task=task):
            return f"Task {task} is open again"
        case TaskMoved(task=task, to=to):
            return f"Task {task} goes on in INC-{to.incident} as task {to.task}"
        case TaskCame(task=task, out_of=out_of, came=came):
            return f"Task {task} came from INC-{out_of.incident}, where it was task {out_of.task}: {came.text}"
        case TaskReminded(task=task, owner=None):
            return f"Said that task {task} is due and nobody has it"
        case TaskReminded(task=task, owner=Actor() as owner):
            return f"Reminded {_name(owner)} of task {task}"
    return ""


def changes(b: TaskChanged) -> list[str]:
    """The changes, as the endings of a sentence about the task."""
    found = [f"reads: {b.text}"] if b.text is not None else []
    found += [f"is {_name(b.owner)}'s now"] if b.owner else []
    found += ["has no owner any more"] if b.unowned else []
    found += [f"is due {_when(b.due_at)}"] if b.due_at else []
    return [*found, *(["has no due time any more"] if b.undated else [])]


def _name(actor: Actor) -> str:
    return actor.name or actor.id


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
