"""The verbs of tasks and follow-ups: rows like those of the incident that they belong to."""

from bot.core.signals.base import Signal
from bot.core.signals.tasks import AddTask, DropTask, FinishTask, GiveTask, ReopenTask
from bot.verbs.verb import REASON_CHARS, Arguments, IncidentVerb, Parameter, Sender


def task(by: Sender, given: Arguments) -> Signal:
    """Add a task, with owner and due time."""
    to_do = given.assignment(by.actor)
    return AddTask(by.actor, by.id, incident=by.incident, text=to_do.text, owner=to_do.owner, due_at=to_do.due_at)


def followup(by: Sender, given: Arguments) -> Signal:
    """Add a task for after the end."""
    to_do = given.assignment(by.actor)
    return AddTask(
        by.actor, by.id, incident=by.incident, text=to_do.text, owner=to_do.owner, due_at=to_do.due_at, follow_up=True
    )  # fmt: skip


def done(by: Sender, given: Arguments) -> Signal:
    """Say that a task is done."""
    return FinishTask(by.actor, by.id, incident=by.incident, task=given.number("task"))


def undone(by: Sender, given: Arguments) -> Signal:
    """Say that a task is not done after all."""
    return ReopenTask(by.actor, by.id, incident=by.incident, task=given.number("task"))


def take(by: Sender, given: Arguments) -> Signal:
    """Take a task, or assign it."""
    number = given.number("task")
    return GiveTask(by.actor, by.id, incident=by.incident, task=number, to=given.receiver(by.actor))


def drop(by: Sender, given: Arguments) -> Signal:
    """Say that a task will not be done."""
    number, reason = given.number("task"), given.text("reason", REASON_CHARS)
    return DropTask(by.actor, by.id, incident=by.incident, task=number, reason=reason)


TO_DO = (Parameter("text"), Parameter("owner", needed=False), Parameter("due", needed=False))

TASK_VERBS: tuple[IncidentVerb, ...] = (
    IncidentVerb(
        "task",
        "[INC-7] TEXT @ana in 30m",
        "add a task",
        task,
        TO_DO,
        told_at="tasks",
        help="Add a task; OWNER is me, a login or a Slack user id, DUE 30m, 2h or a time such as 2026-03-20T15:00+01:00.",
    ),
    IncidentVerb(
        "followup",
        "[INC-7] TEXT [@ben] [due Friday]",
        "the same, for after the incident",
        followup,
        TO_DO,
        told_at="tasks",
        help="Add a follow-up: a task that outlives the incident.",
    ),
    IncidentVerb(
        "done",
        "[INC-7] 3",
        "task 3 is done",
        done,
        (Parameter("task"),),
        told_at="tasks",
        help="Say that a task is done, by its number.",
    ),
    IncidentVerb(
        "undone", "[INC-7] 3", "it is not", undone, (Parameter("task"),), told_at="tasks", help="Say that a task is not done."
    ),
    IncidentVerb(
        "take",
        "[INC-7] 3 [@ana]",
        "take task 3, or hand it over",
        take,
        (Parameter("task"), Parameter("owner", needed=False)),
        told_at="tasks",
        help="Take a task, or give it to OWNER: me, a login, a Slack user id, or none.",
    ),
    IncidentVerb(
        "drop",
        "[INC-7] 3 [REASON]",
        "nobody does task 3",
        drop,
        (Parameter("task"), Parameter("reason", needed=False)),
        told_at="tasks",
        help="Say that nobody will do a task.",
    ),
)
