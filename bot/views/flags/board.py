"""Flags as people see them: what each serves, why, who reads it, and the buttons that switch it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.core.policy import FlagPolicy, Policy
from bot.core.record.flag import Engagement, FlagState
from bot.core.record.world import World
from bot.ports import Message
from bot.views.blocks import Block, actions, context, header, section
from bot.views.flags.buttons import flag_buttons
from bot.views.limits import fit
from bot.views.text import by, code, count, foreign, inert, span, stop, when, words

MOST_IN_LIST = 16


def flag_status(world: World, policy: Policy, now: datetime, readers: Mapping[str, int]) -> Message:
    """Every flag: what it serves, since when, why, who reads it."""
    if not policy.flags:
        return fit(Message("No flag is configured. Flags stand under `flags:` in the configuration."))
    away = [key for key in policy.flags if world.flag(key).engagement]
    names = f": {words([foreign(key, 80) for key in away])}" if away else ""
    text = f"{len(away)} of {len(policy.flags)} flags on a fallback{names}"
    blocks: list[Block] = [header("Fallback flags")]
    order = sorted(policy.flags.values(), key=lambda flag: (flag.key not in away, flag.key))
    for flag in order[:MOST_IN_LIST]:
        state = world.flag(flag.key)
        reading = f"Read by {count(readers.get(flag.key, 0), 'client')} in the last 15 min."
        lines = [flag_line(flag, world), f"{reading} {_ways(flag, state)}"]
        if state.engagement:
            lines.append(_time_left(state.engagement, now))
        blocks.append(section("\n".join(lines)))
        if state.engagement or state.proposal:
            blocks.extend(actions(flag_buttons(flag, world, policy)))
    if len(order) > MOST_IN_LIST:
        blocks.append(context(f"{len(order) - MOST_IN_LIST} more: `understudy flags list` shows all of them."))
    return fit(Message(text, tuple(blocks)))


def flag_line(flag: FlagPolicy, world: World) -> str:
    """One flag in a sentence or two."""
    state, engagement = world.flag(flag.key), world.flag(flag.key).engagement
    name = code(flag.key) + (f" ({foreign(flag.description, 140)})" if flag.description else "")
    default = f"*{foreign(flag.default, 60)}*"
    if engagement:
        serving = f"{_serving(flag, engagement)} since {when(engagement.at)}, {_switched(engagement)}"
        return f"{name}: {serving} (reason: {inert(engagement.reason, 240) or 'none given'})."
    if state.proposal:
        return (
            f"{name}: on its default {default}; a switch to *{foreign(state.proposal.variant, 60)}* waits for somebody's yes "
            f"(reason: {inert(state.proposal.reason, 240)})."
        )
    held = f"; automation holds still: {inert(state.held, 240)}" if state.held else ""
    return stop(f"{name}: on its default {default}{held}")


def short_flag_line(flag: FlagPolicy, world: World) -> str:
    """One flag in a few words, for notifications: `support-chat.llm uses gpt`."""
    engagement = world.flag(flag.key).engagement
    variant = engagement.variant if engagement else flag.default
    return f"{foreign(flag.key, 80)} uses {foreign(variant, 60)}"


def _serving(flag: FlagPolicy, engagement: Engagement) -> str:
    variant, default = f"*{foreign(engagement.variant, 60)}*", f"*{foreign(flag.default, 60)}*"
    if engagement.share_back:
        return f"{100 - engagement.share_back} % on {variant}, {engagement.share_back} % back on {default};"
    return f"on {variant} instead of {default}"


def _switched(engagement: Engagement) -> str:
    return f"{'approved' if engagement.mode == 'approved' else 'switched'} {by(engagement.actor)}"


def _time_left(engagement: Engagement, now: datetime) -> str:
    left = engagement.expires_at - now
    return f"Its time ends {when(engagement.expires_at)} (in {span(left)})." if left > timedelta(0) else "Its time is up."


def _ways(flag: FlagPolicy, state: FlagState) -> str:
    if state.engagement:
        return f"Undo: {code(f'/fallback release {flag.key}')}"
    names = [foreign(one.variant, 60) for one in flag.fallbacks]
    return f"Fallbacks: {words(names)}. Automation: {flag.automation}." if names else "It has no fallback."
