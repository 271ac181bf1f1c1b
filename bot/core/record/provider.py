"""A provider's state: what its status page says, and what was seen before."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.model import FeedState, Notice

MOST_AN_HOUR = 60  # updates of one vendor told individually within an hour
NOTICE_OVER = frozenset({"resolved", "postmortem", "completed"})  # statuses with which a vendor ends a notice


@dataclass(frozen=True)
class NoticeHeard:
    """What we know of one notice: its newest update, and the vendor's times of its first and last update."""

    update: str
    first_at: datetime
    last_at: datetime
    quiet: bool = False  # it has a quiet thread in the ops channel


@dataclass(frozen=True)
class Listed:
    """Which pages have listed an open notice, and since when they lack it; times without a reading do not count."""

    pages: tuple[str, ...] = ()
    missing_since: datetime | None = None


@dataclass(frozen=True)
class ProviderState:
    """What a provider's own page said most recently."""

    id: str
    feed: FeedState = FeedState.UNKNOWN
    feed_reason: str = ""
    heard: Mapping[str, NoticeHeard] = field(default_factory=dict)  # by notice id
    notices: tuple[Notice, ...] = ()  # the newest update of each open notice, newest first
    words: int = 0  # number of updates seen
    feed_at: datetime | None = None  # since when the page is readable or unreadable
    maintenance: tuple[str, ...] = ()  # our components that the page shows under maintenance
    pages: tuple[str, ...] = ()  # the provider's addresses that were ever read
    seen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # update ids that are no news, by notice id, oldest first
    told_at: tuple[datetime, ...] = ()  # when its newest updates were told individually
    flood_told_at: datetime | None = None  # when people were last told of a flood
    listed: Mapping[str, Listed] = field(default_factory=dict)  # open notices, by notice id
    unlisted: tuple[Notice, ...] = ()  # notices that lapsed because the page no longer lists them, newest first

    def first_word(self, notice: Notice) -> datetime:
        """When the vendor first posted about the same thing."""
        return heard.first_at if (heard := self.heard.get(notice.id)) else notice.at
