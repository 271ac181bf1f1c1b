"""Signals: something happened that may be written down. Each has an id; one id is acted upon once."""

from dataclasses import dataclass
from datetime import timedelta

from bot.core.effects import EffectBody
from bot.core.model import Actor, AlertState, FeedReport, IncidentRole, Phase, Severity, Verdict
from bot.core.record.sight import Sight


@dataclass(frozen=True)
class Signal:
    """What every signal has. An empty `id` means that repetition is harmless (the state decides)."""

    actor: Actor
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class OfIncident(Signal):
    """A signal to one incident, which has to exist."""

    incident: int


@dataclass(frozen=True, kw_only=True)
class OfEffect(Signal):
    """What became of an effect; one about no incident names none."""

    key: str
    kind: type[EffectBody]
    incident: int | None


@dataclass(frozen=True, kw_only=True)
class VerdictReached(Signal):
    """The watch holds another verdict than the one committed."""

    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class FeedRead(Signal):
    """A vendor's page was read, or could not be."""

    report: FeedReport


@dataclass(frozen=True, kw_only=True)
class SightChanged(Signal):
    """We went blind, or see again."""

    sight: Sight


@dataclass(frozen=True, kw_only=True)
class AlertHeard(Signal):
    """Another monitor fired or resolved an alert; `key` names it within its `source`."""

    source: str
    key: str
    component: str
    state: AlertState
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Reported(Signal):
    """A person says that a component does not work for them."""

    component: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Mute(Signal):
    """A person holds a component's alerts back for a while; muting anew replaces the time."""

    component: str
    lasts: timedelta
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Unmute(Signal):
    """A person ends a mute."""

    component: str


@dataclass(frozen=True, kw_only=True)
class TimePassed(Signal):
    """Look what is due: updates, hand-back steps, expiries, resolutions, mutes and windows that end."""


@dataclass(frozen=True, kw_only=True)
class Declare(Signal):
    """A person declares an incident. `components` may be empty: trouble that no check knows.

    `separate` opens one of its own although one is open for what the title names; people alone tell how it goes.
    """

    title: str
    components: tuple[str, ...] = ()
    severity: Severity = Severity.SEV2
    separate: bool = False


@dataclass(frozen=True, kw_only=True)
class Join(OfIncident):
    """A person comes to help in an incident that is open."""


@dataclass(frozen=True, kw_only=True)
class Acknowledge(OfIncident):
    """A person acknowledges an incident."""


@dataclass(frozen=True, kw_only=True)
class WriteUpdate(OfIncident):
    """A person writes an update for everybody."""

    text: str


@dataclass(frozen=True, kw_only=True)
class AddNote(OfIncident):
    """A person adds a line to the timeline."""

    text: str


@dataclass(frozen=True, kw_only=True)
class SetSeverity(OfIncident):
    """A person sets the severity."""

    severity: Severity
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class GiveRole(OfIncident):
    """A person gives somebody a role in an incident; `to` None takes it back."""

    role: IncidentRole
    to: Actor | None


@dataclass(frozen=True, kw_only=True)
class SetPhase(OfIncident):
    """A person moves an incident: forward, back, resolved, reopened, closed or canceled.

    `force` resolves it although a component of it still fails or a flag is still switched.
    """

    phase: Phase
    reason: str = ""
    force: bool = False


@dataclass(frozen=True, kw_only=True)
class EngageFlag(Signal):
    """A person sends a flag to a fallback; without a variant the first healthy one. `approves` answers a proposal."""

    flag: str
    variant: str = ""
    reason: str = ""
    hold_for: timedelta | None = None
    approves: bool = False


@dataclass(frozen=True, kw_only=True)
class StepBack(Signal):
    """A person approves the first step back."""

    flag: str


@dataclass(frozen=True, kw_only=True)
class ReleaseFlag(Signal):
    """A person ends an engagement at once; `force` overrides an unhealthy default."""

    flag: str
    reason: str = ""
    force: bool = False


@dataclass(frozen=True, kw_only=True)
class AskExport(OfIncident):
    """A person wants the timeline as a file in the incident's channel."""

    format: str


@dataclass(frozen=True, kw_only=True)
class EffectDone(OfEffect):
    """The outbox did an effect; `channel` and `ts` say where a post stands."""

    channel: str = ""
    ts: str = ""
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class EffectRefused(OfEffect):
    """The outbox gave an effect up."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class NameTaken(OfIncident):
    """The channel's name belongs to somebody else; the next one is wanted."""

    name: str


@dataclass(frozen=True, kw_only=True)
class ChannelLost(OfIncident):
    """The incident's channel takes no more posts: archived, deleted, or the bot was removed."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class PostLost(OfIncident):
    """Alert or card cannot be edited any more: deleted, or (`with_channel`) the channel that it stands in is lost."""

    what: type[EffectBody]
    ts: str
    reason: str
    with_channel: bool = False
