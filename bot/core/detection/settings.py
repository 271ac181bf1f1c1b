"""Every knob of detection, with the defaults that hold what docs/detection.md measures. Pure."""

import math
from datetime import timedelta

from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class Rule:
    """How one check's looks become a judgement. `bench/detection.py` measures what the defaults come to."""

    # A sequential test: Page's CUSUM (1954) of the log-likelihood ratio between two shares of failed looks.
    noise: float = 0.01  # share of looks that fail although all is well
    trouble: float = 0.25  # share that is an outage beyond doubt; smaller ones are found too, later
    threshold: float = 11.5  # score that speaks: four failures in a row reach 12.9

    # Beside it a window over rounds; a round is a scheduled look with the quick ones that follow, failed when half of it did.
    window: int = 5
    failures: int = 3

    at_least: timedelta = timedelta(seconds=10)  # failures inside one hiccup of our own way out are one
    at_least_clear: timedelta = timedelta(seconds=6)  # no longer than that; where each failure is clearly theirs

    # Quick looks while in doubt, and what they may cost.
    recheck: timedelta = timedelta(seconds=1.5)
    quick_share: float = 0.2  # of the scheduled looks, in the long run
    quick_most: int = 60  # in one episode, and saved up for it

    # The way back is slower than the way in, so that one lucky answer ends nothing.
    recover_after: int = 5
    recover_for: timedelta = timedelta(seconds=60)
    flap_changes: int = 3
    flap_within: timedelta = timedelta(minutes=30)
    steady_for: timedelta = timedelta(minutes=10)

    # Latency: an answer is slow above max(fixed, factor * usual); fixed is the check's own `under`, or the floor.
    slow_over: timedelta | None = None
    slow_floor: timedelta = timedelta(seconds=1)
    slow_factor: float = 3.0
    slow_for: timedelta = timedelta(seconds=60)  # slowness must be sustained

    @property
    def weights(self) -> tuple[float, float]:
        """What a failed and what a good look add to the score."""
        return math.log(self.trouble / self.noise), math.log((1 - self.trouble) / (1 - self.noise))
