"""Tasks and follow-ups: their lines, the list with its buttons, the form, the reminder, and answers."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from bot.core.answers.base import Answer
from bot.core.decide.incident import tasks as ta
from bot.core.model import Actor, ActorKind
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.core.record.task_facts import TaskAdded, TaskChanged, TaskDone, TaskDropped, TaskReminded, TaskReopened
from bot.core.tasks import Task
from bot.ports import Message
from bot.views.blocks import Block, actions, button, context, header, section
from bot.views.faces import Face, Slack
from bot.views.form_parts import View, input_block, modal, text_input
from bot.views.limits import fit
from bot.views.names import drill_mark
from bot.views.scene import Scene
from bot.views.text import (
    SLACK_USER,
    capital,
    clock,
    code,
    count,
    foreign,
    how,
    inert,
    plain,
    retold,
    spoken,
    stop,
    unmarked,
    who,
    words,
)

DONE, TAKE, CHANGE = "task.done", "task.take", "task.change"
CHANGE_CALLBACK = "change_task"
MOST_ON_CARD = 5
MOST_NAMED = 3  # in a sentence
MOST_LISTED = 15  # each needs two blocks, and Slack accepts fifty
SHORT, LONG = 80, 300

FactMessage = tuple[str, str, list[Block]]  # notification, mrkdwn, buttons


def task_line(task: Task, now: datetime, most: int = SHORT) -> str:
    """`3. Call Anthropic support · @ana · due 15:00`."""
    late = task.due_at is not None and task.due_at < now
    parts = [f"{task.number}. {foreign(task.text, most)}", who(task.owner) if task.owner else "no owner yet"]
    parts += [f"{'*overdue* since' if late else 'due'} {clock(task.due_at, now)}"] if task.due_at else []
    parts += [f"from INC-{task.came_from.incident}"] if task.came_from else []
    return " · ".join(parts)


def open_tasks(scene: Scene) -> str:
    """What is to be done, for the card; empty if nothing is."""
    open_ones = scene.incident.open_tasks
    lines = [task_line(task, scene.now) for task in open_ones[:MOST_ON_CARD]]
    more = len(open_ones) - len(lines)
    return "\n".join(["*Tasks*", *lines, *([f"and {more} more: `/incident tasks`"] if more else [])]) if lines else ""


def left_over(scene: Scene) -> str:
    """Tasks not done at the end, for the summary; empty if there are none."""
    left = scene.incident.open_tasks
    if not left:
        return ""
    if len(left) == 1:
        owner = f" ({who(left[0].owner)})" if left[0].owner else ""
        return f"Left as a follow-up: {left[0].number}. {foreign(left[0].text, SHORT)}{owner}."
    owners = list(dict.fromkeys(who(task.owner) for task in left if task.owner))
    return f"{len(left)} follow-ups are left{f' for {words(owners)}' if owners else ''}: `/incident tasks`."


def task_list(scene: Scene) -> Message:
    """`/incident tasks`: open tasks with their buttons, and how many are done."""
    incident, open_ones = scene.incident, scene.incident.open_tasks
    moved = [task.moved_to for task in incident.tasks.values() if task.moved_to]
    over = len(incident.tasks) - len(open_ones) - len(moved)
    what = f"{incident.name}: {count(len(open_ones), 'open task')}" if open_ones else f"Nothing is open in {incident.name}"
    what = f"{drill_mark(incident)}{what}"
    blocks: list[Block] = [header(what)]
    for task in open_ones[:MOST_LISTED]:
        line = task_line(task, scene.now, LONG) + (" · follow-up" if task.follow_up else "")
        blocks += [section(line), *actions(task_buttons(incident, task))]
    if len(open_ones) > MOST_LISTED:
        blocks.append(context(f"{len(open_ones) - MOST_LISTED} more: `understudy incident tasks {incident.name}`"))
    hints = [f"{over} done or dropped"] if over else []
    if moved:
        hints.append(f"{len(moved)} went to {words(list(dict.fromkeys(f'INC-{to.incident}' for to in moved)))}")
    hints.append("`/incident task TEXT @ana in 30m` adds one")
    blocks.append(context(" · ".join(hints)))
    return fit(Message(f"{what}.", tuple(blocks)))


def which_task(incident: Incident, verb: str) -> str:
    """The likely tasks for somebody who typed `/incident done` without a number."""
    open_ones = incident.open_tasks
    listed = [f"{task.number} ({unmarked(plain(task.text, 40))})" for task in open_ones[:MOST_NAMED]]
    more = ": `/incident tasks` shows all" if len(open_ones) > MOST_NAMED else ""
    said = f"Open: {', '.join(listed)}{more}. Write {code(f'/incident {verb} {open_ones[0].number}')}." if open_ones else ""
    return f"{said or f'{incident.name} has no open task.'} To end the incident: `/incident resolve`."


def task_buttons(incident: Incident, task: Task, *, take: bool = True) -> list[Block]:
    """What one can do with it; its owner cannot take it again."""
    verbs = (("Done", DONE), *((("Take", TAKE),) if take else ()), ("Change…", CHANGE))
    return [_button(label, verb, incident, task.number) for label, verb in verbs]


def _button(label: str, verb: str, incident: Incident, number: int) -> Block:
    return button(label, f"{verb}:{number}", {"incident": incident.number, "task": number})


def task_modal(incident: Incident, task: Task, metadata: str) -> View:
    """The form that changes a task's text, owner and due time."""
    person: dict[str, Any] = {"type": "users_select", "action_id": "person"}
    if task.owner and is_in_slack(task.owner):
        person["initial_user"] = task.owner.id
    at: dict[str, Any] = {"type": "datetimepicker", "action_id": "time"}
    if task.due_at:
        at["initial_date_time"] = int(task.due_at.timestamp())
    text = {**text_input("text", ta.TASK_CHARS, ""), "initial_value": task.text}
    blocks = [
        input_block("text", "What needs doing?", text),
        input_block("person", "Who does it?", person, "If empty, anybody may take it.", optional=True),
        input_block("time", "By when?", at, "In your own time zone. They are reminded then.", optional=True),
    ]
    return modal(CHANGE_CALLBACK, f"Task {task.number} of {incident.name}", "Save", blocks, metadata)


