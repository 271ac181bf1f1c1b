"""A drill: a pretended outage that real people work on, in an incident of its own.

Everything it pretends applies to shadows of the components (`ids.shadow`), so verdicts, flags, other incidents and the
vendor's notices are not affected. A real outage ends it at once.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.core.answers import base
from bot.core.answers import incident as a
from bot.core.answers.base import Done, Refused
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.flags.choosing import unfit
from bot.core.decide.phases import ALL_WELL, COURSE, change_phase, declare
from bot.core.decide.titles import DRILL_TITLE, title_of
from bot.core.drill import LEFT_OPEN, MOST_READERS, DrillPlan
from bot.core.ids import real, shadow
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, Level, Phase, Severity
from bot.core.policy import Policy
from bot.core.record.drills.drill_facts import DrillEnded, DrillReadersSeen
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import ComponentMoved
from bot.core.record.world import World
from bot.core.signals import ReadInDrill, StartDrill, StopDrill

DRILL = Actor.rule("drill")
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=2)
NO_MORE = "the drill pretends no failure any more"


@dataclass(frozen=True, kw_only=True)
class DrillStarted(Done):
    """The drill's incident is open; `variant` is what readers in its scope get for `flag`, if it has one."""

    KIND = "drill_started"
    title: str
    channel_name: str
    until: datetime
    paging: bool = False
    variant: str = ""


@dataclass(frozen=True, kw_only=True)
class DrillStopped(Done):
    """The drill is over, and so is its incident."""

    KIND = "drill_stopped"


@dataclass(frozen=True, kw_only=True)
class NoSuchLength(Refused):
    """A drill cannot be that short or that long."""

    KIND = "no_such_drill_length"
    least_minutes: int
    most_hours: int


@dataclass(frozen=True, kw_only=True)
class DrillRuns(Refused):
    """A drill of that provider, or with that flag (`flag`), is already open: `incident`."""

    KIND = "drill_runs"


@dataclass(frozen=True, kw_only=True)
class ReallyFails(Refused):
    """The outage to be pretended is real, or a real incident is open for the provider."""

    KIND = "really_fails"
    why: str


@dataclass(frozen=True, kw_only=True)
class NoFallback(Refused):
    """The flag has no usable fallback."""

    KIND = "no_fallback_to_drill"
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class NoDrill(Refused):
    """That incident is not a drill, or it is over."""

    KIND = "no_drill"


def on_start(draft: Draft, signal: StartDrill) -> Step:
    """Open a drill's incident, like a real one in every way. One drill at a time per provider and per flag."""
    policy, known = draft.policy, draft.policy.components
    unknown = [one for one in signal.components if one not in known]
    if unknown or not signal.components:
        return draft.refuse(base.NoComponent(component=(*unknown, "")[0], known=tuple(sorted(known))))
    provider = known[signal.components[0]].provider
    if any(known[one].provider != provider for one in signal.components):
        return draft.refuse(a.TwoProviders())
    if not SHORTEST <= signal.lasts <= LONGEST:
        minutes, hours = SHORTEST // timedelta(minutes=1), LONGEST // timedelta(hours=1)
        return draft.refuse(NoSuchLength(least_minutes=minutes, most_hours=hours))
    shadows = tuple(shadow(one) for one in known if one in signal.components)  # a fixed order, the same after a restart
    if other := draft.world.open_for(shadow(provider)):
        return draft.refuse(DrillRuns(incident=other.number))
    if why := _trouble(draft.world, policy, provider, shadows):
        return draft.refuse(ReallyFails(why=why))
    variant = _fallback(draft, signal.flag) if signal.flag else ""
    if isinstance(variant, Refused):
        return draft.refuse(variant)
    plan = DrillPlan(draft.now + signal.lasts, signal.paging, signal.flag, variant)
    incident = declare(
        draft, title=f"{DRILL_TITLE}{title_of(policy, signal.components, Level.DOWN)}", severity=_severity(policy, shadows),
        components=shadows, began_at=draft.now, reason=f"a drill, started by {signal.actor.name}", dedup=shadow(provider),
        provider=shadow(provider), drill=plan,
    )  # fmt: skip
    return draft.done(
        DrillStarted(
            incident=incident.number, flag=signal.flag, title=incident.title, channel_name=incident.room.name,
            until=plan.until, paging=plan.paging, variant=variant,
        )
    )  # fmt: skip


def _severity(policy: Policy, shadows: tuple[str, ...]) -> Severity:
    """The configured severity if the worst of them is down; SEV2 if that opens no incident."""
    known = [one.open_on.get(Level.DOWN, "") for id in shadows if (one := policy.component(id))]
    return min((Severity(one) for one in known if one in Severity.__members__), default=Severity.SEV2)


