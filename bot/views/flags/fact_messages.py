"""Messages about facts of flags: what was switched, by whom, and how to undo it."""

from bot.core.decide.flags import scopes
from bot.core.decide.flags.conditions import hands_off
from bot.core.decide.flags.ramps import next_share
from bot.core.decide.flags.readiness import unready
from bot.core.policy import FlagPolicy, OnExpiry, Policy
from bot.core.record.fact import Fact, OfFlag
from bot.core.record.flag import held_for
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
from bot.core.record.steering.freeze import Frozen, Thawed
from bot.core.record.steering.steering_facts import (
    AnswerOverdue,
    ExpiryNear,
    Extended,
    HandBackHeld,
    HandBackResumed,
    Pinned,
    ProposalRejected,
    ShareSet,
    SwitchApproved,
    Unpinned,
)
from bot.core.record.world import World
from bot.core.scope import scope_of, typed, whole
from bot.ports import Message
from bot.views.blocks import Block, actions, section
from bot.views.flags.buttons import extend_button, proposal_buttons, release_button, resume_button, step_back_button
from bot.views.limits import fit
from bot.views.names import flag_name, variant_name
from bot.views.text import capital, clock, code, foreign, how, mention, retold, span, spoken, stop, words


def flag_fact_line(fact: Fact, world: World, policy: Policy) -> Message:
    """The message for a fact of kind `flag.*`, with buttons if it asks something that is still open."""
    body = fact.body
    if isinstance(body, Frozen | Thawed):
        return _of_all(fact, body)
    key = body.flag if isinstance(body, OfFlag) else ""
    flag = policy.flag(key) or FlagPolicy(key, {}, "its default")
    match body:
        case EngageProposed() | ProposalDropped() | Held():
            first, more = _before(fact, flag, world, policy)
        case ReadersSaw() as body:
            first, more = _arrived(fact, body, flag, policy)
        case SwitchApproved() | ProposalRejected() | AnswerOverdue():
            first, more = _answered(fact, flag, policy)
        case Engaged() | Released():
            first, more = _switched(fact, body, flag, policy)
        case ShareSet() | HandBackHeld() | HandBackResumed() | Pinned() | Unpinned():
            first, more = _steered(fact, flag, policy)
        case ExpiryNear() | Extended() | ExpiryReached():
            first, more = _ends(fact, flag, world, policy)
        case _:
            first, more = _after(fact, flag, world, policy)
    shown = f"{first}\n{more}" if more else first
    return fit(Message(spoken(first), (section(shown), *actions(_buttons(fact, flag, world, policy)))))


def _of_all(fact: Fact, body: Frozen | Thawed) -> Message:
    by, why = how(fact.actor), _why(body.reason)
    first, more = f"*Automation of flags is on again* ({by}).", why
    if isinstance(body, Frozen):
        first = f"❄️ *Automation of all flags is frozen* ({by}): rules ask but switch nothing."
        more = f"{why} Undo: {code('/fallback thaw')}"
    return fit(Message(spoken(first), (section(f"{first}\n{more}"),)))


def _before(fact: Fact, flag: FlagPolicy, world: World, policy: Policy) -> tuple[str, str]:
    name, by = flag_name(flag.key, policy), how(fact.actor)
    match fact.body:
        case EngageProposed() as b:
            ask = f"🟠 *{capital(name)}: switch to {variant_name(flag, b.variant)}?* Nothing is switched yet ({by})."
            needs = f"{flag.quorum} people must say yes." if flag.quorum > 1 else ""
            more = " ".join(part for part in (_why(b.reason), _decides(flag), needs, _asked(flag)) if part)
            unsure = unready(world, flag, b.variant)
            return ask, f"{more}\nCareful: {stop(retold(unsure, 200))}" if unsure else more
        case ProposalDropped(reason=reason):
            return f"*{capital(name)}* no longer needs to be switched ({by}).", _why(reason)
        case Held(reason=reason) as b:
            names = [variant_name(flag, one.variant) for one in flag.fallbacks]
            by_hand = code(f"/fallback engage {typed(flag.key)} VARIANT REASON")
            way = f"\nBy hand: {by_hand} ({words(names, last='or')})" if names else ""
            told = f"🔴 *{capital(name)} is failing and stays as it is* ({by})." if b.unserved else ""
            return told or f"*{capital(name)}* stays as it is ({by}).", f"{_why(reason)}{way}"
    return name, ""


