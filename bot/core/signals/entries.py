"""What people put into a timeline, and what becomes of it."""

from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.record.incident import SourceMessage
from bot.core.signals.base import RESPONDERS, RULES, OfIncident


@dataclass(frozen=True, kw_only=True)
class AddMessage(OfIncident, by=RESPONDERS):
    """A person puts a message into the timeline: by name, or (`pinned`) by an emoji on it."""

    message: SourceMessage
    pinned: bool = False


@dataclass(frozen=True, kw_only=True)
class UnpinMessage(OfIncident, by=RESPONDERS):
    """A person took their emoji off a message (`channel/ts`)."""

    message: str


@dataclass(frozen=True, kw_only=True)
class SourceEdited(OfIncident, by=RULES):
    """A message (`channel/ts`) was edited; `edited_ts` is Slack's time of the edit."""

    message: str
    text: str
    edited_ts: str


@dataclass(frozen=True, kw_only=True)
class SourceDeleted(OfIncident, by=RULES):
    """A message (`channel/ts`) was deleted."""

    message: str


@dataclass(frozen=True, kw_only=True)
class CorrectEntry(OfIncident, by=RESPONDERS):
    """A person corrects an entry of people: what it reads, or when it happened; None leaves it as it is.

    Whoever sends it has looked that the fact `entry` is a note or a message.
    """

    entry: int
    text: str | None = None
    happened_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class HideEntry(OfIncident, by=RESPONDERS):
    """A person takes an entry of people out of sight, or (`back`) into sight again."""

    entry: int
    back: bool = False
