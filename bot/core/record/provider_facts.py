"""The facts of a provider, each with its effect on the provider's state: what its page says, and what is new."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.model import FeedState, Notice
from bot.core.record.fact import Body, Fact, OfComponents, Reasoned, Source
from bot.core.record.incident import Incident
from bot.core.record.provider import MOST_AN_HOUR, NOTICE_OVER, Listed, NoticeHeard, ProviderState

MOST_STANDING = 50  # open notices on one page; the newest are kept
MOST_PAGES = 20  # addresses of one provider, which change with the configuration


@dataclass(frozen=True)
class FeedChanged(Reasoned, Body):
    """The vendor's status page became readable, or stopped being so."""

    KIND = "feed.changed"
    SOURCE = Source.VENDOR
    provider: str
    state: FeedState
    reason: str

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """Time in which the page could not be read does not count towards a missing notice."""
        listed = _unread(state, fact.at)
        return replace(state, feed=self.state, feed_reason=self.reason, feed_at=fact.at, listed=listed)


@dataclass(frozen=True)
class MaintenanceSaid(OfComponents, Body):
    """The page shows different components under maintenance than before; empty = none any more."""

    KIND = "feed.maintenance"
    SOURCE = Source.VENDOR
    provider: str
    components: tuple[str, ...]

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """Exactly these components."""
        return replace(state, maintenance=self.components)


@dataclass(frozen=True)
class PageFirstRead(Body):
    """A page was read for the first time: these updates (by notice) are history, so nobody is told of them."""

    KIND = "feed.first_read"
    SOURCE = Source.VENDOR
    provider: str
    page: str  # digest of the address that was read
    passed: Mapping[str, tuple[str, ...]]

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """These updates are not news."""
        pages = (*(page for page in state.pages if page != self.page), self.page)[-MOST_PAGES:]
        return replace(state, pages=pages, seen=_seen(state.seen, self.passed))


@dataclass(frozen=True)
class PageFlooded(Body):
    """The page posted more at once than anybody reads: these updates (by notice) are only counted."""

    KIND = "feed.flooded"
    SOURCE = Source.VENDOR
    ANNOUNCED = True
    provider: str
    updates: Mapping[str, tuple[str, ...]]
    over: tuple[str, ...] = ()  # notices among them that ended
    told: bool = True

    @property
    def count(self) -> int:
        """The number of updates."""
        return sum(map(len, self.updates.values()))

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """Count them, and close notices that ended among them."""
        standing = tuple(n for n in state.notices if n.id not in self.over)
        told_at = fact.at if self.told else state.flood_told_at
        words = state.words + self.count
        seen = _seen(state.seen, self.updates)
        return _standing(replace(state, seen=seen, notices=standing, flood_told_at=told_at, words=words))


@dataclass(frozen=True)
class UpdatesForgotten(Body):
    """These updates (by notice) left the page long ago and are forgotten."""

    KIND = "feed.forgotten"
    SOURCE = Source.VENDOR
    provider: str
    updates: Mapping[str, tuple[str, ...]]

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """A notice without any updates left is forgotten completely."""
        dropped = {id: frozenset(updates) for id, updates in self.updates.items()}
        left = {id: tuple(u for u in updates if u not in dropped.get(id, ())) for id, updates in state.seen.items()}
        seen = {id: updates for id, updates in left.items() if updates}
        heard = {id: heard for id, heard in state.heard.items() if id in seen or id not in self.updates}
        unlisted = tuple(n for n in state.unlisted if n.id in heard)
        standing = tuple(n for n in state.notices if n.id in heard)
        return _standing(replace(state, seen=seen, heard=heard, notices=standing, unlisted=unlisted))


