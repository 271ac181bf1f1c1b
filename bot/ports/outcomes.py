"""Outcomes of real customers' requests: counts by minute, stored beside the samples."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.outcomes.counts import MinuteCount
from bot.core.outcomes.outcome import Outcome
from bot.core.outcomes.series import Reading
from bot.core.outcomes.served import RouteTotal


@dataclass(frozen=True, slots=True)
class OutcomeBatch:
    """The content of one request, identified by its `key`: counts, and readings of cumulative series.

    `digest` is that of its body; empty if the key alone says what it contains.
    """

    key: bytes
    counts: Sequence[MinuteCount] = ()
    readings: Sequence[Reading] = ()
    digest: bytes = b""


class Outcomes(Protocol):
    """Counts of outcomes by minute and route."""

    async def add(
        self,
        counts: Sequence[MinuteCount],
        told: Collection[OutcomeBatch] = (),
        *,
        now: datetime,
        began: datetime | None = None,
    ) -> list[Outcome]:
        """Add a batch of counts, and the content of requests with new keys, all or nothing. Returns their readings' growth.

        Survives the process at once, and a power cut after the next checkpoint. Keys older than a day are deleted, as are
        series silent for that long. `began` is since when we have been listening, if nobody did before.
        """

    async def digest_of(self, key: bytes) -> bytes | None:
        """The digest of the request that was counted under this key within a day; None if none was."""

    async def between(self, start: datetime, end: datetime) -> list[MinuteCount]:
        """The counts of minutes that begin from `start` until before `end`, in order of time."""

    async def totals(self, start: datetime, end: datetime) -> list[RouteTotal]:
        """The same summed up per route, including the minute that contains `start`."""

    async def services(self, since: datetime) -> set[str]:
        """The services that reported anything since then."""
