"""People switch flags: engage, start the hand-back, release. With `force` they may do what a rule would not."""

from bot.core.answers import flags as fa
from bot.core.answers.base import Refused
from bot.core.answers.rehearsals import Unrehearsed
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.flags.approvals import settle, yes
from bot.core.decide.flags.automation import engage
from bot.core.decide.flags.choosing import meant, served
from bot.core.decide.flags.conditions import (
    default_unwell,
    hands_off,
    how,
    incident_for,
    no_flag,
    troubled,
    verdicts,
    well,
    where,
)
from bot.core.decide.flags.mitigation import lose_mitigation, mitigate
from bot.core.decide.flags.ramps import step_back
from bot.core.decide.flags.readiness import unready
from bot.core.decide.flags.scopes import rest_unwell, rest_warned, too_many, variant_of_rest
from bot.core.decide.flags.steering import MOST_AHEAD, UNSAID, extend, forced, set_share, worse_off
from bot.core.decide.warned import knew, warned_unready
from bot.core.model import Level
from bot.core.policy import FlagPolicy
from bot.core.record.flag_facts import Released
from bot.core.scope import scope_of, whole
from bot.core.signals.flags import EngageFlag, PlanSwitch, ReleaseFlag, StepBack


def on_engage(draft: Draft, signal: EngageFlag) -> Step:
    """A person engages a fallback or approves a proposal. Refused for an unhealthy variant."""
    policy = draft.policy.flag(signal.flag)
    if policy is None:
        return draft.refuse(no_flag(draft.policy, signal.flag))
    if refused := too_many(draft.world, draft.policy, policy.key):
        return draft.refuse(refused)
    state = draft.world.flag(policy.key)
    variant = meant(draft.world, draft.policy, policy, signal.variant, signal.share)
    if not isinstance(variant, str):
        return draft.refuse(variant)
    if signal.hold_for and signal.hold_for > MOST_AHEAD:
        return draft.refuse(fa.TooFar(flag=policy.key, most_days=MOST_AHEAD.days))
    answered = yes(draft, policy, variant, signal.actor) if signal.approves else None
    if isinstance(answered, Refused):
        return draft.refuse(answered)
    if answered:
        return draft.done(answered)
    worse = _worse(draft, policy, variant, signal.share)
    if worse and not signal.force:
        return draft.refuse(fa.ShareUnwell(flag=policy.key, share=signal.share, unwell=worse, variant=variant))
    if state.engagement and state.engagement.variant == variant and signal.share < 100:
        set_share(draft, policy, state.engagement, signal.share, forced(signal.reason or UNSAID, worse))
        if signal.hold_for:
            extend(draft, policy, draft.now + signal.hold_for)
        mitigate(draft)
        incident = where(draft.world, policy, state.engagement)
        return draft.done(
            fa.ShareSet(
                flag=policy.key, incident=incident, share=signal.share, variant=variant,
                default=variant_of_rest(draft.world, policy),
            )
        )  # fmt: skip
    why = unready(draft.world, policy, variant)
    if not (_means_it(signal) or knew(signal.warned or (), warned_unready(policy.key, variant, why))):
        return draft.refuse(Unrehearsed(flag=policy.key, variant=variant, reason=why, approves=signal.approves))
    trouble = troubled(draft.world, policy, Level.DEGRADED)
    reason = signal.reason or (state.proposal.reason if state.proposal else verdicts(draft, trouble)) or UNSAID
    if why and signal.approves:
        reason = f"{reason} (approved although {why})"
    else:
        reason = forced(reason, " and ".join(filter(None, (why, worse))))
    until = draft.now + signal.hold_for if signal.hold_for else None
    incident = incident_for(draft.world, trouble or policy.depends_on)
    mode = "approved" if signal.approves else "manual"
    engage(draft, policy, variant, reason, mode, signal.actor, incident, trouble, until, signal.share)
    settle(draft)
    mitigate(draft)
    return draft.done(fa.Switched(flag=policy.key, incident=incident, variant=variant, share=signal.share))


def _means_it(signal: EngageFlag) -> bool:
    """Whether a rehearsal that failed is overruled, whenever it did: who types their yes to a proposal means it too."""
    return signal.force or (signal.approves and signal.warned is None)


def _worse(draft: Draft, policy: FlagPolicy, variant: str, share: int) -> str:
    """What is wrong where readers would move: on the default, or on a fallback that already serves others; else empty."""
    engagement = draft.world.flag(policy.key).engagement
    moved = engagement is not None and (share < engagement.share or variant == engagement.variant)
    return worse_off(draft, policy, engagement, share) if engagement and moved else ""


