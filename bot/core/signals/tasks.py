"""What people do with tasks and follow-ups."""

from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor
from bot.core.signals.base import RESPONDERS, OfIncident


@dataclass(frozen=True, kw_only=True)
class AddTask(OfIncident, by=RESPONDERS):
    """A person adds something to be done. Once the incident is over it is a follow-up."""

    text: str
    owner: Actor | None = None
    due_at: datetime | None = None
    follow_up: bool = False


@dataclass(frozen=True, kw_only=True)
class ChangeTask(OfIncident, by=RESPONDERS):
    """A person replaces a task's text, owner and due time."""

    task: int
    text: str
    owner: Actor | None
    due_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class GiveTask(OfIncident, by=RESPONDERS):
    """A person takes a task, or assigns it to somebody; None = nobody owns it."""

    task: int
    to: Actor | None


@dataclass(frozen=True, kw_only=True)
class FinishTask(OfIncident, by=RESPONDERS):
    """A person says that a task is done."""

    task: int


@dataclass(frozen=True, kw_only=True)
class ReopenTask(OfIncident, by=RESPONDERS):
    """A person says that a task is not done after all, or should be done after all."""

    task: int


@dataclass(frozen=True, kw_only=True)
class DropTask(OfIncident, by=RESPONDERS):
    """A person says that a task will not be done."""

    task: int
    reason: str = ""
