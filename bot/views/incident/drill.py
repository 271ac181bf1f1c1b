"""What people read about drills: the current state, and the report at the end."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.drill import Drill
from bot.core.policy import Policy
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.core.tasks import Task
from bot.ports import Message
from bot.timeline.drills import DrillReport, drill_report
from bot.views.blocks import actions, section
from bot.views.incident.buttons import export_button
from bot.views.incident.ending import over_lines, over_words
from bot.views.incident.head import drill_scope, place
from bot.views.limits import fit
from bot.views.names import flag_name, variant_name
from bot.views.scene import Scene
from bot.views.text import clock, count, foreign, retold, span, stop, who, words

MOST_READERS = 8
MOST_STEPS = 10


def drill_summary(scene: Scene, facts: Sequence[Fact]) -> Message:
    """The report, for the channel: how long things took, what was read, and plainly what was missed."""
    report = drill_report(scene.incident, facts, scene.policy)
    told = report_lines(report, scene.policy) if report else []
    body = section("\n".join([*over_lines(scene)[:2], "*Report of the drill*", *told]))
    return fit(Message(f"🔵 {over_words(scene.incident)}", (body, *actions([export_button(scene.incident)]))))


def report_lines(report: DrillReport, policy: Policy) -> list[str]:
    """One line per result, what was missed last and in bold."""
    lines = [f"• Acknowledged by {who(report.acknowledged_by)} {_after(report)}"] if report.acknowledged_by else []
    lines += [f"• Led by {who(report.led_by)}"] if report.led_by else []
    if report.first_update_after is not None:
        lines.append(f"• First update by {who(report.first_update_by)} after {span(report.first_update_after)}")
    lines += [f"• Runbook of {foreign(name, 80)} was shown{_steps(steps)}" for name, steps in report.runbook]
    lines += [f"• {who(by)} did: {foreign(text, 80)}" for text, by in report.steps_done[:MOST_STEPS]]
    lines += [f"• Task {task.number}: {foreign(task.text, 80)} ({_became(task)})" for task in report.tasks[:MOST_STEPS]]
    lines += reader_lines(report, policy)
    return [*lines, *(f"• *{retold(one, 300)}*" for one in report.missed)] or ["• Nothing was missed."]


def reader_lines(report: DrillReport, policy: Policy) -> list[str]:
    """Who read the fallback of the drill's flag, and who only read it outside the drill."""
    if not report.flag:
        return []
    flag, name = policy.flags.get(report.flag), flag_name(report.flag, policy)
    variant = variant_name(flag, report.variant) if flag else foreign(report.variant, 60)
    lines = [f"• {_names(report.fallback_readers)} read {variant} for {name}"] if report.fallback_readers else []
    if report.other_readers:
        lines.append(f"• {_names(report.other_readers)} read {name} only outside the drill, so what they would do is unknown")
    return lines


def _names(readers: Sequence[str]) -> str:
    return words([foreign(one, 80) for one in readers], most=MOST_READERS)


def _after(report: DrillReport) -> str:
    return f"after {span(report.acknowledged_after)}" if report.acknowledged_after is not None else ""


def _became(task: Task) -> str:
    """Who owns a task, and its state."""
    made = f"by {who(task.added_by)}"
    return f"{made}, {task.state} by {who(task.ended_by)}" if task.ended_by else f"{made}, open: {who(task.owner)}"


def _steps(steps: Sequence[str]) -> str:
    return f": {count(len(steps), 'step')}" if steps else ""


def drill_status(drills: Sequence[tuple[Scene, Sequence[Fact]]], policy: Policy) -> Message:
    """Every open drill: until when, what its flag serves and who read it, and what is missing so far."""
    if not drills:
        return fit(Message("No drill is running. `/drill start COMPONENT` starts one."))
    parts = [section("\n".join(_status(scene, facts))) for scene, facts in drills]
    names = ", ".join(scene.incident.name for scene, _ in drills)
    return fit(Message(f"🔵 {count(len(drills), 'drill')}: {names}", tuple(parts)))


def _status(scene: Scene, facts: Sequence[Fact]) -> list[str]:
    incident, report = scene.incident, drill_report(scene.incident, facts, scene.policy)
    if incident.drill is None or report is None:
        return []
    title = f"🔵 *{incident.name} · {stop(foreign(incident.title, 120))}* {_time(incident.drill, incident, scene.now)}"
    people = f"Pages people. {place(incident)}" if report.paging else place(incident)
    return [title, drill_scope(incident.drill, scene.policy), people, "So far:", *report_lines(report, scene.policy)]


def _time(drill: Drill, incident: Incident, now: datetime) -> str:
    if drill.running:
        return f"Since {clock(incident.declared_at, now)}, until {clock(drill.plan.until, now)}."
    return f"It has ended ({foreign(drill.ended_because, 120)}): resolve it."
