"""When time alone may change something: the earliest deadline that the world holds.

Never later than the true one; an early look costs a step that finds nothing to do.
"""

from collections.abc import Iterator
from datetime import datetime

from bot.core.cadence import next_update_at
from bot.core.model import Policy
from bot.core.state import World


def next_due(world: World, policy: Policy) -> datetime | None:
    """The moment of the next deadline, None when nothing waits for time."""
    return min((*_of_incidents(world, policy), *_of_flags(world, policy), *_of_quiet(world, policy)), default=None)


def _of_incidents(world: World, policy: Policy) -> Iterator[datetime]:
    for incident in world.open_incidents():
        update = next_update_at(incident, policy.incidents)
        if update is not None:
            yield update
        if incident.well_since is not None and incident.resolve_asked_at is None:
            yield incident.well_since + policy.incidents.resolve_after


def _of_flags(world: World, policy: Policy) -> Iterator[datetime]:
    for flag in policy.flags.values():
        engagement = world.flag(flag.key).engagement
        if engagement is None:
            continue
        yield engagement.expires_at
        if engagement.stepped_at is not None:
            yield engagement.stepped_at + flag.hold
        elif engagement.asked_at is None and engagement.because:
            yield engagement.at + flag.min_hold


def _of_quiet(world: World, policy: Policy) -> Iterator[datetime]:
    """When a mute ends, and when an alert that was held back may come."""
    for component in world.components.values():
        if component.mute:
            yield component.mute.until
        held = component.held_back
        if held is None or component.id not in policy.components:
            continue
        if held.until is not None:
            yield held.until
        within = world.incidents.get(held.incident or 0)
        if within is not None and not within.phase.open:
            yield held.at  # where it was told instead is over
