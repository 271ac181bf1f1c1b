"""Flags for people: what each serves, why, who reads it, and the buttons that switch it."""

from collections.abc import Mapping
from datetime import datetime

from bot.core.decide.flags.readiness import unready
from bot.core.decide.flags.scopes import flags_and_scopes, switched_scopes, variant_of_rest
from bot.core.policy import FlagPolicy, Policy
from bot.core.record.flag import Engagement, FlagState
from bot.core.record.world import World
from bot.core.scope import scope_of, typed
from bot.ports import Message
from bot.views.blocks import Block, actions, context, section
from bot.views.flags.buttons import flag_buttons
from bot.views.flags.serving import frozen_line, serving
from bot.views.flags.sinks import sink_line
from bot.views.limits import fit
from bot.views.names import flag_name, plain_flag_name, variant_name
from bot.views.text import capital, clock, code, count, foreign, how, retold, stop, words

MOST_IN_LIST = 16


def flag_status(world: World, policy: Policy, now: datetime, readers: Mapping[str, int]) -> Message:
    """Every flag, those whose customers need help first: what it serves, since when, why; and, smaller, how to change that."""
    if not policy.flags:
        return fit(Message("No flag is configured. Flags stand under `flags:` in the configuration."))
    away = [key for key in policy.flags if world.flag(key).engagement]
    names = f": {words([plain_flag_name(key, policy) for key in away])}" if away else ""
    apart = words([plain_flag_name(part.key, policy) for part in switched_scopes(world, policy)])
    also = f" For some readers: {apart}." if apart else ""
    text = foreign(f"{len(away)} of {count(len(policy.flags), 'flag')} on a fallback{names}.{also}")
    frozen = frozen_line(world, now)
    blocks: list[Block] = [section(f"{frozen} To end that: `/fallback thaw`")] if frozen else []
    text = f"Automation of flags is frozen. {text}" if frozen else text
    order = by_urgency(world, policy, now)
    for flag in order[:MOST_IN_LIST]:
        state = world.flag(flag.key)
        # Nobody counts the readers of a scope.
        read_by = "" if scope_of(flag.key) else f" · {count(readers.get(flag.key, 0), 'reader')} in 15 min"
        small = (
            f"{code(typed(flag.key))}{read_by} · {_ways(flag, state, now)}{_unready(flag, world)}",
            sink_line(flag, world, policy, now),
        )
        blocks += [section(flag_line(flag, world, policy, now)), context("\n".join(filter(None, small)))]
        if state.engagement or state.proposal:
            blocks.extend(actions(flag_buttons(flag, world, policy)))
    if len(order) > MOST_IN_LIST:
        blocks.append(context(f"{len(order) - MOST_IN_LIST} more: `understudy flags list` shows all of them."))
    return fit(Message(text, tuple(blocks)))


def by_urgency(world: World, policy: Policy, now: datetime) -> list[FlagPolicy]:
    """Every flag and every scope that is switched separately, those whose customers need help first."""
    return sorted(flags_and_scopes(world, policy), key=lambda flag: (-_urgency(flag, world, policy, now), flag.key))


def flag_line(flag: FlagPolicy, world: World, policy: Policy, now: datetime) -> str:
    """One flag in a sentence or two: `🟠 *support chat*: on *GPT* since 12:43 (automatic), instead of Claude.`"""
    state = world.flag(flag.key)
    return f"{_line(flag, world, policy, now)} {_pin(state, now)}".strip()


def _pin(state: FlagState, now: datetime) -> str:
    return f"📌 Pinned since {clock(state.pin.at, now)} ({how(state.pin.by)}): no rule moves it." if state.pin else ""


def _line(flag: FlagPolicy, world: World, policy: Policy, now: datetime) -> str:
    state, engagement = world.flag(flag.key), world.flag(flag.key).engagement
    name, default = flag_name(flag.key, policy), variant_name(flag, flag.default)
    how_it_fares = serving(flag, world, policy, now)
    if how_it_fares and not how_it_fares.served:
        return f"{'⚪' if how_it_fares.served is None else '🔴'} {stop(capital(how_it_fares.words))}"
    if engagement:
        why, instead = _why(engagement.reason), variant_name(flag, variant_of_rest(world, flag))
        since = f"since {clock(engagement.at, now)} ({_by(engagement)})"
        return f"🟠 *{name}*: {_share(flag, engagement)} {since}, instead of {instead}. {why}".strip()
    if state.proposal:
        to, why = variant_name(flag, state.proposal.variant), _why(state.proposal.reason)
        given = f" ({len(state.proposal.yes)} of {flag.quorum} given)" if state.proposal.yes else ""
        return f"🟠 *{name}*: on its default *{default}*. A switch to *{to}* waits for your yes{given}. {why}"
    held = f" Not switched: {stop(retold(state.held, 200))}" if state.held else ""
    return f"🟢 *{name}*: on its default *{default}*.{held}"


def _why(reason: str) -> str:
    return f"Why: {stop(retold(reason, 200))}" if reason.strip() else ""


def _urgency(flag: FlagPolicy, world: World, policy: Policy, now: datetime) -> int:
    fares, state = serving(flag, world, policy, now), world.flag(flag.key)
    return 3 if fares and not fares.served else 2 if state.proposal else 1 if state.engagement else 0


def _unready(flag: FlagPolicy, world: World) -> str:
    """Fallbacks that cannot be relied on: ` · gpt: it was never rehearsed`."""
    why = [(one.variant, unready(world, flag, one.variant)) for one in flag.fallbacks]
    return "".join(f" · {variant_name(flag, variant)}: {retold(said, 120)}" for variant, said in why if said)


def _share(flag: FlagPolicy, engagement: Engagement) -> str:
    variant = f"*{variant_name(flag, engagement.variant)}*"
    halted = ", halted there" if engagement.handing_back and engagement.share_at else ""
    if engagement.all_back:
        return f"older conversations on {variant}{halted}"
    return f"{engagement.share} % on {variant}{halted}" if engagement.share_back else f"on {variant}"


def _by(engagement: Engagement) -> str:
    return f"approved {how(engagement.actor)}" if engagement.mode == "approved" else how(engagement.actor)


def _ways(flag: FlagPolicy, state: FlagState, now: datetime) -> str:
    if state.engagement:
        ends = state.engagement.expires_at
        left = f"until {clock(ends, now)}" if ends > now else "its time is up"
        return f"{left} · undo: {code(f'/fallback release {typed(flag.key)}')}"
    names = [variant_name(flag, one.variant) for one in flag.fallbacks]
    return f"fallbacks: {words(names)} · automation: {flag.automation}" if names else "no fallback"
