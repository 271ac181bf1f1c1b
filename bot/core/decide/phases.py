"""The incident's state machine, and what each signal does to it.

LEGAL lists every move between phases; any other is refused with a reason and changes nothing. Real incidents skip phases, fall
back and come back after they were called resolved, so ours may too.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.core.answers import base
from bot.core.answers import incident as a
from bot.core.decide.cadence import missed, next_update_at, reminder_in_update, update_every, update_is_due
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.paging import page_people
from bot.core.decide.titles import name_channel
from bot.core.drill import DrillPlan
from bot.core.effects import (
    AddBookmarks,
    EffectBody,
    InvitePeople,
    OpenChannel,
    PinCard,
    PostAlert,
    PostCard,
    PostEvidence,
    PostRefusal,
    PostRunbook,
    PostSummary,
    PostUpdate,
    SetTopic,
    TellPerson,
    UploadExport,
)
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, ActorKind, Level, Phase, Severity
from bot.core.policy import Policy, ResolveMode
from bot.core.record.component import ComponentState
from bot.core.record.fact import Fact
from bot.core.record.incident import Incident
from bot.core.record.incident_facts import (
    Acknowledged,
    ComponentJoined,
    Declared,
    Exported,
    NoteAdded,
    PhaseChanged,
    ResolveAsked,
    SeverityChanged,
    UpdateWritten,
)
from bot.core.record.recent import is_recent
from bot.core.record.reminder_facts import UpdateOverdue
from bot.core.record.room.room_facts import (
    ChannelNamed,
    ChannelOpened,
    ChannelRefused,
    PostGone,
)
from bot.core.record.world import World
from bot.core.signals import (
    Acknowledge,
    AddNote,
    AskExport,
    ChannelLost,
    NameTaken,
    PostLost,
    SetSeverity,
    WriteUpdate,
)

COURSE = (
    Phase.TRIAGE, Phase.INVESTIGATING, Phase.IDENTIFIED, Phase.MITIGATED, Phase.MONITORING, Phase.RESOLVED,
)  # fmt: skip

LEGAL: dict[tuple[Phase, Phase], str] = {
    **{(here, there): "forward" for n, here in enumerate(COURSE) for there in COURSE[n + 1 :]},
    **{(here, there): "back" for n, here in enumerate(COURSE[1:5], 1) for there in COURSE[1:n]},
    (Phase.MONITORING, Phase.INVESTIGATING): "relapse",  # it was better, and now is not
    (Phase.RESOLVED, Phase.INVESTIGATING): "reopen",
    (Phase.RESOLVED, Phase.CLOSED): "close",
    **{(here, Phase.CANCELED): "cancel" for here in COURSE[:-1]},
}

EXPORT_FORMATS = ("md", "json", "csv")
DUPLICATE = "duplicate"
CANCEL_REASONS = ("false-alarm", DUPLICATE, "external", "drill")

ALL_WELL = Actor.rule("all components well")
REMINDER = Actor.rule("updates by people")


def move_for(incident: Incident, to: Phase) -> str | None:
    """The name of the move from the incident's phase to `to`; None if LEGAL has none."""
    return LEGAL.get((incident.phase, to))


def why_not(incident: Incident, to: Phase) -> a.NoWay:
    """Why there is no move to `to`, and which moves there are."""
    ways = tuple(there for here, there in LEGAL if here is incident.phase)
    return a.NoWay(incident=incident.number, phase=incident.phase, to=to, ways=ways)


# --- opening