def _answered(fact: Fact, flag: FlagPolicy, policy: Policy) -> tuple[str, str]:
    name, by = flag_name(flag.key, policy), how(fact.actor)
    match fact.body:
        case SwitchApproved() as b:
            told = f"🟠 *{capital(name)}: {b.given} of {b.quorum} said yes to {variant_name(flag, b.variant)}* ({by})."
            return told, f"Nothing switches until {b.quorum} people say yes. {_asked(flag)}".strip()
        case ProposalRejected() as b:
            told = f"*{capital(name)}* is not switched to {variant_name(flag, b.variant)} ({by})."
            return told, f"{_why(b.reason)} No rule asks again until {variant_name(flag, flag.default)} has recovered."
        case AnswerOverdue() as b:
            question = f"*{capital(name)}: switch to {variant_name(flag, b.variant)}?*"
            ask = f"🔴 {question} Nobody has answered for {b.minutes} min ({by})."
            return ask, f"Paging continues. {_asked(flag)}".strip()
    return name, ""


def _asked(flag: FlagPolicy) -> str:
    """Who may answer, as mentions; empty if it is everybody who may switch flags."""
    return f"May answer: {' '.join(map(mention, flag.approver_list))}" if flag.approver_list else ""


def _switched(fact: Fact, b: Engaged | Released, flag: FlagPolicy, policy: Policy) -> tuple[str, str]:
    spoken_name, to, at = flag_name(flag.key, policy), variant_name(flag, b.variant), clock(fact.at, fact.at)
    name = capital(spoken_name)
    if isinstance(b, Released) and scope_of(flag.key):
        told = f"🟢 *{name}* went back to *{to}* at {at}, like all others ({how(fact.actor)})."
        return told, _why(b.reason)
    if isinstance(b, Released):
        return f"🟢 *{name}* went back to *{to}* at {at} ({how(fact.actor)}).", _why(b.reason)
    by = f"approved {how(fact.actor)}" if b.mode == "approved" else how(fact.actor)
    later = "then it switches back if that is operational" if flag.on_expiry == OnExpiry.RELEASE else "then you are asked again"
    until = f"Until {clock(b.expires_at, fact.at)}, {later}. Undo: {code(f'/fallback release {typed(b.flag)}')}"
    was = variant_name(flag, b.previous)
    if b.share < 100:
        told = f"{b.share} % of *{spoken_name}* switched to *{to}* at {at} ({by}); the rest stays on {was}."
        return told, f"{_why(b.reason)}\n{until}"
    return f"*{name}* switched to *{to}* at {at} ({by}), instead of {was}.", f"{_why(b.reason)}\n{until}"


