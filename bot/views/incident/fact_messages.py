"""One message for one fact: what the incident's channel is told as things happen. Each names the person or the rule."""

from bot.core.decide.cadence import update_every
from bot.core.model import FeedState, Level
from bot.core.policy import Policy
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import (
    Acknowledged,
    ChannelRefused,
    ComponentJoined,
    ComponentMoved,
    GivenUp,
    NoteAdded,
    PhaseChanged,
    ResolveAsked,
    ResponderJoined,
    SeverityChanged,
    UpdateWritten,
)
from bot.core.record.paging_facts import PageLost, PageOutcome
from bot.core.record.provider_facts import FeedChanged, NoticeSeen, PageFlooded
from bot.core.record.world import World
from bot.ports import Message
from bot.timeline.errands import ERRAND_WORDS
from bot.timeline.rows import rows
from bot.views.blocks import Block, actions, section
from bot.views.component_messages import finding
from bot.views.flags.fact_messages import flag_fact_line
from bot.views.incident import paging
from bot.views.incident.parts import reopen_button, resolve_button
from bot.views.incident.texts import refusal
from bot.views.limits import fit
from bot.views.names import component_name, page_of, plain_names
from bot.views.scene import Scene
from bot.views.text import by, foreign, inert, link, quote, span, stop, utc, when, who, words

Said = tuple[str, str, list[Block]]  # notification, mrkdwn, buttons


def fact_line(fact: Fact, world: World, policy: Policy) -> Message:
    """What people are told of a fact; kinds without a wording of their own get their line of the timeline."""
    if fact.kind.startswith("flag."):
        return flag_fact_line(fact, world, policy)
    incident = world.incidents.get(fact.incident) if fact.incident is not None else None
    if isinstance(fact.body, ChannelRefused) and incident is not None:
        return refusal(incident, fact.body.reason, policy)
    scene = Scene(incident, world, policy, fact.at) if incident else None
    said = _of_vendor(fact, policy) or _of_people(fact, policy, incident) or _of_course(fact, policy, scene)
    found = finding(fact, policy)
    text, body, buttons = said or (found and (*found, [])) or _as_in_the_timeline(fact, policy)
    return fit(Message(text, (section(body), *actions(buttons))))


def _as_in_the_timeline(fact: Fact, policy: Policy) -> Said:
    row = rows([fact], plain_names(policy))[0]
    text = foreign(row.text, 1200) + (f": {inert(row.reason, 600)}" if row.reason else "")
    return text, f"{text} ({by(fact.actor)})", []


def _of_vendor(fact: Fact, policy: Policy) -> Said | None:
    match fact.body:
        case NoticeSeen(notice=n):
            page = page_of(policy, n.provider)
            text = f"{page}: {foreign(n.title, 160)} ({foreign(n.status, 40)})"
            body = f"*{page}* ({when(n.at)}): *{foreign(n.title, 200)}*, status {foreign(n.status, 40)}"
            if n.impact:
                body += f", impact {foreign(n.impact, 40)}"
            if n.body.strip():
                body += f"\n{quote(n.body, 1500)}"
            return text, body + (f"\n{link(n.url, 'On the page')}" if n.url else ""), []
        case PageFlooded() as b:
            more = f"{page_of(policy, b.provider)} shows {b.count:,} more updates at once. They are on the page, not here."
            return more, more, []
        case FeedChanged() as b:
            page, why = page_of(policy, b.provider), foreign(b.reason, 300)
            words_for = {
                FeedState.FRESH: f"{page} is read again.",
                FeedState.STALE: f"{page} cannot be read; its last word is kept. {why}",
                FeedState.UNKNOWN: f"{page} has not been read. {why}",
            }
            return words_for[b.state], words_for[b.state], []
    return None


