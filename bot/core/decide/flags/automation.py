"""What rules do with flags: when they engage or leave a fallback, and why they wait.

No rule ever switches to a variant that is no better than the one served (`choosing`), hands back to an unhealthy default, or
hands back before `min_hold`. A person may override that with `force`, and it is said so.
"""

from collections.abc import Iterator
from datetime import datetime

from bot.core.decide.draft import Draft
from bot.core.decide.flags import expiry, ramps
from bot.core.decide.flags.approvals import settle
from bot.core.decide.flags.choosing import Stay, Switch, VariantRank, choose, refuses_us, served, sick_behind, standing
from bot.core.decide.flags.conditions import allowed, default_unwell, hands_off, how, incident_for, troubled, verdicts, where
from bot.core.decide.flags.expiry import expire
from bot.core.decide.flags.mitigation import FALLBACK_RULE, carry_over, mitigate, mitigated_by_rule
from bot.core.decide.flags.ramps import on_the_way, stays, withdraw_question
from bot.core.decide.flags.scopes import flags_and_scopes
from bot.core.detection.reasons import span
from bot.core.model import Actor, Level
from bot.core.policy import Automation, FlagPolicy, Policy
from bot.core.record.component import ComponentState
from bot.core.record.flag import Engagement, FlagState
from bot.core.record.flag_facts import Engaged, EngageProposed, Held, HoldEnded, ProposalDropped
from bot.core.record.world import World


def react(draft: Draft) -> None:
    """Review every flag after something changed or time passed."""
    for policy in flags_and_scopes(draft.world, draft.policy):
        state = draft.world.flag(policy.key)
        if draft.world.sight.blind:
            expire(draft, policy, state, "we are blind")  # without sight no rule moves a flag
        elif state.engagement is None:
            _consider_engaging(draft, policy, state)
        else:
            _consider_engaged(draft, policy, state, state.engagement)
    carry_over(draft)
    settle(draft)
    mitigate(draft)


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
    incident, off = incident_for(draft.world, trouble), hands_off(draft.world, policy)
    reason = verdicts(draft, trouble)
    if state.pin:
        _hold(draft, policy, state, f"{reason}, and {off}", incident)
    elif isinstance(choice, Stay):
        healthy = standing(draft.world, policy, served(draft.world, policy)).serves
        _hold(draft, policy, state, f"no fallback is {'better' if healthy else 'healthy'}: {choice.reason}", incident)
    elif allowed(draft.world, policy) == Automation.AUTO:
        engage(draft, policy, choice.variant, reason, "auto", FALLBACK_RULE, incident, trouble)
    elif state.proposal is None or state.proposal.variant != choice.variant:
        proposal = EngageProposed(policy.key, choice.variant, f"{reason}, and {off}" if off else reason)
        draft.add(f"flag/{policy.key}", proposal, incident=incident, actor=FALLBACK_RULE)


def _rests(world: World, state: FlagState, trouble: tuple[str, ...]) -> bool:
    """A person released the flag or said no during this very trouble: leave it alone until the default has recovered."""
    said = [moment for moment in (state.released_at, state.rejected_at) if moment]
    if not said:
        return False
    return all((since := world.component(c).unwell_since) is not None and since <= max(said) for c in trouble)


def _hold(draft: Draft, policy: FlagPolicy, state: FlagState, reason: str, incident: int | None) -> None:
    if state.held != reason:
        engagement, unserved = state.engagement, not standing(draft.world, policy, served(draft.world, policy)).serves
        if engagement and engagement.share_back:
            unserved |= not standing(draft.world, policy, policy.default).serves
        unserved &= incident is None or not mitigated_by_rule(draft.incident(incident))  # else losing the mitigation says so
        draft.add(f"flag/{policy.key}", Held(policy.key, reason, unserved), incident=incident, actor=FALLBACK_RULE)


def _let_go(draft: Draft, policy: FlagPolicy, state: FlagState, incident: int | None) -> None:
    if state.held:
        draft.add(f"flag/{policy.key}", HoldEnded(policy.key), incident=incident, actor=FALLBACK_RULE)


def engage(
    draft: Draft, policy: FlagPolicy, variant: str, reason: str, mode: str, actor: Actor, incident: int | None,
    because: tuple[str, ...], expires_at: datetime | None = None, share: int = 100,
) -> None:  # fmt: skip
    """Record the engagement; readers see it as soon as it is committed."""
    state = draft.world.flag(policy.key)
    previous = served(draft.world, policy)
    body = Engaged(
        flag=policy.key, engagement=f"{policy.key}#{state.engagements + 1}", variant=variant, previous=previous,
        reason=reason, mode=mode, expires_at=expires_at or draft.now + policy.expires_after, because=because, share=share,
        sticky_by=policy.sticky_by,
    )  # fmt: skip
    draft.add(f"flag/{policy.key}", body, incident=incident, actor=actor)


