"""What the facts add up to: components, providers, incidents, flags, our own sight, and the world that holds them all.

State rows in the store are these dataclasses, written in the transaction of their facts and rebuildable by folding the facts
again (`streams.evolve`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bot.core.layered import Layered
from bot.core.model import Actor, Fault, FeedState, IncidentRole, Level, Notice, Phase, Severity, Verdict
from bot.core.sight import CLEAR, Sight

MOST_AN_HOUR = 60  # updates of one vendor that are told one by one within an hour
NOTICE_OVER = frozenset({"resolved", "postmortem", "completed"})  # a vendor's words for the end of what it announced


@dataclass(frozen=True)
class Mute:
    """Somebody holds a component's alerts back, until when and why."""

    until: datetime
    by: Actor
    reason: str
    at: datetime
    told: bool = False  # that the component went down meanwhile, which is said once


@dataclass(frozen=True)
class HeldBack:
    """A bad component of which nobody is alerted: why, until when by itself, in whose incident it is told instead."""

    why: str
    until: datetime | None
    incident: int | None
    at: datetime


@dataclass(frozen=True)
class Said:
    """What somebody else said of a component: a person who reports, or an alert that another monitor fired."""

    who: str
    text: str
    at: datetime


@dataclass(frozen=True)
class ComponentState:
    """The committed verdict of one component, since when and why."""

    id: str
    level: Level = Level.UNKNOWN
    reason: str = "not looked at yet"
    fault: Fault = Fault.NONE
    evidence: tuple[str, ...] = ()
    since: datetime | None = None  # when the present level was committed
    unwell_since: datetime | None = None  # since when it is anything but operational, uninterrupted
    began_at: datetime | None = None  # when its evidence starts
    quiet_key: str = ""  # effect key of the quiet thread of this episode, empty = none
    advisory: str = ""  # a small part of it fails persistently
    advisory_since: datetime | None = None
    advisory_key: str = ""  # effect key of the quiet thread about that, empty = none
    mute: Mute | None = None
    held_back: HeldBack | None = None
    alerts: Mapping[str, Said] = field(default_factory=dict)  # that fire elsewhere, by source/key
    reports: tuple[Said, ...] = ()  # what people reported lately, newest last

    def agrees(self, verdict: Verdict) -> bool:
        """Whether this verdict is no news: it is held already, or it cannot tell (blindness ends no outage)."""
        blind = verdict.level is Level.UNKNOWN and verdict.by_network
        same = (self.level, self.fault) == (verdict.level, verdict.fault)
        return (blind and (same or self.level.bad)) or (same and self.advisory == verdict.advisory)


@dataclass(frozen=True)
class NoticeHeard:
    """What we heard of one notice: its newest update, when its first and its last word were said, by the vendor's time."""

    update: str
    first_at: datetime
    last_at: datetime
    quiet: bool = False  # it has a quiet thread in the ops channel


@dataclass(frozen=True)
class Listed:
    """Which pages ever listed a standing notice, and since when they lack it; time in which nothing was read does not count."""

    pages: tuple[str, ...] = ()
    missing_since: datetime | None = None


@dataclass(frozen=True)
class ProviderState:
    """What a provider's own page said last."""

    id: str
    feed: FeedState = FeedState.UNKNOWN
    feed_reason: str = ""
    heard: Mapping[str, NoticeHeard] = field(default_factory=dict)  # by notice id
    notices: tuple[Notice, ...] = ()  # newest update of each notice that is not over, newest first
    words: int = 0  # updates seen in all
    feed_at: datetime | None = None  # since when the page is as it is
    maintenance: tuple[str, ...] = ()  # our components that the page calls under maintenance
    pages: tuple[str, ...] = ()  # which of its addresses were ever read
    seen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # update ids that are no news, by notice id, oldest first
    told_at: tuple[datetime, ...] = ()  # when its newest updates were told one by one
    flood_told_at: datetime | None = None  # when it was last said that it says too much
    listed: Mapping[str, Listed] = field(default_factory=dict)  # of the standing notices, by notice id
    unlisted: tuple[Notice, ...] = ()  # stand no longer because the page stopped listing them, newest first

    def first_word(self, notice: Notice) -> datetime:
        """When the vendor said the first of its words about the same thing."""
        return heard.first_at if (heard := self.heard.get(notice.id)) else notice.at


