"""Answers to signals about flags, in words."""

from dataclasses import replace

from bot.core.answers import flags as fa
from bot.core.answers.base import Answer
from bot.core.policy import Automation
from bot.core.scope import scope_of, whole
from bot.views.faces import Face
from bot.views.text import capital, count

RULES = {
    Automation.OFF: "Its automation is off, so people switch it.",
    Automation.PROPOSE: "Automation asks before it switches.",
    Automation.AUTO: "Automation may switch it again.",
}


def flag_words(answer: Answer, face: Face) -> str:
    """The answer as a sentence or two; empty for answers of other families."""
    return _of_engaging(answer, face) or _of_going_back(answer, face) or _of_steering(answer, face) or _of_pins(answer, face)


def _named(answer: Answer, face: Face) -> tuple[str, str, str]:
    """A flag's key, for typing; its display name; and that name at the start of a sentence."""
    key, flag = answer.flag, face.flag(answer.flag, answer.flag_name)
    return key, flag, flag if flag.startswith(whole(key)) else capital(flag)


def _of_engaging(answer: Answer, face: Face) -> str:
    key, flag, first = _named(answer, face)
    match answer:
        case fa.Switched(share=share, variant=variant) if share < 100:
            return f"{share} % of {flag} gets {variant} now. Undo: {face.release(key)}"
        case fa.Switched(variant=variant):
            return f"{first} serves {variant} now. Undo: {face.release(key)}"
        case fa.ServesAlready(variant=variant):
            return f"{first} already serves {variant}."
        case fa.NoVariant(variant=variant, known=known):
            return f"{first} has no variant {variant!r}. It has: {', '.join(known)}."
        case fa.TooManyScopes(most=most):
            return (
                f"{most} parts of the readers of {flag} are already switched, which is the most. Switch one of them back first."
            )
        case fa.IsDefault(variant=variant):
            return f"{variant} is the default of {flag}. To go back to it: {face.release(key)}"
        case fa.NoneBetter(reason=reason):
            return f"No fallback of {flag} would be better: {reason}."
        case fa.Unfit(reason=reason):
            return f"{reason}. Nothing was switched."
        case fa.NothingWaits(variant=variant):
            return f"That was decided in the meantime; nothing was switched. To switch anyway: {face.engage(key, variant)}"
        case fa.Released(default=default) if scope_of(key):
            return f"{first} is back on {default or 'the default in its code'}, like all others."
        case fa.Released(default=default):
            return f"{first} serves {default or 'the default in its code'} again."
        case fa.YesCounted() as b:
            return f"Your yes counts: {b.given} of {b.quorum}. Nothing switches until {b.quorum} people say yes."
        case fa.YesAlready() as b:
            return f"You have already said yes: {b.given} of {b.quorum}. Somebody else must say it too."
        case fa.NoApprover(named=named):
            return f"Only the approvers of {flag} may answer that ({', '.join(named)}). Nothing was changed."
        case fa.Rejected(variant=variant):
            way = face.engage(key, variant)
            return f"{first} stays as it is; no rule asks again until its default has recovered. To switch: {way}"
        case fa.NothingAsked():
            return f"Nothing about {flag} waits for an answer. Nothing was changed."
        case fa.Planned():
            return _plan(answer, face)
    return ""


def _plan(plan: fa.Planned, face: Face) -> str:
    """What would change for whom, the health of both sides, what stands in the way, and how to do it."""
    rest = f", the other {100 - plan.share_now} % {plan.default}" if plan.share_now < 100 else ""
    everybody = f"everybody with {scope_of(plan.flag)}" if scope_of(plan.flag) else "everybody"
    now = f"Now: {plan.share_now} % get {plan.serves}{rest}." if rest else f"Now: {everybody} gets {plan.serves}."
    parts = [f"Plan for {face.flag(plan.flag, plan.flag_name)}; nothing was changed.", now]
    if plan.refused:
        parts.append(f"It cannot be switched: {flag_words(replace(plan.refused, flag_name=plan.flag_name), face)}")
    else:
        rest = f"{_of(plan)}; the others get {plan.default}" if plan.share < 100 else _of(plan)
        parts.append(f"Then: {plan.share} % get {plan.variant}{rest}.")
    if plan.healths:
        parts.append(f"{'; '.join(plan.healths)}.")
    if plan.rebuild:
        parts.append(_cost(plan.rebuild))
    if plan.left_out:
        parts.append(f"Sinks switch all readers or none, so these do not follow: {', '.join(plan.left_out)}.")
    if plan.hands_off:
        parts.append(f"No rule moves it: {plan.hands_off}. You may do it.")
    if not plan.refused:
        parts.append(f"To do it: {face.engage(plan.flag, plan.variant, plan.share)}")
    return " ".join(parts)


