"""What people ask of a flag, and who is seen to have it."""

from datetime import datetime, timedelta

from bot.core.lazy_dataclass import dataclass
from bot.core.signals.base import COMMAND, RULES, Signal


@dataclass(frozen=True, kw_only=True)
class EngageFlag(Signal, by=COMMAND):
    """A person sends a flag to a fallback; without a variant the first healthy one. `approves` answers a proposal.

    `force` overrides a rehearsal that failed or never was.
    """

    flag: str
    variant: str = ""
    reason: str = ""
    hold_for: timedelta | None = None
    approves: bool = False
    force: bool = False


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
class ReadersCounted(Signal, by=RULES):
    """How many of those who keep a copy of the flags have what was switched at `changed_at`, and who does not."""

    flag: str
    changed_at: datetime
    by: int
    of: int
    missing: tuple[str, ...] = ()
