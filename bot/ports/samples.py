"""What checks found: many results, cheap and short-lived."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Sample
from bot.ports.outcomes import Outcomes


@dataclass(frozen=True)
class LatencyPicture:
    """How a component's checks went lately: `count` conclusive runs, `failed` of them; percentiles of those that succeeded."""

    count: int
    p50_ms: float | None
    p95_ms: float | None
    failed: int


@dataclass(frozen=True)
class Remembered:
    """What was concluded from samples: a text under a name, in place of an earlier one of that name."""

    name: str
    text: str


class Samples(Protocol):
    """Check results: many, cheap, short-lived."""

    @property
    def outcomes(self) -> Outcomes:
        """What became of real requests, which is kept, bounded and forgotten with the results."""

    async def add(self, samples: Sequence[Sample], remembered: Sequence[Remembered] = ()) -> None:
        """Write a batch, and what was concluded with it, all or nothing; durable soon (within a second), not at once."""

    async def remembered(self) -> dict[str, str]:
        """What was concluded, by name."""

    async def forget_remembered(self, names: Collection[str]) -> None:
        """Forget what was concluded under these names."""

    async def recent(self, check: str, limit: int, vantage: str | None = None) -> list[Sample]:
        """The newest results of a check, oldest first; from one vantage only, where one is named."""

    async def since(self, at: datetime) -> list[Sample]:
        """The results of all checks since a moment, oldest first."""

    async def medians(self, since: datetime, vantage: str | None = None) -> dict[str, float]:
        """By check, the usual duration in ms of those runs since a moment that succeeded; from one vantage, where named."""

    async def latencies(self, components: Collection[str], since: datetime) -> dict[str, LatencyPicture]:
        """The latency of each of these components since a moment."""

    async def rolled(self, since: datetime, until: datetime, *, timed: bool) -> dict[str, LatencyPicture]:
        """By component, how the checks of the hours went that began in a span and are summed up; single results aside.

        Percentiles (within 5 %) only with `timed`: they take several times as long.
        """

    async def trim(self, before: datetime) -> int:
        """Forget results older than `before`, in small chunks; says how many went."""

    async def keep_within(self, budget_bytes: int, now: datetime) -> int:
        """Forget the oldest until the rest takes no more room than that; says how many single results went.

        What is dated after `now`, by a clock that was wrong, makes nothing older than it is.
        """
