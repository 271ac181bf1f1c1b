"""States and facts as the JSON of /api/v1. Times are ISO 8601 in UTC, spans are seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bot.core.answers.base import ANSWERS, Answer
from bot.core.answers.incident import OpenAlready, StillFailing
from bot.core.codec import decode, encode
from bot.core.decide.cadence import next_update_at
from bot.core.decide.flags.readiness import rehearsed, unready
from bot.core.decide.flags.rehearsing import waits
from bot.core.ids import ComponentId
from bot.core.model import Actor
from bot.core.policy import FlagPolicy, Policy, SinkPolicy
from bot.core.record.component import ComponentState, HeldBack, MutedUntil
from bot.core.record.fact import Fact
from bot.core.record.flag import Engagement, FlagState
from bot.core.record.incident import Ending, Incident, People, Room, VendorWords
from bot.core.record.kinds import encode_body
from bot.core.record.provider import ProviderState
from bot.core.record.sight import Sight
from bot.core.record.sinks.sink import SinkState
from bot.core.record.world import World
from bot.core.scope import scope_of, whole
from bot.core.tasks import Task
from bot.flags.board import FlagBoard, Reader
from bot.ports import LatencyPicture
from bot.system.denials import Attempt
from bot.timeline.drills import drill_report
from bot.views.answers.words import words
from bot.views.faces import Api
from bot.views.incident.customers import served_figures

MAY_BE_OVERRULED = (OpenAlready, StillFailing)


def attempt_shape(attempt: Attempt) -> dict[str, Any]:
    """One refusal."""
    return {**asdict(attempt), "at": attempt.at.isoformat()}


def answer_shape(answer: Answer, zone: str = "UTC") -> dict[str, Any]:
    """The answer to a signal: in words, and as `kind` with values for programs that do their own wording."""
    values: dict[str, Any] = encode(answer)
    return {
        "ok": answer.ok,
        "text": words(answer, Api(zone)),
        **{name: values.pop(name) for name in ("incident", "flag", "flag_name", "changed")},
        "code": answer.KIND if isinstance(answer, MAY_BE_OVERRULED) else "",
        "choices": list(answer.choices) if isinstance(answer, OpenAlready) else [],
        "kind": answer.KIND,
        "zone": zone,
        "data": values,
    }


def answer_from(shape: Mapping[str, Any]) -> Answer | None:
    """The answer behind such JSON; None if a bot of another version sent one that we do not know."""
    kind, values = ANSWERS.get(str(shape.get("kind"))), shape.get("data")
    if kind is None or not isinstance(values, dict):
        return None
    try:
        own = {name: shape.get(name) for name in ("incident", "flag", "changed")}
        return decode(kind, {**values, **own, "flag_name": shape.get("flag_name", "")})
    except (ValueError, KeyError):
        return None


def component_shape(
    world: World, policy: Policy, id: str, latency: LatencyPicture | None, held: ComponentState | None = None
) -> dict[str, Any]:
    """One component: our verdict with its reason, what else is said or held back, and recent latencies.

    `held` is its state in the ledger, in case `world` contains something that could not be written.
    """
    state, known = world.component(id), policy.components.get(id)
    return {
        "id": id,
        "name": known.name if known else id,
        "provider": known.provider if known else ComponentId(id).provider,
        "level": state.level.value,
        "reason": state.reason,
        "fault": state.fault.value,
        "evidence": list(state.evidence),
        "since": _time(state.since),
        "began_at": _time(state.began_at),
        "on_record": _on_record(held) if held else None,
        **_besides(state),
        "latency": encode(latency),
    }


def _on_record(held: ComponentState) -> dict[str, Any]:
    return {
        "level": held.level.value,
        "reason": held.reason,
        "fault": held.fault.value,
        "since": _time(held.since),
        "began_at": _time(held.began_at),
    }


def _besides(state: ComponentState) -> dict[str, Any]:
    """The advisory, the mute and the alert being held back; None for each that does not exist."""
    return {
        "advisory": {"text": state.advisory, "since": _time(state.advisory_since)} if state.advisory else None,
        "mute": _mute(state.mute) if state.mute else None,
        "held_back": _held_back(state.held_back) if state.held_back else None,
    }


def _mute(mute: MutedUntil) -> dict[str, Any]:
    return {"until": _time(mute.until), "by": actor_shape(mute.by), "reason": mute.reason, "at": _time(mute.at)}


def _held_back(held: HeldBack) -> dict[str, Any]:
    return {"why": held.why, "until": _time(held.until), "incident": held.incident, "at": _time(held.at)}


def sight_shape(sight: Sight) -> dict[str, Any]:
    """Whether we are blind, and why; if not, when and why we last were."""
    return {
        "blind": sight.blind,
        "reason": sight.reason,
        "began_at": _time(sight.began_at),
        "ended_at": _time(sight.ended_at),
    }


def provider_shape(state: ProviderState, name: str) -> dict[str, Any]:
    """What a vendor's own page says; its words are foreign text."""
    return {
        "id": state.id,
        "name": name,
        "feed": state.feed.value,
        "feed_reason": state.feed_reason,
        "notices": encode(state.notices),
    }


