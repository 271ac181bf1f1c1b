"""Counters that only grow, as most exporters send them by default: what is new since the last time."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime

MOST_STREAMS = 20_000  # the one that told nothing for longest goes first


@dataclass(frozen=True, slots=True)
class Point:
    """A data point: nanoseconds since 1970, how many requests, and a histogram of their durations."""

    start: int
    end: int
    count: int
    latency: dict[int, int]


class Cumulative:
    """Remembers the last point of each stream, in memory.

    A stream that began before we began to listen is only noted the first time: what it counted may have been told to the
    process before this one. So a restart loses what such streams counted since their last export, and counts nothing twice.
    """

    def __init__(self, began_at: datetime) -> None:
        self._began = began_at.timestamp() * 1e9
        self._last: OrderedDict[Hashable, Point] = OrderedDict()

    def seen(self, key: Hashable, point: Point, now: datetime) -> Point | None:
        """The point that this one has to be taken from; None where it only has to be noted, or is older than the last."""
        last = self._last.pop(key, None)
        if last is not None and point.end <= last.end:
            self._last[key] = last
            return None
        self._last[key] = point
        if len(self._last) > MOST_STREAMS:
            self._last.popitem(last=False)
        if last is not None and last.start == point.start and last.count <= point.count:
            return last
        if last is None and point.start < self._began:
            return None
        return Point(point.start, point.start, 0, {})  # it begins here, or began anew


def difference_of(before: Point, after: Point) -> Point:
    """What came between two points of a stream."""
    latency = {place: new for place, count in after.latency.items() if (new := count - before.latency.get(place, 0)) > 0}
    return Point(before.end, after.end, after.count - before.count, latency)
