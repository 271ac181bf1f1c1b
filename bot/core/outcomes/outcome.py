"""One telling of a service: requests that went alike, and why some tellings are not taken."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.histogram import bucket
from bot.core.outcomes.counts import Counts, Route

AHEAD = timedelta(minutes=1)  # how far another machine's clock may be ahead: what it tells then is of now
OLDEST = timedelta(days=1)
ERROR_CHARS = 40

_NO_KIND = re.compile(r"[^A-Za-z0-9 ._:/-]+", re.ASCII)


class Untimely(StrEnum):
    """Why something that was told is not counted."""

    FUTURE = "from_the_future"
    TOO_OLD = "too_old"


@dataclass(slots=True)
class Outcome:
    """Requests of one way at one moment, with what they came to."""

    at: datetime
    route: Route
    counts: Counts


def told(at: datetime, route: Route, *, ok: bool, count: int = 1, error: str = "", latency_ms: float | None = None) -> Outcome:
    """Requests that went alike."""
    counts = Counts()
    counts.see(count, ok=ok, error=error, latency=None if latency_ms is None else bucket(round(latency_ms * 1_000)))
    return Outcome(at, route, counts)


def error_kind(text: str) -> str:
    """What kind of error it was, in a few plain characters; the words of an error would be another kind each time."""
    return _NO_KIND.sub("_", text)[:ERROR_CHARS].strip("_ ")


def untimely(at: datetime, now: datetime) -> Untimely | None:
    """Why a moment is not counted; None for one that is."""
    if at - now > AHEAD:
        return Untimely.FUTURE
    return Untimely.TOO_OLD if now - at > OLDEST else None
