"""From a changed verdict to what people are told: an incident, a quiet thread, an advisory, or nothing yet and why.

Also muting, and sending alerts that were held back once the reason is gone.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.core.answers import base
from bot.core.answers import components as ca
from bot.core.decide.alerting.suppression import Quiet, beginnings, look
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.drills import give_way
from bot.core.decide.flags.automation import react
from bot.core.decide.phases import ALL_WELL, COURSE, change_phase, declare
from bot.core.decide.titles import follow, title_of
from bot.core.effects import AddBookmarks, EffectBody, InvitePeople, OpenThread, PostRunbook, ReplyInThread
from bot.core.model import Actor, Level, Phase, Severity, Verdict
from bot.core.policy import Policy
from bot.core.record.component import ComponentState, HeldBack
from bot.core.record.component_facts import (
    AdvisoryEnded,
    AdvisoryRaised,
    AlertResumed,
    AlertSuppressed,
    Muted,
    Unmuted,
    VerdictChanged,
)
from bot.core.record.fact import Body, Fact
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import ComponentJoined, ComponentMoved, SeverityChanged
from bot.core.record.sight import SightLost, SightRegained
from bot.core.record.world import World
from bot.core.signals import Mute, SightChanged, Unmute, VerdictReached

MUTE_RULE = Actor.rule("mute")
HELD_RULE = Actor.rule("held-back alerts")  # used here so that whoever unmutes or ends maintenance is not named as the declarer

# --- a changed verdict


def on_verdict(draft: Draft, verdict: Verdict) -> None:
    """Record a changed verdict and tell people: in an incident, in a quiet thread, or not yet if something holds it back."""
    before = draft.world.component(verdict.component)
    within = before.held_back.incident if before.held_back else None
    elsewhere = within if within in draft.world.running else None
    fact = draft.add(
        f"component/{verdict.component}",
        VerdictChanged(
            component=verdict.component, previous=before.level, level=verdict.level, reason=verdict.reason,
            fault=verdict.fault, evidence=verdict.evidence, began_at=verdict.began_at or draft.now,
            thread=_thread(draft, verdict, before.quiet_key),
        ),
        incident=elsewhere,
    )  # fmt: skip
    if elsewhere is not None:
        draft.tell(fact)
    if verdict.component not in draft.policy.components:
        return
    mine = draft.world.concerned(verdict.component)
    if mine:
        _into_incident(draft, mine, verdict)
    elif verdict.level.bad:
        _alarm(draft, verdict)
    opened, news = draft.world.component(verdict.component).quiet_key, verdict.level is not before.level
    if before.quiet_key and (news or _told_as_ours(verdict)):
        draft.send(ReplyInThread(before.quiet_key), fact)
    elif not before.quiet_key and opened:
        draft.send(OpenThread(opened), fact)


def _told_as_ours(verdict: Verdict) -> bool:
    """Whether an operator must act although nobody is alerted: our key, our configuration, our quota, our proxy."""
    return verdict.level is Level.UNKNOWN and verdict.fault.ours and not verdict.by_network


def _thread(draft: Draft, verdict: Verdict, held: str) -> str:
    """The key of the quiet thread for a changed verdict: the existing one or a new one; empty if it gets none."""
    component = draft.policy.components.get(verdict.component)
    if held or component is None or not (verdict.level.bad or _told_as_ours(verdict)):
        return held
    if verdict.level.bad and draft.world.open_for(component.provider):
        return ""
    quiet = look(draft.world, draft.policy, component.id, draft.now)
    opens = _told_as_ours(verdict) or component.open_on.get(verdict.level) == "thread"
    return _new_thread(draft, component.id) if opens and quiet is None else ""


def _new_thread(draft: Draft, component: str, about: str = "quiet") -> str:
    stream = f"component/{component}"
    return OpenThread.of_fact(stream, draft.world.seqs.get(stream, 0) + 1, about)


def _alarm(draft: Draft, verdict: Verdict) -> None:
    """A bad component without an incident: join its provider's, open one, or hold the alert back."""
    component = draft.policy.components[verdict.component]
    action = component.open_on.get(verdict.level, "none")
    if action == "none":
        return
    open_incident = draft.world.open_for(component.provider)
    quiet = look(draft.world, draft.policy, component.id, draft.now)
    if quiet and (quiet.planned or not open_incident):
        _hold_back(draft, component.id, quiet)
    elif open_incident:
        _into_incident(draft, open_incident, verdict)
    elif action in Severity.__members__:
        family = sorted(c.id for c in draft.policy.components.values() if c.provider == component.provider)
        failing = (component.id, *(id for id in family if id != component.id and _joins(draft, id)))
        worst = max((draft.world.component(id).level for id in failing), key=lambda level: level.rank)
        declare(
            draft, title=title_of(draft.policy, failing, worst), severity=Severity(action), components=failing,
            began_at=verdict.began_at or draft.now, reason=verdict.reason, dedup=component.provider,
        )  # fmt: skip