@dataclass(frozen=True)
class Affected:
    """One component inside one incident."""

    id: str
    level: Level
    reason: str
    failed_at: datetime
    recovered_at: datetime | None = None  # since when it is well again, by its evidence; None = it never failed, or still does


@dataclass(frozen=True)
class Post:
    """A message of ours that is kept up to date."""

    channel: str = ""  # Slack id of the channel that it stands in
    ts: str = ""  # empty = it does not stand (yet)
    gone: int = 0  # how often it was deleted or lost its channel


@dataclass(frozen=True)
class Room:
    """Where an incident is told and worked on: its alert, its own channel, and the card in there."""

    alerts_channel: str = ""  # where alerts went by configuration when it was declared
    channel: str = ""  # Slack id, empty = none (yet)
    name: str = ""
    attempt: int = 0  # names that were tried
    refused: str = ""  # why there is no channel
    alert: Post = Post()
    card: Post = Post()


@dataclass(frozen=True)
class People:
    """Who has it in hand, who helps, and who has which role."""

    acknowledged_at: datetime | None = None
    acknowledged_by: Actor | None = None
    responders: tuple[Actor, ...] = ()  # who came to help by pressing "Join", or was given a role
    roles: Mapping[IncidentRole, Actor] = field(default_factory=dict)


@dataclass(frozen=True)
class VendorWords:
    """What the vendor said about it, and the outage that it spoke of."""

    first_at: datetime | None = None  # its first public word, by the vendor's own time
    words: int = 0
    outage_began_at: datetime | None = None  # where it is a later incident of one outage: what the first one of it saw first
    outage_known_at: datetime | None = None  # and when that was declared


@dataclass(frozen=True)
class Ending:
    """How it ended, as resolved or as canceled; nothing while it runs."""

    asked_at: datetime | None = None  # when we asked whether to resolve
    at: datetime | None = None
    by: Actor | None = None
    reason: str = ""


@dataclass(frozen=True)
class Incident:
    """One incident, as its facts left it."""

    number: int
    title: str
    severity: Severity
    provider: str
    dedup: str
    began_at: datetime  # T0: first failed evidence
    declared_at: datetime
    declared_by: Actor
    reason: str
    severity_by_person: bool = False  # then no rule changes it
    severity_at: datetime | None = None  # since when it is what it is; None = from the start
    phase: Phase = Phase.TRIAGE
    affected: Mapping[str, Affected] = field(default_factory=dict)
    updates: int = 0  # slots used
    last_update_at: datetime | None = None
    mitigated_at: datetime | None = None
    well_since: datetime | None = None  # all components well, uninterrupted
    room: Room = Room()
    people: People = People()
    vendor: VendorWords = VendorWords()
    ending: Ending = Ending()
    relapses: int = 0
    reopened: int = 0

    @property
    def stream(self) -> str:
        """The name of its stream of facts."""
        return f"incident/{self.number}"

    @property
    def name(self) -> str:
        """What people call it: INC-7."""
        return f"INC-{self.number}"

    @property
    def well(self) -> bool:
        """Whether every component in it is operational again; false when none ever failed here, since nobody could tell."""
        everyone = self.affected.values()
        return all(a.level is Level.OPERATIONAL for a in everyone) and any(a.recovered_at for a in everyone)

    @property
    def failing(self) -> tuple[Affected, ...]:
        """The components in it that are not well."""
        return tuple(a for a in self.affected.values() if a.level is not Level.OPERATIONAL)


@dataclass(frozen=True)
class Proposal:
    """A switch that waits for a person."""

    variant: str
    reason: str
    at: datetime
    incident: int | None


@dataclass(frozen=True)
class Engagement:
    """The overlay that sends downstream services to a fallback variant."""

    id: str  # also the seed of sticky hashing
    variant: str
    reason: str
    mode: str
    actor: Actor
    at: datetime
    expires_at: datetime
    incident: int | None
    share_back: int = 0  # percent that is on the default again
    stepped_at: datetime | None = None
    asked_at: datetime | None = None  # the first step back waits for a person since then
    because: tuple[str, ...] = ()  # components that were in trouble; empty = a person switched for other reasons


