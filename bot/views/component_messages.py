"""One message for one fact about a component or our own sight: blindness, advisories, mutes, alerts and people's reports."""

from bot.core.model import Fault, Level
from bot.core.policy import Policy
from bot.core.record.component import ComponentState
from bot.core.record.component_facts import (
    AdvisoryEnded,
    AdvisoryRaised,
    AlertHeard,
    AlertResumed,
    AlertSuppressed,
    Muted,
    ReportHeard,
    Unmuted,
    VerdictChanged,
)
from bot.core.record.fact import Fact
from bot.core.record.sight_facts import SightLost, SightRegained
from bot.core.record.world import World
from bot.views.names import component_name
from bot.views.text import by, code, escape, foreign, inert, quote, span, stop, utc, when, who

# What an operator does about a failure that is ours.
REMEDIES: dict[Fault, str] = {
    Fault.OURS_KEY: "Look at this check's key: was it revoked, has it the rights? `understudy check` tries it at once.",
    Fault.OURS_CONFIG: "Look at the check's address, model and request. `understudy check` tries them at once.",
    Fault.OURS_QUOTA: "Look at limits, credit and spending at the provider; services that share the key get no answer either.",
    Fault.LOCAL: "Look at this machine's own network and proxy.",
}


def finding(fact: Fact, policy: Policy) -> tuple[str, str] | None:
    """(notification, mrkdwn) of such a fact; None for other kinds."""
    match fact.body:
        case SightLost() | SightRegained():
            return _sight(fact.body)
        case AdvisoryRaised() | AdvisoryEnded():
            return _advisory(fact, fact.body, policy)
        case AlertSuppressed() | AlertResumed() | Muted() | Unmuted():
            return _held_back(fact, policy)
        case AlertHeard() | ReportHeard():
            return _heard(fact, policy)
        case VerdictChanged() as b:
            return _verdict(fact, b, policy)
    return None


def sight_words(body: SightLost | SightRegained) -> str:
    """The notice in plain text, for ways that are not Slack."""
    if isinstance(body, SightLost):
        return f"We are blind since {utc(body.began_at)}: {stop(body.reason)} No vendor incident opens meanwhile."
    was = f"We were blind for {span(body.ended_at - body.began_at)}, since {utc(body.began_at)}: {stop(body.reason)}"
    return f"We see again since {utc(body.ended_at)}. {was}"


def _sight(body: SightLost | SightRegained) -> tuple[str, str]:
    text = escape(sight_words(body))
    if isinstance(body, SightRegained):
        again = f"*We see again* since {when(body.ended_at)}. We were blind for {span(body.ended_at - body.began_at)}"
        why = stop(foreign(body.reason, 300))
        return text, f"{again}, since {when(body.began_at)}: {why} What still fails is told from now on."
    told = f"*We are blind* since {when(body.began_at)}: {stop(foreign(body.reason, 300))} No vendor incident opens meanwhile."
    more = "What cannot be reached counts as unknown, and no rule moves a flag. Look at this machine's network and resolver."
    return text, f"{told}\n{more}"


def _advisory(fact: Fact, body: AdvisoryRaised | AdvisoryEnded, policy: Policy) -> tuple[str, str]:
    name, about = component_name(policy, body.component), foreign(body.text, 300)
    if isinstance(body, AdvisoryEnded):
        over = f"the advisory is over, {foreign(body.reason, 200)}"
        return f"{name}: {over}", f"*{name}*: {stop(over)} It was: {stop(about)} Seen {by(fact.actor)}."
    why = f"{stop(foreign(body.reason, 600))} Seen {by(fact.actor)}."
    evidence = "".join(f"\n• {foreign(line, 240)}" for line in body.evidence[:4])
    rest = "That is too little for a worse verdict: no incident opens for it, and no flag moves."
    return f"Advisory for {name}: {about}", f"*Advisory for {name}*: {stop(about)} {rest}\n{why}{evidence}"


def _held_back(fact: Fact, policy: Policy) -> tuple[str, str] | None:
    match fact.body:
        case AlertSuppressed() as b:
            name, why = component_name(policy, b.component), inert(b.why, 300)
            own = f"It opens no incident of its own meanwhile. Seen {by(fact.actor)}."
            return f"{name} fails too: {why}", f"*{name}* fails too: {stop(why)} {own}"
        case AlertResumed() as b:
            name, why = component_name(policy, b.component), inert(b.why, 300)
            return f"{name} still fails", f"*{name}* still fails, and its alert is held back no longer (it was: {why})."
        case Muted() as b:
            name, why = component_name(policy, b.component), f" Why: {stop(foreign(b.reason, 300))}" if b.reason else ""
            undo = f"Its checks go on, and flags still move. Undo: {code(f'/understudy unmute {b.component}')}"
            text = f"Alerts about {name} are held back until {utc(b.until, fact.at)}, {by(fact.actor)}."
            return text, f"Alerts about *{name}* are held back until {when(b.until)}, {by(fact.actor)}.{why}\n{undo}"
        case Unmuted() as b:
            why = f": {foreign(b.reason, 100)}" if b.reason else ""
            text = f"Alerts about {component_name(policy, b.component)} come again, {by(fact.actor)}{why}."
            return text, text
    return None


def _heard(fact: Fact, policy: Policy) -> tuple[str, str] | None:
    match fact.body:
        case AlertHeard() as b:
            text = f"{foreign(b.source, 60)}: an alert about {component_name(policy, b.component)} is {foreign(b.state, 20)}"
            return text, f"{text}, sent {by(fact.actor)}\n{quote(b.title, 600)}"
        case ReportHeard() as b:
            name = component_name(policy, b.component)
            text = f"Report about {name}: {foreign(b.text, 300)}"
            return text, f"{who(fact.actor)} reports about *{name}*:\n{quote(b.text, 1500)}"
    return None


def _verdict(fact: Fact, b: VerdictChanged, policy: Policy) -> tuple[str, str]:
    name, again = component_name(policy, b.component), " again" if b.level is Level.OPERATIONAL else ""
    text = f"{name}: {b.level}{again} since {utc(b.began_at)}"
    was = f", was {b.previous}" if b.previous is not b.level else ""
    state = f"*{name}*: *{b.level}*{again} since {when(b.began_at)}{was}"
    return text, f"{state}. {stop(foreign(b.reason, 600))} Seen {by(fact.actor)}."


# --- on the board


def blind_line(world: World) -> str:
    """Where we are blind: that, since when and why; empty where we see."""
    sight = world.sight
    if not sight.blind:
        return ""
    since = f" since {when(sight.began_at)}" if sight.began_at else ""
    return f"*We are blind*{since}: {stop(foreign(sight.reason, 300))} What cannot be reached counts as unknown."


def held_words(state: ComponentState) -> list[str]:
    """What a component's line says besides its level: advisory, mute, alert held back. Nothing twice."""
    said, mute, held = [], state.mute, state.held_back
    if state.advisory:
        said.append(f"Advisory: {foreign(state.advisory, 240)}")
    if mute:
        why = f" ({foreign(mute.reason, 120)})" if mute.reason else ""
        holds = ", and its alert is held back by that" if held and held.until == mute.until else ""
        said.append(f"Muted until {when(mute.until)} {by(mute.by)}{why}{holds}")
    if held and not (mute and held.until == mute.until):
        until = f" until {when(held.until)}" if held.until else ""
        said.append(f"Its alert is held back{until}: {inert(held.why, 200)}")
    return said
