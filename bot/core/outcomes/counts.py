"""Counts of real requests, by minute and by route."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.core.histogram import middle_ms, percentile

MINUTE = timedelta(minutes=1)
MOST_ERRORS = 8  # kinds of error counted separately in one row; the rest is OTHER
OTHER = "other"


class Route(NamedTuple):
    """Who answered a request: service, flag, variant and provider; empty = not reported."""

    service: str
    flag: str = ""
    variant: str = ""
    provider: str = ""


@dataclass(slots=True)
class Counts:
    """How many requests succeeded and how many failed, by kind of error, with a histogram of durations."""

    ok: int = 0
    failed: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    latency: dict[int, int] = field(default_factory=dict)  # bucket of `core.histogram` -> count

    @property
    def total(self) -> int:
        """All requests."""
        return self.ok + self.failed

    def see(self, count: int, *, ok: bool, error: str = "", latency: int | None = None) -> None:
        """Count requests with the same result; `latency` is a bucket."""
        if ok:
            self.ok += count
        else:
            self.failed += count
            self._error(error or OTHER, count)
        if latency is not None:
            self.latency[latency] = self.latency.get(latency, 0) + count

    def add(self, other: "Counts") -> None:
        """Add another set of counts."""
        self.ok += other.ok
        self.failed += other.failed
        for error, count in other.errors.items():
            self._error(error, count)
        for bucket, count in other.latency.items():
            self.latency[bucket] = self.latency.get(bucket, 0) + count

    def _error(self, error: str, count: int) -> None:
        known = error in self.errors or len(self.errors) < MOST_ERRORS
        kind = error if known else OTHER
        self.errors[kind] = self.errors.get(kind, 0) + count

    def latency_ms(self, share: float) -> float | None:
        """A percentile of the reported durations, within 5 %; None if there are none."""
        return percentile([(middle_ms(index), count) for index, count in sorted(self.latency.items())], share)


@dataclass(frozen=True, slots=True)
class MinuteCount:
    """The counts of one route in the minute that begins `at`."""

    at: datetime
    route: Route
    counts: Counts
