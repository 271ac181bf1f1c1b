"""Stops a hand-back that hurts: customers' requests fail on the default although checks call it healthy."""

from datetime import timedelta

from bot.core.answers.base import KnownAlready, Noted
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.flags.conditions import hands_off
from bot.core.model import Actor
from bot.core.policy import FlagPolicy, Policy
from bot.core.record.flag import Engagement
from bot.core.record.flag_facts import HandBackStopped
from bot.core.record.world import World
from bot.core.signals.outcomes import HandBackMeasured

HAND_BACK_RULE = Actor.rule("hand-back")
LONGEST_HOLD = timedelta(hours=1)  # each stop doubles the wait, up to this


def on_measured(draft: Draft, signal: HandBackMeasured) -> Step:
    """Go back one step and wait twice as long there, if too many requests failed since the last step."""
    policy, engagement = draft.policy.flag(signal.flag), draft.world.flag(signal.flag).engagement
    if policy is None or engagement is None or not _hurts(draft.policy, policy, engagement, signal):
        return draft.done(KnownAlready())
    if engagement.share_at is not None or hands_off(draft.world, policy):
        return draft.done(KnownAlready())  # a person holds this share, or stops rules
    before = max((step for step in policy.steps if step < engagement.share_back), default=0)
    hold = min(engagement.hold(policy.hold) * 2, max(LONGEST_HOLD, policy.hold))
    body = HandBackStopped(
        flag=policy.key, share=before, was=engagement.share_back, requests=signal.requests, failed=signal.failed,
        hold_s=int(hold.total_seconds()), variant=engagement.variant,
    )  # fmt: skip
    draft.add(f"flag/{policy.key}", body, incident=engagement.incident, actor=HAND_BACK_RULE)
    return draft.done(Noted())


def _hurts(policy: Policy, flag: FlagPolicy, engagement: Engagement, signal: HandBackMeasured) -> bool:
    """Whether the figures belong to the current step, are enough to trust, and are too bad."""
    of_this_step = (engagement.id, engagement.share_back) == (signal.engagement, signal.share) and engagement.share_back > 0
    enough = signal.requests >= policy.real_traffic.minimum
    return of_this_step and enough and signal.failed > flag.stop_at_errors * signal.requests


def under_way(world: World, policy: Policy) -> list[tuple[FlagPolicy, Engagement]]:
    """The flags of which a share, but not all, is back on the default."""
    found = ((flag, world.flag(key).engagement) for key, flag in policy.flags.items())
    return [(flag, engagement) for flag, engagement in found if engagement and engagement.share_back and engagement.stepped_at]


HANDLERS: Handlers = {HandBackMeasured: on_measured}
