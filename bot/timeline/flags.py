"""Facts of flags, as people read them."""

from collections.abc import Mapping

from bot.core.record.fact import Fact
from bot.core.record.flag_facts import (
    CarriedOver,
    ConversationsFollowed,
    Engaged,
    EngageProposed,
    ExpiryReached,
    HandBackAsked,
    HandBackReverted,
    HandBackStepped,
    HandBackStopped,
    Held,
    HoldEnded,
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
from bot.core.scope import scope_of


def sentence(fact: Fact, names: Mapping[str, str]) -> str:
    """A fact of a flag; empty for others."""
    match fact.body:
        case EngageProposed() as b:
            return f"Proposed: {b.flag} should use {b.variant}"
        case ProposalDropped(flag=flag):
            return f"The proposal for {flag} was withdrawn"
        case Engaged() as b:
            how = {"auto": "switched by rule", "approved": "approved by hand"}.get(b.mode, "switched by hand")
            of = b.flag if b.share == 100 else f"{b.share} % of {b.flag}"
            return f"{of} uses {b.variant} instead of {b.previous}, {how}, until {b.expires_at:%Y-%m-%d %H:%M} UTC at first"
        case Held(flag=flag):
            return f"Automation left {flag} as it is"
        case HoldEnded(flag=flag):
            return f"Automation has no reason any more to leave {flag} as it is"
        case HandBackAsked(flag=flag):
            return f"Asked whether the hand-back of {flag} may start"
        case HandBackStepped(flag=flag, share=share, stay_s=stay_s) if stay_s and share >= 100:
            return f"All new conversations of {flag} are on the default; older ones end on the fallback"
        case HandBackStepped(flag=flag, share=share, stay_s=stay_s) if stay_s:
            return f"{share} % of {flag} is back on the default, but conversations that run"
        case ConversationsFollowed(flag=flag, share=share):
            return f"Older conversations of {flag} had their time: all of the {share} % are on the default"
        case HandBackStepped(flag=flag, share=share):
            return f"{share} % of {flag} is back on the default"
        case HandBackStopped() as b:
            failed = f"{b.failed:,} of {b.requests:,} real requests failed on the default at {b.was} %"
            return f"The hand-back of {b.flag} was stopped, {b.share} % is on the default: {failed}"
        case HandBackReverted(flag=flag, share=share) if share:
            return f"The hand-back of {flag} is no longer asked for; {share} % stays on the default"
        case HandBackReverted(flag=flag):
            return f"The hand-back of {flag} was reverted; all of it is on the fallback again"
        case Released(flag=flag, variant=variant) if scope_of(flag):
            return f"{flag} follows all others again, on {variant}"
        case Released(flag=flag, variant=variant):
            return f"{flag} uses its default {variant} again"
        case CarriedOver() as b:
            return f"{b.flag} uses {b.variant} already, since {b.began_at:%Y-%m-%d %H:%M} UTC"
        case ExpiryReached() as b:
            return f"The time of {b.flag} on its fallback ran out and was extended to {b.expires_at:%Y-%m-%d %H:%M} UTC"
        case ReadersSaw() as b if b.by == b.of:
            after = f"{(fact.at - b.switched_at).total_seconds():.0f} s after the switch"
            return f"All {b.of} readers that keep a copy have {b.flag} on {b.variant}, {after}"
        case ReadersSaw() as b:
            return f"{b.by} of {b.of} readers have {b.flag} on {b.variant}; not yet: {', '.join(b.missing)}"
    return _steered(fact)


def _steered(fact: Fact) -> str:
    match fact.body:
        case ShareSet() as b:
            return f"{b.share} % of {b.flag} uses {b.variant} now; it was {b.previous} %"
        case HandBackHeld(flag=flag, share=share):
            return f"The hand-back of {flag} was halted at {share} % on the default"
        case HandBackResumed(flag=flag, share=share):
            return f"The hand-back of {flag} goes on from {share} % on the default"
        case ExpiryNear() as b:
            return f"Asked what happens when the time of {b.flag} on its fallback is up, at {b.expires_at:%Y-%m-%d %H:%M} UTC"
        case Extended() as b:
            return f"{b.flag} may stay on its fallback until {b.expires_at:%Y-%m-%d %H:%M} UTC"
        case SwitchApproved() as b:
            return f"One more yes to {b.flag} using {b.variant}: {b.given} of {b.quorum}"
        case ProposalRejected() as b:
            return f"The proposal that {b.flag} uses {b.variant} was rejected"
        case AnswerOverdue() as b:
            return f"Nobody has answered for {b.minutes} min whether {b.flag} should use {b.variant}"
        case Pinned(flag=flag, variant=variant):
            return f"{flag} is pinned to {variant}; no rule moves it"
        case Unpinned(flag=flag):
            return f"{flag} is no longer pinned; rules may move it"
        case Frozen():
            return "Automation of all flags is frozen; rules only ask"
        case Thawed():
            return "Automation of flags goes on"
    return ""
