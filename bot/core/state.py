"""What the facts add up to: components, providers, incidents, flags, and the world that holds them all.

`evolve` folds one fact into the world. It decides nothing and refuses nothing: a fact has happened. State rows in the store
are these dataclasses, written in the transaction of their facts and rebuildable by folding the facts again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bot.core import facts as f
from bot.core.effects import Do
from bot.core.model import Actor, Fault, FeedState, Level, Notice, Phase, Severity


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


@dataclass(frozen=True)
class Heard:
    """What we heard of one notice: its newest update, when its first and its last word were said, by the vendor's time."""

    update: str
    first_at: datetime
    last_at: datetime
    quiet: bool = False  # it has a quiet thread in the ops channel


@dataclass(frozen=True)
class ProviderState:
    """What a provider's own page said last."""

    id: str
    feed: FeedState = FeedState.UNKNOWN
    feed_reason: str = ""
    heard: Mapping[str, Heard] = field(default_factory=dict)  # by notice id
    notices: tuple[Notice, ...] = ()  # newest update of each notice that is not over, newest first
    words: int = 0  # updates seen in all

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
    alerts_channel: str
    severity_by_person: bool = False  # then no rule changes it
    severity_at: datetime | None = None  # since when it is what it is; None = from the start
    phase: Phase = Phase.TRIAGE
    affected: Mapping[str, Affected] = field(default_factory=dict)
    acknowledged_at: datetime | None = None
    acknowledged_by: Actor | None = None
    updates: int = 0  # slots used
    last_update_at: datetime | None = None
    vendor_first_at: datetime | None = None  # first public word of the vendor about it, by the vendor's own time
    vendor_words: int = 0
    mitigated_at: datetime | None = None
    well_since: datetime | None = None  # all components well, uninterrupted
    resolve_asked_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: Actor | None = None
    ended_reason: str = ""
    channel: str = ""  # Slack id, empty = none (yet)
    channel_name: str = ""
    channel_attempt: int = 0
    channel_refused: str = ""  # why there is none
    alert_ts: str = ""
    alert_channel_id: str = ""
    card_ts: str = ""
    card_channel_id: str = ""
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
    """Everything that decisions look at."""

    components: Mapping[str, ComponentState] = field(default_factory=dict)
    providers: Mapping[str, ProviderState] = field(default_factory=dict)
    incidents: Mapping[int, Incident] = field(default_factory=dict)
    flags: Mapping[str, FlagState] = field(default_factory=dict)
    seqs: Mapping[str, int] = field(default_factory=dict)  # stream -> seq of its newest fact

    @property
    def last_incident(self) -> int:
        """The highest number given so far."""
        return max(self.incidents, default=0)

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
        return tuple(sorted((i for i in self.incidents.values() if i.phase.open), key=lambda i: i.number))

    def open_for(self, dedup: str) -> Incident | None:
        """The open incident that holds this dedup key."""
        return next((i for i in self.open_incidents() if i.dedup == dedup), None)

    def put(self, state: "ComponentState | ProviderState | Incident | FlagState") -> "World":
        """The world with one state replaced."""
        match state:
            case ComponentState():
                return replace(self, components={**self.components, state.id: state})
            case ProviderState():
                return replace(self, providers={**self.providers, state.id: state})
            case Incident():
                return replace(self, incidents={**self.incidents, state.number: state})
            case FlagState():
                return replace(self, flags={**self.flags, state.key: state})

    def state_of(self, stream: str) -> Any:
        """The state that belongs to a stream, None where the stream has no facts yet."""
        kind, _, name = stream.partition("/")
        match kind:
            case "component":
                return self.components.get(name)
            case "provider":
                return self.providers.get(name)
            case "incident":
                return self.incidents.get(int(name))
            case "flag":
                return self.flags.get(name)
        raise ValueError(f"no kind of stream is called {kind!r}")


STATE_TYPES: dict[str, type] = {
    "component": ComponentState, "provider": ProviderState, "incident": Incident, "flag": FlagState,
}  # fmt: skip


