"""Answers to `/incident list`, `show` and `timeline`."""

from collections.abc import Mapping
from datetime import datetime

from bot.core.decide.cadence import next_update_at
from bot.core.policy import Policy
from bot.core.record.incident import Incident
from bot.core.record.world import World
from bot.ports import Message
from bot.views.blocks import Block, context, header, section
from bot.views.incident.card import card
from bot.views.incident.head import icon
from bot.views.limits import fit
from bot.views.scene import Scene
from bot.views.text import clock, count, foreign, span, who

MOST_LISTED = 20


def incident_list(world: World, policy: Policy, now: datetime, *, everything: bool = False) -> Message:
    """The open incidents, or the newest `MOST_LISTED` of all that are loaded."""
    chosen = sorted(world.incidents.values() if everything else world.open_incidents(), key=lambda i: -i.number)
    number = world.last_incident if everything else len(chosen)
    if not chosen:
        more = "" if everything or not world.last_incident else " `/incident list all` shows those that are over."
        return fit(Message(f"No incident {'so far' if everything else 'is open'}.{more} `/incident declare TITLE` opens one."))
    what = count(number, "incident" if everything else "open incident")
    lines = [_entry(incident, policy, now) for incident in chosen[:MOST_LISTED]]
    blocks: list[Block] = [header(what), *(section(line) for line in lines)]
    if number > MOST_LISTED:
        blocks.append(context(f"{number - MOST_LISTED} older: `understudy incident list --all`"))
    names = ", ".join(f"{i.name} {i.severity} {i.phase}" for i in chosen[:MOST_LISTED])
    return fit(Message(f"{what}: {names}", tuple(blocks)))


def _entry(incident: Incident, policy: Policy, now: datetime) -> str:
    name = f"{icon(incident)} *{incident.name}* · {incident.severity} · {foreign(incident.title, 150)}"
    where = f" <#{incident.room.channel}>" if incident.room.channel else ""
    if not incident.phase.open:
        took = f", took {span(incident.ending.at - incident.began_at)}" if incident.ending.at else ""
        return f"{name}{where}\n{incident.phase.capitalize()}; began {clock(incident.began_at, now)}{took}"
    due = next_update_at(incident, policy)
    coming = f" · next update by {clock(due, now)}" if due else ""
    return f"{name}{where}\nSince {clock(incident.began_at, now)} ({span(now - incident.began_at)}) · {_led(incident)}{coming}"


def _led(incident: Incident) -> str:
    people = incident.people
    if people.lead:
        return f"lead {who(people.lead)}"
    return f"acknowledged by {who(people.acknowledged_by)}" if people.acknowledged_by else "*nobody has acknowledged it*"


def incident_show(scene: Scene, *, readers: Mapping[str, int] | None = None) -> Message:
    """One incident's current state and actions: the card, for whoever asks."""
    return card(scene, readers=readers)
