"""Every kind of fact: what happened, past tense, appended to one stream and never changed.

A fact's body is one of the dataclasses below or in `findings`; `body` says what its class carries and how old rows are read.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.body import BODIES, Body, OfComponent, OfComponents, OfFlag, Reasoned, decode_body, encode_body
from bot.core.findings import (
    AdvisoryEnded,
    AdvisoryRaised,
    AlertHeard,
    AlertResumed,
    AlertSuppressed,
    FeedChanged,
    ListingChanged,
    MaintenanceSaid,
    Muted,
    NoticeListedAgain,
    NoticeSeen,
    NoticeUnlisted,
    PageFirstRead,
    PageFlooded,
    ReportHeard,
    SightLost,
    SightRegained,
    Unmuted,
    UpdatesForgotten,
    VerdictChanged,
)
from bot.core.model import Actor, IncidentRole, Level, Phase, Severity
from bot.core.state import Incident

__all__ = [
    "BODIES", "Acknowledged", "AdvisoryEnded", "AdvisoryRaised", "AlertHeard", "AlertResumed", "AlertSuppressed",
    "Body", "CarriedOver", "ChannelNamed", "ChannelOpened", "ChannelRefused", "ComponentJoined", "ComponentMoved", "Declared",
    "EngageProposed", "Engaged", "ExpiryReached", "Exported", "Fact", "FeedChanged", "GivenUp", "HandBackAsked",
    "HandBackReverted", "HandBackStepped", "Held", "ListingChanged", "MaintenanceSaid", "Muted", "NoteAdded",
    "NoticeListedAgain", "NoticeSeen", "NoticeUnlisted", "PageFirstRead", "PageFlooded", "PhaseChanged", "PostGone", "Posted",
    "ProposalDropped", "Released", "ReportHeard", "ResolveAsked", "ResponderJoined", "RoleChanged", "SeverityChanged",
    "SightLost", "SightRegained", "Unmuted", "UpdateWritten", "UpdatesForgotten", "VerdictChanged", "decode_body",
    "encode_body",
]  # fmt: skip


# --- incident/<n>


@dataclass(frozen=True)
class Declared(OfComponents, Reasoned, Body):
    """An incident was opened, by a rule from a verdict or by a person."""

    KIND = "incident.declared"
    number: int
    title: str
    severity: Severity
    provider: str
    dedup: str
    components: tuple[str, ...]
    began_at: datetime
    reason: str
    alerts_channel: str
    vendor_first_at: datetime | None = None  # the vendor had spoken already
    outage_began_at: datetime | None = None  # an earlier incident of the outage that the vendor speaks of: what it saw first,
    outage_known_at: datetime | None = None  # and when it was declared


@dataclass(frozen=True)
class ComponentJoined(OfComponent, Reasoned, Body):
    """One more component of the same provider failed into this incident."""

    KIND = "incident.component_joined"
    ANNOUNCED = True
    component: str
    level: Level
    reason: str
    evidence: tuple[str, ...] = ()
    began_at: datetime | None = None  # when the evidence starts, where that is known


@dataclass(frozen=True)
class ComponentMoved(OfComponent, Reasoned, Body):
    """A component of this incident got worse, better or well again."""

    KIND = "incident.component_moved"
    ANNOUNCED = True
    component: str
    previous: Level
    level: Level
    reason: str
    began_at: datetime
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class PhaseChanged(Reasoned, Body):
    """The incident moved along an edge of LEGAL."""

    KIND = "incident.phase_changed"
    ANNOUNCED = True
    previous: Phase
    phase: Phase
    move: str  # the name of the edge: forward, relapse, reopen, close, cancel
    reason: str


@dataclass(frozen=True)
class SeverityChanged(Reasoned, Body):
    """Somebody or a rule set another severity."""

    KIND = "incident.severity_changed"
    ANNOUNCED = True
    previous: Severity
    severity: Severity
    reason: str


@dataclass(frozen=True)
class Acknowledged(Body):
    """A person has the incident in hand."""

    KIND = "incident.acknowledged"
    ANNOUNCED = True


@dataclass(frozen=True)
class ResponderJoined(Body):
    """A person came to help."""

    KIND = "incident.responder_joined"
    ANNOUNCED = True


@dataclass(frozen=True)
class RoleChanged(Body):
    """A role in the incident went to somebody, or was taken back."""

    KIND = "incident.role_changed"
    ANNOUNCED = True
    role: IncidentRole
    previous: Actor | None
    person: Actor | None  # None = nobody has it any more

    def onto(self, state: Incident, fact: "Fact") -> Incident:
        """Whoever gets a role is among those who help."""
        people = state.people
        others = {role: who for role, who in people.roles.items() if role is not self.role}
        if self.person is None:
            return replace(state, people=replace(people, roles=others))
        here = people.responders if self.person in people.responders else (*people.responders, self.person)
        return replace(state, people=replace(people, roles={**others, self.role: self.person}, responders=here))


@dataclass(frozen=True)
class UpdateWritten(Body):
    """An update for everybody; `text` is empty when the bot writes it from facts. `missed` slots passed unspoken."""

    KIND = "incident.update_written"
    slot: int
    text: str
    missed: int


@dataclass(frozen=True)
class NoteAdded(Body):
    """A person added a line to the timeline."""

    KIND = "incident.note_added"
    ANNOUNCED = True
    text: str


@dataclass(frozen=True)
class ResolveAsked(Reasoned, Body):
    """All components were well for long enough; the bot asked whether to resolve."""

    KIND = "incident.resolve_asked"
    ANNOUNCED = True
    reason: str


@dataclass(frozen=True)
class ChannelNamed(Body):
    """A name for the channel was chosen; written before Slack is asked, so that a retry asks for the same one."""

    KIND = "incident.channel_named"
    BOOKKEEPING = True
    name: str
    attempt: int


@dataclass(frozen=True)
class ChannelOpened(Body):
    """The incident's own channel exists."""

    KIND = "incident.channel_opened"
    channel: str
    name: str


