"""Which fallbacks can be relied on: those that passed their last rehearsal, if the flag has `rehearse`."""

from bot.core.policy import Fallback, FlagPolicy
from bot.core.record.world import World
from bot.core.rehearsal import Rehearsal
from bot.core.scope import whole


def rehearsed(policy: FlagPolicy) -> tuple[Fallback, ...]:
    """The fallbacks that are rehearsed: those with a component behind them, if the flag has `rehearse`."""
    return tuple(one for one in policy.fallbacks if one.needs) if policy.rehearse else ()


def unready(world: World, policy: FlagPolicy, variant: str) -> str:
    """Why a variant should not be relied on, such as `it was never rehearsed`; empty if nothing is wrong."""
    if variant not in {one.variant for one in rehearsed(policy)}:
        return ""
    last = world.flag(whole(policy.key)).rehearsals.last.get(variant)
    if last is None:
        return "it was never rehearsed"
    return f"its rehearsal failed: {causes(last)}" if last.failed else ""


def causes(last: Rehearsal) -> str:
    """Why needs are not met, each reason once with the needs it affects: `tools: it called no tool`."""
    hit: dict[str, list[str]] = {}
    for one in (*last.failed, *last.low):
        hit.setdefault(one.why, []).append(one.need)
    return "; ".join(f"{', '.join(needs)}: {why}" for why, needs in hit.items())
