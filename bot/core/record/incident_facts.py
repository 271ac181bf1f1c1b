"""The facts of an incident, each with its effect on the incident."""

from dataclasses import replace
from datetime import datetime

from bot.core.drill import Drill, DrillPlan
from bot.core.lazy_dataclass import dataclass
from bot.core.model import LEAD, Actor, ActorKind, Level, Phase, Severity
from bot.core.record.fact import Body, Evidenced, Fact, OfComponent, OfComponents, Reasoned, Source
from bot.core.record.incident import Affected, Ending, Incident, Mitigation, Reminders, Room, VendorWords
from bot.core.tasks import outliving


@dataclass(frozen=True)
class Declared(OfComponents, Reasoned, Body):
    """An incident was opened, by a rule after a verdict or by a person."""

    KIND = "incident.declared"
    BEGINS = True
    number: int
    title: str
    severity: Severity
    provider: str
    dedup: str
    components: tuple[str, ...]
    began_at: datetime
    reason: str
    alerts_channel: str
    vendor_first_at: datetime | None = None  # when the vendor first spoke, if it was before
    outage_began_at: datetime | None = None  # beginning of the vendor's outage, as an earlier incident saw it
    outage_known_at: datetime | None = None  # when that incident was declared
    backdated: bool = False  # a person said when it began
    drill: DrillPlan | None = None  # set if it is a drill

    def onto(self, state: None, fact: Fact) -> Incident:
        """A new incident."""
        return Incident(
            number=self.number, title=self.title, severity=self.severity, provider=self.provider, dedup=self.dedup,
            began_at=self.began_at, declared_at=fact.at, declared_by=fact.actor, reason=self.reason, last_update_at=fact.at,
            backdated=self.backdated, severity_by_person=fact.actor.kind is not ActorKind.RULE, room=Room(self.alerts_channel),
            vendor=VendorWords(self.vendor_first_at, 0, self.outage_began_at, self.outage_known_at),
            drill=Drill(self.drill) if self.drill else None,
        )  # fmt: skip


@dataclass(frozen=True)
class ComponentJoined(OfComponent, Reasoned, Evidenced, Body):
    """Another component of the same provider failed and joined this incident."""

    KIND = "incident.component_joined"
    SOURCE = Source.PROBE
    ANNOUNCED = True
    EVIDENCE = True
    component: str
    level: Level
    reason: str
    evidence: tuple[str, ...] = ()
    began_at: datetime | None = None  # when the evidence begins, if known
    again: bool = False  # all was well, but the phase was chosen by a person, so there is no relapse

    def pushed(self) -> bool:
        """A new failure, if no relapse tells of it."""
        return self.again

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The component is affected since its evidence begins."""
        joined = Affected(self.component, self.level, self.reason, self.began_at or fact.at)
        return settled(replace(state, affected={**state.affected, self.component: joined}), fact)


@dataclass(frozen=True)
class ComponentMoved(OfComponent, Reasoned, Evidenced, Body):
    """A component of this incident got worse, better or healthy again."""

    KIND = "incident.component_moved"
    SOURCE = Source.PROBE
    ANNOUNCED = True
    EVIDENCE = True
    component: str
    previous: Level
    level: Level
    reason: str
    began_at: datetime
    evidence: tuple[str, ...] = ()
    again: bool = False  # all was well, but the phase was chosen by a person, so there is no relapse

    def pushed(self) -> bool:
        """A new failure, if no relapse tells of it."""
        return self.again

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The incident is well once its last component is."""
        recovered_at = self.began_at if self.level is Level.OPERATIONAL else None
        moved = replace(state.affected[self.component], level=self.level, reason=self.reason, recovered_at=recovered_at)
        return settled(replace(state, affected={**state.affected, self.component: moved}), fact)


@dataclass(frozen=True)
class PhaseChanged(Reasoned, Body):
    """The incident made a move that LEGAL has."""

    KIND = "incident.phase_changed"
    ANNOUNCED = True
    previous: Phase
    phase: Phase
    move: str  # the name of the move: forward, back, relapse, reopen, close, cancel
    reason: str
    over_at: datetime | None = None  # when it ended, if it was declared afterwards
    duplicate_of: int = 0  # the other incident, if canceled as a duplicate
    why: str = ""  # free text beside the reason, if canceled
    chosen: bool = False  # a person chose this phase, so no rule moves it

    def pushed(self) -> bool:
        """The end, or a reopening. If it was declared as over, the alert says so."""
        if self.over_at is not None:
            return False
        return self.phase is Phase.RESOLVED or self.move in ("relapse", "reopen", "cancel")

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Update the times and counters of the incident's life."""
        incident = replace(state, phase=self.phase, phase_by_person=self.chosen)
        if self.move in ("back", "relapse", "reopen"):
            # Somebody doubts that it is over, so the time without failures starts anew.
            asked_again = replace(incident.ending, asked_at=None)
            incident = replace(incident, well_since=fact.at if incident.well else None, ending=asked_again)
        match self.move:
            case "relapse":
                stands = incident.mitigation if self.chosen else None
                return replace(incident, relapses=incident.relapses + 1, mitigation=stands)
            case "reopen":
                # Restart the update interval: time that passed while it was over is not a missed update.
                paging = incident.paging.raised(fact.at)
                return replace(
                    incident, reopened=incident.reopened + 1, ending=Ending(), last_update_at=fact.at, paging=paging,
                    reminders=Reminders(since=fact.at), mitigation=None,
                )  # fmt: skip
        if self.phase is Phase.MITIGATED:
            return mitigated(incident, fact, self.reason)
        if self.phase in (Phase.RESOLVED, Phase.CANCELED):
            over_at, asked_at = self.over_at or fact.at, incident.ending.asked_at
            ending = Ending(asked_at, over_at, fact.actor, self.reason, self.duplicate_of, self.why)
            return replace(incident, ending=ending, tasks=outliving(incident.tasks))
        return incident


