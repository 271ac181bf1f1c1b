"""What checks, vendors, other monitors and people report about a component."""

from datetime import timedelta

from bot.core.lazy_dataclass import dataclass
from bot.core.model import AlertState, FeedReport, Verdict
from bot.core.record.sight import Sight
from bot.core.signals.base import COMMAND, MONITORS, RESPONDERS, RULES, VENDORS, Duty, Signal


@dataclass(frozen=True, kw_only=True)
class VerdictReached(Signal, by=RULES, duty=Duty.SHARE):
    """The detector's verdict differs from the one committed."""

    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class FeedRead(Signal, by=VENDORS, duty=Duty.SHARE):
    """A vendor's page was read, or could not be read."""

    report: FeedReport


@dataclass(frozen=True, kw_only=True)
class SightChanged(Signal, by=RULES, duty=Duty.CLOCK):
    """We lost or regained our view of the network."""

    sight: Sight


@dataclass(frozen=True, kw_only=True)
class Alerted(Signal, by=MONITORS):
    """Another monitor fired or resolved an alert; `key` names it within its `source`."""

    source: str
    key: str
    component: str
    state: AlertState
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Reported(Signal, by=RESPONDERS):
    """A person says that a component does not work for them."""

    component: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Mute(Signal, by=COMMAND):
    """A person holds a component's alerts back for a while; muting again replaces the end time."""

    component: str
    lasts: timedelta
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Unmute(Signal, by=COMMAND):
    """A person ends a mute."""

    component: str
