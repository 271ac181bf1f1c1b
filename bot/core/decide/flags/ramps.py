"""How readers go back to the default, share by share, once it is well; and what a person's own share means to that."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.decide.draft import Draft
from bot.core.decide.flags.choosing import Standing, standing
from bot.core.decide.flags.conditions import (
    default_unwell,
    failed_since,
    hands_off,
    nobody_knows,
    well,
    well_since,
    where,
)
from bot.core.decide.flags.scopes import rest
from bot.core.model import Actor
from bot.core.policy import Automation, FirstStep, FlagPolicy
from bot.core.record.fact import Body
from bot.core.record.flag import Engagement
from bot.core.record.flag_facts import ConversationsFollowed, HandBackAsked, HandBackReverted, HandBackStepped, Released
from bot.core.record.world import World

HAND_BACK_RULE = Actor.rule("hand-back")


def on_the_way(draft: Draft, policy: FlagPolicy, engagement: Engagement) -> None:
    """Go on with the hand-back, or take everybody off a default that fails again."""
    world, unwell = draft.world, default_unwell(draft.world, policy, draft.policy.name_of)
    if takes_everybody(world, policy, engagement) and not hands_off(world, policy):
        _revert(draft, policy, engagement, unwell)
    elif not unwell:
        _follow(draft, policy, engagement)
        left = draft.world.flag(policy.key).engagement
        if left and goes_back(draft.world, policy, left):
            _hand_back(draft, policy, left)


def withdraw_question(draft: Draft, policy: FlagPolicy, engagement: Engagement) -> None:
    """Whether to go back is no longer asked where the default fails again and nobody is taken off it."""
    world, unwell = draft.world, default_unwell(draft.world, policy, draft.policy.name_of)
    if takes_everybody(world, policy, engagement) and not hands_off(world, policy):
        return
    if unwell and engagement.asked_at and not nobody_knows(world, policy):
        _revert(draft, policy, engagement, unwell, engagement.share_back)


def _following(world: World, policy: FlagPolicy, engagement: Engagement) -> Iterator[tuple[datetime, int]]:
    """When conversations of before follow, and to which share: after their time, or at once where the fallback fails them.

    Nobody does where a person halted it there since the last step.
    """
    held = engagement.share_at and all(step.at < engagement.share_at for step in engagement.running)
    fails = standing(world, policy, engagement.variant) is Standing.FAILING
    if not hands_off(world, policy) and (fails or not held):
        yield from ((step.at if fails else step.until, step.share) for step in engagement.running)


def _follow(draft: Draft, policy: FlagPolicy, engagement: Engagement) -> None:
    """Conversations of before that had their time take the step too; behind the last one nothing is left on the fallback."""
    share = max((to for at, to in _following(draft.world, policy, engagement) if at <= draft.now), default=0)
    if not share:
        return
    body: Body = ConversationsFollowed(policy.key, share)
    if share >= 100 and engagement.share_at is None:
        body = Released(policy.key, rest(draft.world, policy), well(draft, policy))
    draft.add(f"flag/{policy.key}", body, incident=where(draft.world, policy, engagement), actor=HAND_BACK_RULE)


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
    elif draft.world.freeze.by or _waits_for_conversations(engagement):
        return
    elif draft.now >= engagement.stepped_at + engagement.hold(policy.hold):
        step_back(draft, policy, engagement, reason, HAND_BACK_RULE)


def _waits_for_conversations(engagement: Engagement) -> bool:
    """Whether there is no further step, and the end comes by itself."""
    return engagement.all_back and bool(engagement.running)


def _begins(world: World, policy: FlagPolicy, engagement: Engagement) -> bool:
    """Whether a rule takes the first step without asking."""
    return policy.first_step == FirstStep.AUTO and not world.freeze.by and engagement.share_at is None


def step_back(draft: Draft, policy: FlagPolicy, engagement: Engagement, reason: str, actor: Actor) -> None:
    """The next share goes back to the default; the last one ends the engagement, but for conversations that stay."""
    share = next_share(policy, engagement)
    body: Body = HandBackStepped(policy.key, share, reason, engagement.variant, policy.stay_s)
    if share >= 100 and (engagement.all_back or not policy.stay_s):
        body = Released(policy.key, rest(draft.world, policy), reason)
    draft.add(f"flag/{policy.key}", body, incident=where(draft.world, policy, engagement), actor=actor)


def next_share(policy: FlagPolicy, engagement: Engagement) -> int:
    """Which percent are on the default after the next step."""
    return next((step for step in policy.steps if step > engagement.share_back), 100)


def _revert(draft: Draft, policy: FlagPolicy, engagement: Engagement, unwell: str, share: int = 0) -> None:
    body = HandBackReverted(policy.key, unwell, share)
    draft.add(f"flag/{policy.key}", body, incident=where(draft.world, policy, engagement), actor=HAND_BACK_RULE)


def due(world: World, policy: FlagPolicy, engagement: Engagement) -> Iterator[datetime]:
    """When the next step may be taken, or the first one asked about, if that is all that it waits for."""
    if default_unwell(world, policy):
        return
    yield from (at for at, _ in _following(world, policy, engagement))
    if not goes_back(world, policy, engagement) or _waits_for_conversations(engagement):
        return
    if engagement.stepped_at is not None:
        if not world.freeze.by:
            yield max(engagement.stepped_at + engagement.hold(policy.hold), engagement.at + policy.min_hold)
    elif engagement.asked_at is None or _begins(world, policy, engagement):
        yield engagement.at + policy.min_hold
