"""The timeline as JSON: the incident, its durations, and every fact with its data as stored in the ledger."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from bot.core.codec import encode
from bot.core.policy import Policy
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.core.record.kinds import encode_body
from bot.core.tasks import Task
from bot.exports.times import iso, points, spans
from bot.system.redaction import Redactor
from bot.timeline.drills import drill_report
from bot.timeline.durations import durations
from bot.timeline.rows import Row, rows
from bot.timeline.story import story
from bot.views.incident.customers import served_figures
from bot.views.names import plain_names

PIECES = 10_000
SHAPE = 1  # increases when a key changes its meaning or is removed


def json_(incident: Incident, facts: Sequence[Fact], policy: Policy, redactor: Redactor) -> str:
    """An object with `shape`, `incident`, `durations` (seconds, null = not recorded), `drill`, `story` and `timeline`.

    The story is the version for people; the timeline has every fact. Times are ISO 8601 in UTC.
    """
    took = durations(incident, facts)
    told = rows(facts, plain_names(policy))
    made = {
        "shape": SHAPE,
        "incident": _incident(incident),
        "durations": {
            "points": {name: iso(at) for name, at in points(took).items()},
            "detected_by": took.detected_by,
            "spans_s": {name: span.total_seconds() if span is not None else None for name, span in spans(took).items()},
            "outages": [
                _period(one.began_at, one.ended_at) | {"component": one.component, "worst": one.worst} for one in took.outages
            ],
            "flags_away": [
                _period(one.began_at, one.ended_at) | {"flag": one.flag, "variant": one.variant} for one in took.away
            ],
            "updates": took.updates,
            "updates_missed": took.missed,
        },
        "drill": _drill(incident, facts, policy),
        "story": [_told(row) for row in story(facts, plain_names(policy))],
        "timeline": [_row(row, fact) for row, fact in zip(told, facts, strict=True)],
    }
    encoder = json.JSONEncoder(ensure_ascii=False, indent=2)
    return _joined(encoder.iterencode(redactor.clean(made))) + "\n"


def _joined(pieces: Iterator[str]) -> str:
    """Join in stages: nothing else runs while a million pieces are joined at once."""
    parts = iter(lambda: "".join(islice(pieces, PIECES)), "")
    return "".join(parts)


def _drill(incident: Incident, facts: Sequence[Fact], policy: Policy) -> Any:
    """A drill's report; null for other incidents."""
    return encode(drill_report(incident, facts, policy))


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "name": incident.name,
        "number": incident.number,
        "title": incident.title,
        "severity": incident.severity,
        "phase": incident.phase,
        "merged_into": incident.merged.number if incident.merged else None,
        "duplicate_of": incident.ending.duplicate_of or None,
        "parts": sorted(incident.parts),
        "mitigation": encode(incident.mitigation),
        "served": served_figures(incident.served),
        "provider": incident.provider,
        "components": list(incident.affected),
        "declared_by": encode(incident.declared_by),
        "declared_at": iso(incident.declared_at),
        "reason": incident.reason,
        "acknowledged_by": encode(incident.people.acknowledged_by),
        "roles": encode(incident.people.roles),
        "responders": encode(incident.people.everybody),
        "resolved_by": encode(incident.ending.by),
        "ended_reason": incident.ending.reason,
        "channel": incident.room.channel,
        "channel_name": incident.room.name,
        "relapses": incident.relapses,
        "reopened": incident.reopened,
        "tasks": [_task(task) for task in incident.tasks.values()],
    }


def _task(task: Task) -> dict[str, Any]:
    return {
        "number": task.number,
        "text": task.text,
        "owner": encode(task.owner),
        "due_at": iso(task.due_at),
        "follow_up": task.follow_up,
        "state": task.state,
        "added_at": iso(task.added_at),
        "added_by": encode(task.added_by),
        "ended_at": iso(task.ended_at),
        "ended_by": encode(task.ended_by),
        "reason": task.reason,
        "came_from": encode(task.came_from),
        "moved_to": encode(task.moved_to),
    }


def _period(began_at: Any, ended_at: Any) -> dict[str, Any]:
    seconds = (ended_at - began_at).total_seconds() if ended_at else None
    return {"began_at": iso(began_at), "ended_at": iso(ended_at), "seconds": seconds}


def _told(row: Row) -> dict[str, Any]:
    """A row for people: an entry with its current text and its changes."""
    changes = [{"how": one.how, "at": iso(one.at), "was": one.was, "was_at": iso(one.was_at)} for one in row.changes]
    return {
        "seq": row.seq,
        "at": iso(row.at),
        "who": row.who,
        "source": row.source,
        "text": row.text,
        "reason": row.reason,
        "links": [{"name": name, "url": url} for name, url in row.links],
        "changes": changes,
        "entry": row.entry or None,
        "stream": row.stream,
        "fact_seq": row.fact_seq,
    }


def _row(row: Row, fact: Fact) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "at": iso(row.at),
        "kind": row.kind,
        "source": row.source,
        "actor": encode(fact.actor),
        "text": row.text,
        "reason": row.reason,
        "component": row.component,
        "stream": row.stream,
        "fact_seq": row.fact_seq,
        "bookkeeping": row.bookkeeping,
        "data": encode_body(fact.body),
    }
