"""An incident's title, once a person sets it."""

from bot.core.answers.base import Done, Refused
from bot.core.decide.draft import Draft, Handlers, Step
from bot.core.decide.titles import DRILL_TITLE
from bot.core.lazy_dataclass import dataclass
from bot.core.record.incident_facts import TitleChanged
from bot.core.signals.incident import Rename

TITLE_CHARS = 200


@dataclass(frozen=True, kw_only=True)
class Renamed(Done):
    """The incident has that title now."""

    KIND = "renamed"
    title: str


@dataclass(frozen=True, kw_only=True)
class CalledAlready(Refused):
    """It already has that title."""

    KIND = "called_already"
    title: str


@dataclass(frozen=True, kw_only=True)
class NoNewTitle(Refused):
    """Renaming needs a title, and there was none."""

    KIND = "no_new_title"
    title: str  # what it is called


@dataclass(frozen=True, kw_only=True)
class TitleTooLong(Refused):
    """That is too long for a title."""

    KIND = "title_too_long"
    most: int


def on_rename(draft: Draft, signal: Rename) -> Step:
    """A person sets the title, also after the end, for the post-mortem. Rules do not change it from then on."""
    incident, title = draft.incident(signal.incident), " ".join(signal.title.split())
    if not title:
        return draft.refuse(NoNewTitle(incident=incident.number, title=incident.title))
    if incident.drill and not title.startswith(DRILL_TITLE):
        title = f"{DRILL_TITLE}{title}"
    if len(title) > TITLE_CHARS:
        return draft.refuse(TitleTooLong(incident=incident.number, most=TITLE_CHARS))
    if title == incident.title:
        return draft.refuse(CalledAlready(incident=incident.number, title=title))
    draft.add(incident.stream, TitleChanged(incident.title, title))
    return draft.done(Renamed(incident=incident.number, title=title))


HANDLERS: Handlers = {Rename: on_rename}
