"""How an incident ends by a person's word, and what becomes of what still fails then.

Resolving asks first while a component of the incident still fails or a flag is still switched. What a person ends all the
same opens again by itself (`quiet` says when, `alarm.lift` does it).
"""

from bot.core import facts as f
from bot.core.alarm import lift
from bot.core.draft import Draft, Handlers, Step
from bot.core.incident import CANCEL_REASONS, change_phase, move_for, why_not
from bot.core.model import Phase
from bot.core.signals import Code, SetPhase
from bot.core.state import Incident


def on_phase(draft: Draft, signal: SetPhase) -> Step:
    """A person moves the phase, within LEGAL."""
    incident, to = draft.incident(signal.incident), signal.phase
    move = move_for(incident, to)
    if move is None:
        return draft.refuse(why_not(incident, to), incident=incident.number)
    if move == "cancel" and signal.reason not in CANCEL_REASONS:
        return draft.refuse(f"Cancel needs a reason: one of {', '.join(CANCEL_REASONS)}.", incident=incident.number)
    if move == "reopen":
        other = draft.world.open_for(incident.dedup)
        if other:
            return draft.refuse(f"{other.name} is open for the same provider; go on there.", incident=other.number)
    if to is Phase.RESOLVED and not signal.force and (unfinished := _unfinished(draft, incident)):
        text = f"{incident.name} is not over: {', '.join(unfinished)}. Nothing was changed."
        return draft.refuse(text, incident=incident.number, code=Code.STILL_FAILING)
    change_phase(draft, incident.number, to, signal.reason, signal.actor)
    if move == "reopen":
        _catch_up(draft, incident)
    lift(draft)
    return draft.done(f"{incident.name} is {to} now.{_again(draft, incident)}", incident=incident.number)


def _unfinished(draft: Draft, incident: Incident) -> list[str]:
    """What is not over: components that still fail, and flags that are still switched because of them."""
    failing = [draft.world.component(id) for id in incident.affected if draft.world.component(id).level.bad]
    flags = [p.key for p in draft.policy.flags.values() if set(p.depends_on) & set(incident.affected)]
    away = [(key, draft.world.flag(key).engagement) for key in flags]
    return [
        *(f"{draft.policy.name_of(state.id)} is {state.level}" for state in failing),
        *(f"{key} is still on {engagement.variant}" for key, engagement in away if engagement),
    ]


def _again(draft: Draft, incident: Incident) -> str:
    """What comes of what still fails: when it opens again, or that it does not by itself."""
    failing = [state for id in incident.affected if (state := draft.world.component(id)).level.bad]
    names, many = ", ".join(draft.policy.name_of(state.id) for state in failing), len(failing) > 1
    fail, recovers = ("fail", "they recover") if many else ("fails", "it recovers")
    match draft.incident(incident.number).phase:
        case Phase.CANCELED if failing:
            return f" {names} still {fail}: nobody is alerted again until {recovers} or {'get' if many else 'gets'} worse."
        case Phase.RESOLVED:
            until = min((s.held_back.until for s in failing if s.held_back and s.held_back.until), default=None)
            return f" {names} still {fail}: unless {recovers}, a new incident opens at {until:%H:%M} UTC." if until else ""
    return ""


def _catch_up(draft: Draft, incident: Incident) -> None:
    """A reopened incident learns what its components did while it was over."""
    for affected in incident.affected.values():
        now = draft.world.component(affected.id)
        if now.level is not affected.level:
            body = f.ComponentMoved(affected.id, affected.level, now.level, now.reason, now.began_at or draft.now)
            draft.add(incident.stream, body)


HANDLERS: Handlers = {SetPhase: on_phase}
