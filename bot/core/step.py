"""The one decision: `(world, signal, now, policy) -> Step`. Everything that ever happens goes through here."""

from datetime import datetime

from bot.core import alarm, declaring, ending, failover, hearing, incident, vendor_pages
from bot.core import facts as f
from bot.core import signals as s
from bot.core.draft import Draft, Step
from bot.core.effects import Do
from bot.core.model import Policy
from bot.core.permissions import denied
from bot.core.state import World

EDITS = frozenset({Do.ALERT_EDIT, Do.CARD_EDIT, Do.CHANNEL_TOPIC})  # made anew with every change


def step(world: World, signal: s.Signal, now: datetime, policy: Policy) -> Step:
    """What `signal` comes to. Pure: the same arguments give the same step. A refusal carries its reason."""
    draft = Draft(world, policy, now, signal.actor)
    refusal = _precondition(draft, signal)
    if refusal:
        return refusal
    match signal:
        case s.VerdictReached():
            return _verdict(draft, signal)
        case s.FeedRead():
            return _feed(draft, signal)
        case s.SightChanged():
            return _sight(draft, signal)
        case s.AlertHeard():
            return hearing.on_alert(draft, signal)
        case s.TimePassed():
            alarm.expire_mutes(draft)
            alarm.lift(draft)
            incident.on_time(draft)
            failover.react(draft)
            return draft.done("looked what is due")
        case s.EffectDone():
            return _effect_done(draft, signal)
        case s.EffectRefused():
            return _effect_refused(draft, signal)
        case s.NameTaken():
            return incident.on_name_taken(draft, signal)
        case s.ChannelLost():
            return incident.on_channel_lost(draft, signal)
        case s.EngageFlag():
            return failover.on_engage(draft, signal)
        case s.StepBack():
            return failover.on_step_back(draft, signal)
        case s.ReleaseFlag():
            return failover.on_release(draft, signal)
    return _by_person(draft, signal)


def _by_person(draft: Draft, signal: s.Signal) -> Step:
    match signal:
        case s.Declare():
            result = declaring.on_declare(draft, signal)
        case s.Join():
            result = declaring.on_join(draft, signal)
        case s.Acknowledge():
            result = incident.on_acknowledge(draft, signal)
        case s.PostLost():
            result = incident.on_post_lost(draft, signal)
        case s.WriteUpdate():
            result = incident.on_update(draft, signal)
        case s.AddNote():
            result = incident.on_note(draft, signal)
        case s.SetSeverity():
            result = incident.on_severity(draft, signal)
        case s.SetPhase():
            result = ending.on_phase(draft, signal)
        case s.AskExport():
            result = incident.on_export(draft, signal)
        case s.Reported():
            result = hearing.on_report(draft, signal)
        case s.Mute():
            result = alarm.on_mute(draft, signal)
        case s.Unmute():
            result = alarm.on_unmute(draft, signal)
        case _:
            raise TypeError(f"no rule for a {type(signal).__name__}")
    return result


def _precondition(draft: Draft, signal: s.Signal) -> Step | None:
    """What holds for whole families of signals: whoever sends it may, and the incident exists."""
    if refused := denied(type(signal), signal.actor, draft.policy.incidents):
        return draft.deny(refused.reason)
    number = getattr(signal, "incident", None)
    if number is not None and number not in draft.world.incidents:
        newest = draft.world.last_incident
        return draft.refuse(f"There is no INC-{number}." + (f" The newest is INC-{newest}." if newest else ""))
    return None


def _verdict(draft: Draft, signal: s.VerdictReached) -> Step:
    verdict = signal.verdict
    held = draft.world.component(verdict.component)
    if held.agrees(verdict):
        return draft.done("held already")
    if (held.level, held.fault) != (verdict.level, verdict.fault):
        alarm.on_verdict(draft, verdict)
    alarm.on_advisory(draft, verdict)
    alarm.lift(draft)
    failover.react(draft)
    return draft.done(f"{verdict.component} is {verdict.level}")


def _sight(draft: Draft, signal: s.SightChanged) -> Step:
    """One notice when we go blind, answered when we see again; whoever works on an incident finds both in its timeline."""
    sight, held = signal.sight, draft.world.sight
    if sight.blind is held.blind:
        return draft.done("held already")
    body: f.Body
    if sight.blind:
        key = f"sight/{draft.world.seqs.get('sight', 0) + 1}"
        body = f.SightLost(sight.reason, sight.began_at or draft.now, key)
        draft.send(Do.QUIET_POST, "ops", draft.add("sight", body), key=key)
    else:
        body = f.SightRegained(held.reason, held.began_at or draft.now, sight.ended_at or draft.now)
        draft.send(Do.QUIET_REPLY, "ops", draft.add("sight", body), args={"root": held.notice})
    for open_incident in draft.world.open_incidents():
        draft.add(open_incident.stream, body, told=False)
    alarm.lift(draft)
    failover.react(draft)
    return draft.done("we are blind" if sight.blind else "we see again")


def _feed(draft: Draft, signal: s.FeedRead) -> Step:
    vendor_pages.on_report(draft, signal.report)
    before = len(draft.facts)
    alarm.lift(draft)
    if len(draft.facts) > before:
        failover.react(draft)
    return draft.done("the page was read")


# --- what became of our own errands


def _effect_done(draft: Draft, signal: s.EffectDone) -> Step:
    number = signal.incident
    if signal.kind is Do.CHANNEL_OPEN and number is not None:
        draft.add(f"incident/{number}", f.ChannelOpened(signal.channel, signal.name))
    elif signal.ts and number is not None:
        draft.add(f"incident/{number}", f.Posted(signal.kind.value, signal.key, signal.channel, signal.ts))
    return draft.done("noted")


def _effect_refused(draft: Draft, signal: s.EffectRefused) -> Step:
    if signal.incident is None:
        return draft.done("nothing to note it in")
    held = draft.incident(signal.incident)
    if signal.kind is Do.CHANNEL_OPEN:
        incident.refuse_channel(draft, held, signal.reason)
    else:
        fact = draft.add(held.stream, f.GivenUp(signal.kind.value, signal.key, signal.reason))
        if not signal.key.startswith("given-up/"):
            # Said where people look, once; a line about a lost line would go on for ever, and so would one for each edit.
            what = f"{held.name}/{signal.kind.value}" if signal.kind in EDITS else signal.key
            draft.send(Do.FACT_POST, "ops", fact, key=f"given-up/{what}", args={"to": "ops"})
    return draft.done("noted")
