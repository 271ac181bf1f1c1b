"""Why nobody is alerted to a bad component at present. Pure.

Only the alert is held back, never the measuring (the verdict is committed and flags move on it) and never a recovery (open
incidents continue). If the component is still bad when the reason ends, the alert is sent then. One exception: while we are
blind, no flag moves either.
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
OVERRUN = timedelta(hours=1)  # vendors finish late and forget to say so
LONGEST_UNPLANNED = timedelta(hours=24)  # for announced maintenance without an end
LONGEST_PLANNED = timedelta(days=7)  # for maintenance with an end, from its last update or its start: year 9999 is a mistake
AFTER_PARENT = timedelta(minutes=5)  # a component recovers a little later than the one it depends on


@dataclass(frozen=True)
class Quiet:
    """A reason to hold an alert back: when it ends by itself, and the incident in which the alert is told instead.

    `planned` = somebody wanted it quiet: then the component does not join an incident of its provider either.
    """

    why: str
    until: datetime | None = None
    incident: int | None = None
    planned: bool = True


def look(world: World, policy: Policy, component: str, now: datetime) -> Quiet | None:
    """The first reason that applies: blindness, a mute, our maintenance, the vendor's, a dependency, or a person's ending."""
    return next(_reasons(world, policy, component, now), None)


def beginnings(world: World, policy: Policy, component: str, after: datetime) -> Iterator[datetime]:
    """When maintenance of this component is planned to begin: the next start of each of our windows, and the vendor's."""
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
    """Maintenance that the vendor's page announces; if the page cannot be read, the last reading counts for a while."""
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
    """When announced maintenance ends, if it is under way: by the vendor's updates, or by its plan if they are late."""
    if notice.status not in MAINTENANCE_STAGES:
        return None
    started = notice.status != "scheduled" or (notice.starts_at is not None and notice.starts_at <= now)
    late = OVERRUN if notice.status != "scheduled" else timedelta(0)  # one that never began ends on time
    until = _planned_end(notice, now) + late if notice.ends_at else notice.at + LONGEST_UNPLANNED
    return until if started and now < until else None


def _planned_end(notice: Notice, now: datetime) -> datetime:
    """The planned end, capped: a vendor must not be able to silence alerts for good."""
    begun = max(notice.at, notice.starts_at) if notice.starts_at and notice.starts_at <= now else notice.at
    return min(notice.ends_at or begun, begun + LONGEST_PLANNED)


def _parents(world: World, policy: Policy, component: str, now: datetime) -> Iterator[Quiet]:
    """A component that this one depends on is bad or barely recovered, in an open incident. One level: cycles do no harm."""
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
    """A person ended its incident while it was failing, and since then it has neither recovered nor got worse.

    After resolving, it may alert again after `resolve_after`. After canceling (people said: no incident) it must recover or
    worsen.
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
