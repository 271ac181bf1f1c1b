"""The facts of a provider, each with what it makes of its state: what its page says, and what of that is news."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.model import FeedState, Notice
from bot.core.record.fact import Body, Fact, OfComponents, Reasoned, Source
from bot.core.record.incident import Incident
from bot.core.record.provider import MOST_AN_HOUR, NOTICE_OVER, Listed, NoticeHeard, ProviderState

MOST_STANDING = 50  # notices that a page has open at once; the newest are kept
MOST_PAGES = 20  # addresses of one provider; they change with the configuration


@dataclass(frozen=True)
class FeedChanged(Reasoned, Body):
    """The vendor's status page became readable, or stopped being so."""

    KIND = "feed.changed"
    SOURCE = Source.VENDOR
    provider: str
    state: FeedState
    reason: str

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """The time in which the page could not be read counts for nothing that is missing."""
        listed = _unread(state, fact.at)
        return replace(state, feed=self.state, feed_reason=self.reason, feed_at=fact.at, listed=listed)


@dataclass(frozen=True)
class MaintenanceSaid(OfComponents, Body):
    """The vendor's page calls other components under maintenance than before; empty = none any more."""

    KIND = "feed.maintenance"
    SOURCE = Source.VENDOR
    provider: str
    components: tuple[str, ...]

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """These, and no others."""
        return replace(state, maintenance=self.components)


@dataclass(frozen=True)
class PageFirstRead(Body):
    """A page was read for the first time: these updates (by notice) are history, known from here on and told to nobody."""

    KIND = "feed.first_read"
    SOURCE = Source.VENDOR
    provider: str
    page: str  # which of the provider's addresses, as a digest
    passed: Mapping[str, tuple[str, ...]]

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """What stands there is no news."""
        pages = (*(page for page in state.pages if page != self.page), self.page)[-MOST_PAGES:]
        return replace(state, pages=pages, seen=_seen(state.seen, self.passed))


@dataclass(frozen=True)
class PageFlooded(Body):
    """The page said more at once than anybody reads: these updates (by notice) are known from here on, and only counted."""

    KIND = "feed.flooded"
    SOURCE = Source.VENDOR
    ANNOUNCED = True
    provider: str
    updates: Mapping[str, tuple[str, ...]]
    over: tuple[str, ...] = ()  # notices that ended among them
    told: bool = True

    @property
    def count(self) -> int:
        """How many updates they are."""
        return sum(map(len, self.updates.values()))

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """They are counted, and what ended among them stands no longer."""
        standing = tuple(n for n in state.notices if n.id not in self.over)
        told_at = fact.at if self.told else state.flood_told_at
        words = state.words + self.count
        seen = _seen(state.seen, self.updates)
        return _standing(replace(state, seen=seen, notices=standing, flood_told_at=told_at, words=words))


@dataclass(frozen=True)
class UpdatesForgotten(Body):
    """These updates (by notice) left the page long ago and are remembered no longer."""

    KIND = "feed.forgotten"
    SOURCE = Source.VENDOR
    provider: str
    updates: Mapping[str, tuple[str, ...]]

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """A notice of which no update is left is forgotten as a whole."""
        dropped = {id: frozenset(updates) for id, updates in self.updates.items()}
        left = {id: tuple(u for u in updates if u not in dropped.get(id, ())) for id, updates in state.seen.items()}
        seen = {id: updates for id, updates in left.items() if updates}
        heard = {id: heard for id, heard in state.heard.items() if id in seen or id not in self.updates}
        unlisted = tuple(n for n in state.unlisted if n.id in heard)
        standing = tuple(n for n in state.notices if n.id in heard)
        return _standing(replace(state, seen=seen, heard=heard, notices=standing, unlisted=unlisted))


@dataclass(frozen=True)
class NoticeSeen(Body):
    """The vendor said something on its status page."""

    KIND = "notice.seen"
    SOURCE = Source.VENDOR
    ANNOUNCED = True
    EVIDENCE = True
    notice: Notice
    late: bool = False  # it was over for a day and more when we first read of it: noted, told to nobody
    page: str = ""  # which of the provider's addresses said it, as a digest
    outage_began_at: datetime | None = None  # it speaks of an outage that began with an earlier incident than the one told:
    outage_known_at: datetime | None = None  # what that one saw first, and when it was declared

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """Its newest word replaces the one before, and where it is listed is kept for as long as it stands."""
        notice = self.notice
        others = tuple(n for n in state.notices if n.id != notice.id)
        pages = state.listed.get(notice.id, Listed()).pages
        pages = pages if not self.page or self.page in pages else (*pages, self.page)[-MOST_PAGES:]
        listed = {id: held for id, held in state.listed.items() if id != notice.id}
        after = replace(
            state,
            listed={**listed, notice.id: Listed(pages)} if pages else listed,  # a fact from before pages were kept names none
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
        """An incident counts what its vendor says."""
        first = min(incident.vendor.first_at or self.notice.at, self.notice.at)
        vendor = replace(incident.vendor, first_at=first, words=incident.vendor.words + 1)
        if self.outage_began_at:
            vendor = replace(vendor, outage_began_at=self.outage_began_at, outage_known_at=self.outage_known_at)
        return replace(incident, vendor=vendor)


@dataclass(frozen=True)
class ListingChanged(Body):
    """Notices that were never called over are missing from the page that listed them, or are listed (again)."""

    KIND = "feed.listing"
    SOURCE = Source.VENDOR
    provider: str
    page: str
    listed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """What is missing is so since now."""
        listed = dict(state.listed)
        for id in self.listed:
            pages = listed.get(id, Listed()).pages
            listed[id] = Listed(pages if self.page in pages else (*pages, self.page)[-MOST_PAGES:])
        for id in self.missing:
            listed[id] = replace(listed.get(id, Listed()), missing_since=fact.at)
        return _standing(replace(state, listed=listed))


@dataclass(frozen=True)
class NoticeUnlisted(OfComponents, Body):
    """The page stopped listing a notice without ever calling it over; it stands no longer."""

    KIND = "notice.unlisted"
    SOURCE = Source.VENDOR
    ANNOUNCED = True
    provider: str
    notice: str
    title: str
    status: str  # the last word
    components: tuple[str, ...] = ()

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """It may be listed again."""
        gone = tuple(n for n in state.notices if n.id == self.notice)
        standing = tuple(n for n in state.notices if n.id != self.notice)
        return _standing(replace(state, notices=standing, unlisted=(*gone, *state.unlisted)[:MOST_STANDING]))


@dataclass(frozen=True)
class NoticeListedAgain(OfComponents, Body):
    """The page lists again what it had stopped to list, with its old words; it stands again."""

    KIND = "notice.listed_again"
    SOURCE = Source.VENDOR
    ANNOUNCED = True
    provider: str
    notice: str
    title: str
    components: tuple[str, ...] = ()

    def onto(self, state: ProviderState, fact: Fact) -> ProviderState:
        """With the word that it had."""
        back = tuple(n for n in state.unlisted if n.id == self.notice)
        gone = tuple(n for n in state.unlisted if n.id != self.notice)
        return _standing(replace(state, notices=(*back, *state.notices)[:MOST_STANDING], unlisted=gone))


def _standing(state: ProviderState) -> ProviderState:
    """Know where a notice is listed for as long as it stands."""
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
