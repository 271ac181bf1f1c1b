"""How benchmarks measure time and print: one line a figure, with the claim beside it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def timed(into: list[float], clock: Callable[[], float] = time.perf_counter) -> Iterator[None]:
    """Append how long the block took, in seconds; of processor time where `clock` tells that."""
    began = clock()
    yield
    into.append(clock() - began)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of all lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def line(what: str, measured: float, unit: str, limit: float | None = None) -> bool:
    """Print one figure; with a limit, say whether it holds."""
    holds = limit is None or measured <= limit
    claim = "" if limit is None else f"   claim: at most {limit:g} {unit}: {'holds' if holds else 'DOES NOT HOLD'}"
    print(f"  {what:<52} {measured:>10.2f} {unit}{claim}", flush=True)
    return holds
