"""How readers return to the default, share by share, once it is healthy; and how a share chosen by a person affects that."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.decide.draft import Draft
from bot.core.decide.flags.choosing import VariantRank, standing
from bot.core.decide.flags.conditions import (
    default_unwell,
    failed_since,
    hands_off,
    nobody_knows,
    well,
    well_since,
    where,
)
from bot.core.decide.flags.scopes import variant_of_rest
from bot.core.model import Actor
from bot.core.policy import Automation, FirstStep, FlagPolicy
from bot.core.record.fact import Body
from bot.core.record.flag import Engagement
from bot.core.record.flag_facts import ConversationsFollowed, HandBackAsked, HandBackReverted, HandBackStepped, Released
from bot.core.record.world import World

HAND_BACK_RULE = Actor.rule("hand-back")


def on_the_way(draft: Draft, policy: FlagPolicy, engagement: Engagement) -> None:
    """Continue the hand-back, or take everybody off a default that fails again."""
    world, unwell = draft.world, default_unwell(draft.world, policy, draft.policy.name_of)
    if takes_everybody(world, policy, engagement) and not hands_off(world, policy):
        _revert(draft, policy, engagement, unwell)
    elif not unwell:
        _follow(draft, policy, engagement)
        left = draft.world.flag(policy.key).engagement
        if left and goes_back(draft.world, policy, left):
            _hand_back(draft, policy, left)


def withdraw_question(draft: Draft, policy: FlagPolicy, engagement: Engagement) -> None:
    """Withdraw the question whether to hand back if the default fails again but nobody is taken off it."""
    world, unwell = draft.world, default_unwell(draft.world, policy, draft.policy.name_of)
    if takes_everybody(world, policy, engagement) and not hands_off(world, policy):
        return
    if unwell and engagement.asked_at and not nobody_knows(world, policy):
        _revert(draft, policy, engagement, unwell, engagement.share_back)


def _following(world: World, policy: FlagPolicy, engagement: Engagement) -> Iterator[tuple[datetime, int]]:
    """When earlier conversations move, and to which share: when their time is up, or at once if the fallback fails.

    None move if a person halted the hand-back after its last step.
    """
    held = engagement.share_at and all(step.at < engagement.share_at for step in engagement.running)
    fails = standing(world, policy, engagement.variant) is VariantRank.FAILING
    if not hands_off(world, policy) and (fails or not held):
        yield from ((step.at if fails else step.until, step.share) for step in engagement.running)


def _follow(draft: Draft, policy: FlagPolicy, engagement: Engagement) -> None:
    """Move earlier conversations whose time is up to the default; once the last have moved, end the engagement."""
    share = max((to for at, to in _following(draft.world, policy, engagement) if at <= draft.now), default=0)
    if not share:
        return
    body: Body = ConversationsFollowed(policy.key, share)
    if share >= 100 and engagement.share_at is None:
        body = Released(policy.key, variant_of_rest(draft.world, policy), well(draft, policy))
    draft.add(f"flag/{policy.key}", body, incident=where(draft.world, policy, engagement), actor=HAND_BACK_RULE)


def takes_everybody(world: World, policy: FlagPolicy, engagement: Engagement) -> bool:
    """Whether some readers are on a failing default and a rule would move them to the fallback.

    A share chosen by a person is left alone if the default was already failing then.
    """
    if not engagement.share_back:
        return False
    if engagement.share_at is None:
        return bool(default_unwell(world, policy)) and not nobody_knows(world, policy)
    may = engagement.stepped_at is not None or policy.automation == Automation.AUTO
    return may and failed_since(world, policy, engagement.share_at)


def stays(draft: Draft, policy: FlagPolicy, engagement: Engagement) -> str:
    """Why some readers are left on a failing default, in words; empty if none are, or if a rule moves them."""
    world, why = draft.world, ""
    if takes_everybody(world, policy, engagement):
        why = hands_off(world, policy)
    elif engagement.share_at and engagement.share_back and policy.automation == Automation.PROPOSE:
        why = "that share was chosen before" if failed_since(world, policy, engagement.share_at) else ""
    unwell = default_unwell(world, policy, draft.policy.name_of)
    return f"{unwell}, and {engagement.share_back} % stays on {policy.called(policy.default)}, since {why}" if why else ""


def goes_back(world: World, policy: FlagPolicy, engagement: Engagement) -> bool:
    """Whether a rule continues, or asks, once the default is healthy. It always continues what a person began."""
    if world.flag(policy.key).pin:
        return False
    asks = bool(engagement.because) and policy.automation != Automation.OFF
    if engagement.share_at is not None:  # set by a person: ask only if the default was unhealthy at that time
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
    """Whether only conversations are left, so that no step is due and the end comes by itself."""
    return engagement.all_back and bool(engagement.running)


def _begins(world: World, policy: FlagPolicy, engagement: Engagement) -> bool:
    """Whether a rule takes the first step without asking."""
    return policy.first_step == FirstStep.AUTO and not world.freeze.by and engagement.share_at is None


def step_back(draft: Draft, policy: FlagPolicy, engagement: Engagement, reason: str, actor: Actor) -> None:
    """Hand the next share back; the last step ends the engagement, unless conversations stay behind."""
    share = next_share(policy, engagement)
    body: Body = HandBackStepped(policy.key, share, reason, engagement.variant, policy.stay_s)
    if share >= 100 and (engagement.all_back or not policy.stay_s):
        body = Released(policy.key, variant_of_rest(draft.world, policy), reason)
    draft.add(f"flag/{policy.key}", body, incident=where(draft.world, policy, engagement), actor=actor)


def next_share(policy: FlagPolicy, engagement: Engagement) -> int:
    """The percentage on the default after the next step."""
    return next((step for step in policy.steps if step > engagement.share_back), 100)


def _revert(draft: Draft, policy: FlagPolicy, engagement: Engagement, unwell: str, share: int = 0) -> None:
    body = HandBackReverted(policy.key, unwell, share)
    draft.add(f"flag/{policy.key}", body, incident=where(draft.world, policy, engagement), actor=HAND_BACK_RULE)


def due(world: World, policy: FlagPolicy, engagement: Engagement) -> Iterator[datetime]:
    """When the next step may be taken or the first one asked about, if it waits for nothing else."""
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
