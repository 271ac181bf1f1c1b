"""People stop rules from moving one flag (pin) or all flags (freeze). They can still switch by hand."""

from bot.core.answers import flags as fa
from bot.core.answers.rehearsals import Unrehearsed
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.flags.automation import engage, react
from bot.core.decide.flags.choosing import meant, served
from bot.core.decide.flags.conditions import default_unwell, incident_for, no_flag, troubled, where
from bot.core.decide.flags.readiness import unready
from bot.core.decide.flags.scopes import too_many
from bot.core.decide.flags.steering import UNSAID
from bot.core.model import Level
from bot.core.policy import FlagPolicy
from bot.core.record.flag_facts import ProposalDropped, Released
from bot.core.record.steering.freeze import Frozen, Thawed
from bot.core.record.steering.steering_facts import Pinned, Unpinned
from bot.core.scope import scope_of
from bot.core.signals.flags import FreezeFlags, PinFlag, ThawFlags, UnpinFlag


def on_pin(draft: Draft, signal: PinFlag) -> Step:
    """A person pins a flag; if they name a variant other than the current one, it is switched there first."""
    policy = draft.policy.flag(signal.flag)
    if policy is None:
        return draft.refuse(no_flag(draft.policy, signal.flag))
    state, variant = draft.world.flag(policy.key), signal.variant or served(draft.world, policy)
    if scope_of(policy.key) and (variant == policy.default or not (state.engagement or signal.variant)):
        return draft.refuse(fa.ScopeFollows(flag=policy.key))
    if refused := too_many(draft.world, draft.policy, policy.key):
        return draft.refuse(refused)
    if variant == served(draft.world, policy):
        if state.pin:
            return draft.refuse(fa.PinnedAlready(flag=policy.key, by=state.pin.by))
    elif variant == policy.default:
        if unwell := default_unwell(draft.world, policy, draft.policy.name_of):
            return draft.refuse(fa.DefaultUnwell(flag=policy.key, unwell=unwell))
        incident = state.engagement.incident if state.engagement else None
        draft.add(f"flag/{policy.key}", Released(policy.key, variant, signal.reason or UNSAID), incident=incident)
    else:
        found = meant(draft.world, draft.policy, policy, variant, 100)
        if not isinstance(found, str):
            return draft.refuse(found)
        if why := unready(draft.world, policy, found):
            return draft.refuse(Unrehearsed(flag=policy.key, variant=found, reason=why))
        trouble = troubled(draft.world, policy, Level.DEGRADED)
        incident = incident_for(draft.world, trouble or policy.depends_on)
        engage(draft, policy, found, signal.reason or UNSAID, "manual", signal.actor, incident, trouble)
    number = _incident(draft, policy)
    if draft.world.flag(policy.key).proposal:
        draft.add(f"flag/{policy.key}", ProposalDropped(policy.key, "it is pinned now"), incident=number)
    draft.add(f"flag/{policy.key}", Pinned(policy.key, variant, signal.reason or UNSAID), incident=number)
    react(draft)
    return draft.done(fa.Pinned(flag=policy.key, incident=number, variant=variant))


def on_unpin(draft: Draft, signal: UnpinFlag) -> Step:
    """Rules may move the flag again, and do so at once if that is due."""
    policy = draft.policy.flag(signal.flag)
    if policy is None:
        return draft.refuse(no_flag(draft.policy, signal.flag))
    if draft.world.flag(policy.key).pin is None:
        return draft.refuse(fa.NotPinned(flag=policy.key))
    number = _incident(draft, policy)
    draft.add(f"flag/{policy.key}", Unpinned(policy.key), incident=number)
    react(draft)
    return draft.done(fa.Unpinned(flag=policy.key, incident=number, automation=policy.automation))


def _incident(draft: Draft, policy: FlagPolicy) -> int | None:
    engagement = draft.world.flag(policy.key).engagement
    return where(draft.world, policy, engagement) if engagement else incident_for(draft.world, policy.depends_on)


def on_freeze(draft: Draft, signal: FreezeFlags) -> Step:
    """From now on rules only observe and ask."""
    if draft.world.freeze.by:
        return draft.refuse(fa.FrozenAlready(by=draft.world.freeze.by))
    _tell_all(draft, Frozen(signal.reason or UNSAID))
    react(draft)
    return draft.done(fa.Frozen())


def on_thaw(draft: Draft, signal: ThawFlags) -> Step:
    """Rules may move flags again, and do so at once where that is due."""
    if draft.world.freeze.by is None:
        return draft.refuse(fa.NotFrozen())
    _tell_all(draft, Thawed(signal.reason or UNSAID))
    react(draft)
    return draft.done(fa.Thawed())


def _tell_all(draft: Draft, body: Frozen | Thawed) -> None:
    """Tell the ops channel and every open incident."""
    draft.add("automation", body)
    for incident in draft.world.open_incidents():
        draft.add(incident.stream, body)


HANDLERS: Handlers = {PinFlag: on_pin, UnpinFlag: on_unpin, FreezeFlags: on_freeze, ThawFlags: on_thaw}
