"""What people say of tasks and follow-ups."""

from datetime import datetime

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor
from bot.core.signals.base import RESPONDERS, OfIncident


@dataclass(frozen=True, kw_only=True)
class AddTask(OfIncident, by=RESPONDERS):
    """A person says what is to be done. Of an incident that is over everything is a follow-up."""

    text: str
    owner: Actor | None = None
    due_at: datetime | None = None
    follow_up: bool = False


@dataclass(frozen=True, kw_only=True)
class ChangeTask(OfIncident, by=RESPONDERS):
    """A person says anew what is to be done, by whom and by when, all of it."""

    task: int
    text: str
    owner: Actor | None
    due_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class GiveTask(OfIncident, by=RESPONDERS):
    """A person takes a task, or hands it to somebody; None = nobody has it."""

    task: int
    to: Actor | None


@dataclass(frozen=True, kw_only=True)
class FinishTask(OfIncident, by=RESPONDERS):
    """A person says that a task is done."""

    task: int


@dataclass(frozen=True, kw_only=True)
class ReopenTask(OfIncident, by=RESPONDERS):
    """A person says that a task is not done, or is to be done after all."""

    task: int


@dataclass(frozen=True, kw_only=True)
class DropTask(OfIncident, by=RESPONDERS):
    """A person says that a task is not going to be done."""

    task: int
    reason: str = ""
