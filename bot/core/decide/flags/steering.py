"""People steer a switched flag: which share is on the fallback, whether the hand-back continues, and when it ends."""

from datetime import datetime, timedelta

from bot.core.answers import flags as fa
from bot.core.answers.base import Refused
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.flags.choosing import sick_behind, standing
from bot.core.decide.flags.conditions import default_unwell, how, no_flag, where
from bot.core.decide.flags.mitigation import mitigate
from bot.core.decide.flags.scopes import rest_unwell, variant_of_rest, variants_of_rest
from bot.core.policy import FlagPolicy, Policy
from bot.core.record.fact import Body
from bot.core.record.flag import Engagement
from bot.core.record.steering.steering_facts import Extended, HandBackHeld, HandBackResumed, ShareSet
from bot.core.record.world import World
from bot.core.signals.flags import ExtendFlag, HoldHandBack, RampFlag, ResumeHandBack

MOST_AHEAD = timedelta(days=366)
UNSAID = "no reason given"


def on_ramp(draft: Draft, signal: RampFlag) -> Step:
    """A person sets the share. Refused if the readers who move would be no better off, unless forced."""
    found = _engaged(draft.world, draft.policy, signal.flag)
    if isinstance(found, Refused):
        return draft.refuse(found)
    policy, engagement = found
    if not 1 <= signal.share <= 100:
        return draft.refuse(fa.NoShare(flag=policy.key))
    if signal.share == engagement.share:
        return draft.refuse(fa.ShareAlready(flag=policy.key, variant=engagement.variant, share=signal.share))
    worse = worse_off(draft, policy, engagement, signal.share)
    if worse and not signal.force:
        return draft.refuse(fa.ShareUnwell(flag=policy.key, share=signal.share, unwell=worse))
    set_share(draft, policy, engagement, signal.share, forced(signal.reason or UNSAID, worse))
    mitigate(draft)
    done = fa.ShareSet(
        flag=policy.key, incident=where(draft.world, policy, engagement), share=signal.share, variant=engagement.variant,
        default=variant_of_rest(draft.world, policy),
    )  # fmt: skip
    return draft.done(done)


def worse_off(draft: Draft, policy: FlagPolicy, engagement: Engagement, share: int) -> str:
    """What is wrong on the side that readers would move to; empty if it is healthy, or better than where they are."""
    world, name_of = draft.world, draft.policy.name_of
    fallback = standing(world, policy, engagement.variant)
    others = [standing(world, policy, variant) for variant in variants_of_rest(world, policy)]
    if share < engagement.share:
        return rest_unwell(world, policy, name_of) if max(others) >= fallback else ""
    sick = sick_behind(world, policy, engagement.variant)
    return how(sick, name_of(sick.id)) if sick and fallback >= min(others) else ""


def forced(reason: str, although: str) -> str:
    """The reason of a forced action, with what it overrode, if anything."""
    return f"{reason} (forced although {although})" if although else reason


def set_share(draft: Draft, policy: FlagPolicy, engagement: Engagement, share: int, reason: str) -> None:
    """Record the share that a person chose."""
    stay_s = policy.stay_s if share < engagement.share else 0
    body = ShareSet(policy.key, share, engagement.share, engagement.variant, reason or UNSAID, stay_s)
    _add(draft, policy, engagement, body)


def on_hold(draft: Draft, signal: HoldHandBack) -> Step:
    """A person halts the hand-back at its current share."""
    found = _engaged(draft.world, draft.policy, signal.flag)
    if isinstance(found, Refused):
        return draft.refuse(found)
    policy, engagement = found
    if engagement.share_at is not None:
        return draft.refuse(fa.HeldAlready(flag=policy.key, share=engagement.share_back))
    if not engagement.handing_back:
        return draft.refuse(fa.NoHandBack(flag=policy.key))
    _add(draft, policy, engagement, HandBackHeld(policy.key, engagement.share_back, signal.reason or UNSAID))
    incident = where(draft.world, policy, engagement)
    return draft.done(fa.HandBackHeld(flag=policy.key, incident=incident, share=engagement.share_back))


def on_resume(draft: Draft, signal: ResumeHandBack) -> Step:
    """A person lets rules continue from the current share; never onto an unhealthy default."""
    found = _engaged(draft.world, draft.policy, signal.flag)
    if isinstance(found, Refused):
        return draft.refuse(found)
    policy, engagement = found
    if engagement.share_at is None or not engagement.share_back:
        return draft.refuse(fa.NothingHeld(flag=policy.key))
    unwell = default_unwell(draft.world, policy, draft.policy.name_of)
    if unwell:
        return draft.refuse(fa.HandBackRefused(flag=policy.key, variant=engagement.variant, unwell=unwell))
    _add(draft, policy, engagement, HandBackResumed(policy.key, engagement.share_back))
    incident = where(draft.world, policy, engagement)
    return draft.done(fa.HandBackResumed(flag=policy.key, incident=incident, share=engagement.share_back))


def on_extend(draft: Draft, signal: ExtendFlag) -> Step:
    """A person postpones the end, counted from the current end."""
    found = _engaged(draft.world, draft.policy, signal.flag)
    if isinstance(found, Refused):
        return draft.refuse(found)
    policy, engagement = found
    if signal.asked is not None and signal.asked != engagement.expires_at:
        return draft.refuse(fa.ExtendedAlready(flag=policy.key, until=engagement.expires_at, now=draft.now))
    if signal.lasts > MOST_AHEAD or engagement.expires_at + signal.lasts > draft.now + MOST_AHEAD:
        return draft.refuse(fa.TooFar(flag=policy.key, most_days=MOST_AHEAD.days))
    until = engagement.expires_at + signal.lasts
    extend(draft, policy, until)
    incident = where(draft.world, policy, engagement)
    return draft.done(fa.Extended(flag=policy.key, incident=incident, until=until, now=draft.now))


def extend(draft: Draft, policy: FlagPolicy, until: datetime) -> None:
    """Record an engagement's new end."""
    engagement = draft.world.flag(policy.key).engagement
    if engagement is not None:
        _add(draft, policy, engagement, Extended(policy.key, until, engagement.expires_at))


def _add(draft: Draft, policy: FlagPolicy, engagement: Engagement, body: Body) -> None:
    draft.add(f"flag/{policy.key}", body, incident=where(draft.world, policy, engagement))


def _engaged(world: World, config: Policy, key: str) -> tuple[FlagPolicy, Engagement] | Refused:
    """The flag and its engagement; or why there is nothing to steer."""
    policy, engagement = config.flag(key), world.flag(key).engagement
    if policy is None:
        return no_flag(config, key)
    return (policy, engagement) if engagement else fa.NotEngaged(flag=key)


HANDLERS: Handlers = {RampFlag: on_ramp, HoldHandBack: on_hold, ResumeHandBack: on_resume, ExtendFlag: on_extend}
