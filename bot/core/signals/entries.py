"""What people add to a timeline, and later changes to it."""

from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.record.incident import SourceMessage
from bot.core.signals.base import RESPONDERS, RULES, OfIncident


@dataclass(frozen=True, kw_only=True)
class AddMessage(OfIncident, by=RESPONDERS):
    """A person adds a message to the timeline: explicitly, or (`pinned`) with an emoji on it."""

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
    """A person corrects the text or time of an entry written by people; None leaves that part unchanged.

    The sender has checked that the fact `entry` is a note or a message.
    """

    entry: int
    text: str | None = None
    happened_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class HideEntry(OfIncident, by=RESPONDERS):
    """A person hides an entry written by people, or (`back`) shows it again."""

    entry: int
    back: bool = False
