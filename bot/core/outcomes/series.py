"""Cumulative counters, the default of most exporters: what was added since the last report."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bot.core.outcomes.counts import Counts, Route
from bot.core.outcomes.outcome import Outcome, error_kind, untimely


@dataclass(frozen=True, slots=True)
class Point:
    """A data point: times in nanoseconds since 1970 (`start` 0: not reported), a request count, a histogram of durations."""

    start: int
    end: int
    count: int
    latency: dict[int, int]


@dataclass(frozen=True, slots=True)
class Reading:
    """A point of a cumulative series; `key` identifies the series, `error` is empty for successful requests."""

    key: bytes
    point: Point
    route: Route
    error: str = ""


def grown(last: Point | None, point: Point, since: int) -> Point | None:
    """The growth from the last point of a series to this one; None if the point only needs to be recorded.

    All series have been known since `since`. An unknown one that began earlier may have been counted elsewhere, and counting
    nothing twice matters more than counting everything. The same holds for one without a start, until it has grown.
    """
    if last is not None and last.start == point.start and last.count <= point.count:
        return _difference(last, point)
    if not point.start or (last is None and point.start < since):
        return None
    return _difference(Point(point.start, point.start, 0, {}), point)  # the series starts, or restarted, here


def counted(route: Route, error: str, point: Point, now: datetime) -> Outcome | None:
    """The requests of a point, dated at its middle (or its end, without a start).

    None if that is more than a day ago or in the future.
    """
    at = moment(((point.start or point.end) + point.end) // 2)
    if at is None or untimely(at, now):
        return None
    counts = Counts(latency=point.latency)
    counts.see(point.count, ok=not error, error=error_kind(error))
    return Outcome(min(at, now), route, counts)


def moment(nanoseconds: int) -> datetime | None:
    """The time of an OTLP timestamp; None if it is not one."""
    try:
        return datetime.fromtimestamp(nanoseconds / 1e9, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _difference(before: Point, after: Point) -> Point:
    latency = {place: new for place, count in after.latency.items() if (new := count - before.latency.get(place, 0)) > 0}
    return Point(before.end, after.end, after.count - before.count, latency)
