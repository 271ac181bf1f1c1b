"""Counters that only grow, as most exporters send them by default: what is new since the last time."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bot.core.outcomes.counts import Counts, Route
from bot.core.outcomes.outcome import Outcome, error_kind, untimely


@dataclass(frozen=True, slots=True)
class Point:
    """A data point: nanoseconds since 1970 (a `start` of 0: not told), how many requests, a histogram of their durations."""

    start: int
    end: int
    count: int
    latency: dict[int, int]


@dataclass(frozen=True, slots=True)
class Reading:
    """A point of a series that only grows; `key` tells it from all others, `error` is empty where requests were served."""

    key: bytes
    point: Point
    route: Route
    error: str = ""


def grown(last: Point | None, point: Point, since: int) -> Point | None:
    """What came between the last point of a series and this one; None where it only has to be noted.

    All series are known `since` then. One that is not, and began before, may have been told to somebody else: counting nothing
    twice comes before counting all. Nor does one say enough that tells no start, until it has grown.
    """
    if last is not None and last.start == point.start and last.count <= point.count:
        return _difference(last, point)
    if not point.start or (last is None and point.start < since):
        return None
    return _difference(Point(point.start, point.start, 0, {}), point)  # it begins here, or began anew


def counted(route: Route, error: str, point: Point, now: datetime) -> Outcome | None:
    """The requests of a point, at its middle, or its end where it tells no start; None where that is more than a day ago, or
    still to come.
    """
    at = moment(((point.start or point.end) + point.end) // 2)
    if at is None or untimely(at, now):
        return None
    counts = Counts(latency=point.latency)
    counts.see(point.count, ok=not error, error=error_kind(error))
    return Outcome(min(at, now), route, counts)


def moment(nanoseconds: int) -> datetime | None:
    """A time of OTLP, for what may be one."""
    try:
        return datetime.fromtimestamp(nanoseconds / 1e9, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _difference(before: Point, after: Point) -> Point:
    latency = {place: new for place, count in after.latency.items() if (new := count - before.latency.get(place, 0)) > 0}
    return Point(before.end, after.end, after.count - before.count, latency)
