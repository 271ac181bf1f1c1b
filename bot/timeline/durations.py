"""How long things took: points in time from the facts, and the spans between them.

A point that was not recorded is None, and so is every span that needs it: "not recorded", never zero. See docs/timeline.md for
the definitions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.effects import PostAlert
from bot.core.lazy_dataclass import dataclass
from bot.core.model import ActorKind, Level, Phase
from bot.core.record.course.merge_facts import Merged, PartGivenBack, PartSwitched, Unmerged
from bot.core.record.fact import Fact
from bot.core.record.flag_facts import CarriedOver, Engaged, Released
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import (
    ComponentJoined,
    ComponentMoved,
    Declared,
    PhaseChanged,
    UpdateWritten,
)
from bot.core.record.provider import NOTICE_OVER
from bot.core.record.provider_facts import NoticeSeen
from bot.core.record.room.room_facts import Posted
from bot.core.scope import scope_of, whole


@dataclass(frozen=True)
class Outage:
    """A time in which a component was not operational; `ended_at` None = it still is not."""

    component: str
    began_at: datetime
    ended_at: datetime | None
    worst: Level


@dataclass(frozen=True)
class Away:
    """A time in which a flag served one fallback. `ended_at` None = it still does, or did when the incident ended."""

    flag: str
    variant: str
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Durations:
    """Points and spans of one incident. Spans may be negative if things happened in an unusual order."""

    impact_at: datetime  # T0: first failed evidence
    detected_at: datetime  # Td: the incident was declared
    detected_by: str  # probe or person
    acknowledged_at: datetime | None  # Ta: a person acknowledged it
    vendor_first_at: datetime | None  # Tv: the vendor's first public update, by the vendor's clock
    first_post_at: datetime | None  # Tc: the first message to stakeholders was posted in Slack
    failover_at: datetime | None  # Tf: the first flag served a fallback
    mitigated_at: datetime | None  # Tm: customers were served, by fallbacks or by recovery
    vendor_resolved_at: datetime | None  # Tr: the vendor's notice was closed
    ended_at: datetime | None  # Te: resolved or canceled; None while open
    outages: tuple[Outage, ...]
    away: tuple[Away, ...]
    updates: int
    missed: int
    longest_silence: timedelta | None  # between two messages to stakeholders while the incident was open
    first_impact_at: datetime  # T0 and Td of the first incident in the vendor's outage
    first_detected_at: datetime

    @property
    def detect(self) -> timedelta:
        """Td - T0."""
        return self.detected_at - self.impact_at

    @property
    def acknowledge(self) -> timedelta | None:
        """Ta - Td."""
        return _between(self.detected_at, self.acknowledged_at)

    @property
    def first_post(self) -> timedelta | None:
        """Tc - Td."""
        return _between(self.detected_at, self.first_post_at)

    @property
    def failover(self) -> timedelta | None:
        """Tf - Td; negative if somebody switched before the incident was declared."""
        return _between(self.detected_at, self.failover_at)

    @property
    def mitigate(self) -> timedelta | None:
        """Tm - T0."""
        return _between(self.impact_at, self.mitigated_at)

    @property
    def vendor_ack_lag(self) -> timedelta | None:
        """Tv - T0: how long the vendor's page said nothing; negative if the vendor posted before we saw a failure.

        In a later incident of the same outage, T0 is that of the first one.
        """
        return _between(self.first_impact_at, self.vendor_first_at)

    @property
    def lead(self) -> timedelta | None:
        """Tv - Td: how much earlier than the vendor we knew; negative if the vendor was first.

        In a later incident of the same outage, Td is that of the first one.
        """
        return _between(self.first_detected_at, self.vendor_first_at)

    @property
    def resolve(self) -> timedelta | None:
        """Te - T0."""
        return _between(self.impact_at, self.ended_at)


def durations(incident: Incident, facts: Sequence[Fact]) -> Durations:
    """Measure an incident by its facts, in commit order."""
    spoken = [x.body for x in facts if isinstance(x.body, UpdateWritten)]
    away = _away(facts)
    return Durations(
        impact_at=incident.began_at,
        detected_at=incident.declared_at,
        detected_by="probe" if incident.declared_by.kind is ActorKind.RULE else "person",
        acknowledged_at=incident.people.acknowledged_at,
        vendor_first_at=incident.vendor.first_at,
        first_post_at=_first(x.at for x in facts if isinstance(x.body, Posted) and x.body.what == PostAlert.KIND),
        failover_at=_first(one.began_at for one in away if not scope_of(one.flag)),
        mitigated_at=_mitigated_at(incident, facts),
        vendor_resolved_at=_vendor_resolved_at(facts),
        ended_at=incident.ending.at,
        outages=_outages(incident, facts),
        away=away,
        updates=len(spoken),
        missed=sum(body.missed for body in spoken),
        longest_silence=_longest_silence(facts),
        first_impact_at=incident.vendor.outage_began_at or incident.began_at,
        first_detected_at=incident.vendor.outage_known_at or incident.declared_at,
    )


def _between(start: datetime, end: datetime | None) -> timedelta | None:
    return end - start if end is not None else None


def _first(moments: Iterator[datetime]) -> datetime | None:
    return min(moments, default=None)


def _mitigated_at(incident: Incident, facts: Sequence[Fact]) -> datetime | None:
    """When customers were first served: by fallbacks, or because every component had recovered."""
    well = _first(
        x.body.over_at or x.at
        for x in facts
        if isinstance(x.body, PhaseChanged) and x.body.phase in (Phase.MONITORING, Phase.RESOLVED)
    )
    known = [at for at in (incident.mitigated_at, well) if at is not None]
    return min(known, default=None)


def _vendor_resolved_at(facts: Sequence[Fact]) -> datetime | None:
    return max(
        (x.body.notice.at for x in facts if isinstance(x.body, NoticeSeen) and x.body.notice.status in NOTICE_OVER),
        default=None,
    )


def _outages(incident: Incident, facts: Sequence[Fact]) -> tuple[Outage, ...]:
    done: list[Outage] = []
    running: dict[str, Outage] = {}
    for fact in facts:
        match fact.body:
            case ComponentJoined(component=id, level=level) if level is not Level.OPERATIONAL:
                # Facts in older ledgers do not say; components declared with the incident began with it.
                unknown = incident.began_at if fact.at == incident.declared_at else fact.at
                running[id] = Outage(id, fact.body.began_at or unknown, None, level)
            case ComponentMoved(component=id, level=Level.OPERATIONAL) as b if id in running:
                outage = running.pop(id)
                done.append(Outage(id, outage.began_at, max(b.began_at, outage.began_at), outage.worst))
            case ComponentMoved(component=id, level=level) as b if level.bad or id in running:
                before = running.get(id) or Outage(id, b.began_at, None, level)
                running[id] = Outage(id, before.began_at, None, max(before.worst, level, key=lambda one: one.rank))
            case PartGivenBack(components=others):  # later changes are recorded in the incident that has them now
                running = {id: outage for id, outage in running.items() if id not in others}
                done = [outage for outage in done if outage.component not in others]
    return tuple(sorted([*done, *running.values()], key=lambda outage: (outage.began_at, outage.component)))


def _away(facts: Sequence[Fact]) -> tuple[Away, ...]:
    done: list[Away] = []
    running: dict[str, Away] = {}
    for fact in facts:
        match fact.body:
            case Engaged(flag=flag, variant=variant) | PartSwitched(flag=flag, variant=variant) if variant:
                if flag in running and running[flag].variant != variant:
                    done.append(replace(running.pop(flag), ended_at=fact.at))
                running.setdefault(flag, Away(flag, variant, fact.at, None))
            case CarriedOver(flag=flag, variant=variant, began_at=began_at) if flag not in running:
                running[flag] = Away(flag, variant, began_at, None)
            case Released(flag=flag) | PartSwitched(flag=flag, variant="") if flag in running:
                done.append(replace(running.pop(flag), ended_at=fact.at))
            case PartGivenBack(flags=others):  # as for its outages
                running = {flag: away for flag, away in running.items() if whole(flag) not in others}
                done = [away for away in done if whole(away.flag) not in others]
    return tuple(sorted([*done, *running.values()], key=lambda away: (away.began_at, away.flag)))


def _longest_silence(facts: Sequence[Fact]) -> timedelta | None:
    """The longest time without an update while it was open: declaring, reopening and unmerging count as updates."""
    longest: timedelta | None = None
    last: datetime | None = None
    for fact in facts:
        match fact.body:
            case Declared() | PhaseChanged(move="reopen") | Unmerged():
                last = fact.at
            case UpdateWritten() | PhaseChanged(phase=Phase.RESOLVED | Phase.CANCELED) | Merged() if last is not None:
                gap = fact.at - last
                longest = gap if longest is None else max(longest, gap)
                last = fact.at if isinstance(fact.body, UpdateWritten) else None
    return longest