@dataclass(frozen=True)
class FlagState:
    """One flag: its engagement if any, a proposal if one waits, and why automation last held still."""

    key: str
    engagement: Engagement | None = None
    proposal: Proposal | None = None
    held: str = ""
    engagements: int = 0
    changed_at: datetime | None = None
    released_at: datetime | None = None


@dataclass(frozen=True)
class World:
    """Everything that decisions look at: the states of all streams, by kind (`streams`) and key.

    Of the incidents that are over, those that a decision may need (`recent`); the engine adds one that a signal names.
    """

    states: Mapping[str, Layered[Any, Any]] = field(default_factory=dict)
    seqs: Layered[str, int] = field(default_factory=Layered)  # stream -> seq of its newest fact
    # Made by `with_state` from the incidents, so that they need not be searched at every step.
    running: frozenset[int] = field(default=frozenset(), compare=False)
    ended_last: Mapping[str, int] = field(default_factory=dict, compare=False)  # component -> incident with it that ended last
    last_incident: int = field(default=0, compare=False)  # the highest number given so far

    def of(self, kind: str) -> Layered[Any, Any]:
        """The states of one kind of stream, by key."""
        return self.states.get(kind, NO_STATES)

    @property
    def components(self) -> Mapping[str, ComponentState]:
        """By id."""
        return self.of("component")

    @property
    def providers(self) -> Mapping[str, ProviderState]:
        """By id."""
        return self.of("provider")

    @property
    def incidents(self) -> Mapping[int, Incident]:
        """By number; long past ones are not among them."""
        return self.of("incident")

    @property
    def flags(self) -> Mapping[str, FlagState]:
        """By key."""
        return self.of("flag")

    @property
    def sight(self) -> Sight:
        """Whether we see at all."""
        sight: Sight = self.of("sight").get("", CLEAR)
        return sight

    def component(self, id: str) -> ComponentState:
        """The component's state, or that of one never looked at."""
        return self.components.get(id) or ComponentState(id)

    def provider(self, id: str) -> ProviderState:
        """The provider's state, or that of one whose page was never read."""
        return self.providers.get(id) or ProviderState(id)

    def flag(self, key: str) -> FlagState:
        """The flag's state, or that of one never engaged."""
        return self.flags.get(key) or FlagState(key)

    def open_incidents(self) -> tuple[Incident, ...]:
        """Those that still run, oldest first."""
        return tuple(self.incidents[number] for number in sorted(self.running))

    def open_for(self, dedup: str) -> Incident | None:
        """The open incident that holds this dedup key."""
        return next((i for i in self.open_incidents() if i.dedup == dedup), None)

    def concerned(self, component: str) -> Incident | None:
        """The open incident that this component is in."""
        return next((i for i in self.open_incidents() if component in i.affected), None)

    def with_state(self, kind: str, key: Any, state: Any) -> "World":
        """The world with one state put in or replaced."""
        world = replace(self, states={**self.states, kind: self.of(kind).but(key, state)})
        return world._indexed(state) if isinstance(state, Incident) else world

    def without_incidents(self, numbers: Collection[int]) -> "World":
        """The world without these, which are over; their numbers stay given."""
        incidents = self.of("incident").without(numbers)
        seqs = self.seqs.without([f"incident/{number}" for number in numbers])
        return replace(self, states={**self.states, "incident": incidents}, seqs=seqs)

    def _indexed(self, incident: Incident) -> "World":
        mine = {incident.number}
        running = self.running | mine if incident.phase.open else self.running - mine
        newer = {c: incident.number for c in incident.affected if self._ended_after_all(c, incident)}
        return replace(
            self, running=running, ended_last={**self.ended_last, **newer} if newer else self.ended_last,
            last_incident=max(self.last_incident, incident.number),
        )  # fmt: skip

    def _ended_after_all(self, component: str, incident: Incident) -> bool:
        """Whether it is over and ended after every other one that the component was in."""
        if incident.phase.open or incident.ending.at is None:
            return False
        other = self.incidents.get(self.ended_last.get(component, 0))
        if other is None or other.phase.open or other.ending.at is None:
            return True
        return (other.ending.at, other.number) < (incident.ending.at, incident.number)


NO_STATES: Layered[Any, Any] = Layered()
