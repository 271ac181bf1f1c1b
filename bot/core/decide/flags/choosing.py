"""Which variant a flag should serve now: how good each one is, and whether another beats the current one.

A variant is as good as the component behind it. Degraded still beats a variant without a component, such as cached answers,
unless `engage_on: degraded` says that degraded is not good enough, or such a variant comes first in `fallbacks`.
"""

from collections.abc import Callable
from enum import IntEnum

from bot.core.answers import flags as fa
from bot.core.answers.base import Refused
from bot.core.decide.flags.readiness import unready
from bot.core.ids import ComponentId
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Fault, Level
from bot.core.policy import Fallback, FlagPolicy, Policy
from bot.core.record.component import ComponentState
from bot.core.record.world import World
from bot.core.scope import whole


class VariantRank(IntEnum):
    """How good a variant is at present; lower is better."""

    GOOD = 0
    DEGRADED = 1  # and the flag accepts that
    WITHOUT_MODEL = 2  # needs no component, so it always works, but less well
    TOO_SLOW = 3  # degraded, and the flag leaves its default for that
    UNKNOWN = 4
    FAILING = 5

    @property
    def serves(self) -> bool:
        """Whether traffic may be sent to it: not if it fails, and not if nobody knows."""
        return self < VariantRank.UNKNOWN


@dataclass(frozen=True)
class Switch:
    """Another variant should be served."""

    variant: str


@dataclass(frozen=True)
class Stay:
    """Keep what is served, and why."""

    reason: str


NameOf = Callable[[str], str]


def choose(world: World, policy: FlagPolicy, name_of: NameOf = str) -> Switch | Stay:
    """What a rule may switch to: the best fallback, if it beats what is served now."""
    serving = served(world, policy)
    now = standing(world, policy, serving)
    others = [one for one in policy.fallbacks if one.variant != serving]
    better = [one for one in others if _standing(world, policy, one).serves and _standing(world, policy, one) < now]
    ready = [one for one in better if not unready(world, policy, one.variant)]
    if better and (ready or not now.serves):  # a fallback that failed its rehearsal is used only if nothing else serves
        return Switch(min(ready or better, key=lambda one: _standing(world, policy, one)).variant)
    return Stay("; ".join(_why_not(world, policy, one, name_of) for one in others) or "there is no other fallback")


def offer(world: World, policy: FlagPolicy, name_of: NameOf = str) -> Switch | Stay:
    """The variant for a person who names none: the best one that would not be refused.

    A fallback is left only for a better one: a person who repeats the command wants the default to be left, and it already is.
    """
    serving, now = served(world, policy), standing(world, policy, served(world, policy))
    fit = [one for one in policy.fallbacks if one.variant != serving and not unfit(world, policy, one.variant)]
    known = [one for one in fit if _standing(world, policy, one).serves]
    if serving != policy.default:
        known = [one for one in known if _standing(world, policy, one) < now]
    ready = [one for one in known if not unready(world, policy, one.variant)]
    if known:
        return Switch(min(ready or known, key=lambda one: _standing(world, policy, one)).variant)
    others = [one for one in policy.fallbacks if one.variant != serving]
    return Stay("; ".join(_why_not(world, policy, one, name_of) for one in others) or "there is no other fallback")


def meant(world: World, config: Policy, policy: FlagPolicy, variant: str, share: int) -> str | Refused:
    """The variant that a person would switch to: the one they name, the proposed one, or the best; or why not."""
    state = world.flag(policy.key)
    variant = variant or (state.proposal.variant if state.proposal else "")
    if not 1 <= share <= 100:
        return fa.NoShare(flag=policy.key)
    if not variant:
        choice = offer(world, policy, config.name_of)
        if isinstance(choice, Stay):
            return fa.NoneBetter(flag=policy.key, reason=choice.reason)
        variant = choice.variant
    if variant not in policy.variants:
        return fa.NoVariant(flag=policy.key, variant=variant, known=tuple(policy.variants))
    if variant == policy.default:
        return fa.IsDefault(flag=policy.key, variant=variant)
    if state.engagement and state.engagement.variant == variant:
        if state.engagement.share != share:
            return variant  # a different share of the current variant is judged by `ramp`
        if share < 100:
            return fa.ShareAlready(flag=policy.key, variant=variant, share=share)
        return fa.ServesAlready(flag=policy.key, variant=variant)
    reason = unfit(world, policy, variant, config.name_of)
    return fa.Unfit(flag=policy.key, reason=reason) if reason else variant


