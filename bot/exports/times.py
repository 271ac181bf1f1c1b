"""Times and spans in files: UTC, to the second, and never zero for what was not recorded."""

from datetime import UTC, datetime, timedelta

from bot.timeline.durations import Durations
from bot.views.text import span

NOT_RECORDED = "not recorded"


def stamp(at: datetime | None) -> str:
    """`2026-03-20 12:43:10 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else NOT_RECORDED


def iso(at: datetime | None) -> str | None:
    """`2026-03-20T12:43:10Z`, for programs."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def length(value: timedelta | None) -> str:
    """`4 h 02 min`."""
    return NOT_RECORDED if value is None else span(value)


def points(took: Durations) -> dict[str, datetime | None]:
    """The points in time, by their names in files."""
    return {
        "impact_at": took.impact_at,
        "detected_at": took.detected_at,
        "acknowledged_at": took.acknowledged_at,
        "vendor_first_at": took.vendor_first_at,
        "first_post_at": took.first_post_at,
        "failover_at": took.failover_at,
        "mitigated_at": took.mitigated_at,
        "vendor_resolved_at": took.vendor_resolved_at,
        "ended_at": took.ended_at,
    }


def spans(took: Durations) -> dict[str, timedelta | None]:
    """The spans, by their names in files."""
    return {
        "detect": took.detect,
        "acknowledge": took.acknowledge,
        "first_post": took.first_post,
        "failover": took.failover,
        "mitigate": took.mitigate,
        "resolve": took.resolve,
        "vendor_ack_lag": took.vendor_ack_lag,
        "lead": took.lead,
        "longest_silence": took.longest_silence,
    }