@dataclass(frozen=True)
class ChannelRefused(Reasoned, Body):
    """The channel could not be made, or was lost; the incident goes on in the alert's thread."""

    KIND = "incident.channel_refused"
    reason: str


@dataclass(frozen=True)
class Posted(Body):
    """A message of ours stands in Slack. `what` is the effect's kind, `key` its unique key."""

    KIND = "incident.posted"
    BOOKKEEPING = True
    what: str
    key: str
    channel: str
    ts: str


@dataclass(frozen=True)
class PostGone(Reasoned, Body):
    """A message of ours was deleted in Slack, or its channel takes nothing more. `again`: it is posted anew."""

    KIND = "incident.post_gone"
    BOOKKEEPING = True
    what: str
    channel: str
    ts: str
    reason: str
    again: bool


@dataclass(frozen=True)
class GivenUp(Reasoned, Body):
    """An effect could not be done and will not be tried again."""

    KIND = "incident.effect_given_up"
    BOOKKEEPING = True
    what: str
    key: str
    reason: str


@dataclass(frozen=True)
class Exported(Body):
    """The timeline was handed out."""

    KIND = "incident.exported"
    BOOKKEEPING = True
    format: str
    where: str


# --- flag/<key>


@dataclass(frozen=True)
class EngageProposed(OfFlag, Reasoned, Body):
    """A rule would engage a fallback, and asks a person to say so."""

    KIND = "flag.proposed"
    ANNOUNCED = True
    flag: str
    variant: str
    reason: str


@dataclass(frozen=True)
class ProposalDropped(OfFlag, Reasoned, Body):
    """A proposal lost its ground before anybody answered it."""

    KIND = "flag.proposal_dropped"
    ANNOUNCED = True
    flag: str
    reason: str


@dataclass(frozen=True)
class Engaged(OfFlag, Reasoned, Body):
    """Downstream services are sent to a fallback variant."""

    KIND = "flag.engaged"
    ANNOUNCED = True
    flag: str
    engagement: str
    variant: str
    previous: str
    reason: str
    mode: str  # auto | approved | manual
    expires_at: datetime
    because: tuple[str, ...] = ()  # components in trouble at that moment


@dataclass(frozen=True)
class Held(OfFlag, Reasoned, Body):
    """A rule wanted to switch and held still, with the reason."""

    KIND = "flag.held"
    ANNOUNCED = True
    flag: str
    reason: str


@dataclass(frozen=True)
class HandBackAsked(OfFlag, Reasoned, Body):
    """The default is well again; the first step back waits for a person."""

    KIND = "flag.hand_back_asked"
    ANNOUNCED = True
    flag: str
    reason: str


@dataclass(frozen=True)
class HandBackStepped(OfFlag, Reasoned, Body):
    """A share of traffic, in percent, went back to the default."""

    KIND = "flag.hand_back_stepped"
    ANNOUNCED = True
    flag: str
    share: int
    reason: str
    variant: str = ""  # where the rest of it still is


@dataclass(frozen=True)
class HandBackReverted(OfFlag, Reasoned, Body):
    """The default failed again on the way back; everything is on the fallback again."""

    KIND = "flag.hand_back_reverted"
    ANNOUNCED = True
    flag: str
    reason: str


@dataclass(frozen=True)
class Released(OfFlag, Reasoned, Body):
    """The engagement ended; the default serves everybody."""

    KIND = "flag.released"
    ANNOUNCED = True
    flag: str
    variant: str
    reason: str


@dataclass(frozen=True)
class CarriedOver(OfFlag, Body):
    """An incident found the flag on a fallback already: switched in an earlier one of the outage, or for other reasons."""

    KIND = "flag.carried_over"
    flag: str
    variant: str
    began_at: datetime  # when it was switched to


@dataclass(frozen=True)
class ExpiryReached(OfFlag, Reasoned, Body):
    """The engagement's time ran out and it was kept; asked again at `expires_at`."""

    KIND = "flag.expiry_reached"
    ANNOUNCED = True
    flag: str
    reason: str
    expires_at: datetime


@dataclass(frozen=True)
class Fact:
    """One row of the ledger: where it stands (`stream`, `seq`), when, who, for which incident, and what happened."""

    stream: str
    seq: int
    at: datetime
    actor: Actor
    incident: int | None
    body: Body

    @property
    def kind(self) -> str:
        """The body's kind, as in the ledger."""
        return self.body.KIND
