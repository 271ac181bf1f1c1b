"""What people ask of a flag, and which readers have its current variant."""

from datetime import datetime, timedelta

from bot.core.lazy_dataclass import dataclass
from bot.core.signals.base import ASKING, COMMAND, RULES, Duty, Signal


@dataclass(frozen=True, kw_only=True)
class EngageFlag(Signal, by=COMMAND):
    """A person switches a flag to a fallback; without a variant, to the first healthy one. `approves` answers a proposal.

    `share` is the percentage of readers who are switched; the others stay on the default. `force` overrides a failed or
    missing rehearsal, and an unwell default when a smaller share would send readers back to it. Without it, a rehearsal is
    overridden only if they were `warned` of it (`decide.warned`); None = they did not press a button.
    """

    flag: str
    variant: str = ""
    reason: str = ""
    hold_for: timedelta | None = None
    approves: bool = False
    share: int = 100
    force: bool = False
    warned: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class RejectProposal(Signal, by=COMMAND):
    """A person rejects a proposal. `variant` is what the button asked about; empty = whatever is proposed."""

    flag: str
    variant: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class StepBack(Signal, by=COMMAND):
    """A person approves the first step of a hand-back."""

    flag: str


@dataclass(frozen=True, kw_only=True)
class ReleaseFlag(Signal, by=COMMAND):
    """A person ends an engagement at once.

    `force` overrides an unhealthy default; without it, only what they were `warned` of is overridden (`decide.warned`).
    """

    flag: str
    reason: str = ""
    force: bool = False
    warned: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReadersCounted(Signal, by=RULES, duty=Duty.CLOCK):
    """How many holders of a copy of the flags have the switch made at `changed_at`, and which ones do not."""

    flag: str
    changed_at: datetime
    by: int
    of: int
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PlanSwitch(Signal, by=ASKING):
    """Somebody asks what `EngageFlag` would do; nothing is changed. `readers` are those of the last fifteen minutes.

    `requests` counts the last ten minutes, as far as services report them.
    """

    flag: str
    variant: str = ""
    share: int = 100
    readers: int = 0
    requests: int = 0


@dataclass(frozen=True, kw_only=True)
class RampFlag(Signal, by=COMMAND):
    """A person sets the percentage of readers on the fallback; `force` overrides health problems on the receiving side."""

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
    """A person lets rules continue a hand-back, from the share at which people set or halted it."""

    flag: str


@dataclass(frozen=True, kw_only=True)
class ExtendFlag(Signal, by=COMMAND):
    """A person postpones the end of an engagement. `asked` is the end that the button showed; it applies to no other one."""

    flag: str
    lasts: timedelta
    asked: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PinFlag(Signal, by=COMMAND):
    """A person stops rules from moving a flag, on its current variant or on one that they name."""

    flag: str
    variant: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class UnpinFlag(Signal, by=COMMAND):
    """A person lets rules move a flag again."""

    flag: str


@dataclass(frozen=True, kw_only=True)
class FreezeFlags(Signal, by=COMMAND):
    """A person stops rules from moving any flag; they ask instead."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ThawFlags(Signal, by=COMMAND):
    """A person lets rules move flags again."""

    reason: str = ""
