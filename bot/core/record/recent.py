"""Which finished incidents a decision may need. The others stay in the ledger until somebody asks for one.

No decision may depend on what happens to be in memory, such as how long the process has run or what somebody asked for. So a
rule that looks back (`outage_of`) stops at `is_recent` even if more is loaded, and whatever another state points at is kept.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.core.record.incident import Incident
from bot.core.record.world import World

RECENT_FOR = timedelta(days=30)
MOST_RECENT = 200
SLACK = timedelta(days=1)  # kept a little longer, so that it is still there if the clock is set back


def is_recent(incident: Incident, newest: int, now: datetime, *, slack: timedelta = timedelta(0)) -> bool:
    """Whether it is open, or one of the newest two hundred and ended in the last thirty days; `newest` is the top number."""
    if incident.phase.open:
        return True
    ended_at = incident.ending.at
    return ended_at is not None and now - ended_at <= RECENT_FOR + slack and incident.number > newest - MOST_RECENT


def needed(world: World) -> frozenset[int]:
    """The incidents that something points at.

    Those of flags that are switched or proposed; for each component that still fails, the last one that ended; those with a
    follow-up that needs reminders; and the parts of these and of running ones.
    """
    reminding = (number for number, incident in world.incidents.items() if incident.tasks and incident.reminds)
    pointed = frozenset((*_of_flags(world), *_of_components(world), *reminding))
    held = (world.incidents[number] for number in pointed | world.running if number in world.incidents)
    return pointed.union(*(incident.parts for incident in held))


def without_old(world: World, now: datetime) -> World:
    """The world without finished incidents that no decision may need; `last_incident` still counts them."""
    pinned, newest = needed(world), world.last_incident
    old = [
        number
        for number, incident in world.incidents.items()
        if number not in pinned and not is_recent(incident, newest, now, slack=SLACK)
    ]
    return world.without_incidents(old) if old else world


def _of_flags(world: World) -> Iterator[int]:
    for flag in world.flags.values():
        for held in (flag.engagement, flag.proposal):
            if held is not None and held.incident is not None:
                yield held.incident


def _of_components(world: World) -> Iterator[int]:
    for state in world.components.values():
        if state.unwell_since and world.concerned(state.id):
            continue  # older endings do not matter; and the last to end may be running again
        incident = world.incidents.get(world.ended_last.get(state.id, 0))
        if incident and incident.ending.at and state.unwell_since and state.unwell_since <= incident.ending.at:
            yield incident.number
