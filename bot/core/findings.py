"""The facts of what was found out: by our checks, by vendors' pages, alerts and people, and about our own sight.

Also what was done with it short of an incident: a component was muted, an alert was held back. `facts` has the other kinds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.core.body import Body, OfComponent, OfComponents, Reasoned
from bot.core.model import AlertState, Fault, FeedState, Level, Notice

# --- component/<id>


@dataclass(frozen=True)
class VerdictChanged(OfComponent, Reasoned, Body):
    """Our verdict of a component changed."""

    KIND = "verdict.changed"
    component: str
    previous: Level
    level: Level
    reason: str
    fault: Fault
    evidence: tuple[str, ...]
    began_at: datetime
    thread: str = ""  # effect key of the quiet thread that tells of it, empty = none


@dataclass(frozen=True)
class AdvisoryRaised(OfComponent, Reasoned, Body):
    """A part of a component fails persistently, too small a part for a worse verdict; or another part does than before."""

    KIND = "advisory.raised"
    component: str
    text: str
    reason: str
    evidence: tuple[str, ...] = ()
    thread: str = ""  # effect key of the quiet thread that tells of it, empty = none


@dataclass(frozen=True)
class AdvisoryEnded(OfComponent, Reasoned, Body):
    """That part is well again, or the whole component is worse."""

    KIND = "advisory.ended"
    component: str
    text: str  # what the advisory was
    reason: str


@dataclass(frozen=True)
class AlertSuppressed(OfComponent, Body):
    """A component is bad and nobody is alerted of it; measuring goes on. `until` is when the reason ends by itself."""

    KIND = "alert.suppressed"
    ANNOUNCED = True
    component: str
    why: str
    until: datetime | None = None
    thread: str = ""  # effect key of the quiet line that it went down while muted, once a mute; empty = none


@dataclass(frozen=True)
class AlertResumed(OfComponent, Body):
    """The reason for holding an alert back ended while the component was still bad."""

    KIND = "alert.resumed"
    component: str
    why: str  # why it was held back
    thread: str = ""  # effect key of the quiet thread that tells of it, empty = none


@dataclass(frozen=True)
class AlertHeard(OfComponent, Body):
    """Another monitor fired or resolved an alert about a component. The title is its own words."""

    KIND = "alert.heard"
    ANNOUNCED = True
    component: str
    source: str
    key: str
    state: AlertState
    title: str


@dataclass(frozen=True)
class ReportHeard(OfComponent, Body):
    """A person says that a component does not work for them."""

    KIND = "report.heard"
    ANNOUNCED = True
    component: str
    text: str


@dataclass(frozen=True)
class Muted(OfComponent, Reasoned, Body):
    """Somebody holds a component's alerts back for a while."""

    KIND = "mute.set"
    ANNOUNCED = True
    component: str
    until: datetime
    reason: str


@dataclass(frozen=True)
class Unmuted(OfComponent, Reasoned, Body):
    """A mute ended, by its time or by somebody, who needs no reason."""

    KIND = "mute.ended"
    ANNOUNCED = True
    component: str
    reason: str


# --- provider/<id>


@dataclass(frozen=True)
class FeedChanged(Reasoned, Body):
    """The vendor's status page became readable, or stopped being so."""

    KIND = "feed.changed"
    provider: str
    state: FeedState
    reason: str


@dataclass(frozen=True)
class MaintenanceSaid(OfComponents, Body):
    """The vendor's page calls other components under maintenance than before; empty = none any more."""

    KIND = "feed.maintenance"
    provider: str
    components: tuple[str, ...]


@dataclass(frozen=True)
class PageFirstRead(Body):
    """A page was read for the first time: these updates (by notice) are history, known from here on and told to nobody."""

    KIND = "feed.first_read"
    provider: str
    page: str  # which of the provider's addresses, as a digest
    passed: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class PageFlooded(Body):
    """The page said more at once than anybody reads: these updates (by notice) are known from here on, and only counted."""

    KIND = "feed.flooded"
    ANNOUNCED = True
    provider: str
    updates: Mapping[str, tuple[str, ...]]
    over: tuple[str, ...] = ()  # notices that ended among them
    told: bool = True

    @property
    def count(self) -> int:
        """How many updates they are."""
        return sum(map(len, self.updates.values()))


@dataclass(frozen=True)
class UpdatesForgotten(Body):
    """These updates (by notice) left the page long ago and are remembered no longer."""

    KIND = "feed.forgotten"
    provider: str
    updates: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class NoticeSeen(Body):
    """The vendor said something on its status page."""

    KIND = "notice.seen"
    ANNOUNCED = True
    notice: Notice
    late: bool = False  # it was over for a day and more when we first read of it: noted, told to nobody
    page: str = ""  # which of the provider's addresses said it, as a digest
    outage_began_at: datetime | None = None  # it speaks of an outage that began with an earlier incident than the one told:
    outage_known_at: datetime | None = None  # what that one saw first, and when it was declared


@dataclass(frozen=True)
class ListingChanged(Body):
    """Notices that were never called over are missing from the page that listed them, or are listed (again)."""

    KIND = "feed.listing"
    provider: str
    page: str
    listed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class NoticeUnlisted(OfComponents, Body):
    """The page stopped listing a notice without ever calling it over; it stands no longer."""

    KIND = "notice.unlisted"
    ANNOUNCED = True
    provider: str
    notice: str
    title: str
    status: str  # the last word
    components: tuple[str, ...] = ()


@dataclass(frozen=True)
class NoticeListedAgain(OfComponents, Body):
    """The page lists again what it had stopped to list, with its old words; it stands again."""

    KIND = "notice.listed_again"
    ANNOUNCED = True
    provider: str
    notice: str
    title: str
    components: tuple[str, ...] = ()


# --- sight


@dataclass(frozen=True)
class SightLost(Reasoned, Body):
    """We are blind: what fails now may as well be our own way out or our resolver."""

    KIND = "sight.lost"
    reason: str
    began_at: datetime  # when the evidence starts
    thread: str = ""  # effect key of the notice in the ops channel, empty = none


@dataclass(frozen=True)
class SightRegained(Reasoned, Body):
    """We see again: controls or providers answer."""

    KIND = "sight.regained"
    reason: str  # why we were blind
    began_at: datetime  # since when
    ended_at: datetime