def evolve(world: World, fact: f.Fact) -> World:
    """The world after `fact`."""
    world = replace(world, seqs={**world.seqs, fact.stream: fact.seq})
    kind, _, name = fact.stream.partition("/")
    match kind:
        case "component":
            return world.put(_component(world.component(name), fact))
        case "provider":
            return _provider(world, world.provider(name), fact)
        case "flag":
            return world.put(_flag(world.flag(name), fact))
        case "incident":
            return world.put(_incident(world.incidents.get(int(name)), fact))
    raise ValueError(f"no kind of stream is called {kind!r}")


def _component(state: ComponentState, fact: f.Fact) -> ComponentState:
    match fact.body:
        case f.VerdictChanged() as b:
            return replace(
                state, level=b.level, reason=b.reason, fault=b.fault, evidence=b.evidence,
                since=fact.at if b.level is not b.previous or state.since is None else state.since,
                unwell_since=None if b.level is Level.OPERATIONAL else state.unwell_since or fact.at,
                began_at=b.began_at, quiet_key=b.thread if b.level.bad else "",
            )  # fmt: skip
    return state


def _provider(world: World, state: ProviderState, fact: f.Fact) -> World:
    match fact.body:
        case f.FeedChanged() as b:
            state = replace(state, feed=b.state, feed_reason=b.reason)
        case f.NoticeSeen(notice=notice):
            others = tuple(n for n in state.notices if n.id != notice.id)
            standing = others if notice.status in NOTICE_OVER else (notice, *others)
            heard = {**state.heard, notice.id: _heard(state.heard.get(notice.id), fact, notice)}
            state = replace(state, heard=heard, notices=standing, words=state.words + 1)
            incident = world.incidents.get(fact.incident) if fact.incident is not None else None
            if incident:
                first = min(incident.vendor_first_at or notice.at, notice.at)
                world = world.put(replace(incident, vendor_first_at=first, vendor_words=incident.vendor_words + 1))
    return world.put(state)


def _heard(before: Heard | None, fact: f.Fact, notice: Notice) -> Heard:
    before = before or Heard("", notice.at, notice.at)
    first, last = min(before.first_at, notice.at), max(before.last_at, notice.at)
    return Heard(notice.update, first, last, before.quiet or fact.incident is None)


NOTICE_OVER = frozenset({"resolved", "postmortem", "completed"})


def _incident(incident: Incident | None, fact: f.Fact) -> Incident:
    if isinstance(fact.body, f.Declared):
        return _declared(fact.body, fact)
    if incident is None:
        raise ValueError(f"{fact.stream} has a {fact.kind} before it was declared")
    match fact.body:
        case f.ComponentJoined() as b:
            joined = Affected(b.component, b.level, b.reason, b.began_at or fact.at)
            return _settle(replace(incident, affected={**incident.affected, b.component: joined}), fact)
        case f.ComponentMoved() as b:
            return _settle(_moved(incident, b, fact), fact)
        case f.PhaseChanged() as b:
            return _phase(incident, b, fact)
        case f.SeverityChanged(severity=severity):
            return replace(incident, severity=severity, severity_by_person=fact.actor.kind != "rule", severity_at=fact.at)
        case f.Acknowledged():
            return replace(incident, acknowledged_at=fact.at, acknowledged_by=fact.actor)
        case f.UpdateWritten(slot=slot):
            return replace(incident, updates=slot, last_update_at=fact.at)
        case f.ResolveAsked():
            return replace(incident, resolve_asked_at=fact.at)
        case f.ChannelNamed() as b:
            return replace(incident, channel_name=b.name, channel_attempt=b.attempt)
        case f.ChannelOpened() as b:
            return replace(incident, channel=b.channel, channel_name=b.name, channel_refused="")
        case f.ChannelRefused(reason=reason):
            return replace(incident, channel="", channel_refused=reason)
        case f.Posted(what=Do.ALERT_POST) as b:
            return replace(incident, alert_ts=b.ts, alert_channel_id=b.channel)
        case f.Posted(what=Do.CARD_POST) as b:
            return replace(incident, card_ts=b.ts, card_channel_id=b.channel)
    return incident


