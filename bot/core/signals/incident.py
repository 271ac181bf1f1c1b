"""What people ask of an incident."""

from datetime import datetime, timedelta

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, Phase, Severity
from bot.core.record.standing import FoundPieces
from bot.core.signals.base import COMMAND, RESPONDERS, RULES, OfIncident, Signal


@dataclass(frozen=True, kw_only=True)
class Declare(Signal, by=COMMAND):
    """A person declares an incident. `components` may be empty: a problem that no check covers.

    `separate` opens a new incident even if one is open for what the title names; only people then report its progress.
    Without it, a new one is opened if they were `warned` of all that are open, by number. `began_at` and `ended_at` say when it
    happened, if not now; one that has ended is recorded as over. `channel`, with its name, is an existing channel to use for
    the incident; without it, a new channel is created.
    """

    title: str
    components: tuple[str, ...] = ()
    severity: Severity = Severity.SEV2
    separate: bool = False
    warned: tuple[int, ...] = ()
    began_at: datetime | None = None
    ended_at: datetime | None = None
    channel: str = ""
    channel_name: str = ""


@dataclass(frozen=True, kw_only=True)
class Join(OfIncident, by=RESPONDERS):
    """A person joins an open incident to help."""


@dataclass(frozen=True, kw_only=True)
class Acknowledge(OfIncident, by=RESPONDERS):
    """A person acknowledges an incident."""


@dataclass(frozen=True, kw_only=True)
class WriteUpdate(OfIncident, by=COMMAND):
    """A person writes an update for everybody."""

    text: str


@dataclass(frozen=True, kw_only=True)
class SnoozeReminders(OfIncident, by=COMMAND):
    """A person snoozes reminders of overdue updates for this long; None = until somebody writes an update."""

    lasts: timedelta | None


@dataclass(frozen=True, kw_only=True)
class ResumeReminders(OfIncident, by=COMMAND):
    """A person ends a snooze."""


@dataclass(frozen=True, kw_only=True)
class AddNote(OfIncident, by=RESPONDERS):
    """A person adds a line to the timeline."""

    text: str


@dataclass(frozen=True, kw_only=True)
class TickStep(OfIncident, by=RESPONDERS):
    """A person ticks off a runbook step, by its number in the incident, or (`off`) unticks it."""

    step: int
    off: bool = False


@dataclass(frozen=True, kw_only=True)
class SetSeverity(OfIncident, by=COMMAND):
    """A person sets the severity."""

    severity: Severity
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Rename(OfIncident, by=COMMAND):
    """A person changes an incident's title."""

    title: str


@dataclass(frozen=True, kw_only=True)
class GiveRole(OfIncident, by=COMMAND):
    """A person gives somebody a role in an incident; `to` None takes it away. `free` does nothing if the role is taken."""

    role: str  # as in the ledger, see `IncidentPolicy.role_meant`
    to: Actor | None
    free: bool = False


@dataclass(frozen=True, kw_only=True)
class HolderGone(Signal, by=RULES):
    """Somebody who may have a role can no longer act: their account is deactivated."""

    user: str  # Slack's id


@dataclass(frozen=True, kw_only=True)
class SetPhase(OfIncident, by=COMMAND):
    """A person moves an incident: forward, back, resolved, reopened, closed or canceled.

    `force` resolves it even if one of its components still fails or a flag is still switched; without it, only what they
    were `warned` of is overridden (`decide.warned`). Canceling takes a `reason` from a fixed list and a free-text `why`; a
    duplicate names the other incident. `reopens` says that it was not over, which is refused for an open incident.
    """

    phase: Phase
    reason: str = ""
    force: bool = False
    warned: tuple[str, ...] = ()
    duplicate_of: int = 0
    why: str = ""
    reopens: bool = False

    @property
    def named(self) -> tuple[int, ...]:
        """Also the incident that it duplicates."""
        return (self.incident, self.duplicate_of) if self.duplicate_of else (self.incident,)


@dataclass(frozen=True, kw_only=True)
class SayMitigated(OfIncident, by=COMMAND):
    """A person says that customers are served although the incident is not over, or (`over`) that they no longer are."""

    reason: str = ""
    over: bool = False


@dataclass(frozen=True, kw_only=True)
class Merge(OfIncident, by=COMMAND):
    """A person merges an incident into another one, which continues for both."""

    into: int
    reason: str = ""

    @property
    def named(self) -> tuple[int, ...]:
        """Both."""
        return (self.incident, self.into)


@dataclass(frozen=True, kw_only=True)
class Unmerge(OfIncident, by=COMMAND):
    """A person separates a merged incident again."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Repair(OfIncident, by=RESPONDERS):
    """A person fixed what failed or was deleted in the chat; `found` is what exists there now, None = nobody looked."""

    found: FoundPieces | None = None


@dataclass(frozen=True, kw_only=True)
class AskExport(OfIncident, by=RESPONDERS):
    """A person wants the timeline as a file in the incident's channel."""

    format: str
