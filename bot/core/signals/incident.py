"""What people ask of an incident."""

from datetime import datetime, timedelta

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor, Phase, Severity
from bot.core.record.standing import Found
from bot.core.signals.base import COMMAND, RESPONDERS, RULES, OfIncident, Signal


@dataclass(frozen=True, kw_only=True)
class Declare(Signal, by=COMMAND):
    """A person declares an incident. `components` may be empty: trouble that no check knows.

    `separate` opens one of its own although one is open for what the title names; people alone tell how it goes. `began_at` and
    `ended_at` are when it hurt, where that is not now; what has ended is recorded as over. `channel`, with its name, is one
    that exists and becomes the incident's own; without one a channel is made.
    """

    title: str
    components: tuple[str, ...] = ()
    severity: Severity = Severity.SEV2
    separate: bool = False
    began_at: datetime | None = None
    ended_at: datetime | None = None
    channel: str = ""
    channel_name: str = ""


@dataclass(frozen=True, kw_only=True)
class Join(OfIncident, by=RESPONDERS):
    """A person comes to help in an incident that is open."""


@dataclass(frozen=True, kw_only=True)
class Acknowledge(OfIncident, by=RESPONDERS):
    """A person acknowledges an incident."""


@dataclass(frozen=True, kw_only=True)
class WriteUpdate(OfIncident, by=COMMAND):
    """A person writes an update for everybody."""

    text: str


@dataclass(frozen=True, kw_only=True)
class SnoozeReminders(OfIncident, by=COMMAND):
    """A person wants no reminder of an overdue update for so long; None = until somebody writes one."""

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
    """A person did a step of a runbook, by its number in the incident, or (`off`) has not after all."""

    step: int
    off: bool = False


@dataclass(frozen=True, kw_only=True)
class SetSeverity(OfIncident, by=COMMAND):
    """A person sets the severity."""

    severity: Severity
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Rename(OfIncident, by=COMMAND):
    """A person says what an incident is called."""

    title: str


@dataclass(frozen=True, kw_only=True)
class GiveRole(OfIncident, by=COMMAND):
    """A person gives somebody a role in an incident; `to` None takes it back. `free` leaves it to whoever has it already."""

    role: str  # as the ledger has it, see `IncidentPolicy.role_meant`
    to: Actor | None
    free: bool = False


@dataclass(frozen=True, kw_only=True)
class HolderGone(Signal, by=RULES):
    """Somebody who may have a role can do nothing any more: their account is deactivated."""

    user: str  # Slack's id


@dataclass(frozen=True, kw_only=True)
class SetPhase(OfIncident, by=COMMAND):
    """A person moves an incident: forward, back, resolved, reopened, closed or canceled.

    `force` resolves it although a component of it still fails or a flag is still switched. One that is canceled has one of a
    few words for a `reason`, and a `why` in words of somebody's own; as a duplicate it names the other one. `reopens`
    says that it was not over, which nobody can say of what is open.
    """

    phase: Phase
    reason: str = ""
    force: bool = False
    duplicate_of: int = 0
    why: str = ""
    reopens: bool = False

    @property
    def named(self) -> tuple[int, ...]:
        """The one that it is a duplicate of too."""
        return (self.incident, self.duplicate_of) if self.duplicate_of else (self.incident,)


@dataclass(frozen=True, kw_only=True)
class SayMitigated(OfIncident, by=COMMAND):
    """A person says that customers are served although it is not over, or (`over`) that they no longer are."""

    reason: str = ""
    over: bool = False


@dataclass(frozen=True, kw_only=True)
class Merge(OfIncident, by=COMMAND):
    """A person says that an incident is part of another one, which goes on with it."""

    into: int
    reason: str = ""

    @property
    def named(self) -> tuple[int, ...]:
        """Both."""
        return (self.incident, self.into)


@dataclass(frozen=True, kw_only=True)
class Unmerge(OfIncident, by=COMMAND):
    """A person says that a merged incident is one of its own after all."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Repair(OfIncident, by=RESPONDERS):
    """A person has made good what failed or was tidied away in the chat; `found` is what stands there, None = nobody looked."""

    found: Found | None = None


@dataclass(frozen=True, kw_only=True)
class AskExport(OfIncident, by=RESPONDERS):
    """A person wants the timeline as a file in the incident's channel."""

    format: str