def _declared(b: f.Declared, fact: f.Fact) -> Incident:
    return Incident(
        number=b.number, title=b.title, severity=b.severity, provider=b.provider, dedup=b.dedup, began_at=b.began_at,
        declared_at=fact.at, declared_by=fact.actor, reason=b.reason, alerts_channel=b.alerts_channel,
        last_update_at=fact.at, vendor_first_at=b.vendor_first_at, severity_by_person=fact.actor.kind != "rule",
    )  # fmt: skip


def _moved(incident: Incident, b: f.ComponentMoved, fact: f.Fact) -> Incident:
    before = incident.affected[b.component]
    recovered = b.began_at if b.level is Level.OPERATIONAL else None
    after = replace(before, level=b.level, reason=b.reason, recovered_at=recovered)
    return replace(incident, affected={**incident.affected, b.component: after})


def _settle(incident: Incident, fact: f.Fact) -> Incident:
    """Keep `well_since`: it starts when the last component is well and ends when any is not."""
    if not incident.well:
        return replace(incident, well_since=None, resolve_asked_at=None)
    return incident if incident.well_since else replace(incident, well_since=fact.at)


def _phase(incident: Incident, b: f.PhaseChanged, fact: f.Fact) -> Incident:
    incident = replace(incident, phase=b.phase)
    if b.move in ("relapse", "reopen"):
        # Somebody doubts that it is over: the time of health is counted anew.
        incident = replace(incident, well_since=fact.at if incident.well else None, resolve_asked_at=None)
    match b.move:
        case "relapse":
            return replace(incident, relapses=incident.relapses + 1)
        case "reopen":
            # The clock of updates starts afresh: an hour that passed while it was over is not a missed update.
            return replace(
                incident, reopened=incident.reopened + 1, resolved_at=None, resolved_by=None, ended_reason="",
                last_update_at=fact.at,
            )  # fmt: skip
    if b.phase is Phase.MITIGATED:
        return replace(incident, mitigated_at=incident.mitigated_at or fact.at)
    if b.phase in (Phase.RESOLVED, Phase.CANCELED):
        return replace(incident, resolved_at=fact.at, resolved_by=fact.actor, ended_reason=b.reason)
    return incident


def _flag(state: FlagState, fact: f.Fact) -> FlagState:
    changed = replace(state, changed_at=fact.at, held="")
    match fact.body:
        case f.EngageProposed() as b:
            return replace(state, proposal=Proposal(b.variant, b.reason, fact.at, fact.incident), held="")
        case f.ProposalDropped():
            return replace(state, proposal=None)
        case f.Engaged() as b:
            engagement = Engagement(
                id=b.engagement, variant=b.variant, reason=b.reason, mode=b.mode, actor=fact.actor, at=fact.at,
                expires_at=b.expires_at, incident=fact.incident, because=b.because,
            )  # fmt: skip
            return replace(changed, engagement=engagement, proposal=None, engagements=state.engagements + 1)
        case f.Held(reason=reason):
            return replace(state, held=reason)
        case f.Released():
            return replace(changed, engagement=None, proposal=None, released_at=fact.at)
    if state.engagement is None:
        return state
    match fact.body:
        case f.HandBackAsked():
            return replace(state, engagement=replace(state.engagement, asked_at=fact.at))
        case f.HandBackStepped(share=share):
            moved = replace(state.engagement, share_back=share, stepped_at=fact.at, asked_at=None)
            return replace(changed, engagement=moved)
        case f.HandBackReverted():
            back = replace(state.engagement, share_back=0, stepped_at=None, asked_at=None)
            return replace(changed, engagement=back)
        case f.ExpiryReached(expires_at=expires_at):
            return replace(state, engagement=replace(state.engagement, expires_at=expires_at))
    return state
