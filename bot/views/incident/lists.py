"""Answers to `/incident list`, `show` and `timeline`."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.core.decide.cadence import next_update_at
from bot.core.model import Phase
from bot.core.policy import Policy
from bot.core.record.incident import Incident
from bot.core.record.world import World
from bot.ports import Message
from bot.timeline.rows import Row
from bot.views.blocks import Block, context, header, section
from bot.views.incident.card import card
from bot.views.incident.head import icon
from bot.views.limits import fit
from bot.views.scene import Scene
from bot.views.text import clock, count, foreign, inert, span, when, who

MOST_LISTED = 20
MOST_ROWS = 40
ROW_CHARS = 300


def incident_list(world: World, policy: Policy, now: datetime, *, everything: bool = False) -> Message:
    """The open incidents, or the newest `MOST_LISTED` of all, as far as the world holds them."""
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
    """One incident as it stands, with what one can do: the card, for whoever asks."""
    return card(scene, readers=readers)


def timeline_text(incident: Incident, rows: Sequence[Row], *, limit: int = MOST_ROWS) -> Message:
    """The story so far, newest last; at most `limit` lines, without the posts of the bot. All of it is in the export."""
    story = [row for row in rows if not row.bookkeeping]
    shown = story[-limit:]
    lines = [f"{when(row.at)} {inert(row.sentence, ROW_CHARS)}{_who(row)}" for row in shown]
    over = incident.phase in (Phase.RESOLVED, Phase.CLOSED, Phase.CANCELED)
    top = header(f"Timeline of {incident.name}{'' if over else ' so far'}")
    parts = ["\n".join(lines[n : n + 5]) for n in range(0, len(lines), 5)]
    earlier = count(len(story) - len(shown), "earlier line")
    more = f"{earlier} and what" if len(story) > len(shown) else "What"
    left = f"{more} the bot posted where: in the export, "
    blocks = [top, *(section(part) for part in parts), context(f"{left}`/incident export {incident.name} md`")]
    return fit(Message(f"Timeline of {incident.name}: {len(story)} lines", tuple(blocks)))


def _who(row: Row) -> str:
    known = row.source == "person" and row.who and row.who not in row.sentence
    return f" ({foreign(row.who, 60)})" if known else ""
