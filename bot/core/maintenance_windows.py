"""Windows of our own maintenance: once, or every so often by a wall clock. Pure; time zones come in as data."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo

from bot.core.ids import ComponentId
from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class Recurrence:
    """`at` that time of day in `zone`, for `lasts`; on `days` (0 = Monday), or daily where none is named."""

    at: time
    lasts: timedelta
    days: frozenset[int] = frozenset()
    zone: tzinfo = UTC


@dataclass(frozen=True)
class Window:
    """Planned work of ours: its components' alerts are held back meanwhile.

    `components` are ids of components or of providers (all of theirs); empty = everything. Without a recurrence the window
    is from `starts` to `ends`; with one these two, where given, are the first and the last moment of the whole series.
    """

    components: tuple[str, ...] = ()
    starts: datetime | None = None
    ends: datetime | None = None
    recurrence: Recurrence | None = None
    reason: str = ""

    def covers(self, component: str) -> bool:
        """Whether it is about this component."""
        return not self.components or bool({component, ComponentId(component).provider} & set(self.components))

    def until(self, now: datetime) -> datetime | None:
        """When the window that `now` lies in ends; None where `now` lies in none. Its end is no part of it."""
        if (self.starts and now < self.starts) or (self.ends and now >= self.ends):
            return None
        if self.recurrence is None:
            return self.ends  # one without an end would hold alerts back for ever
        end = max((end for start, end in _occurrences(self.recurrence, now) if start <= now < end), default=None)
        return min(end, self.ends) if end and self.ends else end

    def begins(self, after: datetime) -> datetime | None:
        """The first moment behind `after` at which it begins, or begins again; None where it does not."""
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
    """Those that `now` may lie in, and those of the days `ahead`, in order. Zones shift by up to a day."""
    today = now.astimezone(every.zone).date()
    for days in range(-every.lasts.days - 2, ahead + 1):
        day = today + timedelta(days=days)
        if every.days and day.weekday() not in every.days:
            continue
        start = datetime.combine(day, every.at, every.zone).astimezone(UTC)  # in UTC, or an hour's change would bend the length
        yield start, start + every.lasts