def _steered(fact: Fact, flag: FlagPolicy, policy: Policy) -> tuple[str, str]:
    name, by, default = flag_name(flag.key, policy), how(fact.actor), variant_name(flag, flag.default)
    match fact.body:
        case ShareSet(share=100) as b:
            return f"All of *{name}* is on *{variant_name(flag, b.variant)}* ({by}); it was {b.previous} %.", _why(b.reason)
        case ShareSet() as b:
            told = f"{b.share} % of *{name}* is on *{variant_name(flag, b.variant)}* ({by}); it was {b.previous} %."
            lasts = f"This holds until somebody changes it or {default} fails."
            return told, f"{_why(b.reason)} The rest is on {default}. {lasts} {_running(b.stay_s)}".strip()
        case HandBackHeld() as b:
            told = f"Switching *{name}* back is on hold: {b.share} % is on *{default}* ({by})."
            return told, f"{_why(b.reason)} No more go back for now. If {default} fails again, all leave it."
        case HandBackResumed() as b:
            return f"Switching *{name}* back continues, from {b.share} % ({by}).", f"Next step {_every(flag)}."
        case Pinned() as b:
            told = f"📌 *{capital(name)}* is pinned to *{variant_name(flag, b.variant)}* ({by}): no rule moves it."
            return told, f"{_why(b.reason)} Undo: {code(f'/fallback unpin {typed(flag.key)}')}"
        case Unpinned():
            return f"*{capital(name)}* is no longer pinned ({by}).", f"Its automation is {flag.automation}."
    return name, ""


def _ends(fact: Fact, flag: FlagPolicy, world: World, policy: Policy) -> tuple[str, str]:
    name, default, by = flag_name(flag.key, policy), f"*{variant_name(flag, flag.default)}*", how(fact.actor)
    engagement = world.flag(flag.key).engagement
    fallback = f"*{variant_name(flag, engagement.variant)}*" if engagement else "its fallback"
    match fact.body:
        case ExpiryNear() as b:
            until = clock(b.expires_at, fact.at)
            ask = f"🟠 *{capital(name)}* is on {fallback} until {until}. Keep it for longer, or switch back? ({by})"
            return ask, _unanswered(b, flag, world)
        case Extended() as b:
            return f"*{capital(name)}* stays on {fallback} until {clock(b.expires_at, fact.at)} ({by}).", ""
        case ExpiryReached() as b:
            ask = f"🟠 *{capital(name)}* is still on {fallback}, longer than planned ({by})."
            again, release = clock(b.expires_at, fact.at), code(f"/fallback release {typed(flag.key)}")
            undo = f"You are asked again before {again}. Back to {default}: {release}"
            return ask, f"{_why(b.reason)}\n{undo}"
    return name, ""


def _unanswered(b: ExpiryNear, flag: FlagPolicy, world: World) -> str:
    """What happens if nobody answers."""
    default = variant_name(flag, flag.default)
    unwell = f"{capital(stop(retold(b.unwell, 200)))} " if b.unwell else ""
    if flag.on_expiry == OnExpiry.RELEASE and not hands_off(world, flag):
        return f"{unwell}If nobody answers, it switches back to {default} if that is operational; otherwise it stays."
    return f"{unwell}If nobody answers, it stays, and you are asked again later."


def _after(fact: Fact, flag: FlagPolicy, world: World, policy: Policy) -> tuple[str, str]:
    name, engagement, by = flag_name(flag.key, policy), world.flag(flag.key).engagement, how(fact.actor)
    default = f"*{variant_name(flag, scopes.variant_of_rest(world, flag))}*"  # a scope goes back to what all others get
    fallback = f"*{variant_name(flag, engagement.variant)}*" if engagement else "its fallback"
    match fact.body:
        case HandBackAsked(reason=reason):
            first = next_share(flag, engagement) if engagement else min(flag.steps, default=100)
            ask = f"🟢 *{stop(capital(retold(reason, 300)))}* Send {first} % of *{name}* back to {default}? ({by})"
            return ask, f"Each further step follows {_every(flag)} while it stays operational. {_running(flag.stay_s)}".strip()
        case HandBackStepped() as b:
            rest = f"*{variant_name(flag, b.variant)}*" if b.variant else fallback
            if b.share >= 100:
                last = clock(fact.at + held_for(b.stay_s), fact.at)
                return (
                    f"New conversations of *{name}* use {default} again ({by}).",
                    f"{_why(b.reason)} Older ones finish on {rest}, by {last} at the latest.",
                )
            told = f"{b.share} % of *{name}* is back on {default}, {100 - b.share} % on {rest} ({by})."
            coming = next((step for step in flag.steps if step > b.share), 100)
            following = f"Next: {coming} %, {_every(flag)} while it stays operational."
            return told, " ".join(part for part in (_why(b.reason), _running(b.stay_s), following) if part)
        case HandBackStopped() as b:
            rest = f"*{variant_name(flag, b.variant)}*" if b.variant else fallback
            left = f"{b.share} % stays on {default}" if b.share else f"All of *{name}* is on {rest} again"
            told = f"🟠 Switching *{name}* back was stopped: {b.failed:,} of {b.requests:,} requests failed on {default}."
            return (
                told,
                f"{left} ({by}). The next try is after {span(held_for(b.hold_s))}, if {default} stays operational.",
            )
        case HandBackReverted(reason=reason, share=share) if share:
            told = f"🟠 Switching *{name}* back is off for now ({by})."
            return told, f"{_why(reason)} {share} % stays on {default}."
        case HandBackReverted(reason=reason):
            return f"🟠 All of *{name}* is on {fallback} again ({by}).", _why(reason)
    return name, ""


