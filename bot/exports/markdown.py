"""The timeline as Markdown (with GitHub's tables), for a post-mortem document."""

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.core.model import Actor, ActorKind, Phase
from bot.core.policy import Policy
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.core.tasks import Task
from bot.exports.times import NOT_RECORDED, length, points, spans, stamp
from bot.system.redaction import Redactor
from bot.timeline.drills import drill_report
from bot.timeline.durations import Durations, durations
from bot.timeline.rows import Change, Row
from bot.timeline.story import story
from bot.timeline.words import more_than_who
from bot.views.incident.customers import plain_served
from bot.views.incident.ending import canceled_words
from bot.views.names import plain_names
from bot.views.text import clean, is_web

SPECIAL = re.compile(r"([\\`*_\[\]<>|#~&])")

POINT_WORDS = {
    "impact_at": "Impact began (first failed evidence)",
    "detected_at": "Detected (declared)",
    "acknowledged_at": "Acknowledged by a person",
    "vendor_first_at": "Vendor's first public word",
    "first_post_at": "First post to stakeholders",
    "failover_at": "First flag on a fallback",
    "mitigated_at": "Customers served again",
    "vendor_resolved_at": "Vendor called it over",
    "ended_at": "Ended",
}

SPAN_WORDS = {
    "detect": "Impact to detection",
    "acknowledge": "Detection to acknowledgement",
    "first_post": "Detection to first post",
    "failover": "Detection to failover",
    "mitigate": "Impact to customers served",
    "resolve": "Impact to end",
    "vendor_ack_lag": "Vendor's acknowledgement lag (first word after impact)",
    "lead": "Our lead over the vendor (their first word after our detection)",
    "longest_silence": "Longest silence between two updates",
}


def markdown(incident: Incident, facts: Sequence[Fact], policy: Policy, redactor: Redactor) -> str:
    """Head, durations, outages, flags and the story as tables; times in UTC, no secrets. Foreign text cannot become markup.

    The story leaves out the bot's own bookkeeping.
    """
    took = durations(incident, facts)
    names = plain_names(policy)
    parts = [
        f"# {incident.name}: {md(incident.title)}",
        _head(incident, policy),
        *_drill(incident, facts, policy),
        "## Durations",
        _table(("point", "time"), [(POINT_WORDS[name], stamp(at)) for name, at in points(took).items()]),
        _table(("span", "length"), [(SPAN_WORDS[name], length(value)) for name, value in spans(took).items()]),
        f"Detected by a {took.detected_by}. Updates: {took.updates}, missed: {took.missed}. "
        f"Relapses: {incident.relapses}, reopened: {incident.reopened}.",
        "## Outage by component",
        _outages(took, names),
        "## Flags away from their default",
        _away(took, still="still away" if incident.phase.open else "beyond its end"),
        "## Tasks and follow-ups",
        _tasks(incident),
        "## Timeline",
        _timeline(facts, names),
    ]
    text = "\n\n".join(parts) + "\n"
    return "\n".join(_without_secrets(line, redactor) for line in text.split("\n"))  # all at once would block everything else


def _without_secrets(line: str, redactor: Redactor) -> str:
    """A secret may span lines of foreign text, which are separated only by `<br>`."""
    return redactor.text(line.replace("<br>", "\n")).replace("\n", "<br>")


def _drill(incident: Incident, facts: Sequence[Fact], policy: Policy) -> list[str]:
    """A drill's report; empty for other incidents."""
    report = drill_report(incident, facts, policy)
    if report is None:
        return []
    table = [
        ("Acknowledged after", length(report.acknowledged_after)),
        ("Led by", _actor(report.led_by) if report.led_by else "nobody"),
        ("First update by a person after", length(report.first_update_after)),
        ("Runbook", "; ".join(f"{md(name)}: {', '.join(map(md, steps))}" for name, steps in report.runbook) or "none"),
        ("Steps done", "<br>".join(f"{md(text)}: {_actor(by)}" for text, by in report.steps_done) or "none"),
        ("Tasks", "<br>".join(f"{task.number}. {md(task.text)}: {_became(task)}" for task in report.tasks) or "none"),
        ("Flag in its scope", f"{md(report.flag)} as {md(report.variant)}" if report.flag else "none"),
        ("Read the fallback", ", ".join(map(md, report.fallback_readers)) or "nobody"),
        ("Read the flag without the drill only", ", ".join(map(md, report.other_readers)) or "nobody"),
        ("Missed", "<br>".join(map(md, report.missed)) or "nothing"),
    ]
    return ["## 🔵 DRILL", "This was an exercise: nothing was broken.", _table(("", ""), table)]


def _became(task: Task) -> str:
    made = f"by {_actor(task.added_by)}"
    return f"{made}, {task.state} by {_actor(task.ended_by)}" if task.ended_by else f"{made}, open"


def md(text: str) -> str:
    """Foreign text for one line of Markdown: every character that could be markup is escaped, line ends become `<br>`."""
    lines = (SPECIAL.sub(r"\\\1", " ".join(line.split())) for line in clean(text).split("\n"))
    return "<br>".join(line for line in lines if line)


