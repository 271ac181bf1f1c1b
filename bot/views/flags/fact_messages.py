"""One message for one fact about a flag: what was switched, by whom or which rule, and the way back."""

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
    Held,
    ProposalDropped,
    Released,
)
from bot.core.record.world import World
from bot.ports import Message
from bot.views.blocks import Block, actions, section
from bot.views.flags.buttons import engage_button, release_button, step_back_button
from bot.views.limits import fit
from bot.views.text import by, code, foreign, inert, span, stop, utc, when, words


def flag_fact_line(fact: Fact, world: World, policy: Policy) -> Message:
    """What people are told of a fact of kind `flag.*`, with buttons where it asks something and the answer is still open."""
    body = fact.body
    key = body.flag if isinstance(body, OfFlag) else ""
    flag = policy.flags.get(key) or FlagPolicy(key, {}, "its default")
    match body:
        case EngageProposed() | ProposalDropped() | Held():
            text, more = _before(fact, flag)
        case Engaged() | Released():
            text, more = _switched(fact, body, flag)
        case _:
            text, more = _after(fact, flag, world.flag(key).engagement)
    # A phone shows UTC; in the channel everybody reads their own zone.
    shown = text.replace(utc(fact.at), when(fact.at), 1)
    return fit(Message(text, (section(f"{shown}\n{more}" if more else shown), *actions(_buttons(fact, flag, world, policy)))))


def _before(fact: Fact, flag: FlagPolicy) -> tuple[str, str]:
    name = code(flag.key)
    match fact.body:
        case EngageProposed() as b:
            text = f"Proposal {by(fact.actor)}: switch {name} to *{foreign(b.variant, 60)}*. Nothing is switched yet."
            return text, f"{_why(b.reason)}\n{_felt(flag)}"
        case ProposalDropped(reason=reason):
            return f"The proposal to switch {name} is withdrawn {by(fact.actor)}.", _why(reason)
        case Held(reason=reason):
            names = [foreign(one.variant, 60) for one in flag.fallbacks]
            way = (
                f"\nBy hand: {code(f'/fallback engage {flag.key} VARIANT REASON')} (fallbacks: {words(names)})" if names else ""
            )
            return f"{name} stays as it is, decided {by(fact.actor)}.", f"{_why(reason)}{way}"
    return name, ""


def _switched(fact: Fact, b: Engaged | Released, flag: FlagPolicy) -> tuple[str, str]:
    if isinstance(b, Released):
        serving = f"{code(b.flag)} uses its default *{foreign(b.variant, 60)}* again since {utc(fact.at)}"
        return f"{serving}, released {by(fact.actor)}.", _why(b.reason)
    how = "approved" if b.mode == "approved" else "switched"
    text = f"{code(b.flag)} now uses *{foreign(b.variant, 60)}* since {utc(fact.at)}, {how} {by(fact.actor)}."
    undo = f"Undo: {code(f'/fallback release {b.flag}')}"
    later = (
        "it ends by itself if the default is well then" if flag.on_expiry == OnExpiry.RELEASE else "this is asked about again"
    )
    before = f"Before: {foreign(b.previous, 60)}. Unless somebody releases it earlier, {later}: {when(b.expires_at)}."
    return text, f"{_why(b.reason)}\n{before}\n{undo}"


def _after(fact: Fact, flag: FlagPolicy, engagement: Engagement | None) -> tuple[str, str]:
    name, default = code(flag.key), f"*{foreign(flag.default, 60)}*"
    fallback = f"*{foreign(engagement.variant, 60)}*" if engagement else "its fallback"
    match fact.body:
        case HandBackAsked(reason=reason):
            first = min(flag.steps, default=100)
            text = f"The default of {name} is well again. Start the hand-back with {first} % on {default}?"
            return text, f"{_why(reason)} Each later step follows {_every(flag)} if it stays well. Asked {by(fact.actor)}."
        case HandBackStepped() as b:
            rest = f"*{foreign(b.variant, 60)}*" if b.variant else fallback
            text = f"{b.share} % of {name} is back on {default}, {100 - b.share} % on {rest}, {by(fact.actor)}."
            coming = next((step for step in flag.steps if step > b.share), 100)
            return text, f"{_why(b.reason)} Next: {coming} %, {_every(flag)} if it stays well."
        case HandBackReverted(reason=reason):
            return f"The hand-back of {name} is reverted {by(fact.actor)}: all of it is on {fallback} again.", _why(reason)
        case ExpiryReached() as b:
            text = f"The time of {name} on {fallback} ran out; it is kept, decided {by(fact.actor)}."
            undo = f"Back to {default}: {code(f'/fallback release {flag.key}')}"
            return text, f"{_why(b.reason)}\nAsked again {when(b.expires_at)}. {undo}"
    return name, ""


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
    return f"Why: {stop(inert(reason, 600) or 'no reason given')}"


def _felt(flag: FlagPolicy) -> str:
    return f"Who feels it: {stop(foreign(flag.description, 200) or 'every service that reads it')}"


def _every(flag: FlagPolicy) -> str:
    return f"after {span(flag.hold)}" if flag.hold.total_seconds() >= 1 else "at once"