def _running(stay_s: int) -> str:
    """That conversations which run are not torn apart; empty where they go along."""
    return f"Running conversations stay where they are, for up to {span(held_for(stay_s))}." if stay_s else ""


def _arrived(fact: Fact, b: ReadersSaw, flag: FlagPolicy, policy: Policy) -> tuple[str, str]:
    name, to = flag_name(flag.key, policy), f"*{variant_name(flag, b.variant)}*"
    one, several = f"of *{name}* is on {to}", f"of *{name}* are on {to}"
    if part := scope_of(flag.key):  # who keeps a copy is not of it, but reads for some who are
        what = f"that {foreign(str(part), 130)} is on {to}"
        one, several = (f"of *{flag_name(whole(flag.key), policy)}* {verb} {what}" for verb in ("knows", "know"))
    if b.by == b.of:
        after = f"({b.of} of {b.of}, {span(fact.at - b.switched_at)} after the switch)"
        return f"Every reader {one} now {after}.", ""
    names = [code(name) for name in b.missing]
    more = f" and {b.of - b.by - len(names)} more" if b.of - b.by > len(names) else ""
    return f"🟠 {b.by} of {b.of} readers {several}.", f"Not yet: {', '.join(names)}{more}"


def _buttons(fact: Fact, flag: FlagPolicy, world: World, policy: Policy) -> list[Block]:
    """Only what still makes sense now: a message may be sent long after its fact."""
    state = world.flag(flag.key)
    match fact.body:
        case EngageProposed() | SwitchApproved() | AnswerOverdue() if state.proposal:
            return proposal_buttons(flag, state.proposal, world, policy, fact.incident)
        case HandBackAsked() if state.engagement and state.engagement.asked_at:
            return [step_back_button(flag, state.engagement, policy, fact.incident, alone=True)]
        case ExpiryNear() as b if state.engagement and state.engagement.expires_at == b.expires_at:
            back = release_button(flag, state.engagement, world, policy, fact.incident, alone=True)
            return [extend_button(flag, state.engagement, fact.incident), back]
        case HandBackHeld() if state.engagement and state.engagement.share_at:
            return [resume_button(flag, fact.incident)]
        case Engaged() | ExpiryReached() if state.engagement:
            return [release_button(flag, state.engagement, world, policy, fact.incident, alone=True)]
    return []


def _why(reason: str) -> str:
    return f"Why: {stop(retold(reason, 400) or 'no reason given')}"


def _decides(flag: FlagPolicy) -> str:
    return f"The flag decides: “{foreign(flag.description, 200)}”." if flag.description else ""


def _every(flag: FlagPolicy) -> str:
    return f"after {span(flag.hold)}" if flag.hold.total_seconds() >= 1 else "at once"
