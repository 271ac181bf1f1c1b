"""Our own maintenance windows: one-off, or recurring by a wall clock. Pure; time zones come in as data."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo

from bot.core.ids import ComponentId
from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class Recurrence:
    """Starts at `at` in `zone` and runs for `lasts`; on `days` (0 = Monday), or every day if none is named."""

    at: time
    lasts: timedelta
    days: frozenset[int] = frozenset()
    zone: tzinfo = UTC


@dataclass(frozen=True)
class Window:
    """Planned work of ours, during which alerts of its components are held back.

    `components` are ids of components or of providers (all their components); empty = everything. Without a recurrence the
    window runs from `starts` to `ends`; with one, `starts` and `ends`, if given, bound the whole series.
    """

    components: tuple[str, ...] = ()
    starts: datetime | None = None
    ends: datetime | None = None
    recurrence: Recurrence | None = None
    reason: str = ""

    def covers(self, component: str) -> bool:
        """Whether the window applies to this component."""
        return not self.components or bool({component, ComponentId(component).provider} & set(self.components))

    def until(self, now: datetime) -> datetime | None:
        """When the window that contains `now` ends; None if `now` is outside. The end itself is outside."""
        if (self.starts and now < self.starts) or (self.ends and now >= self.ends):
            return None
        if self.recurrence is None:
            return self.ends  # never None: a window without an end would hold alerts back for ever
        end = max((end for start, end in _occurrences(self.recurrence, now) if start <= now < end), default=None)
        return min(end, self.ends) if end and self.ends else end

    def begins(self, after: datetime) -> datetime | None:
        """The first time after `after` at which the window begins; None if it never begins again."""
        if self.recurrence is None:
            return self.starts if self.starts and self.ends and after < self.starts < self.ends else None
        first = self.starts or after
        for start, end in _occurrences(self.recurrence, max(after, first), ahead=LONGEST_GAP_DAYS):
            begins = max(start, self.starts or start)
            if after < begins < end:
                return begins if self.ends is None or begins < self.ends else None
        return None


LONGEST_GAP_DAYS = 9  # a week from one occurrence to the next, and a day's shift of zones at each end


def _occurrences(every: Recurrence, now: datetime, ahead: int = 1) -> Iterator[tuple[datetime, datetime]]:
    """The occurrences that may contain `now`, and those of the next `ahead` days, in order. Time zones shift by up to a day."""
    today = now.astimezone(every.zone).date()
    for days in range(-every.lasts.days - 2, ahead + 1):
        day = today + timedelta(days=days)
        if every.days and day.weekday() not in every.days:
            continue
        start = datetime.combine(day, every.at, every.zone).astimezone(UTC)  # in UTC, so clock changes keep the length
        yield start, start + every.lasts
