"""Messages for people outside an incident: the one in their channel, and its replies.

`short` names nobody and quotes nothing internal; `full` is what the alert says, and who leads.
"""

from bot.core.model import Phase
from bot.core.record.fact import Fact
from bot.core.record.incident_facts import PhaseChanged, UpdateWritten
from bot.ports import Message
from bot.views.blocks import section
from bot.views.flags.serving import serving
from bot.views.incident.ending import CANCELED, over_lines
from bot.views.incident.evidence import component_line, worst_first
from bot.views.incident.head import customers, head, icon
from bot.views.limits import fit
from bot.views.scene import Scene
from bot.views.text import clock, count, foreign, quote, span, spoken, stop, who

VISIBLE = 3_900  # it is edited, and Slack accepts no edit beyond 4,000 characters
MOST_COMPONENTS = 6


def broadcast(scene: Scene, *, full: bool) -> Message:
    """The incident's state for people outside it; edited in place."""
    if full:
        lines = over_lines(scene) if not scene.incident.phase.open else [*head(scene), *_components(scene), _next(scene)]
    else:
        lines = _over(scene) if not scene.incident.phase.open else _short(scene)
    said = [line for line in lines if line]
    return fit(Message(spoken(said[0]), (section("\n".join(said)),)), visible=VISIBLE)


def _short(scene: Scene) -> list[str]:
    incident = scene.incident
    title = f"{icon(incident)} *{incident.severity} · {stop(foreign(incident.title, 120))}*"
    since = f"Since {clock(incident.began_at, scene.now)}"
    coming = _next(scene)
    return [
        f"{title}{' It works again; we are watching it.' if incident.well else ''}",
        _served(scene),
        " · ".join([since, coming]),
    ]


def _next(scene: Scene) -> str:
    due = scene.next_update_at
    return f"Next update by {clock(due, scene.now)}" if due else "Updates on change"


def _served(scene: Scene) -> str:
    """Whether customers are served, but not how."""
    if scene.incident.drill:
        return "This is an exercise: nothing is broken."
    every = [one.served for flag in scene.flags if (one := serving(flag, scene.world, scene.policy, scene.now))]
    if False in every:
        return "*Some customers are not served.*"
    if None in every:
        return "Nobody can tell yet whether customers are served."
    if every:
        return "Customers are served."
    return "Customers are served as usual." if scene.incident.well else "No fallback is in use: customers may notice."


def _components(scene: Scene) -> list[str]:
    order = worst_first(scene)
    more = [f"and {count(len(order) - MOST_COMPONENTS, 'more component')}"] if len(order) > MOST_COMPONENTS else []
    return [*(component_line(one, scene) for one in order[:MOST_COMPONENTS]), *more]


def _over(scene: Scene) -> list[str]:
    """What it was and how long it took; who ended it and why does not matter here."""
    incident, end = scene.incident, scene.incident.ending
    title = foreign(incident.title, 120)
    if end.at is None:
        return [f"{icon(incident)} *{incident.phase.capitalize()} · {title}*"]
    if incident.phase is Phase.CANCELED:
        why = CANCELED.get(end.reason, "")
        return [f"⚪ *Canceled · {stop(title)}*{f' It was {why}.' if why else ''}"]
    if incident.merged:
        whole = scene.world.incidents.get(incident.merged.number)
        other = f"“{foreign(whole.title, 120)}”" if whole else f"INC-{incident.merged.number}"
        return [f"⚪ *{stop(title)}* It is part of {other} now."]
    took, times = span(end.at - incident.began_at), f"{clock(incident.began_at, scene.now)} to {clock(end.at, scene.now)}"
    return [f"{icon(incident)} *{incident.phase.capitalize()} after {took} · {title}*", f"{times}."]


def broadcast_reply(fact: Fact, scene: Scene, *, full: bool) -> Message | None:
    """The reply about this fact; None if there is nothing to say any more."""
    match fact.body:
        case UpdateWritten(text=text):
            by = f"{who(fact.actor)} writes" if full else "Update"
            return fit(Message(f"Update: {foreign(text, 200)}", (section(f"{by}:\n{quote(text, 2500)}"),)))
        case PhaseChanged(move="reopen"):
            said = f"It is not over: {stop(foreign(scene.incident.title, 120))} {'' if not full else customers(scene)}".strip()
            return fit(Message(spoken(said), (section(said),)))
        case PhaseChanged() if not scene.incident.phase.open:
            said = _over(scene)[0]
            return fit(Message(spoken(said), (section(said),)))
    return None
