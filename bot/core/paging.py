"""The configuration of paging: steps by severity, and quiet hours by a wall clock. Pure; time zones come in as data."""

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime, time, timedelta, tzinfo

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Severity

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class PageStep:
    """Whom to call, and how long after the declaration. Names are as configured."""

    after: timedelta
    mention: tuple[str, ...] = ()
    dm: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()  # names or schemes of addresses, or `all`


@dataclass(frozen=True)
class QuietHours:
    """Every day from `begins` to `ends` in `zone`; past midnight if `ends` is the earlier time."""

    severities: frozenset[Severity]
    begins: time
    ends: time
    zone: tzinfo = UTC

    def until(self, now: datetime) -> datetime | None:
        """When the quiet hours that contain `now` end; None outside quiet hours. The end itself is outside."""
        return next((end for start, end in self._around(now) if start <= now < end), None)

    def later(self, start: datetime, after: timedelta) -> datetime:
        """`start` plus `after`, not counting quiet hours; the result is never inside quiet hours."""
        at, left = self.until(start) or start, after
        while True:
            begins = min(begin for begin, _ in self._around(at) if begin > at)
            if at + left < begins:
                return at + left
            left -= begins - at
            at = self.until(begins) or begins

    def _around(self, now: datetime) -> list[tuple[datetime, datetime]]:
        """The spans from yesterday to the day after tomorrow, with clock changes taken into account."""
        today, spans = now.astimezone(self.zone).date(), []
        for days in range(-1, 3):
            day = today + days * A_DAY
            last = day if self.begins < self.ends else day + A_DAY
            start = datetime.combine(day, self.begins, self.zone).astimezone(UTC)
            spans.append((start, datetime.combine(last, self.ends, self.zone).astimezone(UTC)))
        return spans


@dataclass(frozen=True)
class PagingPolicy:
    """Steps by severity, in order of time; a severity without steps pages nobody."""

    steps: Mapping[Severity, tuple[PageStep, ...]] = field(default_factory=dict)
    quiet: QuietHours | None = None
    last_resort: bool = False  # whether there are addresses to call when no step has reached anybody

    def quiet_until(self, severity: Severity, now: datetime) -> datetime | None:
        """When the quiet hours of this severity that contain `now` end; None outside quiet hours."""
        return self.quiet.until(now) if self.quiet and severity in self.quiet.severities else None

    def later(self, severity: Severity, start: datetime, after: timedelta) -> datetime:
        """When a step is due that is configured for `after` past `start`."""
        if self.quiet is None or severity not in self.quiet.severities:
            return start + after
        return self.quiet.later(start, after)
