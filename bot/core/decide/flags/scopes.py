"""Scopes of a flag's readers that a person switched separately.

A scope takes precedence over the whole: readers in its share get its fallback, and all others get what the whole serves, also
during its hand-back. Rules engage only the whole flag, and no scope makes an incident mitigated.
"""

from collections.abc import Callable

from bot.core.answers import flags as fa
from bot.core.decide.flags.choosing import sick_behind
from bot.core.decide.flags.conditions import how, not_well
from bot.core.decide.warned import Marks, warned_unwell
from bot.core.policy import FlagPolicy, Policy
from bot.core.record.component import ComponentState
from bot.core.record.world import World
from bot.core.scope import MOST_AT_ONCE, scope_of, whole


def switched_scopes(world: World, policy: Policy) -> list[FlagPolicy]:
    """The scopes that are switched now, by key."""
    keys = sorted(key for key, state in world.flags.items() if state.engagement and scope_of(key))
    return [part for key in keys if (part := policy.flag(key))]


def flags_and_scopes(world: World, policy: Policy) -> list[FlagPolicy]:
    """Every flag, and every scope that is switched now."""
    return [*policy.flags.values(), *switched_scopes(world, policy)]


def variant_of_rest(world: World, policy: FlagPolicy) -> str:
    """The variant for readers who are on no fallback of this flag: its default; for a scope, whatever the whole serves."""
    return variants_of_rest(world, policy)[0]


def variants_of_rest(world: World, policy: FlagPolicy) -> tuple[str, ...]:
    """Every variant that those readers get, the main one first: two for a scope while the whole is split."""
    engagement = world.flag(whole(policy.key)).engagement if scope_of(policy.key) else None
    if engagement is None or engagement.share_back >= 100:
        return (policy.default,)
    return (engagement.variant, policy.default) if engagement.share_back else (engagement.variant,)


def rest_unwell(world: World, policy: FlagPolicy, name_of: Callable[[str], str] = str) -> str:
    """Why some of those readers are served badly, in words; empty if none are."""
    return ", ".join(how(state, name_of(state.id)) for state in rest_not_well(world, policy))


def rest_not_well(world: World, policy: FlagPolicy) -> list[ComponentState]:
    """The components that are why: those of the first variant that is not served well."""
    return next(filter(None, (_not_well(world, policy, variant) for variant in variants_of_rest(world, policy))), [])


def rest_warned(world: World, policy: FlagPolicy) -> Marks:
    """What somebody knows who was told `rest_unwell`."""
    return warned_unwell({state.id: state.level for state in rest_not_well(world, policy)}, policy.key)


def _not_well(world: World, policy: FlagPolicy, variant: str) -> list[ComponentState]:
    if variant == policy.default:
        return not_well(world, policy)
    sick = sick_behind(world, policy, variant)
    return [sick] if sick else []


def too_many(world: World, policy: Policy, key: str) -> fa.TooManyScopes | None:
    """Why no further scope of this flag may be switched; None if it may, or if this one already is."""
    others = [part.key for part in switched_scopes(world, policy) if whole(part.key) == whole(key)]
    if scope_of(key) is None or key in others or len(others) < MOST_AT_ONCE:
        return None
    return fa.TooManyScopes(flag=whole(key), most=MOST_AT_ONCE)