def _joins(draft: Draft, component: str) -> bool:
    return draft.world.component(component).level.bad and look(draft.world, draft.policy, component, draft.now) is None


def _into_incident(draft: Draft, incident: Incident, verdict: Verdict) -> None:
    began_at = verdict.began_at or draft.now
    held = incident.affected.get(verdict.component)
    worse = held is None or verdict.level.rank > held.level.rank
    relapses = incident.phase is Phase.MONITORING and verdict.level.bad and worse  # then the line about the phase says it
    again = incident.well and incident.phase_by_person and verdict.level.bad and not relapses
    if held is None:
        joined = ComponentJoined(verdict.component, verdict.level, verdict.reason, verdict.evidence, began_at, again)
        brings(draft, verdict.component, draft.add(incident.stream, joined, told=not relapses))
    elif held.level is not verdict.level:
        body = ComponentMoved(verdict.component, held.level, verdict.level, verdict.reason, began_at, verdict.evidence, again)
        draft.add(incident.stream, body, told=not relapses)
    if worse:
        follow(draft, incident.number)
    _raise_severity(draft, incident.number, verdict)
    _follow_phase(draft, incident.number, verdict, relapses=relapses)


def brings(draft: Draft, component: str, joined: Fact) -> None:
    """What a component adds to an open incident that it joins: its runbook, and the people to invite."""
    known = draft.policy.components[component]
    effects: list[EffectBody] = [AddBookmarks()] if known.runbook_url else []
    effects += [InvitePeople()] if known.invite else []
    effects += [PostRunbook()] if known.has_runbook else []
    for effect in effects:
        draft.send(effect, joined)


def _raise_severity(draft: Draft, number: int, verdict: Verdict) -> None:
    """A worse verdict may raise a severity that a rule chose, never one that a person chose."""
    incident = draft.incident(number)
    wanted = draft.policy.components[verdict.component].open_on.get(verdict.level, "none")
    if not verdict.level.bad or incident.severity_by_person or wanted not in Severity.__members__:
        return
    if Severity(wanted).is_worse_than(incident.severity):
        body = SeverityChanged(incident.severity, Severity(wanted), verdict.reason)
        draft.add(incident.stream, body)


def _follow_phase(draft: Draft, number: int, verdict: Verdict, *, relapses: bool) -> None:
    incident = draft.incident(number)
    if incident.well and incident.phase in COURSE[:4] and not incident.phase_by_person:
        change_phase(draft, number, Phase.MONITORING, "every component is operational again", ALL_WELL)
    elif relapses:
        name = draft.policy.components[verdict.component].name
        change_phase(draft, number, Phase.INVESTIGATING, f"{name} is {verdict.level} again: {verdict.reason}", draft.actor)


# --- advisories


