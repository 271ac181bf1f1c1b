"""What people do with flags: engage, begin the hand-back, release. What a rule would not do, they may with `force`."""

from bot.core.answers import base
from bot.core.answers import flags as fa
from bot.core.answers.rehearsals import Unrehearsed
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.flags.choosing import Stay, offer, unfit
from bot.core.decide.flags.failover import (
    default_unwell,
    engage,
    incident_for,
    lose_mitigation,
    mitigate,
    step_back,
    troubled,
    verdicts,
    well,
)
from bot.core.decide.flags.readiness import unready
from bot.core.model import Level
from bot.core.policy import FlagPolicy
from bot.core.record.flag import FlagState
from bot.core.record.flag_facts import Released
from bot.core.signals.flags import EngageFlag, ReleaseFlag, StepBack


def on_engage(draft: Draft, signal: EngageFlag) -> Step:
    """A person engages, or approves what was proposed. Refused onto an unwell variant."""
    policy = draft.policy.flags.get(signal.flag)
    if policy is None:
        return draft.refuse(_no_flag(draft, signal.flag))
    state = draft.world.flag(policy.key)
    variant = signal.variant or (state.proposal.variant if state.proposal else "")
    if not variant:
        choice = offer(draft.world, policy, draft.policy.name_of)
        if isinstance(choice, Stay):
            return draft.refuse(fa.NoneBetter(flag=policy.key, reason=choice.reason))
        variant = choice.variant
    refused = _cannot_engage(draft, policy, state, variant)
    if refused is None and signal.approves and state.proposal is None:
        # An old button: what it answers is no longer asked, and a yes to that must not switch anything now.
        refused = fa.NothingWaits(flag=policy.key, variant=variant)
    why = unready(draft.world, policy, variant)
    if refused is None and why and not signal.force:
        refused = Unrehearsed(flag=policy.key, variant=variant, reason=why)
    if refused:
        return draft.refuse(refused)
    trouble = troubled(draft.world, policy, Level.DEGRADED)
    reason = signal.reason or (state.proposal.reason if state.proposal else verdicts(draft, trouble)) or "no reason given"
    if why:
        reason = f"{reason} (forced although {why})"
    until = draft.now + signal.hold_for if signal.hold_for else None
    incident = incident_for(draft.world, trouble or policy.depends_on)
    mode = "approved" if signal.approves else "manual"
    engage(draft, policy, variant, reason, mode, signal.actor, incident, trouble, until)
    mitigate(draft)
    return draft.done(fa.Switched(flag=policy.key, incident=incident, variant=variant))


def _cannot_engage(draft: Draft, policy: FlagPolicy, state: FlagState, variant: str) -> base.Refused | None:
    if variant not in policy.variants:
        return fa.NoVariant(flag=policy.key, variant=variant, known=tuple(policy.variants))
    if variant == policy.default:
        return fa.IsDefault(flag=policy.key, variant=variant)
    engagement = state.engagement
    if engagement and engagement.variant == variant and engagement.share_back == 0:
        return fa.ServesAlready(flag=policy.key, variant=variant)
    reason = unfit(draft.world, policy, variant, draft.policy.name_of)
    return fa.Unfit(flag=policy.key, reason=reason) if reason else None


def _no_flag(draft: Draft, key: str) -> base.NoFlag:
    return base.NoFlag(key=key, known=tuple(sorted(draft.policy.flags)))


def on_step_back(draft: Draft, signal: StepBack) -> Step:
    """A person starts the hand-back; the later steps follow by themselves while the default stays well."""
    policy, engagement = draft.policy.flags.get(signal.flag), draft.world.flag(signal.flag).engagement
    if policy is None:
        return draft.refuse(_no_flag(draft, signal.flag))
    if engagement is None:
        return draft.refuse(fa.NothingToHandBack(flag=policy.key))
    if engagement.stepped_at is not None and engagement.share_back:
        return draft.refuse(fa.HandBackRuns(flag=policy.key, share=engagement.share_back))
    unwell = default_unwell(draft.world, policy, draft.policy.name_of)
    if unwell:
        return draft.refuse(fa.HandBackRefused(flag=policy.key, variant=engagement.variant, unwell=unwell))
    step_back(draft, policy, engagement, well(draft, policy), signal.actor)
    return draft.done(fa.HandBackBegun(flag=policy.key, incident=engagement.incident))


def on_release(draft: Draft, signal: ReleaseFlag) -> Step:
    """A person ends the engagement at once; onto an unwell default only by force."""
    policy, state = draft.policy.flags.get(signal.flag), draft.world.flag(signal.flag)
    engagement = state.engagement
    if engagement is None:
        if policy is None:
            return draft.refuse(_no_flag(draft, signal.flag))
        return draft.refuse(fa.AtDefault(flag=signal.flag))
    unwell = default_unwell(draft.world, policy, draft.policy.name_of) if policy else ""
    if unwell and not signal.force:
        return draft.refuse(fa.DefaultUnwell(flag=signal.flag, unwell=unwell))
    reason = signal.reason or "no reason given"
    if unwell:
        reason = f"{reason} (forced although {unwell})"
    default = policy.default if policy else "the default of the code that reads it"
    body = Released(signal.flag, default, reason)
    draft.add(f"flag/{signal.flag}", body, incident=engagement.incident)
    incident = draft.world.incidents.get(engagement.incident or 0)
    if unwell and incident and incident.phase.open and incident.mitigation:
        why = f"{draft.policy.flag_name(signal.flag)} went back to a default that is not well"
        lose_mitigation(draft, incident.number, why, signal.actor)
    known = policy.default if policy else ""
    return draft.done(fa.Released(flag=signal.flag, incident=engagement.incident, default=known))


HANDLERS: Handlers = {EngageFlag: on_engage, StepBack: on_step_back, ReleaseFlag: on_release}