def _of_people(fact: Fact, policy: Policy, incident: Incident | None) -> Said | None:
    name = incident.name if incident else "the incident"
    match fact.body:
        case Acknowledged():
            text = f"{who(fact.actor)} acknowledged {name}."
            return text, text, []
        case ResponderJoined():
            text = f"{who(fact.actor)} joined {name}."
            return text, text, []
        case NoteAdded(text=words_):
            return f"Note: {foreign(words_, 300)}", f"Note {by(fact.actor)}:\n{quote(words_, 2000)}", []
        case SeverityChanged() as b:
            text = f"{name} is {b.severity} now, was {b.previous}, {by(fact.actor)}."
            every = update_every(incident, policy.incidents) if incident and incident.severity is b.severity else None
            pace = f" Updates come every {span(every)}." if every else ""
            return text, f"{name} is *{b.severity}* now, was {b.previous}, {by(fact.actor)}.{_reason(b.reason)}{pace}", []
        case UpdateWritten() as b:
            text = f"Update {b.slot} of {name}" + (f": {foreign(b.text, 300)}" if b.text else "")
            return text, f"Update {b.slot} of {name} {by(fact.actor)}" + (f"\n{quote(b.text, 2000)}" if b.text else ""), []
    return None


def _of_course(fact: Fact, policy: Policy, scene: Scene | None) -> Said | None:
    incident = scene.incident if scene else None
    match fact.body:
        case ComponentJoined() as b:
            text = f"{component_name(policy, b.component)} is {b.level} too: {foreign(b.reason, 300)}"
            body = f"*{component_name(policy, b.component)}* is *{b.level}* too: {stop(foreign(b.reason, 600))} {_seen(fact)}"
            return text, body + _evidence(b.evidence), []
        case ComponentMoved() as b:
            return _moved(fact, b, policy, incident)
        case PhaseChanged() as b:
            return _phase(fact, b, incident)
        case ResolveAsked() as b if scene and incident:
            text = f"Is {incident.name} over?{_reason(b.reason)}"
            return (
                text,
                f"*Is {incident.name} over?*{_reason(b.reason)} Asked {by(fact.actor)}.",
                _if_open(scene),
            )
        case (PageOutcome() | PageLost()) as b if incident:
            return paging.failed(incident, b), paging.failed(incident, b), []
        case GivenUp() as b:
            what, name = ERRAND_WORDS.get(b.what, b.what), incident.name if incident else "an incident"
            text = f"{name}: Slack did not take {foreign(what, 80)}: {inert(b.reason, 400)}"
            todo = "It is not tried again. What happened stands in the timeline; `understudy doctor` tells what Slack wants."
            return text, f"{text}\n{todo}", []
    return None


def _moved(fact: Fact, b: ComponentMoved, policy: Policy, incident: Incident | None) -> Said:
    name = component_name(policy, b.component)
    if b.level is not Level.OPERATIONAL:
        text = f"{name} is {b.level} since {utc(b.began_at)}, was {b.previous}: {foreign(b.reason, 300)}"
        since = f"*{name}* is *{b.level}* since {when(b.began_at)}, was {b.previous}"
        return text, f"{since}: {stop(foreign(b.reason, 600))} {_seen(fact)}{_evidence(b.evidence)}", []
    others = [component_name(policy, a.id) for a in incident.failing if a.id != b.component] if incident else []
    rest = f"{words(others)} still failing" if others else "nothing in this incident fails any more"
    text = f"{name} back since {utc(b.began_at)}, {rest}."
    since = f"*{name}* back since {when(b.began_at)} (was {b.previous}), {rest}"
    return text, f"{since}. {stop(foreign(b.reason, 300))} {_seen(fact)}", []


def _phase(fact: Fact, b: PhaseChanged, incident: Incident | None) -> Said:
    name = incident.name if incident else "The incident"
    how = {"relapse": "is back to", "reopen": "was reopened and is"}.get(b.move, "is")
    text = f"{name} {how} {b.phase}, was {b.previous}, {by(fact.actor)}."
    body = f"{name} {how} *{b.phase}*, was {b.previous}, {by(fact.actor)}.{_reason(b.reason)}"
    over = incident is not None and incident.phase is b.phase and b.phase == "resolved"
    return text, body, [reopen_button(incident)] if over and incident else []


def _if_open(scene: Scene) -> list[Block]:
    return [resolve_button(scene)] if scene.incident.phase.open else []


def _reason(reason: str) -> str:
    return f" {stop(_capital(inert(reason, 600)))}" if reason.strip() else ""


def _seen(fact: Fact) -> str:
    return f"Seen {by(fact.actor)}."


def _evidence(lines: tuple[str, ...]) -> str:
    return "".join(f"\n• {foreign(line, 240)}" for line in lines[:4])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