def on_advisory(draft: Draft, verdict: Verdict) -> None:
    """Raise, change or end an advisory: a small part of a component fails persistently. It never opens an incident."""
    before = draft.world.component(verdict.component)
    if verdict.advisory == before.advisory or verdict.component not in draft.policy.components:
        return
    if before.agrees(verdict):
        return
    stream = f"component/{verdict.component}"
    body: Body
    if verdict.advisory:
        quiet = look(draft.world, draft.policy, verdict.component, draft.now)
        thread = before.advisory_key or ("" if quiet else _new_thread(draft, verdict.component, "advisory"))
        body = AdvisoryRaised(verdict.component, verdict.advisory, verdict.reason, verdict.evidence, thread)
    else:
        whole = "all of it is operational again" if verdict.level is Level.OPERATIONAL else f"all of it is {verdict.level} now"
        thread, body = before.advisory_key, AdvisoryEnded(verdict.component, before.advisory, whole)
    fact = draft.add(stream, body)
    if before.advisory_key:
        draft.send(ReplyInThread(before.advisory_key), fact)
    elif thread:
        draft.send(OpenThread(thread), fact)


# --- alerts that are held back, and their release


def _hold_back(draft: Draft, component: str, quiet: Quiet) -> None:
    held = draft.world.component(component).held_back
    thread = _down_while_muted(draft, component)
    if held and not thread and _same(held, quiet):
        return
    body = AlertSuppressed(component, quiet.why, quiet.until, thread)
    news = quiet.incident is not None and (held is None or held.incident != quiet.incident)
    fact = draft.add(f"component/{component}", body, incident=quiet.incident, told=news)
    if thread:
        draft.send(OpenThread(thread), fact)


def _same(held: HeldBack, quiet: Quiet | None) -> bool:
    """Whether the alert is already held back for this reason."""
    return quiet is not None and (held.why, held.until, held.incident) == (quiet.why, quiet.until, quiet.incident)


def _down_while_muted(draft: Draft, component: str) -> str:
    """The key of the one quiet line that a mute lets through: the component went down while muted. Empty = none now.

    One line per mute, since a load test may take a component down ten times. If it was down when muted, people knew already.
    """
    state = draft.world.component(component)
    mute, since = state.mute, state.since
    if mute is None or mute.told or mute.until <= draft.now or draft.world.sight.blind:
        return ""
    went_down = state.level is Level.DOWN and since is not None and since >= mute.at
    return _new_thread(draft, component, "muted") if went_down else ""


def lift(draft: Draft) -> None:
    """Alert people, by a rule, to every bad component that nobody was told of, unless something holds it back.

    Ends the drill of a component that turns out to fail for real.
    """
    asked, draft.actor = draft.actor, HELD_RULE
    _lift(draft)
    give_way(draft)
    draft.actor = asked


def _lift(draft: Draft) -> None:
    components = sorted(draft.world.components.values(), key=lambda c: c.id)  # a fixed order, the same after a restart
    for state in [c for c in components if c.held_back or _untold(draft, c)]:
        if state.id not in draft.policy.components:
            continue
        component = draft.policy.components[state.id]
        quiet = look(draft.world, draft.policy, state.id, draft.now)
        mine = draft.world.concerned(state.id)
        if quiet and mine is None and (quiet.planned or not draft.world.open_for(component.provider)):
            _hold_back(draft, state.id, quiet)
            continue
        if state.held_back:
            _resume(draft, state, state.held_back.why, thread=mine is None and component.open_on.get(state.level) == "thread")
        if mine is None:
            _alarm(draft, Verdict(state.id, state.level, state.reason, state.fault, state.evidence, state.began_at))


def _untold(draft: Draft, state: ComponentState) -> bool:
    """Bad, and configured to alert, but in no incident or quiet thread, since a person ended its incident."""
    known = draft.policy.components.get(state.id) if state.level.bad else None
    action = known.open_on.get(state.level, "none") if known else "none"
    if action == "none" or (action == "thread" and state.quiet_key):
        return False
    return draft.world.concerned(state.id) is None


def _resume(draft: Draft, state: ComponentState, why: str, *, thread: bool) -> None:
    opens = thread and not state.quiet_key and not draft.world.open_for(draft.policy.components[state.id].provider)
    key = _new_thread(draft, state.id) if opens else state.quiet_key
    fact = draft.add(f"component/{state.id}", AlertResumed(state.id, why, key))
    if opens:
        draft.send(OpenThread(key), fact)


