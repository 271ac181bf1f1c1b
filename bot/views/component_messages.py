"""Messages about facts of components and of our sight: blindness, advisories, mutes, alerts and people's reports."""

from datetime import datetime

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
from bot.core.record.sight import SightLost, SightRegained
from bot.core.record.world import World
from bot.views.names import ICONS, component_name
from bot.views.text import capital, clock, code, escape, foreign, how, quote, retold, span, stop, utc, who

MOST_EVIDENCE = 3
MOST_REASON = 160  # of several checks only the first that failed; `/health` shows the others

# What an operator does about a failure on our side.
REMEDIES: dict[Fault, str] = {
    Fault.OURS_KEY: "Was this check's key revoked, or does it lack a permission? `understudy check` tries it at once.",
    Fault.OURS_CONFIG: "Correct the check's address, model or request; `understudy check` tries them at once.",
    Fault.OURS_QUOTA: "Raise the limit or credit at the provider; services that share this key fail too.",
    Fault.LOCAL: "Check this machine's own network and proxy.",
}


def finding(fact: Fact, policy: Policy) -> tuple[str, str] | None:
    """(notification, mrkdwn) for such a fact; None for other kinds."""
    match fact.body:
        case SightLost() | SightRegained():
            return _sight(fact, fact.body)
        case AdvisoryRaised() | AdvisoryEnded():
            return _advisory(fact.body, policy)
        case AlertSuppressed() | AlertResumed() | Muted() | Unmuted():
            return _held_back(fact, policy)
        case AlertHeard() | ReportHeard():
            return _heard(fact, policy)
        case VerdictChanged() as b:
            return _verdict(fact, b, policy)
    return None


def sight_words(body: SightLost | SightRegained) -> str:
    """The notice as plain text, for channels other than Slack."""
    if isinstance(body, SightLost):
        since = f"We have been blind since {utc(body.began_at)}: {stop(body.reason)}"
        return f"{since} No vendor incident opens until we can see again."
    was = f"We were blind for {span(body.ended_at - body.began_at)}, since {utc(body.began_at)}: {stop(body.reason)}"
    return f"We can see again since {utc(body.ended_at)}. {was}"


def _sight(fact: Fact, body: SightLost | SightRegained) -> tuple[str, str]:
    text, why = escape(sight_words(body)), stop(foreign(body.reason, 300))
    if isinstance(body, SightRegained):
        again = f"🟢 *We can see again* since {clock(body.ended_at, fact.at)}. Anything still failing is reported from now on."
        return text, f"{again}\nWe were blind for {span(body.ended_at - body.began_at)}: {why}"
    told = f"⚪ *We have been blind* since {clock(body.began_at, fact.at)}: {why}"
    more = "Until then no vendor incident opens and no flag switches by itself. Check this machine's network and resolver."
    return text, f"{told}\n{more}"


def _advisory(body: AdvisoryRaised | AdvisoryEnded, policy: Policy) -> tuple[str, str]:
    name, about = component_name(policy, body.component), foreign(body.text, 300)
    if isinstance(body, AdvisoryEnded):
        over = f"the advisory is over, {foreign(body.reason, 200)}"
        return f"{name}: {over}", f"*{name}*: {over} (it was: {about})."
    evidence = "".join(f"\n• {foreign(line, 240)}" for line in body.evidence[:MOST_EVIDENCE])
    rest = f"{stop(foreign(body.reason, 400))} Not enough to open an incident or switch a flag."
    return f"Advisory for {name}: {about}", f"🟠 *Advisory for {name}*: {stop(about)}\n{rest}{evidence}"


def _held_back(fact: Fact, policy: Policy) -> tuple[str, str] | None:
    match fact.body:
        case AlertSuppressed() as b:
            name, why = component_name(policy, b.component), retold(b.why, 300)
            own = f"It gets no incident of its own ({how(fact.actor)})."
            return f"{name} fails too: {why}", f"*{name}* fails too: {stop(why)} {own}"
        case AlertResumed() as b:
            name, why = component_name(policy, b.component), retold(b.why, 300)
            return f"{name} still fails", f"*{name}* still fails; its alert was held back until now ({why})."
        case Muted() as b:
            name, why = component_name(policy, b.component), f": {foreign(b.reason, 300)}" if b.reason else ""
            undo = f"Its checks continue, and flags still switch. Undo: {code(f'/understudy unmute {b.component}')}"
            text = f"Alerts about {name} are muted until {utc(b.until, fact.at)} ({how(fact.actor)})."
            told = f"Alerts about *{name}* are muted until {clock(b.until, fact.at)} ({how(fact.actor)}){why}"
            return text, f"{stop(told)}\n{undo}"
        case Unmuted() as b:
            why = f": {foreign(b.reason, 100)}" if b.reason else ""
            text = f"Alerts about {component_name(policy, b.component)} are on again ({how(fact.actor)}){why}"
            return stop(text), stop(text)
    return None


def _heard(fact: Fact, policy: Policy) -> tuple[str, str] | None:
    match fact.body:
        case AlertHeard() as b:
            text = f"{foreign(b.source, 60)}: an alert about {component_name(policy, b.component)} is {foreign(b.state, 20)}"
            return text, f"{text} ({how(fact.actor)})\n{quote(b.title, 600)}"
        case ReportHeard() as b:
            name = component_name(policy, b.component)
            text = f"Report about {name}: {foreign(b.text, 300)}"
            return text, f"{who(fact.actor)} reported a problem with *{name}*:\n{quote(b.text, 1500)}"
    return None


def _verdict(fact: Fact, b: VerdictChanged, policy: Policy) -> tuple[str, str]:
    name, again = component_name(policy, b.component), " again" if b.level is Level.OPERATIONAL else ""
    icon = ICONS[b.level]
    text = f"{icon} {name} is {b.level}{again} (since {utc(b.began_at, fact.at)})"
    reason = stop(capital(foreign(b.reason, MOST_REASON)))
    return text, f"{icon} *{name} is {b.level}{again}* (since {clock(b.began_at, fact.at)}). {reason}".strip()


# --- on the board


def blind_line(world: World, now: datetime) -> str:
    """While we are blind: that, since when and why; else empty."""
    sight = world.sight
    if not sight.blind:
        return ""
    blind = f"*We have been blind* since {clock(sight.began_at, now)}" if sight.began_at else "*We are blind*"
    return f"{blind}: {stop(foreign(sight.reason, 300))} Anything we cannot reach counts as unknown."


def held_words(state: ComponentState, now: datetime) -> list[str]:
    """What a component's line says besides its level: advisory, mute, alert held back. No duplicates."""
    said, mute, held = [], state.mute, state.held_back
    if state.advisory:
        said.append(f"advisory: {foreign(state.advisory, 240)}")
    if mute:
        why = f" ({foreign(mute.reason, 120)})" if mute.reason else ""
        holds = ", and its alert is held back by that" if held and held.until == mute.until else ""
        said.append(f"muted until {clock(mute.until, now)} {how(mute.by)}{why}{holds}")
    if held and not (mute and held.until == mute.until):
        until = f" until {clock(held.until, now)}" if held.until else ""
        said.append(f"its alert is held back{until}: {retold(held.why, 200)}")
    return said