def declare(
    draft: Draft,
    *,
    title: str,
    severity: Severity,
    components: tuple[str, ...],
    began_at: datetime,
    reason: str,
    dedup: str,
    provider: str = "",
    backdated: bool = False,
    over_at: datetime | None = None,
    room: ChannelOpened | None = None,
    drill: DrillPlan | None = None,
) -> Incident:
    """Open an incident with everything that people need: alert, channel, card, topic, links, invitations, runbook.

    If it was already over (`over_at`), nobody is paged, checks are ignored, and it is resolved at once. An existing channel
    (`room`) becomes its channel. For a `drill`, provider and components are shadows.
    """
    policy, number = draft.policy, draft.world.last_incident + 1
    if over_at is None and components and drill is None:
        provider = policy.components[components[0]].provider
    stream, page = f"incident/{number}", draft.world.provider(provider)
    standing = [page.first_word(n) for n in page.notices if set(n.components) & set(components)]
    spoke = min(standing, default=None)
    outage = outage_of(draft, provider, spoke) if spoke else None
    fact = draft.add(
        stream,
        Declared(
            number=number, title=title, severity=severity, provider=provider, dedup=dedup, components=components,
            began_at=began_at, reason=reason, alerts_channel=policy.incidents.alerts_channel,
            vendor_first_at=spoke, outage_began_at=outage.began_at if outage else None,
            outage_known_at=outage.known_at if outage else None, backdated=backdated, drill=drill,
        ),
    )  # fmt: skip
    for component in components if over_at is None else ():
        now = _as_pretended(component, began_at) if drill else draft.world.component(component)
        draft.add(stream, ComponentJoined(component, now.level, now.reason, now.evidence, now.began_at), told=False)
    draft.add(stream, room or ChannelNamed(name_channel(policy, draft.incident(number)), 1))
    draft.send(PostAlert(), fact)
    if over_at is None:
        draft.send(PostEvidence(), fact)
        page_people(draft, number, with_alert=True)
    made: list[EffectBody] = [] if room else [OpenChannel()]
    steps = [*made, SetTopic(first=True), PostCard(), PinCard(), AddBookmarks(), InvitePeople()]
    runbook = over_at is None and any(c.has_runbook for one in components if (c := policy.component(one)))
    for effect in [*steps, PostRunbook()] if runbook else steps:
        draft.send(effect, fact)
    if over_at is not None:
        change_phase(draft, number, Phase.RESOLVED, "it was over when it was declared", draft.actor, over_at=over_at)
    return draft.incident(number)


def _as_pretended(component: str, at: datetime) -> ComponentState:
    """The component as the drill's scripted provider would make it."""
    return ComponentState(component, Level.DOWN, "HTTP 503 from the scripted provider of the drill", began_at=at)


@dataclass(frozen=True)
class Outage:
    """The outage that the vendor speaks of, as our first incident about it recorded it."""

    began_at: datetime
    known_at: datetime


def outage_of(draft: Draft, provider: str, spoke: datetime, *, before: int | None = None) -> Outage | None:
    """The outage that a vendor's update is about, if an earlier incident of this provider was still open at that time.

    Looks only at recent incidents. `before` excludes incidents from that number on.
    """
    components = {c.id for c in draft.policy.components.values() if c.provider == provider}
    newest = draft.world.last_incident
    recent = (i for i in draft.world.incidents.values() if is_recent(i, newest, draft.now))
    earlier = (i for i in recent if before is None or i.number < before)
    same = [
        Outage(i.vendor.outage_began_at or i.began_at, i.vendor.outage_known_at or i.declared_at)
        for i in earlier
        if (i.ending.at is None or i.ending.at >= spoke) and not components.isdisjoint(i.affected)
    ]
    return min(same, key=lambda outage: (outage.began_at, outage.known_at), default=None)


# --- along the phases


def change_phase(
    draft: Draft, number: int, to: Phase, reason: str, actor: Actor, *, told: bool = True, over_at: datetime | None = None,
    chosen: bool = False, duplicate_of: int = 0, why: str = "",
) -> Fact:  # fmt: skip
    """Make a move that LEGAL has; raises KeyError if it has none, so ask `move_for` first.

    `told=False` if another line of the same step says it; `chosen` if a person asked for exactly this phase.
    """
    incident = draft.incident(number)
    move = LEGAL[incident.phase, to]
    told = told and to is not Phase.RESOLVED  # the summary says it
    body = PhaseChanged(incident.phase, to, move, reason, over_at, duplicate_of, why, chosen)
    fact = draft.add(incident.stream, body, actor=actor, told=told)
    if to is Phase.RESOLVED:
        draft.send(PostSummary(), fact)
        draft.send(UploadExport("md"), fact)
    return fact


# --- the passing of time


def on_time(draft: Draft) -> None:
    """Send updates that are due, and resolve incidents that are ready."""
    for incident in draft.world.open_incidents():
        if update_is_due(incident, draft.policy, draft.now):
            _write_update(draft, incident, "", missed(incident, draft.policy, draft.now))
        _resolve_when_due(draft, incident.number)