@dataclass(frozen=True)
class NoticeSeen(Body):
    """The vendor posted an update on its status page."""

    KIND = "notice.seen"
    SOURCE = Source.VENDOR
    ANNOUNCED = True
    EVIDENCE = True
    notice: Notice
    late: bool = False  # it ended a day or more before we first saw it: recorded, but told to nobody
    page: str = ""  # digest of the address that it was read from
    outage_began_at: datetime | None = None  # the outage it speaks of began with an earlier incident, which saw it begin then
    outage_known_at: datetime | None = None  # when that incident was declared

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """The newest update of a notice replaces the one before; where it is listed is kept while it is open."""
        notice = self.notice
        others = tuple(n for n in state.notices if n.id != notice.id)
        pages = state.listed.get(notice.id, Listed()).pages
        pages = pages if not self.page or self.page in pages else (*pages, self.page)[-MOST_PAGES:]
        listed = {id: held for id, held in state.listed.items() if id != notice.id}
        after = replace(
            state,
            listed={**listed, notice.id: Listed(pages)} if pages else listed,  # older facts name no page
            unlisted=tuple(n for n in state.unlisted if n.id != notice.id),
            heard={**state.heard, notice.id: self._heard(state.heard.get(notice.id), fact)},
            notices=others if notice.status in NOTICE_OVER else (notice, *others)[:MOST_STANDING],
            words=state.words + 1,
            seen=_seen(state.seen, {notice.id: (notice.update,)}),
            told_at=state.told_at if self.late else (*state.told_at, fact.at)[-MOST_AN_HOUR:],
        )
        return _standing(after)

    def _heard(self, before: NoticeHeard | None, fact: Fact) -> NoticeHeard:
        at = self.notice.at
        before = before or NoticeHeard("", at, at)
        quiet = before.quiet or (fact.incident is None and not self.late)
        return NoticeHeard(self.notice.update, min(before.first_at, at), max(before.last_at, at), quiet)

    def onto_incident(self, incident: Incident, fact: Fact) -> Incident:
        """The incident counts what its vendor says."""
        first = min(incident.vendor.first_at or self.notice.at, self.notice.at)
        vendor = replace(incident.vendor, first_at=first, words=incident.vendor.words + 1)
        if self.outage_began_at:
            vendor = replace(vendor, outage_began_at=self.outage_began_at, outage_known_at=self.outage_known_at)
        return replace(incident, vendor=vendor)


@dataclass(frozen=True)
class ListingChanged(Body):
    """Open notices are missing from the page that listed them, or are listed (again)."""

    KIND = "feed.listing"
    SOURCE = Source.VENDOR
    provider: str
    page: str
    listed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """Missing notices count as missing from now on."""
        listed = dict(state.listed)
        for id in self.listed:
            pages = listed.get(id, Listed()).pages
            listed[id] = Listed(pages if self.page in pages else (*pages, self.page)[-MOST_PAGES:])
        for id in self.missing:
            listed[id] = replace(listed.get(id, Listed()), missing_since=fact.at)
        return _standing(replace(state, listed=listed))


@dataclass(frozen=True)
class NoticeUnlisted(OfComponents, Body):
    """The page stopped listing a notice that was never closed; it no longer counts as open."""

    KIND = "notice.unlisted"
    SOURCE = Source.VENDOR
    ANNOUNCED = True
    provider: str
    notice: str
    title: str
    status: str  # the last status
    components: tuple[str, ...] = ()

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """Keep it, since it may be listed again."""
        gone = tuple(n for n in state.notices if n.id == self.notice)
        standing = tuple(n for n in state.notices if n.id != self.notice)
        return _standing(replace(state, notices=standing, unlisted=(*gone, *state.unlisted)[:MOST_STANDING]))


@dataclass(frozen=True)
class NoticeListedAgain(OfComponents, Body):
    """The page lists a notice again that it had dropped, without a new update; it counts as open again."""

    KIND = "notice.listed_again"
    SOURCE = Source.VENDOR
    ANNOUNCED = True
    provider: str
    notice: str
    title: str
    components: tuple[str, ...] = ()

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """Reopen it with its last update."""
        back = tuple(n for n in state.unlisted if n.id == self.notice)
        gone = tuple(n for n in state.unlisted if n.id != self.notice)
        return _standing(replace(state, notices=(*back, *state.notices)[:MOST_STANDING], unlisted=gone))


def _standing(state: ProviderState) -> ProviderState:
    """Keep the listings of open notices only."""
    ids = {notice.id for notice in state.notices}
    return replace(state, listed={id: listed for id, listed in state.listed.items() if id in ids})


def _unread(state: ProviderState, at: datetime) -> Mapping[str, Listed]:
    if state.feed is FeedState.FRESH or state.feed_at is None:
        return state.listed
    unread = at - state.feed_at
    return {
        id: replace(listed, missing_since=listed.missing_since + unread) if listed.missing_since else listed
        for id, listed in state.listed.items()
    }


def _seen(seen: Mapping[str, tuple[str, ...]], more: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {**seen, **{id: (*seen.get(id, ()), *updates) for id, updates in more.items()}}
