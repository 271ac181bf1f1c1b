"""Check results: many, cheap and short-lived."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Sample
from bot.ports.outcomes import Outcomes


@dataclass(frozen=True)
class LatencyPicture:
    """Recent results of a component's checks: `count` conclusive runs, `failed` of them; percentiles of successful ones."""

    count: int
    p50_ms: float | None
    p95_ms: float | None
    failed: int


@dataclass(frozen=True)
class Remembered:
    """A conclusion from samples: text stored under a name, replacing an earlier one."""

    name: str
    text: str


class Samples(Protocol):
    """Check results: many, cheap, short-lived."""

    @property
    def outcomes(self) -> Outcomes:
        """Outcomes of real requests, which are stored, limited and deleted together with the samples."""

    async def add(self, samples: Sequence[Sample], remembered: Sequence[Remembered] = ()) -> None:
        """Write a batch, with what was concluded from it, all or nothing; durable soon (within a second), not at once."""

    async def remembered(self) -> dict[str, str]:
        """What was remembered, by name."""

    async def forget_remembered(self, names: Collection[str]) -> None:
        """Delete what was remembered under these names."""

    async def recent(self, check: str, limit: int, vantage: str | None = None) -> list[Sample]:
        """The newest samples of a check, oldest first; from one vantage, if given."""

    async def since(self, at: datetime) -> list[Sample]:
        """The samples of all checks since a time, oldest first."""

    async def medians(self, since: datetime, vantage: str | None = None) -> dict[str, float]:
        """By check, the median duration in ms of successful runs since a time; from one vantage, if given."""

    async def latencies(self, components: Collection[str], since: datetime) -> dict[str, LatencyPicture]:
        """The latency of each of these components since a time."""

    async def rolled(self, since: datetime, until: datetime, *, timed: bool) -> dict[str, LatencyPicture]:
        """By component, the results in the finished hours that began in a span; without individual samples.

        Percentiles (within 5 %) only with `timed`, since they take several times as long.
        """

    async def unrolled(self, since: datetime, until: datetime) -> dict[str, LatencyPicture]:
        """By component, the results of a span that are in no hourly roll-up yet, counted; no percentiles."""

    async def trim(self, before: datetime) -> int:
        """Delete samples older than `before`, in small chunks; returns how many."""

    async def keep_within(self, budget_bytes: int, now: datetime) -> int:
        """Delete the oldest data until the rest fits; returns how many samples were deleted.

        Samples dated after `now`, by a wrong clock, do not make others older.
        """
