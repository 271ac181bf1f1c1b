"""What became of requests of real customers: counts by minute, kept beside the samples."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.outcomes.counts import MinuteCount
from bot.core.outcomes.outcome import Outcome
from bot.core.outcomes.series import Reading
from bot.core.outcomes.served import Sum


@dataclass(frozen=True, slots=True)
class Told:
    """What one request told, which its `key` tells from all others: counts, and readings of series that only grow."""

    key: bytes
    counts: Sequence[MinuteCount] = ()
    readings: Sequence[Reading] = ()


class Outcomes(Protocol):
    """Counts of outcomes by minute and way."""

    async def add(
        self, counts: Sequence[MinuteCount], told: Collection[Told] = (), *, now: datetime, began: datetime | None = None
    ) -> list[Outcome]:
        """Add a batch to what is counted, and what requests told whose keys are not known yet, all or nothing. Gives what is
        new in their readings.

        It outlives the process at once, and a power cut after the next checkpoint. Keys of more than a day ago are forgotten,
        and so are series that are silent for as long. `began` is since when we listen, where nobody did before.
        """

    async def known_key(self, key: bytes) -> bool:
        """Whether a request of this key was counted within a day."""

    async def between(self, start: datetime, end: datetime) -> list[MinuteCount]:
        """What was counted in the minutes that begin from `start` until before `end`, in order of time."""

    async def totals(self, start: datetime, end: datetime) -> list[Sum]:
        """The same added up for each way, the minute in which `start` lies included."""

    async def services(self, since: datetime) -> set[str]:
        """The services that told of anything since then."""