def _write_update(draft: Draft, incident: Incident, text: str, gone: int) -> None:
    slot = incident.updates + 1
    every = update_every(incident, draft.policy.incidents)
    actor = draft.actor if text or every is None else Actor.rule(f"update every {every // timedelta(minutes=1)} min")
    since = incident.last_update_at or incident.declared_at
    overdue = None if text else reminder_in_update(incident, draft.policy, draft.now)
    fact = draft.add(incident.stream, UpdateWritten(slot, text, gone, overdue), actor=actor)
    if overdue:  # one message says both
        draft.add(incident.stream, UpdateOverdue(overdue), actor=REMINDER)
    # While Slack is away only the bot's newest update is kept, and it says how many were missed; people's updates all wait.
    draft.send(PostUpdate(since, slot, newest_only=not text), fact)


def _resolve_when_due(draft: Draft, number: int) -> None:
    incident, policy = draft.incident(number), draft.policy.incidents
    if incident.well_since is None or incident.drill or draft.now < incident.well_since + policy.resolve_after:
        return  # a drill ends by its own rules
    reason = f"every component has been operational for {policy.resolve_after // timedelta(minutes=1)} min"
    if _resolves_itself(incident, draft.policy):
        change_phase(draft, number, Phase.RESOLVED, reason, Actor.rule("resolve: auto"))
    elif incident.ending.asked_at is None:
        draft.add(incident.stream, ResolveAsked(reason), actor=Actor.rule("resolve: ask"))


def _resolves_itself(incident: Incident, policy: Policy) -> bool:
    """Whether a rule resolves it. If a person chose the phase, a person is asked instead."""
    return policy.incidents.resolve == ResolveMode.AUTO and not incident.phase_by_person


# --- what people do


def on_acknowledge(draft: Draft, signal: Acknowledge) -> Step:
    """A person acknowledges it, and the phase leaves triage."""
    incident = draft.incident(signal.incident)
    if not incident.phase.open:
        return draft.refuse(_over(incident, a.Wanted.ACKNOWLEDGE))
    if incident.people.acknowledged_by:
        return draft.refuse(a.AcknowledgedBefore(incident=incident.number, by=incident.people.acknowledged_by))
    fact = draft.add(incident.stream, Acknowledged())
    draft.send(InvitePeople(), fact)
    if incident.phase is Phase.TRIAGE:
        reason = f"acknowledged by {signal.actor.name}"
        change_phase(draft, incident.number, Phase.INVESTIGATING, reason, signal.actor, told=False)
    return draft.done(a.Acknowledged(incident=incident.number))


def on_update(draft: Draft, signal: WriteUpdate) -> Step:
    """A person writes to everybody; the next update is due a full interval later."""
    incident, text = draft.incident(signal.incident), signal.text.strip()
    if not text:
        return draft.refuse(base.NoWords(of=base.Words.UPDATE))
    if not incident.phase.open:
        return draft.refuse(_over(incident, a.Wanted.UPDATE))
    _write_update(draft, incident, text, 0)
    return draft.done(a.UpdateWritten(incident=incident.number, slot=incident.updates + 1))


def on_note(draft: Draft, signal: AddNote) -> Step:
    """Add a line to the timeline; allowed in every phase, since people remember things afterwards."""
    incident, text = draft.incident(signal.incident), signal.text.strip()
    if not text:
        return draft.refuse(base.NoWords(of=base.Words.NOTE))
    draft.add(incident.stream, NoteAdded(text))
    return draft.done(a.NoteAdded(incident=incident.number))


def on_severity(draft: Draft, signal: SetSeverity) -> Step:
    """A person sets the severity; rules do not change it from then on."""
    incident = draft.incident(signal.incident)
    if not incident.phase.open:
        return draft.refuse(_over(incident, a.Wanted.SEVERITY))
    if incident.severity is signal.severity:
        return draft.refuse(a.SeverityAlready(incident=incident.number, severity=signal.severity))
    worse, reason = signal.severity.is_worse_than(incident.severity), signal.reason.strip()
    if not worse and not reason:
        return draft.refuse(a.NeedsWhy(incident=incident.number, severity=signal.severity, now=incident.severity))
    fact = draft.add(incident.stream, SeverityChanged(incident.severity, signal.severity, reason))
    if worse:  # page for the new severity now, not at the next tick
        draft.send(InvitePeople(), fact)
        page_people(draft, incident.number)
    return draft.done(a.SeveritySet(incident=incident.number, severity=signal.severity))


