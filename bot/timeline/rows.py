"""The facts of an incident as people read them: rows of plain English. What the durations are is in `durations`.

Rows hold no markup, and foreign text whole; whoever shows them escapes it. Times are UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.effects import (
    AddBookmarks,
    EditAlert,
    EditCard,
    InvitePeople,
    OpenChannel,
    OpenThread,
    PinCard,
    PostAlert,
    PostCard,
    PostLine,
    PostRefusal,
    PostRunbook,
    PostSummary,
    PostUpdate,
    ReplyInThread,
    SetTopic,
    TellPerson,
    UploadExport,
)
from bot.core.model import Actor, ActorKind, FeedState, Level
from bot.core.record.component_facts import (
    AdvisoryEnded,
    AdvisoryRaised,
    AlertHeard,
    AlertResumed,
    AlertSuppressed,
    Muted,
    ReportHeard,
    Unmuted,
    VerdictChanged,
)
from bot.core.record.fact import Body, Fact, OfComponent, OfComponents, Reasoned
from bot.core.record.flag_facts import (
    CarriedOver,
    Engaged,
    EngageProposed,
    ExpiryReached,
    HandBackAsked,
    HandBackReverted,
    HandBackStepped,
    Held,
    HoldEnded,
    ProposalDropped,
    Released,
)
from bot.core.record.incident_facts import (
    Acknowledged,
    ChannelNamed,
    ChannelOpened,
    ChannelRefused,
    ComponentJoined,
    ComponentMoved,
    Declared,
    Exported,
    GivenUp,
    NoteAdded,
    PhaseChanged,
    Posted,
    PostGone,
    ResolveAsked,
    ResponderJoined,
    RoleChanged,
    SeverityChanged,
    UpdateWritten,
)
from bot.core.record.kinds import BODIES
from bot.core.record.provider_facts import (
    FeedChanged,
    ListingChanged,
    MaintenanceSaid,
    NoticeListedAgain,
    NoticeSeen,
    NoticeUnlisted,
    PageFirstRead,
    PageFlooded,
    UpdatesForgotten,
)
from bot.core.record.sight_facts import SightLost, SightRegained

ERRAND_WORDS: dict[str, str] = {
    PostAlert.KIND: "the alert", EditAlert.KIND: "an edit of the alert", OpenChannel.KIND: "opening the channel",
    SetTopic.KIND: "the channel's topic", AddBookmarks.KIND: "the channel's bookmarks",
    InvitePeople.KIND: "inviting people into the channel", PostCard.KIND: "the status card",
    PinCard.KIND: "pinning the status card", EditCard.KIND: "an edit of the status card", PostRunbook.KIND: "the runbook",
    PostLine.KIND: "a line in the channel", PostUpdate.KIND: "an update", PostSummary.KIND: "the summary",
    UploadExport.KIND: "the timeline as a file", PostRefusal.KIND: "why there is no channel",
    OpenThread.KIND: "a quiet line in the ops channel", ReplyInThread.KIND: "a reply in a quiet thread",
    TellPerson.KIND: "a direct word to one person",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line of a timeline.

    `seq` counts the rows from 1; `stream` and `fact_seq` name the fact in the ledger. `source` is who knew it: `probe`,
    `vendor`, `alert`, `person` (operators included), `rule` or `slack`. `component` holds ids, several separated by a comma.
    """

    seq: int
    at: datetime
    kind: str
    who: str
    source: str
    text: str
    component: str
    reason: str
    stream: str
    fact_seq: int

    @property
    def sentence(self) -> str:
        """The text with its reason."""
        return f"{self.text}: {self.reason}" if self.reason else self.text

    @property
    def bookkeeping(self) -> bool:
        """Whether it is about our own effects: in every export, left out where people read the story."""
        return BODIES[self.kind].BOOKKEEPING


def rows(facts: Sequence[Fact], names: Mapping[str, str] | None = None) -> list[Row]:
    """Every fact as a row, in the order given; `names` turns ids of components and providers into what people call them."""
    known = names or {}
    return [
        Row(
            seq=n, at=fact.at, kind=fact.kind, who=fact.actor.name or fact.actor.id, source=_source(fact),
            text=_text(fact, known), component=_component(fact.body), stream=fact.stream, fact_seq=fact.seq,
            reason=fact.body.reason if isinstance(fact.body, Reasoned) else "",
        )
        for n, fact in enumerate(facts, 1)
    ]  # fmt: skip


def clock(at: datetime) -> str:
    """`12:43 UTC`."""
    return f"{at:%H:%M} UTC"


