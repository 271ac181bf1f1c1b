"""Histograms of durations: each geometric bucket is 10 % wider than the last, so a percentile is off by at most 5 %."""

import math
from collections.abc import Sequence

WIDTH = math.log(1.1)  # of a bucket, in logarithms


def bucket(us: int) -> int:
    """The bucket of a duration in microseconds."""
    return round(math.log(max(us, 1)) / WIDTH)


def middle_ms(index: int) -> float:
    """The duration that stands for a bucket, in milliseconds."""
    return math.exp(index * WIDTH) / 1_000


def percentile(ranked: Sequence[tuple[float, int]], share: float) -> float | None:
    """The nearest-rank percentile of ordered (value, count) pairs; None when there are none."""
    rank = math.ceil(share * sum(count for _, count in ranked))
    for value, count in ranked:
        rank -= count
        if rank <= 0:
            return value
    return None
