"""How often each check had which outcome: a metric with ten thousand series, each stored as a single number."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from bot.core.model import Sample


class CheckResults(Collector):
    """`understudy_check_results_total`. The library's counter would need eight objects and a lock per check and outcome."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], dict[str, int]] = {}  # component, outcome and error -> check

    def see(self, sample: Sample) -> None:
        """A check ran."""
        counts = self._counts.setdefault((sample.component, sample.outcome.value, sample.error or ""), {})
        counts[sample.check] = counts.get(sample.check, 0) + 1

    def collect(self) -> Iterator[CounterMetricFamily]:
        """For a registry; may run on another thread than `see`."""
        found = CounterMetricFamily(
            "understudy_check_results", "Runs of checks by outcome and error class.",
            labels=("component", "check", "outcome", "error"),
        )  # fmt: skip
        for (component, outcome, error), counts in list(self._counts.items()):
            for check, count in list(counts.items()):
                found.add_metric((component, check, outcome, error), count)
        yield found