# --- muting


def on_mute(draft: Draft, signal: Mute) -> Step:
    """A person holds a component's alerts back for a while; an open incident continues."""
    if signal.component not in draft.policy.components:
        return draft.refuse(base.NoComponent(component=signal.component, known=tuple(sorted(draft.policy.components))))
    longest = draft.policy.longest_mute
    if not timedelta(0) < signal.lasts <= longest:
        return draft.refuse(ca.MuteTooLong(longest=longest))
    until = draft.now + signal.lasts
    draft.add(f"component/{signal.component}", Muted(signal.component, until, signal.reason.strip()))
    lift(draft)
    name, incident = draft.policy.name_of(signal.component), draft.world.concerned(signal.component)
    return draft.done(ca.Muted(component=name, until=until, open_incident=incident.number if incident else None))


def on_unmute(draft: Draft, signal: Unmute) -> Step:
    """A person ends a mute; if the component is bad, people are told now."""
    name = draft.policy.name_of(signal.component)
    if draft.world.component(signal.component).mute is None:
        return draft.refuse(ca.NotMuted(component=name))
    draft.add(f"component/{signal.component}", Unmuted(signal.component, ""))
    lift(draft)
    react(draft)
    return draft.done(ca.Unmuted(component=name))


def expire_mutes(draft: Draft) -> None:
    """End mutes whose time is up."""
    for state in sorted(draft.world.components.values(), key=lambda c: c.id):
        if state.mute and state.mute.until <= draft.now:
            draft.add(f"component/{state.id}", Unmuted(state.id, "its time is up"), actor=MUTE_RULE)


# --- signals


def on_verdict_reached(draft: Draft, signal: VerdictReached) -> Step:
    """Record the change, tell people, and move flags."""
    verdict = signal.verdict
    held = draft.world.component(verdict.component)
    if held.agrees(verdict):
        return draft.done(base.KnownAlready())
    if held.since is None or (held.level, held.fault) != (verdict.level, verdict.fault):
        on_verdict(draft, verdict)
    on_advisory(draft, verdict)
    lift(draft)
    react(draft)
    return draft.done(base.Noted())


def on_sight_changed(draft: Draft, signal: SightChanged) -> Step:
    """One notice when we go blind, closed when we can see again; both also appear in the timeline of every open incident."""
    sight, held = signal.sight, draft.world.sight
    if sight.blind is held.blind:
        return draft.done(base.KnownAlready())
    body: Body
    if sight.blind:
        thread = OpenThread.of_fact("sight", draft.world.seqs.get("sight", 0) + 1)
        body = SightLost(sight.reason, sight.began_at or draft.now, thread)
        draft.send(OpenThread(thread), draft.add("sight", body))
    else:
        body = SightRegained(held.reason, held.began_at or draft.now, sight.ended_at or draft.now)
        draft.send(ReplyInThread(held.notice), draft.add("sight", body))
    for open_incident in draft.world.open_incidents():
        draft.add(open_incident.stream, body)
    lift(draft)
    react(draft)
    return draft.done(base.Noted())


HANDLERS: Handlers = {VerdictReached: on_verdict_reached, SightChanged: on_sight_changed, Mute: on_mute, Unmute: on_unmute}


def due(world: World, policy: Policy) -> Iterator[datetime]:
    """When a mute ends, and when a held-back alert may be sent or gets another reason to be held back."""
    for component in world.components.values():
        if component.mute:
            yield component.mute.until
        held = component.held_back
        if held is None or component.id not in policy.components:
            continue
        if held.until is not None:
            yield held.until
        if held.incident is not None and held.incident not in world.running:
            yield held.at  # the incident that covered it is over
        for begins in beginnings(world, policy, component.id, held.at):
            if not _same(held, look(world, policy, component.id, begins)):
                yield begins
