"""What the configuration says of paging: steps by severity, and quiet hours by a wall clock. Pure; zones come in as data."""

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime, time, timedelta, tzinfo

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Severity

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class PageStep:
    """Whom to call, and how long after the declaration. Names as the configuration has them."""

    after: timedelta
    mention: tuple[str, ...] = ()
    dm: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()  # numbers or schemes of addresses, or `all`


@dataclass(frozen=True)
class QuietHours:
    """Every day from `begins` to `ends` in `zone`, over midnight where the end is the earlier one."""

    severities: frozenset[Severity]
    begins: time
    ends: time
    zone: tzinfo = UTC

    def until(self, now: datetime) -> datetime | None:
        """When the hours that `now` lies in end; None where it lies in none. Their end is no part of them."""
        return next((end for start, end in self._around(now) if start <= now < end), None)

    def later(self, start: datetime, after: timedelta) -> datetime:
        """The moment when `after` has passed since `start`, quiet hours not counted; never inside of them."""
        at, left = self.until(start) or start, after
        while True:
            begins = min(begin for begin, _ in self._around(at) if begin > at)
            if at + left < begins:
                return at + left
            left -= begins - at
            at = self.until(begins) or begins

    def _around(self, now: datetime) -> list[tuple[datetime, datetime]]:
        """Those of yesterday to the day after tomorrow, whatever an hour's change does to their length."""
        today, spans = now.astimezone(self.zone).date(), []
        for days in range(-1, 3):
            day = today + days * A_DAY
            last = day if self.begins < self.ends else day + A_DAY
            start = datetime.combine(day, self.begins, self.zone).astimezone(UTC)
            spans.append((start, datetime.combine(last, self.ends, self.zone).astimezone(UTC)))
        return spans


@dataclass(frozen=True)
class PagingPolicy:
    """Steps by severity, in order of time; a severity without any pages nobody."""

    steps: Mapping[Severity, tuple[PageStep, ...]] = field(default_factory=dict)
    quiet: QuietHours | None = None
    last_resort: bool = False  # whether there are addresses to call where every step reached nobody

    def quiet_until(self, severity: Severity, now: datetime) -> datetime | None:
        """When the quiet hours of a severity end that `now` lies in; None where it lies in none."""
        return self.quiet.until(now) if self.quiet and severity in self.quiet.severities else None

    def later(self, severity: Severity, start: datetime, after: timedelta) -> datetime:
        """When a step is due that stands so long after `start`."""
        if self.quiet is None or severity not in self.quiet.severities:
            return start + after
        return self.quiet.later(start, after)
