"""Flags: when a fallback is engaged, how traffic is handed back, and why automation holds still.

Rules that are never broken by a rule: never switch to a variant that is not better than the one that is served (`choosing`),
never hand back to a default that is unwell, never hand back before `min_hold`. A person may overrule with `force`, loudly.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from bot.core.decide.draft import Draft
from bot.core.decide.flags.choosing import Standing, Stay, choose, refuses_us, served, sick_behind, standing
from bot.core.decide.phases import change_phase, move_for
from bot.core.model import Actor, ActorKind, Fault, Level, Phase
from bot.core.policy import Automation, FirstStep, FlagPolicy, OnExpiry, Policy
from bot.core.record.component import ComponentState
from bot.core.record.component_facts import VerdictChanged
from bot.core.record.course.mitigation_facts import Mitigated, MitigationLost
from bot.core.record.fact import Body
from bot.core.record.flag import Engagement, FlagState
from bot.core.record.flag_facts import (
    CarriedOver,
    Engaged,
    EngageProposed,
    ExpiryReached,
    HandBackAsked,
    HandBackReverted,
    HandBackStepped,
    Held,
    HoldEnded,
    ProposalDropped,
    Released,
)
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import ComponentJoined, ComponentMoved, Declared, PhaseChanged
from bot.core.record.world import World

FALLBACK_RULE = Actor.rule("fallback automation")
HAND_BACK_RULE = Actor.rule("hand-back")
EXPIRY_RULE = Actor.rule("expiry")

# What happens anew to an incident or to its flags, so that fallbacks may carry it.
MAY_MITIGATE = (Declared, ComponentJoined, ComponentMoved, PhaseChanged, Engaged, HandBackReverted, VerdictChanged)


def react(draft: Draft) -> None:
    """Look at every flag after something changed or time passed."""
    for policy in draft.policy.flags.values():
        state = draft.world.flag(policy.key)
        if draft.world.sight.blind:
            _expire(draft, policy, "we are blind")  # no rule moves a flag on what it cannot see
        elif state.engagement is None:
            _consider_engaging(draft, policy, state)
        else:
            _consider_engaged(draft, policy, state, state.engagement)
    carry_over(draft)
    mitigate(draft)


def carry_over(draft: Draft) -> None:
    """An open incident takes the flags over that are on a fallback already, or ask, so that it tells of them."""
    for policy in draft.policy.flags.values():
        state = draft.world.flag(policy.key)
        waits = state.engagement or state.proposal
        if waits is None:
            continue
        held, number = draft.world.incidents.get(waits.incident or 0), incident_for(draft.world, policy.depends_on)
        if number is not None and not (held and held.phase.open):
            tell_in(draft, state, number)


def tell_in(draft: Draft, state: FlagState, number: int) -> None:
    """Where a flag that is switched, or asks, is told from now on; who is there can answer what it asks."""
    engagement, proposal = state.engagement, state.proposal
    body: Body | None = CarriedOver(state.key, engagement.variant, engagement.at) if engagement else None
    if proposal and not engagement:
        body = EngageProposed(state.key, proposal.variant, proposal.reason, again=True)
    if body:
        draft.add(f"flag/{state.key}", body, incident=number, actor=FALLBACK_RULE)


# --- how things are


def how(state: ComponentState, name: str) -> str:
    """How a component is for our services: `Claude API is down`, `our quota at Claude API is used up`."""
    return f"our quota at {name} is used up" if refuses_us(state) else f"{name} is {state.level}"


def troubled(world: World, policy: FlagPolicy, at: Level | None = None) -> tuple[str, ...]:
    """The components behind the default that are at least as bad as `at` (the flag's own `engage_on`), or that refuse us."""
    bar = (at or policy.engage_on).rank
    states = [world.component(c) for c in policy.depends_on]
    return tuple(s.id for s in states if (s.level.bad and s.level.rank >= bar) or refuses_us(s))


def default_unwell(world: World, policy: FlagPolicy, name_of: Callable[[str], str] = str) -> str:
    """Why the default cannot carry traffic: its components that are not operational; empty when all are."""
    states = [world.component(c) for c in policy.depends_on]
    return ", ".join(how(s, name_of(s.id)) for s in states if s.level is not Level.OPERATIONAL)


def _nobody_knows(world: World, policy: FlagPolicy) -> bool:
    """Whether the default is not well only in so far as we could not see it: a reason to stay put, not to turn back."""
    unwell = [s for c in policy.depends_on if (s := world.component(c)).level is not Level.OPERATIONAL]
    return all(s.level is Level.UNKNOWN and s.fault is Fault.LOCAL for s in unwell)


def incident_for(world: World, components: tuple[str, ...]) -> int | None:
    """The open incident that any of these components belong to."""
    for incident in world.open_incidents():
        if set(components) & set(incident.affected):
            return incident.number
    return None


def _where(world: World, policy: FlagPolicy, engagement: Engagement) -> int | None:
    """The incident whose people care: that of the engagement; where it is over, one that is open for the same components."""
    mine = world.incidents.get(engagement.incident or 0)
    if mine is not None and mine.phase.open:
        return mine.number
    return incident_for(world, policy.depends_on) or engagement.incident


def verdicts(draft: Draft, components: tuple[str, ...]) -> str:
    """What the verdicts are; why they are so stands next to them, in the component's own words."""
    return ", ".join(how(draft.world.component(c), draft.policy.name_of(c)) for c in components)


def well(draft: Draft, policy: FlagPolicy) -> str:
    """That the default is well, in words."""
    return ", ".join(f"{draft.policy.name_of(c)} is operational" for c in policy.depends_on)


# --- not engaged


def _consider_engaging(draft: Draft, policy: FlagPolicy, state: FlagState) -> None:
    trouble = troubled(draft.world, policy)
    if not trouble:
        if state.proposal:
            body = ProposalDropped(policy.key, "the default is no longer in trouble")
            draft.add(f"flag/{policy.key}", body, incident=state.proposal.incident, actor=FALLBACK_RULE)
        _let_go(draft, policy, state, incident_for(draft.world, policy.depends_on))
        return
    if policy.automation == Automation.OFF or _rests(draft.world, state, trouble):
        return
    choice = choose(draft.world, policy, draft.policy.name_of)
    incident = incident_for(draft.world, trouble)
    if isinstance(choice, Stay):
        _hold(draft, policy, state, f"no fallback is better: {choice.reason}", incident)
    elif policy.automation == Automation.AUTO:
        engage(draft, policy, choice.variant, verdicts(draft, trouble), "auto", FALLBACK_RULE, incident, trouble)
    elif state.proposal is None or state.proposal.variant != choice.variant:
        proposal = EngageProposed(policy.key, choice.variant, verdicts(draft, trouble))
        draft.add(f"flag/{policy.key}", proposal, incident=incident, actor=FALLBACK_RULE)


def _rests(world: World, state: FlagState, trouble: tuple[str, ...]) -> bool:
    """A person released the flag during this very trouble: automation leaves it alone until the default was well."""
    if state.released_at is None:
        return False
    return all((since := world.component(c).unwell_since) is not None and since <= state.released_at for c in trouble)


def _hold(draft: Draft, policy: FlagPolicy, state: FlagState, reason: str, incident: int | None) -> None:
    if state.held != reason:
        unserved = not standing(draft.world, policy, served(draft.world, policy)).serves
        unserved &= incident is None or not _mitigated_by_rule(draft.incident(incident))  # else its loss says so, once
        draft.add(f"flag/{policy.key}", Held(policy.key, reason, unserved), incident=incident, actor=FALLBACK_RULE)


def _let_go(draft: Draft, policy: FlagPolicy, state: FlagState, incident: int | None) -> None:
    if state.held:
        draft.add(f"flag/{policy.key}", HoldEnded(policy.key), incident=incident, actor=FALLBACK_RULE)


def engage(
    draft: Draft, policy: FlagPolicy, variant: str, reason: str, mode: str, actor: Actor, incident: int | None,
    because: tuple[str, ...], expires_at: datetime | None = None,
) -> None:  # fmt: skip
    """Write the engagement down; readers see it as soon as it is committed."""
    state = draft.world.flag(policy.key)
    previous = state.engagement.variant if state.engagement else policy.default
    body = Engaged(
        flag=policy.key, engagement=f"{policy.key}#{state.engagements + 1}", variant=variant, previous=previous,
        reason=reason, mode=mode, expires_at=expires_at or draft.now + policy.expires_after, because=because,
    )  # fmt: skip
    draft.add(f"flag/{policy.key}", body, incident=incident, actor=actor)


# --- engaged


def _consider_engaged(draft: Draft, policy: FlagPolicy, state: FlagState, engagement: Engagement) -> None:
    if _leave_sick_fallback(draft, policy, state, engagement) or _climb(draft, policy, engagement):
        return
    unwell = default_unwell(draft.world, policy, draft.policy.name_of)
    if unwell and (engagement.share_back or engagement.asked_at) and not _nobody_knows(draft.world, policy):
        body = HandBackReverted(policy.key, unwell)
        draft.add(f"flag/{policy.key}", body, incident=_where(draft.world, policy, engagement), actor=HAND_BACK_RULE)
    elif not unwell and _goes_back(policy, engagement):
        _hand_back(draft, policy, engagement)
    _expire(draft, policy, unwell)


def _leave_sick_fallback(draft: Draft, policy: FlagPolicy, state: FlagState, engagement: Engagement) -> bool:
    """The fallback itself is not well: go to a better one, or stay and say why."""
    sick = _sick_fallback(draft.world, policy, engagement)
    if sick is None:
        _let_go(draft, policy, state, _where(draft.world, policy, engagement))
        return False
    choice = choose(draft.world, policy, draft.policy.name_of)
    also = " too" if default_unwell(draft.world, policy) else ""
    reason = f"{how(sick, draft.policy.name_of(sick.id))}{also}"
    incident = _where(draft.world, policy, engagement)
    if isinstance(choice, Stay):
        _hold(draft, policy, state, f"{reason}; staying on {engagement.variant} ({choice.reason})", incident)
        return False
    if policy.automation != Automation.AUTO:
        _hold(draft, policy, state, f"{reason}; {choice.variant} would be better", incident)
        return False
    engage(draft, policy, choice.variant, reason, "auto", FALLBACK_RULE, incident, engagement.because)
    return True


def _sick_fallback(world: World, policy: FlagPolicy, engagement: Engagement) -> ComponentState | None:
    """The component behind the fallback, where it is not well and a rule has to see to that."""
    sick = sick_behind(world, policy, engagement.variant)
    if sick is None or policy.automation == Automation.OFF:
        return None
    if engagement.stepped_at is not None and not default_unwell(world, policy):
        return None  # on the way back already, which is better; one that waits for min_hold or a person is none
    return sick


def _climb(draft: Draft, policy: FlagPolicy, engagement: Engagement) -> bool:
    """A rule went down to a variant without a model, and a fallback with one is back: go up to it, `min_hold` later.

    What a person chose is left alone.
    """
    variant = _higher(draft.world, policy, engagement)
    if variant is None or draft.now < engagement.at + policy.min_hold:
        return False
    back = next(draft.world.component(one.needs or "") for one in policy.fallbacks if one.variant == variant)
    reason, incident = how(back, draft.policy.name_of(back.id)), _where(draft.world, policy, engagement)
    engage(draft, policy, variant, reason, "auto", FALLBACK_RULE, incident, engagement.because)
    return True


def _higher(world: World, policy: FlagPolicy, engagement: Engagement) -> str | None:
    """The fallback with a model that is back, for one without to which a rule went down."""
    if engagement.mode != "auto" or policy.automation != Automation.AUTO or not default_unwell(world, policy):
        return None
    if standing(world, policy, engagement.variant) is not Standing.WITHOUT_MODEL:
        return None
    choice = choose(world, policy)
    return None if isinstance(choice, Stay) else choice.variant


def _goes_back(policy: FlagPolicy, engagement: Engagement) -> bool:
    """Whether a rule hands back once the default is well; what a person has begun goes on, whatever the automation."""
    return engagement.stepped_at is not None or (bool(engagement.because) and policy.automation != Automation.OFF)


def _hand_back(draft: Draft, policy: FlagPolicy, engagement: Engagement) -> None:
    if draft.now < engagement.at + policy.min_hold:
        return
    reason = well(draft, policy)
    if engagement.stepped_at is None:
        if policy.first_step == FirstStep.AUTO:
            step_back(draft, policy, engagement, reason, HAND_BACK_RULE)
        elif engagement.asked_at is None:
            body = HandBackAsked(policy.key, reason)
            draft.add(f"flag/{policy.key}", body, incident=_where(draft.world, policy, engagement), actor=HAND_BACK_RULE)
    elif draft.now >= engagement.stepped_at + engagement.hold(policy.hold):
        step_back(draft, policy, engagement, reason, HAND_BACK_RULE)


def step_back(draft: Draft, policy: FlagPolicy, engagement: Engagement, reason: str, actor: Actor) -> None:
    """The next share goes back to the default; the last one ends the engagement."""
    share = next((step for step in policy.steps if step > engagement.share_back), 100)
    body: Body = HandBackStepped(policy.key, share, reason, engagement.variant)
    if share >= 100:
        body = Released(policy.key, policy.default, reason)
    draft.add(f"flag/{policy.key}", body, incident=_where(draft.world, policy, engagement), actor=actor)


def _expire(draft: Draft, policy: FlagPolicy, unwell: str) -> None:
    engagement = draft.world.flag(policy.key).engagement
    if engagement is None or draft.now < engagement.expires_at:
        return
    stream = f"flag/{policy.key}"
    if policy.on_expiry == OnExpiry.RELEASE and not unwell:
        body: Body = Released(policy.key, policy.default, "its time ran out, and the default is well")
    else:
        why = f"kept, since {unwell}" if unwell else "kept until somebody releases it"
        body = ExpiryReached(policy.key, why, draft.now + policy.expires_after)
    draft.add(stream, body, incident=_where(draft.world, policy, engagement), actor=EXPIRY_RULE)


# --- the incident's share


def mitigate(draft: Draft) -> None:
    """Customers are served by fallbacks: an incident whose flags are all engaged is mitigated, until one no longer is.

    The phase goes along unless a person chose it.
    """
    for incident in draft.world.open_incidents():
        lost = [why for p in _concerned(draft, incident) if (why := _no_longer(draft, p))]
        if lost and _mitigated_by_rule(incident) and not draft.world.sight.blind:
            lose_mitigation(draft, incident.number, "; ".join(lost), FALLBACK_RULE)
    for incident in draft.world.open_incidents():
        concerned = _concerned(draft, incident)
        if not concerned or not all(_carried(draft.world, p) for p in concerned):
            continue
        if not _happened_to(draft, incident, concerned):
            continue  # neither time nor what happens elsewhere overrules a person who said that nobody is served
        reason = ", ".join(_switched(draft, p) for p in concerned)
        if incident.phase_by_person and incident.mitigation is None:
            draft.add(incident.stream, Mitigated(reason), actor=FALLBACK_RULE)
        elif not incident.phase_by_person and move_for(incident, Phase.MITIGATED) == "forward":
            change_phase(draft, incident.number, Phase.MITIGATED, reason, FALLBACK_RULE)


def _switched(draft: Draft, policy: FlagPolicy) -> str:
    engagement = draft.world.flag(policy.key).engagement
    to = policy.called(engagement.variant if engagement else policy.default)
    return f"{draft.policy.flag_name(policy.key)} switched to {to}"


def lose_what_left(draft: Draft, number: int, reason: str) -> None:
    """A mitigation by rule is over when no flag of the incident is behind it any more, and it is not over itself."""
    incident = draft.incident(number)
    if _mitigated_by_rule(incident) and not incident.well and not _concerned(draft, incident):
        lose_mitigation(draft, number, reason, FALLBACK_RULE)


def _mitigated_by_rule(incident: Incident) -> bool:
    return incident.mitigation is not None and incident.mitigation.by.kind is ActorKind.RULE


def _happened_to(draft: Draft, incident: Incident, flags: list[FlagPolicy]) -> bool:
    """Whether something happened anew to the incident, to its flags or to what stands behind their fallbacks."""
    behind = {f"component/{one.needs}" for p in flags for one in p.fallbacks if one.needs}
    streams = {incident.stream, *(f"flag/{p.key}" for p in flags), *behind}
    return any(isinstance(fact.body, MAY_MITIGATE) and fact.stream in streams for fact in draft.facts)


def lose_mitigation(draft: Draft, number: int, reason: str, actor: Actor) -> None:
    """Customers are no longer served; the phase goes back with it, unless a person chose it and a rule speaks. One line says
    both."""
    incident = draft.incident(number)
    draft.add(incident.stream, MitigationLost(reason), actor=actor)
    if incident.phase is Phase.MITIGATED and not (incident.phase_by_person and actor.kind is ActorKind.RULE):
        change_phase(draft, number, Phase.INVESTIGATING, reason, actor, told=False)


def _concerned(draft: Draft, incident: Incident) -> list[FlagPolicy]:
    """The flags whose default stands on what fails in an incident."""
    failing = {affected.id for affected in incident.failing}
    return [p for p in draft.policy.flags.values() if failing & set(p.depends_on)]


def _no_longer(draft: Draft, policy: FlagPolicy) -> str:
    """Why a flag serves nobody although its default fails; empty where it does serve, or where nobody can tell."""
    trouble, engagement = troubled(draft.world, policy, Level.DEGRADED), draft.world.flag(policy.key).engagement
    if not trouble or _carried(draft.world, policy):
        return ""
    name, default = draft.policy.flag_name(policy.key), policy.called(policy.default)
    if engagement is None:
        return f"{verdicts(draft, trouble)}, and {name} is back on {default}"
    sick = sick_behind(draft.world, policy, engagement.variant)
    if sick is None:
        return f"{verdicts(draft, trouble)}, and {engagement.share_back} % of {name} is back on {default}"
    return f"{how(sick, draft.policy.name_of(sick.id))} too, and {name} is on {policy.called(engagement.variant)}"


def _carried(world: World, policy: FlagPolicy) -> bool:
    engagement = world.flag(policy.key).engagement
    if engagement is None or engagement.share_back:
        return False
    slow_but_serving = standing(world, policy, engagement.variant) is Standing.DEGRADED
    return slow_but_serving or not sick_behind(world, policy, engagement.variant)


def due(world: World, policy: Policy) -> Iterator[datetime]:
    """When an engagement expires, and when it may climb or take its next step back, if that is all that it waits for; at once
    where a person chose what is not well."""
    for flag in policy.flags.values():
        state = world.flag(flag.key)
        engagement = state.engagement
        if engagement is None:
            continue
        if not state.held and _sick_fallback(world, flag, engagement):
            yield engagement.at
        yield engagement.expires_at
        if default_unwell(world, flag):
            if _higher(world, flag, engagement):
                yield engagement.at + flag.min_hold
        elif engagement.stepped_at is not None:
            yield engagement.stepped_at + engagement.hold(flag.hold)
        elif engagement.asked_at is None and _goes_back(flag, engagement):
            yield engagement.at + flag.min_hold
