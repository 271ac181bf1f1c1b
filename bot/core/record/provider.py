"""What the facts of a provider add up to: what its own page says, and what of that was heard before."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.model import FeedState, Notice

MOST_AN_HOUR = 60  # updates of one vendor that are told one by one within an hour
NOTICE_OVER = frozenset({"resolved", "postmortem", "completed"})  # a vendor's words for the end of what it announced


@dataclass(frozen=True)
class NoticeHeard:
    """What we heard of one notice: its newest update, when its first and its last word were said, by the vendor's time."""

    update: str
    first_at: datetime
    last_at: datetime
    quiet: bool = False  # it has a quiet thread in the ops channel


@dataclass(frozen=True)
class Listed:
    """Which pages ever listed a standing notice, and since when they lack it; time in which nothing was read does not count."""

    pages: tuple[str, ...] = ()
    missing_since: datetime | None = None


@dataclass(frozen=True)
class ProviderState:
    """What a provider's own page said last."""

    id: str
    feed: FeedState = FeedState.UNKNOWN
    feed_reason: str = ""
    heard: Mapping[str, NoticeHeard] = field(default_factory=dict)  # by notice id
    notices: tuple[Notice, ...] = ()  # newest update of each notice that is not over, newest first
    words: int = 0  # updates seen in all
    feed_at: datetime | None = None  # since when the page is as it is
    maintenance: tuple[str, ...] = ()  # our components that the page calls under maintenance
    pages: tuple[str, ...] = ()  # which of its addresses were ever read
    seen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # update ids that are no news, by notice id, oldest first
    told_at: tuple[datetime, ...] = ()  # when its newest updates were told one by one
    flood_told_at: datetime | None = None  # when it was last said that it says too much
    listed: Mapping[str, Listed] = field(default_factory=dict)  # of the standing notices, by notice id
    unlisted: tuple[Notice, ...] = ()  # stand no longer because the page stopped listing them, newest first

    def first_word(self, notice: Notice) -> datetime:
        """When the vendor said the first of its words about the same thing."""
        return heard.first_at if (heard := self.heard.get(notice.id)) else notice.at
