"""One message for one fact about a flag: what was switched, by whom, and the way back."""

from datetime import timedelta

from bot.core.decide.flags.readiness import unready
from bot.core.policy import FlagPolicy, OnExpiry, Policy
from bot.core.record.fact import Fact, OfFlag
from bot.core.record.flag import Engagement
from bot.core.record.flag_facts import (
    Engaged,
    EngageProposed,
    ExpiryReached,
    HandBackAsked,
    HandBackReverted,
    HandBackStepped,
    HandBackStopped,
    Held,
    ProposalDropped,
    ReadersSaw,
    Released,
)
from bot.core.record.world import World
from bot.ports import Message
from bot.views.blocks import Block, actions, section
from bot.views.flags.buttons import engage_button, release_button, step_back_button
from bot.views.limits import fit
from bot.views.names import flag_name, variant_name
from bot.views.text import capital, clock, code, foreign, how, retold, span, spoken, stop, words


def flag_fact_line(fact: Fact, world: World, policy: Policy) -> Message:
    """What people are told of a fact of kind `flag.*`, with buttons where it asks something and the answer is still open."""
    body = fact.body
    key = body.flag if isinstance(body, OfFlag) else ""
    flag = policy.flags.get(key) or FlagPolicy(key, {}, "its default")
    match body:
        case EngageProposed() | ProposalDropped() | Held():
            first, more = _before(fact, flag, world, policy)
        case ReadersSaw() as body:
            first, more = _arrived(fact, body, flag, policy)
        case Engaged() | Released():
            first, more = _switched(fact, body, flag, policy)
        case _:
            first, more = _after(fact, flag, world.flag(key).engagement, policy)
    shown = f"{first}\n{more}" if more else first
    return fit(Message(spoken(first), (section(shown), *actions(_buttons(fact, flag, world, policy)))))


def _before(fact: Fact, flag: FlagPolicy, world: World, policy: Policy) -> tuple[str, str]:
    name, by = flag_name(flag.key, policy), how(fact.actor)
    match fact.body:
        case EngageProposed() as b:
            ask = f"🟠 *{capital(name)}: switch to {variant_name(flag, b.variant)}?* Nothing is switched yet ({by})."
            unsure = unready(world, flag, b.variant)
            careful = f"\nCareful: {stop(retold(unsure, 200))}" if unsure else ""
            return ask, f"{_why(b.reason)} {_affects(flag)}".strip() + careful
        case ProposalDropped(reason=reason):
            return f"*{capital(name)}* need not be switched any more ({by}).", _why(reason)
        case Held(reason=reason):
            names = [variant_name(flag, one.variant) for one in flag.fallbacks]
            way = (
                f"\nBy hand: {code(f'/fallback engage {flag.key} VARIANT REASON')} ({words(names, last='or')})" if names else ""
            )
            return f"*{capital(name)}* stays as it is ({by}).", f"{_why(reason)}{way}"
    return name, ""


def _switched(fact: Fact, b: Engaged | Released, flag: FlagPolicy, policy: Policy) -> tuple[str, str]:
    name, to, at = capital(flag_name(flag.key, policy)), variant_name(flag, b.variant), clock(fact.at, fact.at)
    if isinstance(b, Released):
        return f"🟢 *{name}* is back on *{to}* since {at} ({how(fact.actor)}).", _why(b.reason)
    by = f"approved {how(fact.actor)}" if b.mode == "approved" else how(fact.actor)
    later = "then it switches back if that is operational" if flag.on_expiry == OnExpiry.RELEASE else "then you are asked again"
    until = f"Until {clock(b.expires_at, fact.at)}, {later}. Undo: {code(f'/fallback release {b.flag}')}"
    was = variant_name(flag, b.previous)
    return f"*{name}* switched to *{to}* at {at} ({by}), instead of {was}.", f"{_why(b.reason)}\n{until}"


def _after(fact: Fact, flag: FlagPolicy, engagement: Engagement | None, policy: Policy) -> tuple[str, str]:
    name, default, by = flag_name(flag.key, policy), f"*{variant_name(flag, flag.default)}*", how(fact.actor)
    fallback = f"*{variant_name(flag, engagement.variant)}*" if engagement else "its fallback"
    match fact.body:
        case HandBackAsked(reason=reason):
            first = min(flag.steps, default=100)
            ask = f"🟢 *{stop(capital(retold(reason, 300)))}* Send {first} % of *{name}* back to {default}? ({by})"
            return ask, f"Each further step follows {_every(flag)} while it stays operational."
        case HandBackStepped() as b:
            rest = f"*{variant_name(flag, b.variant)}*" if b.variant else fallback
            told = f"{b.share} % of *{name}* is back on {default}, {100 - b.share} % on {rest} ({by})."
            coming = next((step for step in flag.steps if step > b.share), 100)
            return told, f"{_why(b.reason)} Next: {coming} %, {_every(flag)} while it stays operational."
        case HandBackStopped() as b:
            rest = f"*{variant_name(flag, b.variant)}*" if b.variant else fallback
            left = f"{b.share} % stays on {default}" if b.share else f"All of *{name}* is on {rest} again"
            told = f"🟠 Switching *{name}* back is stopped: {b.failed:,} of {b.requests:,} requests failed on {default}."
            return (
                told,
                f"{left} ({by}). Tried again after {span(timedelta(seconds=b.hold_s))} while {default} stays operational.",
            )
        case HandBackReverted(reason=reason):
            return f"🟠 All of *{name}* is on {fallback} again ({by}).", _why(reason)
        case ExpiryReached() as b:
            ask = f"🟠 *{capital(name)}* is still on {fallback}, longer than planned ({by})."
            undo = f"Asked again at {clock(b.expires_at, fact.at)}. Back to {default}: {code(f'/fallback release {flag.key}')}"
            return ask, f"{_why(b.reason)}\n{undo}"
    return name, ""


def _arrived(fact: Fact, b: ReadersSaw, flag: FlagPolicy, policy: Policy) -> tuple[str, str]:
    name, to = flag_name(flag.key, policy), f"*{variant_name(flag, b.variant)}*"
    if b.by == b.of:
        return (
            f"Every reader of *{name}* is on {to} now ({b.of} of {b.of}, {span(fact.at - b.switched_at)} after the switch).",
            "",
        )
    names = [code(name) for name in b.missing]
    more = f" and {b.of - b.by - len(names)} more" if b.of - b.by > len(names) else ""
    return f"🟠 {b.by} of {b.of} readers of *{name}* are on {to}.", f"Not yet: {', '.join(names)}{more}"


def _buttons(fact: Fact, flag: FlagPolicy, world: World, policy: Policy) -> list[Block]:
    """Only what still makes sense now: a message may be sent long after its fact."""
    state = world.flag(flag.key)
    match fact.body:
        case EngageProposed() if state.proposal and (made := engage_button(flag, state, world, policy, fact.incident)):
            return [made]
        case HandBackAsked() if state.engagement and state.engagement.asked_at:
            return [step_back_button(flag, policy, fact.incident, alone=True)]
        case Engaged() | ExpiryReached() if state.engagement:
            return [release_button(flag, state.engagement, world, policy, fact.incident, alone=True)]
    return []


def _why(reason: str) -> str:
    return f"Why: {stop(retold(reason, 400) or 'no reason given')}"


def _affects(flag: FlagPolicy) -> str:
    return f"Affects: {stop(foreign(flag.description, 200))}" if flag.description else ""


def _every(flag: FlagPolicy) -> str:
    return f"after {span(flag.hold)}" if flag.hold.total_seconds() >= 1 else "at once"