def unfit(world: World, policy: FlagPolicy, variant: str, name_of: NameOf = str) -> str:
    """Why even a person may not switch to a variant: its component is unhealthy, and what is served now is no worse."""
    sick = sick_behind(world, policy, variant)
    if sick is None or standing(world, policy, variant) < standing(world, policy, served(world, policy)):
        return ""
    return f"{variant} needs {name_of(sick.id)}, which is {sick.level}: {sick.reason}"


def served(world: World, policy: FlagPolicy) -> str:
    """The variant served now; during a hand-back, the one being left. A scope that is not switched follows the whole."""
    engagement = world.flag(policy.key).engagement or world.flag(whole(policy.key)).engagement
    return engagement.variant if engagement else policy.default


def standing(world: World, policy: FlagPolicy, variant: str) -> VariantRank:
    """How good a variant is now. The default is as good as the worst component it depends on."""
    if variant == policy.default:
        behind = [_behind(policy, world.component(c)) for c in policy.depends_on]
        return max(behind, default=VariantRank.GOOD)
    fallback = next((one for one in policy.fallbacks if one.variant == variant), Fallback(variant))
    return _standing(world, policy, fallback)


def _standing(world: World, policy: FlagPolicy, fallback: Fallback) -> VariantRank:
    if fallback.needs:
        behind = _behind(policy, world.component(fallback.needs))
        return VariantRank.UNKNOWN if behind.serves and shares_the_trouble(world, policy, fallback) else behind
    first = next((one for one in policy.fallbacks if one.needs or one.variant == fallback.variant), None)
    # Listed before every variant that needs a component: the configuration prefers it.
    return VariantRank.GOOD if first and first.variant == fallback.variant else VariantRank.WITHOUT_MODEL


def shares_the_trouble(world: World, policy: FlagPolicy, fallback: Fallback) -> bool:
    """Whether a fallback is on the provider that fails for the default, and may fail with it at any moment.

    Another component of that provider is used only while it is healthy and nothing but the default's own component fails: one
    model of a vendor may fail alone, but a vendor that fails in several places is in trouble as a whole. A fallback that
    already serves is judged by its own component alone.
    """
    if fallback.needs is None or fallback.variant == served(world, policy):
        return False
    provider = ComponentId(fallback.needs).provider
    own = [id for id in policy.depends_on if ComponentId(id).provider == provider and _fails(world.component(id))]
    if not own:
        return False
    others = (state for id, state in world.components.items() if ComponentId(id).provider == provider and id not in own)
    return any(map(_fails, others))


def _fails(state: ComponentState) -> bool:
    return state.level.bad or refuses_us(state)


def _behind(policy: FlagPolicy, state: ComponentState) -> VariantRank:
    if state.level is Level.DOWN or refuses_us(state):
        return VariantRank.FAILING
    if state.level is Level.DEGRADED:
        return VariantRank.TOO_SLOW if policy.engage_on is Level.DEGRADED else VariantRank.DEGRADED
    return VariantRank.GOOD if state.level is Level.OPERATIONAL else VariantRank.UNKNOWN


def _why_not(world: World, policy: FlagPolicy, fallback: Fallback, name_of: NameOf) -> str:
    if _standing(world, policy, fallback).serves:
        if why := unready(world, policy, fallback.variant):
            return f"{fallback.variant} may not work, since {why}"
        return f"{fallback.variant} would be {'no better' if fallback.needs else 'worse'}"
    if shares_the_trouble(world, policy, fallback):
        return f"{fallback.variant} needs {name_of(fallback.needs or '')}, which is of the provider that fails"
    return f"{fallback.variant} needs {name_of(fallback.needs or '')}, which is {world.component(fallback.needs or '').level}"


def refuses_us(state: ComponentState) -> bool:
    """Whether our quota there is used up: the vendor is healthy and nobody is alerted, but our services get no answers."""
    return state.level is Level.UNKNOWN and state.fault is Fault.OURS_QUOTA


def sick_behind(world: World, policy: FlagPolicy, variant: str) -> ComponentState | None:
    """The component behind a fallback, if it is degraded, down or refuses us."""
    needs = next((one.needs for one in policy.fallbacks if one.variant == variant), None)
    state = world.component(needs) if needs else None
    return state if state and (state.level.bad or refuses_us(state)) else None
