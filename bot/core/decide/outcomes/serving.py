"""Customers served: which requests belong to an incident, over which time, and when to count them again."""

from datetime import datetime, timedelta

from bot.core.answers.base import KnownAlready, Noted
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.effects import EditAlert, EditCard
from bot.core.ids import ComponentId
from bot.core.outcomes.counts import MINUTE
from bot.core.outcomes.known import components_of
from bot.core.outcomes.served import CountingScope
from bot.core.policy import FlagPolicy, Policy
from bot.core.record.course.served_facts import CustomersServed
from bot.core.record.incident import Incident
from bot.core.record.world import World
from bot.core.signals.outcomes import OutcomesCounted

SETTLE_FOR = timedelta(minutes=2)  # after the end: services report in batches, most exporters once a minute
COUNT_FOR = timedelta(minutes=30)  # after the end, nothing is counted any more, even if it was missed


def on_counted(draft: Draft, signal: OutcomesCounted) -> Step:
    """Record the figures if they changed; after the end, add them to the summary."""
    incident = draft.incident(signal.incident)
    if incident.served == signal.served or not _wanted(incident, draft.now):
        return draft.done(KnownAlready(incident=incident.number))
    fact = draft.add(incident.stream, CustomersServed(signal.served))
    if not incident.phase.open:
        draft.send(EditAlert(), fact)
        draft.send(EditCard(), fact)
    return draft.done(Noted(incident=incident.number))


HANDLERS: Handlers = {OutcomesCounted: on_counted}


def wants_count(incident: Incident, policy: Policy, world: World, now: datetime) -> bool:
    """Whether requests should be counted now: every minute while it is open, and once after its end."""
    if not _wanted(incident, now) or not _flags(incident, policy, world):
        return False
    end, last = incident.ending.at, incident.served.until if incident.served else None
    if not incident.phase.open and end is not None:
        return now >= end + SETTLE_FOR and last != end
    return last is None or now >= last + MINUTE


def _wanted(incident: Incident, now: datetime) -> bool:
    if incident.drill or incident.merged:
        return False
    return incident.phase.open or (incident.ending.at is not None and now < incident.ending.at + COUNT_FOR)


def _flags(incident: Incident, policy: Policy, world: World) -> list[FlagPolicy]:
    found = []
    for flag in policy.flags.values():
        engagement = world.flag(flag.key).engagement
        if (engagement and engagement.incident == incident.number) or set(flag.depends_on) & set(incident.affected):
            found.append(flag)
    return found


def concerned(incident: Incident, policy: Policy, world: World) -> CountingScope:
    """What the incident is about: its flags, and whoever serves them."""
    flags = _flags(incident, policy, world)
    needed = [id for flag in flags for variant in flag.variants for id in components_of(flag, variant)]
    providers = frozenset(ComponentId(id).provider for id in needed)
    return CountingScope({flag.key: flag.default for flag in flags}, providers, incident.provider)


def switched(incident: Incident, policy: Policy, world: World) -> dict[str, datetime]:
    """When each of its flags was first switched: as recorded earlier, and as of now."""
    found = dict(incident.served.switched) if incident.served else {}
    for flag in _flags(incident, policy, world):
        engagement = world.flag(flag.key).engagement
        if engagement and flag.key not in found:
            found[flag.key] = engagement.at
    return found