def incident_shape(incident: Incident, policy: Policy) -> dict[str, Any]:
    """One incident with everything."""
    return {
        "name": incident.name,
        "open": incident.phase.open,
        "number": incident.number,
        "title": incident.title,
        "severity": incident.severity.value,
        "provider": incident.provider,
        "dedup": incident.dedup,
        "drill": incident.drill is not None,
        "zone": policy.incidents.zone,
        "began_at": _time(incident.began_at),
        "backdated": incident.backdated,
        "declared_at": _time(incident.declared_at),
        "declared_by": actor_shape(incident.declared_by),
        "reason": incident.reason,
        "severity_by_person": incident.severity_by_person,
        "severity_at": _time(incident.severity_at),
        "phase": incident.phase.value,
        "affected": [{**encode(one), "name": policy.name_of(one.id)} for one in incident.affected.values()],
        "updates": incident.updates,
        "last_update_at": _time(incident.last_update_at),
        "next_update_at": _time(next_update_at(incident, policy)),
        "phase_by_person": incident.phase_by_person,
        "mitigated_at": _time(incident.mitigated_at),
        "merged_into": incident.merged.number if incident.merged else None,
        "parts": sorted(incident.parts),
        "mitigation": encode(incident.mitigation),
        "served": served_figures(incident.served),
        "well_since": _time(incident.well_since),
        "relapses": incident.relapses,
        "reopened": incident.reopened,
        "tasks": [task_shape(task) for task in incident.tasks.values()],
        **_people(incident.people),
        **_vendor(incident.vendor),
        **_ending(incident.ending),
        **_room(incident.room),
    }


def task_shape(task: Task) -> dict[str, Any]:
    """One task, whatever its state."""
    return {
        "number": task.number,
        "text": task.text,
        "owner": encode(task.owner),
        "due_at": _time(task.due_at),
        "follow_up": task.follow_up,
        "state": task.state.value,
        "added_at": _time(task.added_at),
        "added_by": actor_shape(task.added_by),
        "ended_at": _time(task.ended_at),
        "ended_by": encode(task.ended_by),
        "reason": task.reason,
        "came_from": encode(task.came_from),
        "moved_to": encode(task.moved_to),
    }


def drill_shape(incident: Incident, facts: Sequence[Fact], policy: Policy) -> dict[str, Any]:
    """A drill with its report so far, or its final one."""
    report = drill_report(incident, facts, policy)
    return {"incident": incident_shape(incident, policy), "report": encode(report)}


def _people(people: People) -> dict[str, Any]:
    return {
        "acknowledged_at": _time(people.acknowledged_at),
        "acknowledged_by": encode(people.acknowledged_by),
        "responders": encode(people.responders),
        "roles": encode(people.roles),
    }


def _vendor(vendor: VendorWords) -> dict[str, Any]:
    return {
        "vendor_first_at": _time(vendor.first_at),
        "vendor_words": vendor.words,
        "outage_began_at": _time(vendor.outage_began_at),
        "outage_known_at": _time(vendor.outage_known_at),
    }


def _ending(ending: Ending) -> dict[str, Any]:
    return {
        "resolve_asked_at": _time(ending.asked_at),
        "resolved_at": _time(ending.at),
        "resolved_by": encode(ending.by),
        "ended_reason": ending.reason,
        "ended_why": ending.why,
        "duplicate_of": ending.duplicate_of or None,
    }