def on_plan(draft: Draft, signal: PlanSwitch) -> Step:
    """What a switch would do, for whom, and what stands in the way. Changes nothing."""
    policy, world = draft.policy.flag(signal.flag), draft.world
    if policy is None:
        return draft.refuse(no_flag(draft.policy, signal.flag))
    found, engagement = meant(world, draft.policy, policy, signal.variant, signal.share), world.flag(policy.key).engagement
    variant = found if isinstance(found, str) else signal.variant
    refused = too_many(world, draft.policy, policy.key) or (None if isinstance(found, str) else found)
    if refused is None and (why := unready(world, policy, variant)):
        refused = Unrehearsed(flag=policy.key, variant=variant, reason=why)
    if refused is None and (worse := _worse(draft, policy, variant, signal.share)):
        refused = fa.ShareUnwell(flag=policy.key, share=signal.share, unwell=worse, variant=variant)
    return draft.done(
        fa.Planned(
            flag=policy.key, incident=incident_for(world, policy.depends_on), serves=served(world, policy),
            share_now=engagement.share if engagement else 100, variant=variant, share=signal.share,
            default=variant_of_rest(world, policy),
            readers=signal.readers, healths=_healths(draft, policy, variant),
            refused=refused, hands_off=hands_off(world, policy),
            rebuild=None if refused else _rebuild(draft, policy, variant, signal), left_out=_left_out(draft, policy.key),
        )
    )  # fmt: skip


def _left_out(draft: Draft, key: str) -> tuple[str, ...]:
    """The names of the sinks that the switch would not reach: they do not know scopes."""
    return tuple(sink.name for sink in draft.policy.sinks_of(whole(key))) if scope_of(key) else ()


def _rebuild(draft: Draft, policy: FlagPolicy, variant: str, signal: PlanSwitch) -> fa.CacheRebuild | None:
    """What it costs to refill the new provider's prompt cache; None without a price, or if caching saves nothing."""
    needs = next((one.needs for one in policy.fallbacks if one.variant == variant), None)
    price = draft.policy.prices.get(needs or "")
    if needs is None or price is None or price.cached >= price.new:
        return None
    # Nobody reports how many requests belong to a scope.
    moved = 0 if scope_of(policy.key) else round(signal.requests * signal.share / 100)
    return fa.CacheRebuild(draft.policy.name_of(needs), price.new, price.cached, moved)


def _healths(draft: Draft, policy: FlagPolicy, variant: str) -> tuple[str, ...]:
    """The health of the components behind the default and behind the variant."""
    needs = [one.needs for one in policy.fallbacks if one.variant == variant and one.needs]
    return tuple(how(draft.world.component(id), draft.policy.name_of(id)) for id in (*policy.depends_on, *needs))


def on_step_back(draft: Draft, signal: StepBack) -> Step:
    """A person starts the hand-back; later steps follow automatically while the default stays healthy."""
    policy, engagement = draft.policy.flag(signal.flag), draft.world.flag(signal.flag).engagement
    if policy is None:
        return draft.refuse(no_flag(draft.policy, signal.flag))
    if engagement is None:
        return draft.refuse(fa.NothingToHandBack(flag=policy.key))
    if engagement.handing_back and engagement.share_at is None:
        return draft.refuse(fa.HandBackRuns(flag=policy.key, share=engagement.share_back))
    unwell = default_unwell(draft.world, policy, draft.policy.name_of)
    if unwell:
        return draft.refuse(fa.HandBackRefused(flag=policy.key, variant=engagement.variant, unwell=unwell))
    step_back(draft, policy, engagement, well(draft, policy), signal.actor)
    if draft.world.flag(policy.key).engagement is None:
        return draft.done(
            fa.Released(flag=policy.key, incident=engagement.incident, default=variant_of_rest(draft.world, policy))
        )
    return draft.done(fa.HandBackBegun(flag=policy.key, incident=engagement.incident))


def on_release(draft: Draft, signal: ReleaseFlag) -> Step:
    """A person ends the engagement at once; back to an unhealthy default only by force."""
    policy, state = draft.policy.flag(signal.flag), draft.world.flag(signal.flag)
    engagement = state.engagement
    if engagement is None:
        if policy is None:
            return draft.refuse(no_flag(draft.policy, signal.flag))
        return draft.refuse(fa.NotEngaged(flag=signal.flag) if scope_of(signal.flag) else fa.AtDefault(flag=signal.flag))
    unwell = rest_unwell(draft.world, policy, draft.policy.name_of) if policy else ""
    if policy and unwell and not (signal.force or knew(signal.warned, rest_warned(draft.world, policy))):
        return draft.refuse(fa.DefaultUnwell(flag=signal.flag, unwell=unwell))
    reason = forced(signal.reason or UNSAID, unwell)
    default = variant_of_rest(draft.world, policy) if policy else "the default of the code that reads it"
    body = Released(signal.flag, default, reason)
    draft.add(f"flag/{signal.flag}", body, incident=engagement.incident)
    incident = draft.world.incidents.get(engagement.incident or 0)
    if unwell and incident and incident.phase.open and incident.mitigation and not scope_of(signal.flag):
        why = f"{draft.policy.flag_name(signal.flag)} went back to a default that is not well"
        lose_mitigation(draft, incident.number, why, signal.actor)
    known = default if policy else ""
    return draft.done(fa.Released(flag=signal.flag, incident=engagement.incident, default=known))


HANDLERS: Handlers = {EngageFlag: on_engage, PlanSwitch: on_plan, StepBack: on_step_back, ReleaseFlag: on_release}