def is_in_slack(owner: Actor) -> bool:
    """Whether they are a Slack user, so that a form can show them."""
    return owner.kind is ActorKind.PERSON and bool(SLACK_USER.fullmatch(owner.id))


def reminder(incident: Incident, task: Task, now: datetime) -> Message:
    """The direct message to the owner of a due task."""
    kind = "Follow-up" if task.follow_up else "Task"
    due = f"was due {clock(task.due_at, now)}" if task.due_at and task.reminded_at and _later_day(task) else "is due"
    said = f"*{kind} {task.number} of {incident.name} {due}*: {foreign(task.text, LONG)}"
    where = f"{foreign(incident.title, 120)}{f' · <#{incident.room.channel}>' if incident.room.channel else ''}"
    buttons = [_button("Done", DONE, incident, task.number), _button("Change…", CHANGE, incident, task.number)]
    return fit(Message(spoken(said), (section(f"{said}\n{where}"), *actions(buttons))))


def _later_day(task: Task) -> bool:
    """Whether an earlier reminder was sent."""
    due, last = task.due_at, task.reminded_at
    return bool(due and last) and (last - due).days >= 1  # type: ignore[operator]


def task_fact(fact: Fact, incident: Incident) -> FactMessage | None:
    """What the channel is told about a task; None for other facts."""
    match fact.body:
        case TaskAdded() as b:
            kind = "Follow-up" if b.follow_up else "Task"
            due = f", due {clock(b.due_at, fact.at)}" if b.due_at else ""
            said = f"*{kind} {b.task}*{f' for {who(b.owner)}' if b.owner else ''}{due}: {foreign(b.text, LONG)}"
            return spoken(said), f"{said} ({how(fact.actor)})", _if_open(incident, b.task, take=b.owner is None)
        case TaskChanged(reason=reason) as b:
            text = _text(incident, b.task) if b.text is None else ""
            said = f"*Task {b.task}* {words(_changes(b, fact.at))}{text} ({retold(reason, 200) or how(fact.actor)})."
            return spoken(said), said, _if_open(incident, b.task, take=True) if b.unowned else []
        case TaskDone(task=task):
            return _plain(f"✅ Task {task} is done{_text(incident, task)} ({how(fact.actor)}).")
        case TaskDropped(task=task, reason=reason):
            why = f" {stop(capital(foreign(reason, LONG)))}" if reason else ""
            return _plain(f"Task {task} was dropped{_text(incident, task)} ({how(fact.actor)}).{why}")
        case TaskReopened(task=task):
            said = f"Task {task} is open again{_text(incident, task)} ({how(fact.actor)})."
            return said, said, _if_open(incident, task, take=False)
        case TaskReminded(task=task, owner=owner):
            has = f"{who(owner)} has it" if owner else "it has no owner"
            said = f"*Task {task} is due*, and {has}{_text(incident, task)}"
            return spoken(said), said, _if_open(incident, task, take=True)
    return None