def _head(incident: Incident, policy: Policy) -> str:
    names, people = plain_names(policy), incident.people
    roles = [f"{md(policy.incidents.role_name(role))}: {_actor(person)}" for role, person in people.roles.items()]
    components = ", ".join(md(names.get(id, id)) for id in incident.affected) or "none that a check looks at"
    table = [
        ("Severity (impact on us)", incident.severity.value),
        ("Phase", incident.phase.value),
        *([("Part of", f"INC-{incident.merged.number}")] if incident.merged else []),
        *([("Merged into it", ", ".join(f"INC-{number}" for number in sorted(incident.parts)))] if incident.parts else []),
        *_mitigation(incident),
        *_served(incident, policy),
        ("Provider", md(names.get(incident.provider, incident.provider)) or "none"),
        ("Components", components),
        ("Declared", _declared(incident)),
        ("Acknowledged by", _actor(people.acknowledged_by)),
        ("Roles", ", ".join(roles) or "nobody had one"),
        ("Responders", ", ".join(_actor(person) for person in people.everybody) or NOT_RECORDED),
        ("Ended", _ended(incident)),
    ]
    return _table(("", ""), table)


def _declared(incident: Incident) -> str:
    why = more_than_who(incident.reason, incident.declared_by.name)
    return f"{stamp(incident.declared_at)} by {_actor(incident.declared_by)}" + (f": {md(why)}" if why else "")


def _ended(incident: Incident) -> str:
    """When, by whom and why; for a canceled one also the reason and the free text."""
    end = incident.ending
    if end.at is None:
        return "not yet"
    why = canceled_words(end.reason, end.duplicate_of) if incident.phase is Phase.CANCELED else end.reason
    said = ": ".join(filter(None, (why, end.why)))
    return f"{stamp(end.at)} by {_actor(end.by)}" + (f": {md(said)}" if said else "")


def _mitigation(incident: Incident) -> list[tuple[str, str]]:
    """Who said that customers were served, if that held to the end."""
    stands = incident.mitigation
    if stands is None:
        return []
    why = f": {md(stands.reason)}" if stands.reason else ""
    return [("Mitigated", f"{stamp(stands.at)} by {_actor(stands.by)}{why}")]


def _served(incident: Incident, policy: Policy) -> list[tuple[str, str]]:
    """How many customers were served, and by what, if services reported."""
    if incident.served is None:
        return []
    first, _, rest = plain_served(incident.served, policy).partition(": ")
    return [(first, md(rest))]


def _actor(actor: Actor | None) -> str:
    if actor is None:
        return NOT_RECORDED
    name = md(actor.name or actor.id)
    return {ActorKind.RULE: f"Understudy ({name})", ActorKind.VENDOR: f"the status page of {name}"}.get(actor.kind, name)


def _outages(took: Durations, names: dict[str, str]) -> str:
    table = []
    for one in took.outages:
        lasted = length(one.ended_at - one.began_at) if one.ended_at else "not seen well again"
        ended = stamp(one.ended_at) if one.ended_at else "still running"
        table.append((md(names.get(one.component, one.component)), stamp(one.began_at), ended, lasted, one.worst.value))
    return _table(("component", "from", "to", "length", "at worst"), table) if table else "No check saw any."


def _away(took: Durations, *, still: str) -> str:
    table = []
    for one in took.away:
        lasted = length(one.ended_at - one.began_at) if one.ended_at else still
        ended = stamp(one.ended_at) if one.ended_at else still
        table.append((md(one.flag), md(one.variant), stamp(one.began_at), ended, lasted))
    return _table(("flag", "fallback", "from", "to", "length"), table) if table else "None was switched."


def _tasks(incident: Incident) -> str:
    table = []
    for task in incident.tasks.values():
        kind = "follow-up" if task.follow_up else "task"
        state = f"{task.state} ({stamp(task.ended_at)}, {_actor(task.ended_by)})" if task.ended_at else task.state.value
        why = f": {md(task.reason)}" if task.reason else ""
        why += f": task {task.moved_to.task} of INC-{task.moved_to.incident}" if task.moved_to else ""
        owner, due = _actor(task.owner) if task.owner else "nobody", stamp(task.due_at) if task.due_at else ""
        came = f" (from INC-{task.came_from.incident})" if task.came_from else ""
        table.append((str(task.number), kind, f"{md(task.text)}{came}", owner, due, f"{state}{why}"))
    return _table(("#", "kind", "what", "owner", "due", "state"), table) if table else "None."


def _timeline(facts: Sequence[Fact], names: dict[str, str]) -> str:
    actors = {(fact.stream, fact.seq): fact.actor for fact in facts}
    table = [
        (str(row.seq), stamp(row.at), row.source, _who(row, actors, names), _what(row), md(row.why))
        for row in story(facts, names)
    ]
    return _table(("#", "time", "source", "who", "what", "why"), table)


def _who(row: Row, actors: dict[tuple[str, int], Actor], names: dict[str, str]) -> str:
    """The author of a message, else the actor."""
    actor = actors[row.stream, row.fact_seq]
    if actor.kind is ActorKind.VENDOR:
        actor = replace(actor, name=names.get(actor.id, actor.name))
    return md(row.who) if row.entry else _actor(actor)


def _what(row: Row) -> str:
    links = " · ".join(_link(name, url) for name, url in row.links)
    return "<br>".join(part for part in (md(row.text), links, *(_change(one) for one in row.changes)) if part)


def _change(change: Change) -> str:
    """`(corrected by ana at 2026-03-20 14:05:00 UTC; was: …)`."""
    was = [f"time was {stamp(change.was_at)}"] if change.was_at else []
    was += [f"was: {md(change.was)}"] if change.was else []
    return f"({md(change.how)} at {stamp(change.at)}{''.join(f'; {one}' for one in was)})"


def _link(name: str, url: str) -> str:
    """A link, or just the name if a browser should not open the address."""
    if not is_web(url):
        return md(name)
    return f"[{md(name)}](<{url.replace('>', '%3E').replace('|', '%7C')}>)"


def _table(head: Sequence[str], table: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *table]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
