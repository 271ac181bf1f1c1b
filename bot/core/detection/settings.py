"""Every setting of detection, with the defaults that docs/detection.md measures. Pure."""

import math
from datetime import timedelta

from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class Rule:
    """How the results of one check become a judgement. `bench/detection.py` measures the defaults."""

    # A sequential test: Page's CUSUM (1954) of the log-likelihood ratio between two failure rates.
    noise: float = 0.01  # share of runs that fail although all is well
    trouble: float = 0.25  # share that is certainly an outage; smaller ones are found too, but later
    threshold: float = 11.5  # deciding score: four failures in a row reach 12.9

    # Besides that, a window over rounds. A round is a scheduled run and its rechecks; it failed if half of them did.
    window: int = 5
    failures: int = 3

    at_least: timedelta = timedelta(seconds=10)  # failures within this time are one hiccup of our own network
    at_least_clear: timedelta = timedelta(seconds=6)  # the same if each is clearly the provider's fault; at most `at_least`

    # Quick rechecks while in doubt, and what they may cost.
    recheck: timedelta = timedelta(seconds=1.5)
    quick_share: float = 0.2  # of the scheduled runs, in the long run
    quick_most: int = 60  # per doubt, and the most that can be saved up

    # Recovery takes longer than detection, so that one lucky answer ends nothing.
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
        """What a failed and a good result add to the score."""
        return math.log(self.trouble / self.noise), math.log((1 - self.trouble) / (1 - self.noise))