@dataclass(frozen=True)
class TitleChanged(Body):
    """The title changed: by a rule because more of the provider fails, or by a person."""

    KIND = "incident.title_changed"
    ANNOUNCED = True
    previous: str
    title: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Remember whether a person chose it, so that rules leave it alone."""
        by_person = state.title_by_person or fact.actor.kind is not ActorKind.RULE
        return replace(state, title=self.title, title_by_person=by_person)


@dataclass(frozen=True)
class SeverityChanged(Reasoned, Body):
    """A person or a rule changed the severity."""

    KIND = "incident.severity_changed"
    ANNOUNCED = True
    previous: Severity
    severity: Severity
    reason: str

    def pushed(self) -> bool:
        """A more severe one."""
        return self.severity.is_worse_than(self.previous)

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Remember whether a person chose it, so that rules leave it alone."""
        by_person = fact.actor.kind is not ActorKind.RULE
        worse = self.severity.is_worse_than(self.previous)
        paging = state.paging.raised(fact.at) if worse else state.paging.eased(fact.at)
        return replace(
            state, severity=self.severity, severity_by_person=by_person, severity_at=fact.at, paging=paging
        )  # fmt: skip


@dataclass(frozen=True)
class Acknowledged(Body):
    """A person acknowledged the incident."""

    KIND = "incident.acknowledged"
    ANNOUNCED = True

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The person who pressed the button acknowledged it."""
        return replace(state, people=replace(state.people, acknowledged_at=fact.at, acknowledged_by=fact.actor))


@dataclass(frozen=True)
class ResponderJoined(Body):
    """A person joined to help, or acted in it for the first time."""

    KIND = "incident.responder_joined"
    ANNOUNCED = True

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Add a responder."""
        return replace(state, people=replace(state.people, responders=(*state.people.responders, fact.actor)))


@dataclass(frozen=True)
class RoleChanged(Reasoned, Body):
    """A role was given to somebody, given up, or lost its holder."""

    KIND = "incident.role_changed"
    ANNOUNCED = True
    role: str  # `commander` is the lead, whatever the configuration calls the role
    previous: Actor | None
    person: Actor | None  # None = nobody has it any more
    vacant: bool = False  # the lead is free, so the channel may be asked; missing in older rows
    reason: str = ""  # set if no person decided it

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The new holder is a responder. When the lead leaves, the channel may be asked again who leads."""
        people = state.people
        if self.role == LEAD:
            people = replace(people, lead_left_at=fact.at if self.vacant else None, lead_asked_at=None)
        others = {role: who for role, who in people.roles.items() if role != self.role}
        if self.person is None:
            return replace(state, people=replace(people, roles=others))
        here = people.responders if self.person in people.responders else (*people.responders, self.person)
        return replace(state, people=replace(people, roles={**others, self.role: self.person}, responders=here))


@dataclass(frozen=True)
class LeadAsked(Body):
    """It was acknowledged some time ago and nobody leads, so the channel is asked who does."""

    KIND = "incident.lead_asked"
    ANNOUNCED = True

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Ask once, until somebody leads and leaves."""
        return replace(state, people=replace(state.people, lead_asked_at=fact.at))


@dataclass(frozen=True)
class UpdateWritten(Body):
    """An update for everybody; empty `text` = written by the bot from facts. `missed` updates before it were not sent."""

    KIND = "incident.update_written"
    slot: int
    text: str
    missed: int
    overdue: datetime | None = None  # it carries a reminder that no person has written one since then

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """The next one is due an interval after this. A person's update ends any snooze."""
        reminders = Reminders(since=fact.at) if self.text else state.reminders
        return replace(state, updates=self.slot, last_update_at=fact.at, reminders=reminders)


@dataclass(frozen=True)
class NoteAdded(Body):
    """A person added a line to the timeline."""

    KIND = "incident.note_added"
    ANNOUNCED = True
    text: str


@dataclass(frozen=True)
class ResolveAsked(Reasoned, Body):
    """All components were well for long enough, and the bot asked whether to resolve."""

    KIND = "incident.resolve_asked"
    ANNOUNCED = True
    reason: str

    def onto(self, state: Incident, fact: Fact) -> Incident:
        """Ask once, until something fails again."""
        return replace(state, ending=replace(state.ending, asked_at=fact.at))


@dataclass(frozen=True)
class Exported(Body):
    """The timeline was exported."""

    KIND = "incident.exported"
    BOOKKEEPING = True
    format: str
    where: str


def mitigated(incident: Incident, fact: Fact, reason: str) -> Incident:
    """The incident mitigated since this fact, unless it already was."""
    stands = incident.mitigation or Mitigation(fact.at, fact.actor, reason)
    return replace(incident, mitigated_at=incident.mitigated_at or fact.at, mitigation=stands)


def settled(incident: Incident, fact: Fact) -> Incident:
    """Update `well_since`: set when the last component recovers, cleared when any fails."""
    if not incident.well:
        return replace(incident, well_since=None, ending=replace(incident.ending, asked_at=None))
    return incident if incident.well_since else replace(incident, well_since=fact.at)
