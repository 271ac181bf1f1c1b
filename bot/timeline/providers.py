"""Vendors' statements about themselves, as people read them."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.core.model import FeedState
from bot.core.record.fact import Fact
from bot.core.record.provider_facts import (
    FeedChanged,
    ListingChanged,
    MaintenanceSaid,
    NoticeListedAgain,
    NoticeSeen,
    NoticeUnlisted,
    PageFirstRead,
    PageFlooded,
    UpdatesForgotten,
)

SAME = timedelta(minutes=1)


def sentence(fact: Fact, names: Mapping[str, str]) -> str:
    """A fact of a provider; empty for others."""
    match fact.body:
        case FeedChanged(provider=provider, state=state):
            page = f"The status page of {names.get(provider, provider)}"
            return {
                FeedState.FRESH: f"{page} is read",
                FeedState.STALE: f"{page} cannot be read; its last word is kept",
                FeedState.UNKNOWN: f"{page} has not been read",
            }[state]
        case MaintenanceSaid(provider=provider, components=ids):
            what = ", ".join(names.get(id, id) for id in ids) or "nothing any more"
            return f"The status page of {names.get(provider, provider)} calls under maintenance: {what}"
        case PageFirstRead(provider=provider):
            return f"The status page of {names.get(provider, provider)} is read for the first time"
        case PageFlooded(provider=provider, count=count):
            return f"The status page of {names.get(provider, provider)} shows {count} more updates at once; see the page"
        case UpdatesForgotten(provider=provider):
            return f"Updates that left the status page of {names.get(provider, provider)} long ago are forgotten"
        case ListingChanged(provider=provider, listed=listed, missing=missing):
            page = f"The status page of {names.get(provider, provider)}"
            open_now = f"lists {_notices(len(listed), 'open ')}"
            gone = f"no longer lists {len(missing) if listed else _notices(len(missing))} that it never called over"
            said = [words for words, ids in ((open_now, listed), (gone, missing)) if ids]
            return f"{page} {' and '.join(said) or 'lists the same notices as before'}"
        case NoticeUnlisted() as b:
            page = f"The status page of {names.get(b.provider, b.provider)}"
            return f"{page} no longer lists “{b.title}”; its last word was “{b.status}”, never that it is over"
        case NoticeListedAgain() as b:
            return f"The status page of {names.get(b.provider, b.provider)} lists “{b.title}” again"
        case NoticeSeen(notice=n):
            page = f"Status page of {names.get(n.provider, n.provider)}{_dated(n.at, fact.at)}"
            return f"{page}: {n.title} ({n.status}): {n.body}"
    return ""


def _dated(said: datetime, seen: datetime) -> str:
    """The vendor's own time, unless it is the minute in which we saw it."""
    if abs(seen - said) < SAME:
        return ""
    return f" (dated {said:%H:%M} UTC)" if said.date() == seen.date() else f" (dated {said:%Y-%m-%d %H:%M} UTC)"


def _notices(number: int, how: str = "") -> str:
    return f"{number} {how}notice{'' if number == 1 else 's'}"
