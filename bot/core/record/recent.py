"""Which incidents that are over a decision may need. The others stay in the ledger until somebody asks for one of them.

No decision may depend on what is in memory by chance: on how long the process runs, or what somebody asked for. So a rule that
looks back (`outage_of`) stops where `is_recent` says, even where more is at hand, and what another state points at is held.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.core.record.incident import Incident
from bot.core.record.world import World

RECENT_FOR = timedelta(days=30)
MOST_RECENT = 200
SLACK = timedelta(days=1)  # held longer than it is recent, so that a clock that is set back finds it still


def is_recent(incident: Incident, newest: int, now: datetime, *, slack: timedelta = timedelta(0)) -> bool:
    """Whether it is open, or ended within thirty days and is one of the newest two hundred; `newest` is the highest number."""
    if incident.phase.open:
        return True
    ended_at = incident.ending.at
    return ended_at is not None and now - ended_at <= RECENT_FOR + slack and incident.number > newest - MOST_RECENT


def needed(world: World) -> frozenset[int]:
    """The incidents that something points at: those of flags that are switched or ask, the last ended of what still fails,
    those with a follow-up that somebody is still to be reminded of, and the parts of these and of those that run."""
    reminding = (number for number, incident in world.incidents.items() if incident.tasks and incident.reminds)
    pointed = frozenset((*_of_flags(world), *_of_components(world), *reminding))
    held = (world.incidents[number] for number in pointed | world.running if number in world.incidents)
    return pointed.union(*(incident.parts for incident in held))


def without_old(world: World, now: datetime) -> World:
    """The world without the incidents that no decision may need any more; `last_incident` still counts them."""
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
            continue  # nobody asks what ended before; and the last to end may be the one that runs, reopened
        incident = world.incidents.get(world.ended_last.get(state.id, 0))
        if incident and incident.ending.at and state.unwell_since and state.unwell_since <= incident.ending.at:
            yield incident.number