def _source(fact: Fact) -> str:
    match fact.body:
        case VerdictChanged() | ComponentJoined() | ComponentMoved() | AdvisoryRaised() | AdvisoryEnded():
            return "probe"
        case SightLost() | SightRegained():
            return "probe"
        case (
            NoticeSeen()
            | NoticeUnlisted()
            | NoticeListedAgain()
            | ListingChanged()
            | FeedChanged()
            | MaintenanceSaid()
            | PageFirstRead()
            | PageFlooded()
            | UpdatesForgotten()
        ):
            return "vendor"
        case AlertHeard():
            return "alert"
        case ChannelNamed() | ChannelOpened() | ChannelRefused() | Posted() | PostGone() | GivenUp():
            return "slack"
    return ActorKind.PERSON if fact.actor.kind is ActorKind.OPERATOR else fact.actor.kind


def _component(body: Body) -> str:
    match body:
        case NoticeSeen(notice=notice):
            return ",".join(notice.components)
        case OfComponents(components=components):
            return ",".join(components)
        case OfComponent(component=component):
            return component
    return ""


def _text(fact: Fact, names: Mapping[str, str]) -> str:
    kind = fact.kind.partition(".")[0]
    if kind == "flag":
        return _of_flag(fact)
    if kind in ("verdict", "feed", "notice", "sight"):
        return _of_the_world(fact.body, names)
    if kind in ("advisory", "alert", "report", "mute"):
        return _of_a_component(fact, names)
    return _of_slack(fact.body) or _of_incident(fact, names)


def _of_the_world(body: Body, names: Mapping[str, str]) -> str:
    match body:
        case VerdictChanged() as b:
            name, evidence = names.get(b.component, b.component), _evidence(b.evidence)
            if b.previous is b.level:
                return f"{name} is still {b.level}, the fault is {b.fault.replace('_', ' ')} now{evidence}"
            return f"{name} is {b.level}, was {b.previous}, since {clock(b.began_at)}{evidence}"
        case FeedChanged(provider=provider, state=state):
            page = f"The status page of {names.get(provider, provider)}"
            return {
                FeedState.FRESH: f"{page} is read",
                FeedState.STALE: f"{page} cannot be read; its last word is kept",
                FeedState.UNKNOWN: f"{page} has not been read",
            }[state]
        case MaintenanceSaid(provider=provider, components=ids):
            what = ", ".join(names.get(id, id) for id in ids) or "nothing any more"
            return f"The status page of {names.get(provider, provider)} calls under maintenance: {what}"
        case PageFirstRead(provider=provider):
            return f"The status page of {names.get(provider, provider)} is read for the first time"
        case PageFlooded(provider=provider, count=count):
            return f"The status page of {names.get(provider, provider)} shows {count} more updates at once; see the page"
        case UpdatesForgotten(provider=provider):
            return f"Updates that left the status page of {names.get(provider, provider)} long ago are forgotten"
        case ListingChanged(provider=provider, listed=listed, missing=missing):
            page = f"The status page of {names.get(provider, provider)}"
            open_now = f"lists {_notices(len(listed), 'open ')}"
            gone = f"no longer lists {len(missing) if listed else _notices(len(missing))} that it never called over"
            said = [words for words, ids in ((open_now, listed), (gone, missing)) if ids]
            return f"{page} {' and '.join(said) or 'lists the same notices as before'}"
        case NoticeUnlisted() as b:
            page = f"The status page of {names.get(b.provider, b.provider)}"
            return f"{page} no longer lists “{b.title}”; its last word was “{b.status}”, never that it is over"
        case NoticeListedAgain() as b:
            return f"The status page of {names.get(b.provider, b.provider)} lists “{b.title}” again"
        case SightLost(began_at=began_at):
            return f"We are blind since {clock(began_at)}; what cannot be reached is unknown, and no incident opens"
        case SightRegained() as b:
            return f"We see again since {clock(b.ended_at)}; we were blind since {clock(b.began_at)}"
        case NoticeSeen(notice=n):
            page = f"Status page of {names.get(n.provider, n.provider)} at {n.at:%Y-%m-%d %H:%M} UTC"
            return f"{page}: {n.title} ({n.status}): {n.body}"
    return body.KIND


def _of_a_component(fact: Fact, names: Mapping[str, str]) -> str:
    id = _component(fact.body)
    name = names.get(id, id)
    match fact.body:
        case AdvisoryRaised() as b:
            return f"Advisory for {name}: {b.text}{_evidence(b.evidence)}"
        case AdvisoryEnded(text=text):
            return f"The advisory for {name} is over ({text})"
        case AlertSuppressed(why=why, until=until):
            end = f" until {until:%Y-%m-%d %H:%M} UTC" if until else ""
            return f"The alert about {name} is held back{end}: {why}"
        case AlertResumed(why=why):
            return f"The alert about {name} is no longer held back ({why})"
        case AlertHeard() as b:
            return f"{b.source} says that an alert about {name} is {b.state}: {b.title}"
        case ReportHeard(text=text):
            return f"{fact.actor.name or fact.actor.id} reports about {name}: {text}"
        case Muted(until=until):
            return f"{name} is muted until {until:%Y-%m-%d %H:%M} UTC"
        case Unmuted():
            return f"{name} is no longer muted"
    return fact.kind


