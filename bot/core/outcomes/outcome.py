"""One report by a service: requests with the same result; and why some reports are rejected."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.histogram import bucket
from bot.core.outcomes.counts import Counts, Route

AHEAD = timedelta(minutes=1)  # allowed clock difference: a report this far ahead counts as current
OLDEST = timedelta(days=1)
ERROR_CHARS = 40

_NO_KIND = re.compile(r"[^A-Za-z0-9 ._:/-]+", re.ASCII)


class Untimely(StrEnum):
    """Why a report is not counted."""

    FUTURE = "from_the_future"
    TOO_OLD = "too_old"


@dataclass(slots=True)
class Outcome:
    """Requests of one route at one moment, and their result."""

    at: datetime
    route: Route
    counts: Counts


def make_outcome(
    at: datetime, route: Route, *, ok: bool, count: int = 1, error: str = "", latency_ms: float | None = None
) -> Outcome:
    """A report of requests with the same result."""
    counts = Counts()
    counts.see(count, ok=ok, error=error, latency=None if latency_ms is None else bucket(round(latency_ms * 1_000)))
    return Outcome(at, route, counts)


def error_kind(text: str) -> str:
    """The kind of an error, in a few plain characters; free text would make every error a kind of its own."""
    return _NO_KIND.sub("_", text)[:ERROR_CHARS].strip("_ ")


def untimely(at: datetime, now: datetime) -> Untimely | None:
    """Why a report from that moment is not counted; None if it is."""
    if at - now > AHEAD:
        return Untimely.FUTURE
    return Untimely.TOO_OLD if now - at > OLDEST else None
