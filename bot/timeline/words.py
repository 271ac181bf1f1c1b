"""What sentences of every family are made with."""

from datetime import datetime


def clock(at: datetime) -> str:
    """`12:43 UTC`."""
    return f"{at:%H:%M} UTC"


def evidence(lines: tuple[str, ...]) -> str:
    """` (evidence: ...)`, or nothing."""
    return f" (evidence: {'; '.join(lines)})" if lines else ""