def _evidence(lines: tuple[str, ...]) -> str:
    return f" (evidence: {'; '.join(lines)})" if lines else ""


def _of_incident(fact: Fact, names: Mapping[str, str]) -> str:
    match fact.body:
        case Declared() as b:
            return f"INC-{b.number} was declared as {b.severity}: {b.title} (impact since {clock(b.began_at)})"
        case ComponentJoined(component=component, level=level, evidence=evidence):
            return f"{names.get(component, component)} is {level} and belongs to INC-{fact.incident}{_evidence(evidence)}"
        case ComponentMoved() as b:
            again = " again" if b.level is Level.OPERATIONAL else ""
            since = f"since {clock(b.began_at)}{_evidence(b.evidence)}"
            return f"{names.get(b.component, b.component)} is {b.level}{again}, was {b.previous}, {since}"
        case PhaseChanged() as b:
            how = {"relapse": "is back to", "reopen": "was reopened and is"}.get(b.move, "is")
            return f"INC-{fact.incident} {how} {b.phase}, was {b.previous}"
        case SeverityChanged() as b:
            return f"INC-{fact.incident} is {b.severity}, was {b.previous}"
        case Acknowledged():
            return f"{fact.actor.name or fact.actor.id} acknowledged INC-{fact.incident}"
        case RoleChanged(role=role, person=None):
            return f"INC-{fact.incident} has no {role} any more"
        case RoleChanged(role=role, person=Actor() as person):
            return f"{person.name or person.id} is {role} of INC-{fact.incident}"
        case ResponderJoined():
            return f"{fact.actor.name or fact.actor.id} joined INC-{fact.incident}"
        case UpdateWritten() as b:
            gone = f" ({b.missed} before it were missed)" if b.missed else ""
            return f"Update {b.slot} of INC-{fact.incident}{gone}: {b.text or 'written from the facts'}"
        case NoteAdded(text=text):
            return f"Note: {text}"
        case ResolveAsked():
            return f"Asked whether INC-{fact.incident} is over"
    return fact.kind


def _notices(number: int, how: str = "") -> str:
    return f"{number} {how}notice{'' if number == 1 else 's'}"


def _of_slack(body: Body) -> str:
    match body:
        case ChannelNamed() as b:
            return f"The channel will be #{b.name}" + (", since the name before was taken" if b.attempt > 1 else "")
        case ChannelOpened(name=name):
            return f"The channel #{name} is open"
        case ChannelRefused():
            return "There is no channel; the incident goes on in the thread of the alert"
        case Posted(what=what):
            return f"Posted: {ERRAND_WORDS.get(what, what)}"
        case PostGone() as b:
            then = "it is posted anew" if b.again else "it is not posted again"
            return f"Gone from Slack: {ERRAND_WORDS.get(b.what, b.what)}; {then}"
        case GivenUp(what=what):
            return f"Given up: {ERRAND_WORDS.get(what, what)}"
        case Exported() as b:
            return f"The timeline was exported as {b.format} to {b.where}"
    return ""


def _of_flag(fact: Fact) -> str:
    match fact.body:
        case EngageProposed() as b:
            return f"Proposed: {b.flag} should use {b.variant}"
        case ProposalDropped(flag=flag):
            return f"The proposal for {flag} was withdrawn"
        case Engaged() as b:
            how = {"auto": "switched by rule", "approved": "approved by hand"}.get(b.mode, "switched by hand")
            return f"{b.flag} uses {b.variant} instead of {b.previous}, {how}, until {b.expires_at:%Y-%m-%d %H:%M} UTC at first"
        case Held(flag=flag):
            return f"Automation left {flag} as it is"
        case HoldEnded(flag=flag):
            return f"Automation has no reason any more to leave {flag} as it is"
        case HandBackAsked(flag=flag):
            return f"Asked whether the hand-back of {flag} may start"
        case HandBackStepped(flag=flag, share=share):
            return f"{share} % of {flag} is back on the default"
        case HandBackReverted(flag=flag):
            return f"The hand-back of {flag} was reverted; all of it is on the fallback again"
        case Released(flag=flag, variant=variant):
            return f"{flag} uses its default {variant} again"
        case CarriedOver() as b:
            return f"{b.flag} uses {b.variant} already, since {b.began_at:%Y-%m-%d %H:%M} UTC"
        case ExpiryReached() as b:
            return f"The time of {b.flag} on its fallback ran out and was extended to {b.expires_at:%Y-%m-%d %H:%M} UTC"
    return fact.kind