def on_export(draft: Draft, signal: AskExport) -> Step:
    """Upload the timeline into the incident's channel."""
    incident = draft.incident(signal.incident)
    if signal.format not in EXPORT_FORMATS:
        return draft.refuse(a.NoFormat(incident=incident.number, format=signal.format, known=EXPORT_FORMATS))
    where = "the thread under its alert" if incident.room.refused else "its channel"
    fact = draft.add(incident.stream, Exported(signal.format, where))
    draft.send(UploadExport(signal.format), fact)
    return draft.done(a.Exported(incident=incident.number, where=where))


def _over(incident: Incident, wanted: a.Wanted) -> a.Over:
    return a.Over(incident=incident.number, phase=incident.phase, wanted=wanted)


# --- what Slack reports


def on_name_taken(draft: Draft, signal: NameTaken) -> Step:
    """The channel name is taken: record the next one before it is requested."""
    incident = draft.incident(signal.incident)
    if incident.room.name != signal.name:
        return draft.done(base.KnownAlready(incident=incident.number))
    attempt = incident.room.attempt + 1
    draft.add(incident.stream, ChannelNamed(name_channel(draft.policy, incident, attempt), attempt))
    return draft.done(base.Noted(incident=incident.number))


def on_channel_lost(draft: Draft, signal: ChannelLost) -> Step:
    """The channel is gone: continue in the alert's thread, and tell people where they look."""
    incident = draft.incident(signal.incident)
    if not incident.room.channel:
        return draft.done(base.KnownAlready(incident=incident.number))
    refuse_channel(draft, incident, signal.reason)
    return draft.done(base.Noted(incident=incident.number))


def on_post_lost(draft: Draft, signal: PostLost) -> Step:
    """The alert or card was deleted, or lost with its channel: repost it once. Deleting it twice is taken as intent."""
    incident, card = draft.incident(signal.incident), signal.what is PostCard
    held, channel, gone = (
        (incident.room.card.ts, incident.room.card.channel, incident.room.card.gone)
        if card
        else (incident.room.alert.ts, incident.room.alert.channel, incident.room.alert.gone)
    )
    if held != signal.ts:
        return draft.done(base.KnownAlready(incident=incident.number))
    again = incident.phase.open and (gone == 0 or signal.with_channel)
    fact = draft.add(incident.stream, PostGone(signal.what.KIND, channel, signal.ts, signal.reason, again))
    if again:
        number = gone + 2
        for effect in (PostCard(number), PinCard(number)) if card else (PostAlert(number), PostEvidence(number)):
            draft.send(effect, fact)
    return draft.done(base.Noted(incident=incident.number))


def refuse_channel(draft: Draft, incident: Incident, reason: str) -> Fact:
    """Tell the ops channel and the declarer why there is no channel and what to do."""
    fact = draft.add(incident.stream, ChannelRefused(reason, incident.room.channel))
    draft.send(PostRefusal(), fact)
    if incident.declared_by.kind is ActorKind.PERSON:
        draft.send(TellPerson(incident.declared_by.id), fact)
    return fact


HANDLERS: Handlers = {
    Acknowledge: on_acknowledge, WriteUpdate: on_update, AddNote: on_note, SetSeverity: on_severity, AskExport: on_export,
    NameTaken: on_name_taken, ChannelLost: on_channel_lost, PostLost: on_post_lost,
}  # fmt: skip


def due(world: World, policy: Policy) -> Iterator[datetime]:
    """When the next update is due, and when an incident is ready to be resolved."""
    for incident in world.open_incidents():
        update = next_update_at(incident, policy)
        if update is not None:
            yield update
        asks = not _resolves_itself(incident, policy) and incident.ending.asked_at is not None  # it already waits for a person
        if incident.well_since is not None and not asks and incident.drill is None:
            yield incident.well_since + policy.incidents.resolve_after
