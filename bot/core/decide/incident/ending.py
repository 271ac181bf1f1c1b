"""How a person ends an incident, and what happens to whatever still fails.

Resolving asks first while a component of the incident still fails or a flag is still switched. What a person ends all the same
alerts again by itself (`suppression` says when, `alarm.lift` does it).
"""

from collections.abc import Mapping

from bot.core.answers import base
from bot.core.answers import incident as a
from bot.core.decide.alerting.alarm import lift
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.flags.mitigation import carry_over
from bot.core.decide.flags.scopes import flags_and_scopes
from bot.core.decide.incident.merging import part_ways, parted
from bot.core.decide.phases import CANCEL_REASONS, DUPLICATE, change_phase, move_for, why_not
from bot.core.decide.warned import knew, warned_away, warned_unwell
from bot.core.model import Fault, Level, Phase
from bot.core.policy import Policy
from bot.core.record.component import ComponentState
from bot.core.record.course.merge_facts import DuplicateFound
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import ComponentMoved
from bot.core.record.world import World
from bot.core.signals import SetPhase


def on_phase(draft: Draft, signal: SetPhase) -> Step:
    """A person moves the phase, within LEGAL."""
    incident, to = draft.incident(signal.incident), signal.phase
    if signal.reopens and incident.phase.open:
        return draft.refuse(a.IsOpen(incident=incident.number, phase=incident.phase))
    move = move_for(incident, to)
    if move is None:
        return draft.refuse(why_not(incident, to))
    if move == "cancel" and signal.reason not in CANCEL_REASONS:
        return draft.refuse(a.NeedsReason(incident=incident.number, reasons=CANCEL_REASONS))
    if move == "cancel" and signal.reason == DUPLICATE and (refused := _no_original(draft, signal)):
        return draft.refuse(refused)
    if move == "reopen" and incident.drill:
        return draft.refuse(a.DrillIsOver(incident=incident.number))
    if move == "reopen":
        held = incident.without_parts(parted(draft.world, incident)).holds
        other = next((one for key in held if (one := draft.world.open_for(key))), None)
        if other:
            return draft.refuse(a.OpenElsewhere(incident=other.number))
    left = unfinished(draft.world, draft.policy, incident) if to is Phase.RESOLVED else None
    if left and not (signal.force or knew(signal.warned, left.warned)):
        return draft.refuse(left)
    chosen = to.open and move != "reopen"  # reopening says that it is not over, not which phase it is in
    of, why = (signal.duplicate_of if signal.reason == DUPLICATE else 0, signal.why.strip()) if move == "cancel" else (0, "")
    change_phase(draft, incident.number, to, signal.reason, signal.actor, chosen=chosen, duplicate_of=of, why=why)
    if of:
        draft.add(f"incident/{of}", DuplicateFound(incident.number, incident.title))
    if move == "reopen":
        part_ways(draft, incident.number)
        _catch_up(draft, draft.incident(incident.number))
    lift(draft)
    carry_over(draft)
    return draft.done(_moved(draft, incident))


def _no_original(draft: Draft, signal: SetPhase) -> base.Refused | None:
    """Why it cannot be a duplicate of the incident named, or that none was named."""
    of, world = signal.duplicate_of, draft.world
    if of == 0 or of == signal.incident:
        likely = [one for one in world.open_incidents() if one.number != signal.incident]
        return a.NeedsOriginal(incident=signal.incident, known=tuple(a.Other(one.number, one.title) for one in likely[-5:]))
    return None if of in world.incidents else base.NoIncident(number=of, newest=world.last_incident)


def unfinished(world: World, policy: Policy, incident: Incident) -> a.StillFailing | None:
    """What is not over: components that still fail or cannot be judged, and flags still switched because of them."""
    if incident.drill:
        return _still_failing(policy, incident, {one.id: one.level for one in incident.failing}, ())
    concerned = _concerned(policy, incident)
    failing = {id: state.level for id in concerned if _may_still_fail(state := world.component(id))}
    flags = [p for p in flags_and_scopes(world, policy) if set(p.depends_on) & set(concerned)]
    switched = tuple(
        a.Away(p.key, at.variant, policy.flag_name(p.key), p.called(at.variant))
        for p in flags if (at := world.flag(p.key).engagement)
    )  # fmt: skip
    return _still_failing(policy, incident, failing, switched)


def _still_failing(
    policy: Policy, incident: Incident, failing: Mapping[str, Level], away: tuple[a.Away, ...]
) -> a.StillFailing | None:
    if not failing and not away:
        return None
    marks = (*warned_unwell(failing), *warned_away(one.flag for one in away))
    still = tuple(a.Failing(policy.name_of(id), level) for id, level in failing.items())
    return a.StillFailing(incident=incident.number, failing=still, away=away, warned=marks)


def _concerned(policy: Policy, incident: Incident) -> tuple[str, ...]:
    """Its components; if a person declared it by a provider's name alone, all of that provider's."""
    whole = (c.id for c in policy.components.values() if c.provider == incident.provider)
    return tuple(sorted(incident.affected)) or tuple(whole)


def _may_still_fail(state: ComponentState) -> bool:
    """Whether it fails, or cannot be judged because of our own key, quota or network, which does not end an outage."""
    return state.level.bad or (state.level is Level.UNKNOWN and state.fault is not Fault.NONE)


def _moved(draft: Draft, before: Incident) -> a.Moved:
    """The new phase, and what happens to what still fails: when it alerts again, or that it does not by itself."""
    phase, failing = draft.incident(before.number).phase, [draft.world.component(id) for id in sorted(before.affected)]
    bad = [state for state in failing if state.level.bad] if phase in (Phase.CANCELED, Phase.RESOLVED) else []
    until = None
    if phase is Phase.RESOLVED:
        until = min((s.held_back.until for s in bad if s.held_back and s.held_back.until), default=None)
    names = tuple(draft.policy.name_of(state.id) for state in bad)
    return a.Moved(incident=before.number, phase=phase, failing=names, until=until)


def _catch_up(draft: Draft, incident: Incident) -> None:
    """Bring a reopened incident up to date with its components."""
    for _, affected in sorted(incident.affected.items()):
        now = draft.world.component(affected.id)
        if now.level is not affected.level:
            body = ComponentMoved(affected.id, affected.level, now.level, now.reason, now.began_at or draft.now)
            draft.add(incident.stream, body)


HANDLERS: Handlers = {SetPhase: on_phase}
