"""A token bucket: limits how much may come at once, and how much per second in the long run."""


class TokenBucket:
    """Holds up to `burst` tokens and gains `per_s` each second. Seconds are those of any steady clock."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._tokens = burst
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Take one token; False if none is left."""
        if self._at is not None:
            self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._per_s)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
