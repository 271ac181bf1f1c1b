"""What became of requests of real customers: counts by minute, kept beside the samples."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from bot.core.outcomes.counts import MinuteCount
from bot.core.outcomes.served import Sum


class Outcomes(Protocol):
    """Counts of outcomes by minute and way."""

    async def add(self, counts: Sequence[MinuteCount], keys: Collection[bytes] = (), *, now: datetime) -> None:
        """Add a batch to what is counted, and remember the keys of requests that it came with, all or nothing.

        It outlives the process at once, and a power cut after the next checkpoint. Keys of more than a day ago are forgotten.
        """

    async def known_key(self, key: bytes) -> bool:
        """Whether a request of this key was counted within a day."""

    async def between(self, start: datetime, end: datetime) -> list[MinuteCount]:
        """What was counted in the minutes that begin from `start` until before `end`, in order of time."""

    async def totals(self, start: datetime, end: datetime) -> list[Sum]:
        """The same added up for each way, the minute in which `start` lies included."""

    async def services(self, since: datetime) -> set[str]:
        """The services that told of anything since then."""
