"""Why nobody is alerted of a bad component at present. Pure.

Three things hold always: what is held back is the alert, never the measuring (the verdict is committed and flags move on it),
and never a recovery (incidents that are open run on). When the reason ends while the component is still bad, the alert comes
then. One exception: while we are blind no flag moves either.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.core.ids import ComponentId
from bot.core.lazy_dataclass import dataclass
from bot.core.model import FeedState, Notice, Phase
from bot.core.policy import Policy
from bot.core.record.provider import ProviderState
from bot.core.record.world import World

MAINTENANCE_STAGES = frozenset({"scheduled", "in_progress", "verifying"})
OVERRUN = timedelta(hours=1)  # vendors end late, and forget to say so
LONGEST_UNPLANNED = timedelta(hours=24)  # an announced maintenance without an end
LONGEST_PLANNED = timedelta(days=7)  # one with an end, from its last word or its start: a plan into the year 9999 is a slip
AFTER_PARENT = timedelta(minutes=5)  # what stands on another component comes back a little after it


@dataclass(frozen=True)
class Quiet:
    """A reason to hold an alert back: until when by itself, and the incident in which it is told instead.

    `planned` = somebody meant it to be quiet: such a component also joins no incident of its provider.
    """

    why: str
    until: datetime | None = None
    incident: int | None = None
    planned: bool = True


def look(world: World, policy: Policy, component: str, now: datetime) -> Quiet | None:
    """The first reason that holds: blindness, a mute, our maintenance, the vendor's, what it depends on, a person's ending."""
    return next(_reasons(world, policy, component, now), None)


def beginnings(world: World, policy: Policy, component: str, after: datetime) -> Iterator[datetime]:
    """When maintenance of this component begins by its plan: each window of ours the next time, and the vendor's."""
    for window in policy.maintenance:
        begins = window.begins(after) if window.covers(component) else None
        if begins is not None:
            yield begins
    for notice in _about(world, component):
        if notice.status in MAINTENANCE_STAGES and notice.starts_at and notice.starts_at > after:
            yield notice.starts_at


def _about(world: World, component: str) -> Iterator[Notice]:
    page = _page(world, component)
    return (notice for notice in page.notices if component in notice.components)


def _page(world: World, component: str) -> ProviderState:
    return world.provider(ComponentId(component).provider)


def _reasons(world: World, policy: Policy, component: str, now: datetime) -> Iterator[Quiet]:
    sight = world.sight
    if sight.blind:
        yield Quiet(f"we are blind: {sight.reason}", planned=False)
    mute = world.component(component).mute
    if mute and now < mute.until:
        yield Quiet(f"muted by {mute.by.name or mute.by.id}" + (f": {mute.reason}" if mute.reason else ""), mute.until)
    yield from _own_maintenance(policy, component, now)
    yield from _announced(world, component, now)
    yield from _parents(world, policy, component, now)
    yield from _ended(world, policy, component, now)


def _own_maintenance(policy: Policy, component: str, now: datetime) -> Iterator[Quiet]:
    for window in policy.maintenance:
        until = window.until(now) if window.covers(component) else None
        if until is not None:
            yield Quiet("our own maintenance" + (f": {window.reason}" if window.reason else ""), until)


def _announced(world: World, component: str, now: datetime) -> Iterator[Quiet]:
    """What the vendor's page calls maintenance; a page that cannot be read is believed for a while."""
    page = _page(world, component)
    for notice in _about(world, component):
        until = _under_way(notice, now)
        if until is not None:
            yield Quiet(f"announced maintenance: {notice.title}", until)
    if component in page.maintenance:
        until = None if page.feed is FeedState.FRESH or page.feed_at is None else page.feed_at + OVERRUN
        if until is None or now < until:
            yield Quiet("the vendor's page calls it under maintenance", until)


def _under_way(notice: Notice, now: datetime) -> datetime | None:
    """Until when an announced maintenance runs, if it runs now: by the vendor's word, or by its plan where the word is late."""
    if notice.status not in MAINTENANCE_STAGES:
        return None
    started = notice.status != "scheduled" or (notice.starts_at is not None and notice.starts_at <= now)
    late = OVERRUN if notice.status != "scheduled" else timedelta(0)  # one that never began ends with its plan
    until = _planned_end(notice, now) + late if notice.ends_at else notice.at + LONGEST_UNPLANNED
    return until if started and now < until else None


def _planned_end(notice: Notice, now: datetime) -> datetime:
    """The end of the plan. What the vendor says of the future holds for so long only: alerts may not be off for good."""
    begun = max(notice.at, notice.starts_at) if notice.starts_at and notice.starts_at <= now else notice.at
    return min(notice.ends_at or begun, begun + LONGEST_PLANNED)


def _parents(world: World, policy: Policy, component: str, now: datetime) -> Iterator[Quiet]:
    """A component that this one depends on, in an open incident and bad, or only just well. One hop, so no circle matters."""
    known = policy.components.get(component)
    for parent in known.depends_on if known else ():
        incident, state = world.concerned(parent), world.component(parent)
        if parent == component or incident is None:
            continue
        until = None if state.level.bad else state.since + AFTER_PARENT if state.since else now
        if until is None or now < until:
            why = f"it depends on {policy.name_of(parent)}, see {incident.name}"
            yield Quiet(why, until, incident.number, planned=False)


def _ended(world: World, policy: Policy, component: str, now: datetime) -> Iterator[Quiet]:
    """A person ended its incident while it failed, and it has not been well or got worse since.

    Resolved: it opens again after `resolve_after`. Canceled: people said that this is no incident, so it takes something new.
    """
    incident, state = world.incidents.get(world.ended_last.get(component, 0)), world.component(component)
    if incident is None or incident.ending.at is None or world.concerned(component):
        return
    worse = state.level.rank > incident.affected[component].level.rank
    if worse or state.unwell_since is None or state.unwell_since > incident.ending.at:
        return
    if incident.phase is Phase.CANCELED:
        yield Quiet(f"{incident.name} was canceled: {incident.ending.reason}", planned=False)
    elif now < (until := incident.ending.at + policy.incidents.resolve_after):
        yield Quiet(f"{incident.name} was resolved while it failed", until, planned=False)