def _cost(rebuild: fa.CacheRebuild) -> str:
    prices = f"{_dollars(rebuild.new)} a million tokens, not {_dollars(rebuild.cached)}"
    requests = f"{rebuild.requests:,} request{'s' if rebuild.requests > 1 else ''} in 10 min"
    more = (
        f" ({requests}: up to {_dollars(rebuild.more_per_thousand)} more per 1,000 prompt tokens)" if rebuild.requests else ""
    )
    return f"Prompt caches start empty at {rebuild.component}: {prices}{more}."


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}" if amount >= 0.01 else "less than $0.01"


def _of(plan: fa.Planned) -> str:
    if scope_of(plan.flag):
        return ""  # nobody counts the readers of a scope
    if not plan.readers:
        return " (no reader in 15 min)"
    if plan.share == 100:
        return f" ({count(plan.readers, 'reader')})"
    return f" (about {round(plan.readers * plan.share / 100)} of {count(plan.readers, 'reader')})"


def _of_going_back(answer: Answer, face: Face) -> str:
    key, flag, first = _named(answer, face)
    match answer:
        case fa.AtDefault():
            return f"{first} already serves its default."
        case fa.DefaultUnwell(unwell=unwell):
            return f"Not switched back, since {unwell}. To switch {flag} back anyway: {face.release(key, force=True)}"
        case fa.HandBackBegun():
            return f"The first share of {flag} is back on its default."
        case fa.NothingToHandBack() if scope_of(answer.flag):
            return f"{first} is not switched separately. Nothing was changed."
        case fa.NothingToHandBack():
            return f"{first} is already on its default; there is nothing to switch back."
        case fa.HandBackRuns(share=share):
            return f"{first} is already being switched back: {share} % is on its default."
        case fa.HandBackRefused(variant=variant, unwell=unwell):
            return f"{first} stays on {variant}: {unwell}."
    return ""


def _of_steering(answer: Answer, face: Face) -> str:
    key, flag, first = _named(answer, face)
    match answer:
        case fa.NotEngaged() if scope_of(answer.flag):
            return f"{first} is not switched separately. Nothing was changed."
        case fa.NotEngaged():
            return f"{first} serves its default; switch it first."
        case fa.NoShare():
            return f"A share is 1 to 100 %. To send everybody back: {face.release(key)}"
        case fa.ShareSet(share=100, variant=variant):
            return f"All of {flag} gets {variant} now."
        case fa.ShareSet() as b:
            lasts = f"This holds until somebody changes it or {b.default} fails."
            return f"{b.share} % of {flag} gets {b.variant} now, the others {b.default}. {lasts}"
        case fa.ShareAlready(share=share, variant=variant):
            return f"{share} % of {flag} already gets {variant}."
        case fa.ShareUnwell(share=share, unwell=unwell, variant=variant):
            ramp = face.flags("ramp", key, share=share, force=True)
            all_the_same = face.engage(key, variant, share, force=True) if variant else ramp
            return f"Nobody was moved: {unwell}. To do it anyway: {all_the_same}"
        case fa.HandBackHeld(share=share):
            return f"{first} stays as it is: {share} % on its default. To continue: {face.flags('resume', key)}"
        case fa.HeldAlready(share=share):
            return f"{first} already stays as it is: {share} % on its default. To continue: {face.flags('resume', key)}"
        case fa.NoHandBack():
            return f"{first} is not being switched back, so there is nothing to hold."
        case fa.HandBackResumed(share=share):
            return f"Switching {flag} back continues, from {share} %."
        case fa.NothingHeld():
            return f"{first} is not on hold."
        case fa.Extended(until=until):
            return f"{first} stays on its fallback until {face.time(until, answer.now)}."
        case fa.TooFar(most_days=days):
            return f"A switch lasts at most {days} days. Nothing was changed."
        case fa.ExtendedAlready(until=until):
            return f"That was answered in the meantime: {flag} stays until {face.time(until, answer.now)}. Nothing was changed."
    return ""


def _of_pins(answer: Answer, face: Face) -> str:
    key, _, first = _named(answer, face)
    match answer:
        case fa.Pinned(variant=variant):
            return f"{first} is pinned to {variant}: no rule moves it. Undo: {face.flags('unpin', key)}"
        case fa.PinnedAlready(by=by):
            return f"{first} is already pinned, by {by.name}."
        case fa.ScopeFollows():
            part = face.engage(key, "VARIANT")
            return f"{first} has no fallback of its own: it follows the whole flag. Pin that, or switch this part first: {part}"
        case fa.Unpinned(automation=automation):
            return f"{first} is no longer pinned. {RULES[Automation(automation)]}"
        case fa.NotPinned():
            return f"{first} is not pinned."
        case fa.Frozen():
            return f"Automation of all flags is frozen: rules only ask. Undo: {face.flags('thaw')}"
        case fa.FrozenAlready(by=by):
            return f"Automation of flags is already frozen, by {by.name}."
        case fa.Thawed():
            return "Automation of flags is on again."
        case fa.NotFrozen():
            return "Automation of flags is not frozen."
    return ""
