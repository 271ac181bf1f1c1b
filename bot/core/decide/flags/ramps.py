"""How readers go back to the default, share by share, once it is well; and what a person's own share means to that."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.decide.draft import Draft
from bot.core.decide.flags.conditions import (
    default_unwell,
    failed_since,
    hands_off,
    nobody_knows,
    well,
    well_since,
    where,
)
from bot.core.model import Actor
from bot.core.policy import Automation, FirstStep, FlagPolicy
from bot.core.record.fact import Body
from bot.core.record.flag import Engagement
from bot.core.record.flag_facts import HandBackAsked, HandBackReverted, HandBackStepped, Released
from bot.core.record.world import World

HAND_BACK_RULE = Actor.rule("hand-back")


def on_the_way(draft: Draft, policy: FlagPolicy, engagement: Engagement) -> None:
    """Go on with the hand-back, or take everybody off a default that fails again."""
    world, unwell = draft.world, default_unwell(draft.world, policy, draft.policy.name_of)
    if takes_everybody(world, policy, engagement) and not hands_off(world, policy):
        _revert(draft, policy, engagement, unwell)
    elif unwell and engagement.asked_at and not nobody_knows(world, policy):
        _revert(draft, policy, engagement, unwell, engagement.share_back)
    elif not unwell and goes_back(world, policy, engagement):
        _hand_back(draft, policy, engagement)


def takes_everybody(world: World, policy: FlagPolicy, engagement: Engagement) -> bool:
    """Whether part of the readers is on a default that fails, and a rule would send them to the fallback.

    A share that a person chose is left alone for what was so when they chose it.
    """
    if not engagement.share_back:
        return False
    if engagement.share_at is None:
        return bool(default_unwell(world, policy)) and not nobody_knows(world, policy)
    may = engagement.stepped_at is not None or policy.automation == Automation.AUTO
    return may and failed_since(world, policy, engagement.share_at)


def stays(draft: Draft, policy: FlagPolicy, engagement: Engagement) -> str:
    """Why part of the readers is left on a default that fails, in words; empty where nobody is, or a rule sees to it."""
    world, why = draft.world, ""
    if takes_everybody(world, policy, engagement):
        why = hands_off(world, policy)
    elif engagement.share_at and engagement.share_back and policy.automation == Automation.PROPOSE:
        why = "that share was chosen before" if failed_since(world, policy, engagement.share_at) else ""
    unwell = default_unwell(world, policy, draft.policy.name_of)
    return f"{unwell}, and {engagement.share_back} % stays on {policy.called(policy.default)}, since {why}" if why else ""


def goes_back(world: World, policy: FlagPolicy, engagement: Engagement) -> bool:
    """Whether a rule goes on, or asks, once the default is well; what a person has begun goes on, whatever the automation."""
    if world.flag(policy.key).pin:
        return False
    asks = bool(engagement.because) and policy.automation != Automation.OFF
    if engagement.share_at is not None:  # theirs: it is asked about where the default was not well when they chose it
        return asks and engagement.stepped_at is None and well_since(world, policy, engagement.share_at)
    return engagement.stepped_at is not None or asks


def _hand_back(draft: Draft, policy: FlagPolicy, engagement: Engagement) -> None:
    if draft.now < engagement.at + policy.min_hold:
        return
    reason = well(draft, policy)
    if engagement.stepped_at is None:
        if _begins(draft.world, policy, engagement):
            step_back(draft, policy, engagement, reason, HAND_BACK_RULE)
        elif engagement.asked_at is None:
            body = HandBackAsked(policy.key, reason)
            draft.add(f"flag/{policy.key}", body, incident=where(draft.world, policy, engagement), actor=HAND_BACK_RULE)
    elif not draft.world.freeze.by and draft.now >= engagement.stepped_at + engagement.hold(policy.hold):
        step_back(draft, policy, engagement, reason, HAND_BACK_RULE)


def _begins(world: World, policy: FlagPolicy, engagement: Engagement) -> bool:
    """Whether a rule takes the first step without asking."""
    return policy.first_step == FirstStep.AUTO and not world.freeze.by and engagement.share_at is None


def step_back(draft: Draft, policy: FlagPolicy, engagement: Engagement, reason: str, actor: Actor) -> None:
    """The next share goes back to the default; the last one ends the engagement."""
    share = next_share(policy, engagement)
    body: Body = HandBackStepped(policy.key, share, reason, engagement.variant)
    if share >= 100:
        body = Released(policy.key, policy.default, reason)
    draft.add(f"flag/{policy.key}", body, incident=where(draft.world, policy, engagement), actor=actor)


def next_share(policy: FlagPolicy, engagement: Engagement) -> int:
    """Which percent are on the default after the next step."""
    return next((step for step in policy.steps if step > engagement.share_back), 100)


def _revert(draft: Draft, policy: FlagPolicy, engagement: Engagement, unwell: str, share: int = 0) -> None:
    body = HandBackReverted(policy.key, unwell, share)
    draft.add(f"flag/{policy.key}", body, incident=where(draft.world, policy, engagement), actor=HAND_BACK_RULE)


def due(world: World, policy: FlagPolicy, engagement: Engagement) -> Iterator[datetime]:
    """When the next step may be taken, or the first one asked about, if that is all that it waits for."""
    if default_unwell(world, policy) or not goes_back(world, policy, engagement):
        return
    if engagement.stepped_at is not None:
        if not world.freeze.by:
            yield max(engagement.stepped_at + engagement.hold(policy.hold), engagement.at + policy.min_hold)
    elif engagement.asked_at is None or _begins(world, policy, engagement):
        yield engagement.at + policy.min_hold
