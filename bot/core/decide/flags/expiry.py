"""The end of an engagement: people are asked beforehand, and it then ends or is kept."""

from datetime import datetime, timedelta

from bot.core.decide.draft import Draft
from bot.core.decide.flags.conditions import hands_off, where
from bot.core.decide.flags.scopes import variant_of_rest
from bot.core.model import Actor
from bot.core.policy import FlagPolicy, OnExpiry
from bot.core.record.fact import Body
from bot.core.record.flag import Engagement, FlagState
from bot.core.record.flag_facts import ExpiryReached, HandBackStepped, Released
from bot.core.record.steering.steering_facts import ExpiryNear
from bot.core.record.world import World

EXPIRY_RULE = Actor.rule("expiry")

ASKED_BEFORE = timedelta(minutes=15)
SHORT = 4  # of a short engagement, ask in the last quarter, not as soon as it begins


def expire(draft: Draft, policy: FlagPolicy, state: FlagState, unwell: str) -> None:
    """Ask before the end; at the end, release or keep the engagement. `unwell` says what is wrong with the default."""
    engagement = draft.world.flag(policy.key).engagement
    if engagement is None or draft.now < due(engagement) or (not unwell and ends_by_itself(draft.world, policy, engagement)):
        return
    body = _expired(draft, policy, state, engagement, unwell)
    told = not (isinstance(body, ExpiryReached) and body.asked)  # the question already said what would happen
    incident = where(draft.world, policy, engagement)
    draft.add(f"flag/{policy.key}", body, incident=incident, actor=EXPIRY_RULE, told=told)


def _expired(draft: Draft, policy: FlagPolicy, state: FlagState, engagement: Engagement, unwell: str) -> Body:
    if draft.now < engagement.expires_at:
        return ExpiryNear(policy.key, engagement.expires_at, unwell)
    moves = policy.on_expiry == OnExpiry.RELEASE and not state.pin and not draft.world.freeze.by
    if moves and not unwell:
        reason = "its time ran out, and the default is well"
        if policy.stay_s and not engagement.all_back:
            return HandBackStepped(policy.key, 100, reason, engagement.variant, policy.stay_s)
        return Released(policy.key, variant_of_rest(draft.world, policy), reason)
    why = f"kept, since {unwell}" if unwell else "kept until somebody releases it"
    return ExpiryReached(policy.key, why, draft.now + policy.expires_after, asked=_asked(engagement))


def ends_by_itself(world: World, policy: FlagPolicy, engagement: Engagement) -> bool:
    """Whether only running conversations are left on the fallback, so the hand-back ends when their time is up."""
    return engagement.all_back and bool(engagement.running) and engagement.share_at is None and not hands_off(world, policy)


def _asked(engagement: Engagement) -> bool:
    return engagement.expiry_asked == engagement.expires_at


def asked_at(engagement: Engagement) -> datetime:
    """When people are asked: 15 minutes before the end, or at the last quarter of a short engagement."""
    lasts = engagement.expires_at - (engagement.timed_at or engagement.at)
    return engagement.expires_at - min(ASKED_BEFORE, lasts / SHORT)


def due(engagement: Engagement) -> datetime:
    """The next moment at which time matters: the question, then the end."""
    return engagement.expires_at if _asked(engagement) else asked_at(engagement)
