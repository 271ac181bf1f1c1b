"""Flags as people see them: what each serves, why, who reads it, and the buttons that switch it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.core.decide.flags.choosing import Stay, offer
from bot.core.decide.flags.failover import default_unwell
from bot.core.policy import FlagPolicy, Policy
from bot.core.record.flag import Engagement, FlagState
from bot.core.record.world import World
from bot.ports import Message
from bot.views.blocks import Block, actions, button, confirm, context, header, section
from bot.views.limits import fit
from bot.views.text import by, code, count, foreign, inert, plain, span, stop, when, words

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
            blocks.extend(actions(flag_buttons(flag, world, name_of=policy.name_of)))
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


def affected_words(flag: FlagPolicy) -> str:
    """Who feels a switch, plain."""
    what = plain(flag.description, 120) or "every service that reads it"
    return f"{plain(flag.key, 80)}: {what}"


def flag_buttons(
    flag: FlagPolicy, world: World, incident: int | None = None, *, name_of: Callable[[str], str] = str
) -> list[Block]:  # fmt: skip
    """What a person can do to a flag now: engage it, approve a proposal, start the way back, release."""
    state = world.flag(flag.key)
    if state.engagement is None:
        made = engage_button(flag, state, world, incident)
        return [made] if made else []
    back = [step_back_button(flag, incident, alone=False)] if state.engagement.asked_at else []
    return [*back, release_button(flag, state.engagement, world, incident, alone=False, name_of=name_of)]


def engage_button(flag: FlagPolicy, state: FlagState, world: World, incident: int | None = None) -> Block | None:
    """Switch to the best fallback, or the proposed one; None where nothing may be switched to."""
    if state.proposal:
        variant = state.proposal.variant
    else:
        choice = offer(world, flag)
        if isinstance(choice, Stay):
            return None
        variant = choice.variant
    value = _value(flag.key, incident, variant=variant, **({"approves": True} if state.proposal else {}))
    question = confirm(
        f"Switch to {plain(variant, 40)}?",
        f"{affected_words(flag)}. All of it uses {plain(variant, 40)} at once; /fallback release undoes it.",
        "Switch",
    )
    label = f"{'Approve: ' if state.proposal else ''}switch {plain(flag.key, 30)} to {plain(variant, 20)}"
    return button(label[0].upper() + label[1:], f"flag.engage:{flag.key}", value, confirm=question)


def step_back_button(flag: FlagPolicy, incident: int | None = None, *, alone: bool = True) -> Block:
    """Start the hand-back; `alone` = the only button of its kind in the message."""
    action = "flag.step_back" if alone else f"flag.step_back:{flag.key}"
    first = min(flag.steps, default=100)
    label = f"Start hand-back ({first} %)" if alone else f"Start hand-back of {plain(flag.key, 30)} ({first} %)"
    return button(label, action, _value(flag.key, incident), style="primary")


def release_button(
    flag: FlagPolicy, engagement: Engagement, world: World, incident: int | None = None, *, alone: bool = True,
    name_of: Callable[[str], str] = str,
) -> Block:  # fmt: skip
    """Back to the default for everybody at once."""
    action = "flag.release" if alone else f"flag.release:{flag.key}"
    unwell = default_unwell(world, flag, name_of)
    warning = f" Not well at present: {plain(unwell, 80)}." if unwell else ""
    turn = f"All of it goes from {plain(engagement.variant, 30)} back to {plain(flag.default, 30)} at once."
    text = f"{affected_words(flag)}. {turn}{warning}"
    question = confirm(f"Release {plain(flag.key, 60)}?", text, "Release", danger=True)
    return button(f"Release {plain(flag.key, 40)}", action, _value(flag.key, incident), style="danger", confirm=question)


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


def _value(flag: str, incident: int | None, **more: object) -> dict[str, object]:
    return {"flag": flag, **more, **({"incident": incident} if incident is not None else {})}
