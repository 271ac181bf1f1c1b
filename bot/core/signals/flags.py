"""What people ask of a flag, and who is seen to have it."""

from datetime import datetime, timedelta

from bot.core.lazy_dataclass import dataclass
from bot.core.signals.base import ASKING, COMMAND, RULES, Duty, Signal


@dataclass(frozen=True, kw_only=True)
class EngageFlag(Signal, by=COMMAND):
    """A person sends a flag to a fallback; without a variant the first healthy one. `approves` answers a proposal.

    `share` is the percent of readers who go there; the others stay on the default. `force` overrides a rehearsal that failed
    or never was, and a default that is not well where a smaller share sends readers back to it.
    """

    flag: str
    variant: str = ""
    reason: str = ""
    hold_for: timedelta | None = None
    approves: bool = False
    share: int = 100
    force: bool = False


@dataclass(frozen=True, kw_only=True)
class RejectProposal(Signal, by=COMMAND):
    """A person says no to a proposal. `variant` is the one that a button asked about; empty = whichever is proposed."""

    flag: str
    variant: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class StepBack(Signal, by=COMMAND):
    """A person approves the first step back."""

    flag: str


@dataclass(frozen=True, kw_only=True)
class ReleaseFlag(Signal, by=COMMAND):
    """A person ends an engagement at once; `force` overrides an unhealthy default."""

    flag: str
    reason: str = ""
    force: bool = False


@dataclass(frozen=True, kw_only=True)
class ReadersCounted(Signal, by=RULES, duty=Duty.CLOCK):
    """How many of those who keep a copy of the flags have what was switched at `changed_at`, and who does not."""

    flag: str
    changed_at: datetime
    by: int
    of: int
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PlanSwitch(Signal, by=ASKING):
    """Somebody asks what `EngageFlag` would do. Nothing is changed. `readers` are those of the last fifteen minutes.

    `requests` are those of the last ten minutes, as far as services told of them.
    """

    flag: str
    variant: str = ""
    share: int = 100
    readers: int = 0
    requests: int = 0


@dataclass(frozen=True, kw_only=True)
class RampFlag(Signal, by=COMMAND):
    """A person sets the percent of readers on the fallback, up or down; `force` overrides what is not well there."""

    flag: str
    share: int
    reason: str = ""
    force: bool = False


@dataclass(frozen=True, kw_only=True)
class HoldHandBack(Signal, by=COMMAND):
    """A person halts a hand-back where it is."""

    flag: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ResumeHandBack(Signal, by=COMMAND):
    """A person lets a hand-back go on by rule, from the share that they chose or halted it at."""

    flag: str


@dataclass(frozen=True, kw_only=True)
class ExtendFlag(Signal, by=COMMAND):
    """A person puts the end of an engagement off. `asked` is the end that a button asked about: it counts for that one only."""

    flag: str
    lasts: timedelta
    asked: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PinFlag(Signal, by=COMMAND):
    """A person keeps rules off a flag, on what it serves or on a variant that they name."""

    flag: str
    variant: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class UnpinFlag(Signal, by=COMMAND):
    """A person lets rules move a flag again."""

    flag: str


@dataclass(frozen=True, kw_only=True)
class FreezeFlags(Signal, by=COMMAND):
    """A person keeps rules off all flags; they ask instead."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ThawFlags(Signal, by=COMMAND):
    """A person lets rules move flags again."""

    reason: str = ""