def _room(room: Room) -> dict[str, Any]:
    return {
        "alerts_channel": room.alerts_channel,
        "channel": room.channel,
        "channel_name": room.name,
        "channel_attempt": room.attempt,
        "channel_refused": room.refused,
        "alert_ts": room.alert.ts,
        "alert_channel_id": room.alert.channel,
        "alerts_gone": room.alert.gone,
        "card_ts": room.card.ts,
        "card_channel_id": room.card.channel,
        "cards_gone": room.card.gone,
    }


def fact_shape(fact: Fact) -> dict[str, Any]:
    """One line of a timeline."""
    return {
        "stream": fact.stream,
        "seq": fact.seq,
        "at": _time(fact.at),
        "actor": actor_shape(fact.actor),
        "kind": fact.kind,
        "data": encode_body(fact.body),
    }


def actor_shape(actor: Actor) -> dict[str, Any]:
    """An actor."""
    return {"kind": actor.kind, "id": actor.id, "name": actor.name}


def flag_shape(world: World, board: FlagBoard, flag: FlagPolicy) -> dict[str, Any]:
    """One flag: what it serves, to whom, and why."""
    state = world.flag(flag.key)
    engagement = state.engagement
    return {
        "key": flag.key,
        "description": flag.description,
        "variants": list(flag.variants),
        "default": flag.default,
        "fallbacks": encode(flag.fallbacks),
        "depends_on": list(flag.depends_on),
        "automation": flag.automation,
        "variant": engagement.variant if engagement else flag.default,
        "proposal": encode(state.proposal),
        **_steered(state),
        "scopes": _parts(world, flag.key),
        "rehearsals": [rehearsal_shape(world, flag, one.variant) for one in rehearsed(flag)],
        "readers": board.readers(flag.key),
        "sinks": [sink_shape(world.sink(flag.key, sink.id), sink) for sink in flag.sinks],
    }


def _parts(world: World, key: str) -> list[dict[str, Any]]:
    """The scopes of its readers that are switched separately."""
    mine = [state for one, state in sorted(world.flags.items()) if whole(one) == key and scope_of(one) and state.engagement]
    return [{"scope": str(scope_of(state.key)), **_steered(state)} for state in mine]


def _steered(state: FlagState) -> dict[str, Any]:
    engagement = state.engagement
    return {
        "phase": _phase(engagement),
        "percent_on_fallback": engagement.share if engagement else 0,
        "engagement": encode(engagement),
        "pin": encode(state.pin),
        "held": state.held,
        "changed_at": _time(state.changed_at),
    }


def sink_shape(state: SinkState, sink: SinkPolicy) -> dict[str, Any]:
    """One sink: whether it holds what its flag serves, and if not, why."""
    return {
        "id": sink.id,
        "name": sink.name,
        "follows": not (state.on_its_way or state.drifted),
        "variant": (state.done.variant or None) if state.done else None,
        "share_back": state.done.share_back if state.done else 0,
        "seen": state.seen,
        "failing": state.failing,
        "failing_since": _time(state.failing_since),
        "drifted": state.drifted,
    }


def rehearsal_shape(world: World, flag: FlagPolicy, variant: str) -> dict[str, Any]:
    """One rehearsed fallback: whether it can be relied on (`ready`), if not, why, and the results of its last rehearsal."""
    known, why = world.flag(flag.key).rehearsals, unready(world, flag, variant)
    last = known.last.get(variant)
    found = encode(last) if last else {"at": None, "model": "", "answered": "", "results": [], "dollars": 0.0}
    skipped = known.skipped.get(variant, "")
    return {
        "variant": variant,
        "ready": not why,
        "why": why,
        **found,
        "skipped": skipped,
        "waits": waits(world.flag(flag.key), variant),
    }


def reader_shape(reader: Reader) -> dict[str, Any]:
    """One reader of a flag; `revision` is that of its copy of all flags, None if it asks at each evaluation."""
    return {
        "name": reader.name,
        "silent_for_s": round(reader.silent_for, 1),
        "copy": reader.copy,
        "current": reader.current,
        "revision": reader.revision if reader.copy else None,
    }


def freeze_shape(world: World) -> dict[str, Any] | None:
    """Who stopped all rules from moving flags, since when and why; None if nobody did."""
    freeze: dict[str, Any] = encode(world.freeze)
    return freeze if world.freeze.by else None


def _phase(engagement: Engagement | None) -> str:
    if engagement is None:
        return "normal"
    return "handing_back" if engagement.handing_back else "engaged"


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