def _fallback(draft: Draft, flag: str) -> str | Refused:
    """The first fallback of a flag that a person could switch to now."""
    policy = draft.policy.flags.get(flag)
    if policy is None:
        return base.NoFlag(key=flag, known=tuple(sorted(draft.policy.flags)))
    if other := draft.world.drill_on(flag):
        return DrillRuns(incident=other.number, flag=flag)
    if draft.world.flag(flag).engagement:
        return NoFallback(flag=flag, why="it is switched already")
    why = [unfit(draft.world, policy, one.variant, draft.policy.name_of) for one in policy.fallbacks]
    fit = (one.variant for one, sick in zip(policy.fallbacks, why, strict=True) if not sick)
    return next(fit, None) or NoFallback(flag=flag, why="; ".join(why))


def on_stop(draft: Draft, signal: StopDrill) -> Step:
    """A person ends the drill, and its incident with it."""
    incident = draft.incident(signal.incident)
    if incident.drill is None or not incident.phase.open:
        return draft.refuse(NoDrill(incident=incident.number))
    _end(draft, incident, "somebody stopped it", signal.actor, resolve=True)
    return draft.done(DrillStopped(incident=incident.number))


def on_readers(draft: Draft, signal: ReadInDrill) -> Step:
    """Record readers not seen before on either side, up to a number that people can read."""
    incident = draft.incident(signal.incident)
    drill = incident.drill
    if drill is None or not drill.running or not incident.phase.open:
        return draft.done(base.KnownAlready(incident=incident.number))
    fallback, other = _new(signal.fallback, drill.fallback_readers), _new(signal.other, drill.other_readers)
    if not fallback and not other:
        return draft.done(base.KnownAlready(incident=incident.number))
    draft.add(incident.stream, DrillReadersSeen(drill.plan.flag, fallback, other))
    return draft.done(base.Noted(incident=incident.number))


def _new(seen: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    fresh = tuple(one for one in dict.fromkeys(seen) if one not in known)
    return fresh[: max(0, MOST_READERS - len(known))]


# --- the end


def _end(draft: Draft, incident: Incident, why: str, actor: Actor, *, resolve: bool = False) -> None:
    """Stop pretending. People resolve the incident, unless `resolve` does it here."""
    if incident.drill and incident.drill.running:
        draft.add(incident.stream, DrillEnded(why), actor=actor)
        for one in incident.failing:
            well = ComponentMoved(one.id, one.level, Level.OPERATIONAL, NO_MORE, draft.now)
            draft.add(incident.stream, well, actor=DRILL, told=not resolve)
    if resolve:
        change_phase(draft, incident.number, Phase.RESOLVED, why, actor)
    elif incident.phase in COURSE[:4] and not incident.phase_by_person:
        change_phase(draft, incident.number, Phase.MONITORING, "every component is operational again", ALL_WELL)


def give_way(draft: Draft) -> None:
    """End a provider's drill if it really fails: two incidents with one name would confuse everybody."""
    for incident in draft.world.open_incidents():
        if incident.drill is None:
            continue
        why = _trouble(draft.world, draft.policy, real(incident.provider), tuple(incident.affected))
        if why:
            _end(draft, incident, why, DRILL, resolve=True)


def _trouble(world: World, policy: Policy, provider: str, shadows: tuple[str, ...]) -> str:
    """What is really wrong with the components of a drill; empty if nothing is."""
    found = world.open_for(provider)
    if found:
        return f"{policy.provider_name(provider)} is failing for real: {found.name}"
    bad = [world.component(real(id)) for id in shadows if world.component(real(id)).level.bad]
    return ", ".join(f"{policy.name_of(one.id)} is really {one.level}" for one in bad)


def on_time(draft: Draft) -> None:
    """End drills whose time is up, and resolve those that nobody resolved after they ended."""
    for incident in draft.world.open_incidents():
        drill = incident.drill
        if drill is None:
            continue
        if drill.running and drill.plan.until <= draft.now:
            minutes = (drill.plan.until - incident.declared_at) // timedelta(minutes=1)
            _end(draft, incident, f"its {minutes} min are over", DRILL)
        elif drill.ended_at and drill.ended_at + LEFT_OPEN <= draft.now:
            why = f"nobody resolved it within {LEFT_OPEN // timedelta(minutes=1)} min of the end of the drill"
            change_phase(draft, incident.number, Phase.RESOLVED, why, DRILL)


HANDLERS: Handlers = {StartDrill: on_start, StopDrill: on_stop, ReadInDrill: on_readers}


def due(world: World, policy: Policy) -> Iterator[datetime]:
    """When a drill ends, and when one that was left open resolves itself."""
    for incident in world.open_incidents():
        if incident.drill:
            ended_at = incident.drill.ended_at
            yield ended_at + LEFT_OPEN if ended_at else incident.drill.plan.until