def _consider_engaged(draft: Draft, policy: FlagPolicy, state: FlagState, engagement: Engagement) -> None:
    sick = _unhealthy_fallback(draft.world, policy, engagement)
    if sick and isinstance(better := _better(draft, policy, engagement, sick), Switch):
        reason, incident = _why_unhealthy(draft, policy, sick), where(draft.world, policy, engagement)
        engage(draft, policy, better.variant, reason, "auto", FALLBACK_RULE, incident, engagement.because)
        return
    if _step_up(draft, policy, engagement):
        return
    withdraw_question(draft, policy, engagement)  # first, because it ends the old hold; the new one is told afterwards
    state = draft.world.flag(policy.key)
    engagement = state.engagement or engagement
    why = better.reason if sick and isinstance(better, Stay) else stays(draft, policy, engagement)
    if why:
        _hold(draft, policy, state, why, where(draft.world, policy, engagement))
    else:
        _let_go(draft, policy, state, where(draft.world, policy, engagement))
    on_the_way(draft, policy, engagement)
    expire(draft, policy, state, default_unwell(draft.world, policy, draft.policy.name_of))


def _better(draft: Draft, policy: FlagPolicy, engagement: Engagement, sick: ComponentState) -> Switch | Stay:
    """The fallback itself is unhealthy: switch to a better one, or stay and say why."""
    choice, off = choose(draft.world, policy, draft.policy.name_of), hands_off(draft.world, policy)
    reason = _why_unhealthy(draft, policy, sick)
    if isinstance(choice, Stay):
        return Stay(f"{reason}; staying on {engagement.variant} ({choice.reason})")
    if allowed(draft.world, policy) != Automation.AUTO:
        return Stay(f"{reason}; {choice.variant} would be better{f', but {off}' if off else ''}")
    if draft.now < _swaps_at(policy, engagement, sick):
        return Stay(f"{reason}; {choice.variant} would be better, but the last switch is less than {span(policy.min_hold)} old")
    return choice


def _swaps_at(policy: FlagPolicy, engagement: Engagement, sick: ComponentState) -> datetime:
    """When a rule may switch to a better fallback. At most once per `min_hold`, so that two unstable ones do not alternate.

    A failing fallback is left at once, and so is an unhealthy one that a person chose.
    """
    fails = sick.level is Level.DOWN or refuses_us(sick)
    return engagement.at if fails or engagement.mode != "auto" else engagement.at + policy.min_hold


def _why_unhealthy(draft: Draft, policy: FlagPolicy, sick: ComponentState) -> str:
    also = " too" if default_unwell(draft.world, policy) else ""
    return f"{how(sick, draft.policy.name_of(sick.id))}{also}"


def _unhealthy_fallback(world: World, policy: FlagPolicy, engagement: Engagement) -> ComponentState | None:
    """The component behind the fallback, if it is unhealthy and a rule must deal with it."""
    sick = sick_behind(world, policy, engagement.variant)
    if sick is None or policy.automation == Automation.OFF:
        return None
    if engagement.stepped_at is not None and not default_unwell(world, policy):
        return None  # already being handed back, which is better; waiting for min_hold or a person does not count
    return sick


def _step_up(draft: Draft, policy: FlagPolicy, engagement: Engagement) -> bool:
    """Go up to a fallback with a model that has recovered, if a rule went down to a variant without one `min_hold` ago.

    What a person chose is left alone.
    """
    variant = _higher(draft.world, policy, engagement)
    if variant is None or draft.now < engagement.at + policy.min_hold:
        return False
    back = next(draft.world.component(one.needs or "") for one in policy.fallbacks if one.variant == variant)
    reason, incident = how(back, draft.policy.name_of(back.id)), where(draft.world, policy, engagement)
    engage(draft, policy, variant, reason, "auto", FALLBACK_RULE, incident, engagement.because)
    return True


def _higher(world: World, policy: FlagPolicy, engagement: Engagement) -> str | None:
    """The recovered fallback with a model, if a rule went down to a variant without one."""
    if engagement.mode != "auto" or allowed(world, policy) != Automation.AUTO or not default_unwell(world, policy):
        return None
    if standing(world, policy, engagement.variant) is not VariantRank.WITHOUT_MODEL:
        return None
    choice = choose(world, policy)
    return None if isinstance(choice, Stay) else choice.variant


def due(world: World, policy: Policy) -> Iterator[datetime]:
    """When an engagement expires, may climb or may take its next step back, if it waits for nothing else.

    At once if a person chose an unhealthy variant.
    """
    for flag in flags_and_scopes(world, policy):
        state = world.flag(flag.key)
        engagement = state.engagement
        if engagement is None:
            continue
        if not state.held and _unhealthy_fallback(world, flag, engagement):
            yield engagement.at
        yield from _swap_due(world, flag, engagement)
        if default_unwell(world, flag) or not expiry.ends_by_itself(world, flag, engagement):
            yield expiry.due(engagement)
        yield from ramps.due(world, flag, engagement)
        if default_unwell(world, flag) and _higher(world, flag, engagement):
            yield engagement.at + flag.min_hold


def _swap_due(world: World, policy: FlagPolicy, engagement: Engagement) -> Iterator[datetime]:
    """When a better fallback that waits for `min_hold` may be switched to."""
    sick = _unhealthy_fallback(world, policy, engagement)
    if sick and allowed(world, policy) == Automation.AUTO and isinstance(choose(world, policy), Switch):
        yield _swaps_at(policy, engagement, sick)