def _changes(b: TaskChanged, now: datetime) -> list[str]:
    found = [f"now says “{foreign(b.text, LONG)}”"] if b.text is not None else []
    found += [f"is {who(b.owner)}'s now"] if b.owner else []
    found += ["has no owner any more"] if b.unowned else []
    found += [f"is due {clock(b.due_at, now)}"] if b.due_at else []
    return [*found, *(["has no due time any more"] if b.undated else [])]


def _text(incident: Incident, number: int) -> str:
    task = incident.tasks.get(number)
    return f": {foreign(task.text, SHORT)}" if task else ""


def _if_open(incident: Incident, number: int, *, take: bool) -> list[Block]:
    """Buttons, unless the task is no longer open."""
    task = incident.tasks.get(number)
    if task is None or not task.open:
        return []
    taken = [_button("Take", TAKE, incident, number)] if take else []
    return [_button("Done", DONE, incident, number), *taken]


def _plain(text: str) -> FactMessage:
    return text, text, []


# --- answers


def task_words(answer: Answer, face: Face) -> str:
    """The answer about a task, as plain text; empty for other answers."""
    match answer:
        case ta.TaskIsAdded() | ta.TaskIsChanged():
            return _as_it_reads(answer, lambda actor: actor.name, face.time)
        case ta.TaskIsDone() as b:
            return f"Task {b.task} of {answer.name} is done. {_left(b.left)}"
        case ta.TaskIsDropped() as b:
            return f"Task {b.task} of {answer.name} is dropped. {_left(b.left)}"
        case ta.TaskIsOpen(task=task):
            return f"Task {task} of {answer.name} is open again."
        case ta.NoTask(task=task, newest=newest):
            known = f"The newest is {newest}." if newest else "It has none so far."
            return f"{answer.name} has no task {task}. {known}"
        case ta.TaskOver() as b:
            by = f" by {b.by.name}" if b.by else ""
            return f"Task {b.task} of {answer.name} was already {b.state}{by}."
        case ta.TaskElsewhere() as b:
            return f"Task {b.task} of {answer.name} continues as task {b.to.task} of INC-{b.to.incident}."
        case ta.TaskStillOpen(task=task):
            return f"Task {task} of {answer.name} is still open."
        case ta.TaskAsBefore(owner=Actor() as owner) as b:
            return f"Task {b.task} of {answer.name} is as before; {owner.name} has it."
        case ta.TaskAsBefore(task=task):
            return f"Task {task} of {answer.name} is as before; it has no owner."
        case ta.TaskTooLong(most=most):
            return f"A task has at most {most} characters. Nothing was changed."
        case ta.TooManyTasks(most=most):
            return f"{answer.name} has {most} tasks, which is the most."
        case ta.CannotBeDue(passed=True) as b:
            return f"{face.time(b.due_at, b.due_at - timedelta(days=2))} has passed. Nothing was changed."
        case ta.CannotBeDue() as b:
            return f"{b.due_at:%Y-%m-%d} is more than {b.days} days away. Nothing was changed."
    return ""


def task_message(answer: Answer) -> Message | None:
    """The same for Slack, where the due time is in the reader's own zone; None if words are enough."""
    if not isinstance(answer, ta.TaskIsAdded | ta.TaskIsChanged) or answer.due_at is None:
        return None
    return fit(Message(spoken(inert(task_words(answer, Slack()))), (section(_as_it_reads(answer, who, clock)),)))


def _as_it_reads(
    answer: ta.TaskIsAdded | ta.TaskIsChanged, called: Callable[[Actor], str], clock: Callable[[datetime, datetime], str]
) -> str:
    kind = "Follow-up" if isinstance(answer, ta.TaskIsAdded) and answer.follow_up else "Task"
    owner = f"for {called(answer.owner)}" if answer.owner else "no owner yet"
    due = f", due {clock(answer.due_at, answer.at)}" if answer.due_at else ""
    text = foreign(answer.text, LONG) if called is who else answer.text
    return f"{kind} {answer.task} of {answer.name}, {owner}{due}: {text}"


def _left(left: int) -> str:
    return f"{count(left, 'task')} left." if left else "Nothing is left to do."
