"""Helpers for the sentences of all families."""

import math
from datetime import datetime


def clock(at: datetime) -> str:
    """`12:43 UTC`."""
    return f"{at:%H:%M} UTC"


def evidence(lines: tuple[str, ...]) -> str:
    """` (evidence: ...)`, or nothing."""
    return f" (evidence: {'; '.join(lines)})" if lines else ""


def more_than_who(reason: str, who: str) -> str:
    """A reason; empty if it only says who declared it, since the reader already has that name."""
    return "" if reason == f"declared by {who}" else reason


def percent(share: float) -> str:
    """`99.2 %`, cut and not rounded: anything incomplete never reads as 100 %."""
    return "100 %" if share >= 1 else f"{math.floor(share * 1_000) / 10:.1f} %"
