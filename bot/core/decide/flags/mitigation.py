"""What flags mean for an incident: it reports those that are switched, and is mitigated while all of them serve."""

from bot.core.decide.draft import Draft
from bot.core.decide.flags.choosing import VariantRank, sick_behind, standing
from bot.core.decide.flags.conditions import how, incident_for, troubled, verdicts
from bot.core.decide.flags.scopes import flags_and_scopes
from bot.core.decide.phases import change_phase, move_for
from bot.core.model import Actor, ActorKind, Level, Phase
from bot.core.policy import FlagPolicy
from bot.core.record.component_facts import VerdictChanged
from bot.core.record.course.mitigation_facts import Mitigated, MitigationLost
from bot.core.record.fact import Body
from bot.core.record.flag import FlagState
from bot.core.record.flag_facts import CarriedOver, Engaged, EngageProposed, HandBackReverted
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import ComponentJoined, ComponentMoved, Declared, PhaseChanged
from bot.core.record.steering.steering_facts import ShareSet
from bot.core.record.world import World

FALLBACK_RULE = Actor.rule("fallback automation")

# Facts about an incident or its flags after which fallbacks may mitigate it.
MAY_MITIGATE = (Declared, ComponentJoined, ComponentMoved, PhaseChanged, Engaged, ShareSet, HandBackReverted, VerdictChanged)


def carry_over(draft: Draft) -> None:
    """An open incident adopts flags that are already on a fallback, or have a proposal, so that they are told there."""
    for policy in flags_and_scopes(draft.world, draft.policy):
        state = draft.world.flag(policy.key)
        waits = state.engagement or state.proposal
        if waits is None:
            continue
        held, number = draft.world.incidents.get(waits.incident or 0), incident_for(draft.world, policy.depends_on)
        if number is not None and not (held and held.phase.open):
            tell_in(draft, state, number)


def tell_in(draft: Draft, state: FlagState, number: int) -> None:
    """From now on, tell of this switched or proposed flag in that incident, where people can also answer."""
    engagement, proposal = state.engagement, state.proposal
    body: Body | None = CarriedOver(state.key, engagement.variant, engagement.at) if engagement else None
    if proposal and not engagement:
        body = EngageProposed(state.key, proposal.variant, proposal.reason, again=True)
    if body:
        draft.add(f"flag/{state.key}", body, incident=number, actor=FALLBACK_RULE)


def mitigate(draft: Draft) -> None:
    """An incident whose flags are all engaged is mitigated, since fallbacks serve customers, until one no longer does.

    The phase follows, unless a person chose it.
    """
    for incident in draft.world.open_incidents():
        lost = [why for p in _concerned(draft, incident) if (why := _no_longer(draft, p))]
        if lost and mitigated_by_rule(incident) and not draft.world.sight.blind:
            lose_mitigation(draft, incident.number, "; ".join(lost), FALLBACK_RULE)
    for incident in draft.world.open_incidents():
        concerned = _concerned(draft, incident)
        if not concerned or not all(_carried(draft.world, p) for p in concerned):
            continue
        if not _concerns(draft, incident, concerned):
            continue  # neither time nor unrelated events override a person who said that customers are not served
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
    """End a mitigation by rule when no flag is behind it any more, unless the incident is well."""
    incident = draft.incident(number)
    if mitigated_by_rule(incident) and not incident.well and not _concerned(draft, incident):
        lose_mitigation(draft, number, reason, FALLBACK_RULE)


def mitigated_by_rule(incident: Incident) -> bool:
    return incident.mitigation is not None and incident.mitigation.by.kind is ActorKind.RULE


def _concerns(draft: Draft, incident: Incident, flags: list[FlagPolicy]) -> bool:
    """Whether this step changed the incident, its flags or the components behind their fallbacks."""
    behind = {f"component/{one.needs}" for p in flags for one in p.fallbacks if one.needs}
    streams = {incident.stream, *(f"flag/{p.key}" for p in flags), *behind}
    return any(isinstance(fact.body, MAY_MITIGATE) and fact.stream in streams for fact in draft.facts)


def lose_mitigation(draft: Draft, number: int, reason: str, actor: Actor) -> None:
    """Record that customers are no longer served. One line says that and the phase change.

    The phase goes back too, unless a person chose it and a rule is acting.
    """
    incident = draft.incident(number)
    draft.add(incident.stream, MitigationLost(reason), actor=actor)
    if incident.phase is Phase.MITIGATED and not (incident.phase_by_person and actor.kind is ActorKind.RULE):
        change_phase(draft, number, Phase.INVESTIGATING, reason, actor, told=False)


def _concerned(draft: Draft, incident: Incident) -> list[FlagPolicy]:
    """The flags whose default depends on what fails in an incident; scopes are left out, since they do not serve everybody."""
    failing = {affected.id for affected in incident.failing}
    return [p for p in draft.policy.flags.values() if failing & set(p.depends_on)]


def _no_longer(draft: Draft, policy: FlagPolicy) -> str:
    """Why a flag serves nobody while its default fails; empty if it does serve, or if nobody knows."""
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
    slow_but_serving = standing(world, policy, engagement.variant) is VariantRank.DEGRADED
    return slow_but_serving or not sick_behind(world, policy, engagement.variant)
