"""Passes on what was measured or received here to the other replicas, and receives theirs, through the ledger."""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from typing import Any
from uuid import uuid4

from bot.core.model import Sample
from bot.ports import Member
from bot.vantage.wire import pack, unpack
from bot.watch.plan import Courier

SAMPLES = "samples"
REMEMBERED = 2_000  # newest batches: as many as two replicas hold back while the ledger is away


class Exchange:
    """`take` adds samples that another replica passed on."""

    def __init__(self, member: Member, take: Callable[[Sequence[Sample]], Awaitable[None]]) -> None:
        self._member = member
        self._take = take
        self._had: deque[str] = deque(maxlen=REMEMBERED)
        member.hear(SAMPLES, self._hear)

    def pass_on(self, samples: Sequence[Sample]) -> None:
        """Send samples to the others, if there are any."""
        if len(self._member.live) < 2:
            return
        for vantage, of_it in groupby(samples, key=lambda sample: sample.vantage):
            left = list(of_it)
            while left:
                body, count = pack(uuid4().hex, vantage, left)
                self._member.tell(SAMPLES, body.decode("ascii"))
                left = left[count:]

    async def _hear(self, body: Any) -> None:
        batch = unpack(str(body).encode("ascii"))
        if batch.id in self._had:  # its sender got no response from the ledger, and sent it again
            return
        self._had.append(batch.id)
        await self._take(batch.samples)


class CourierToAll:
    """The `Courier` of a replica that is a vantage of its own: to the other replicas, and to peers if there are any."""

    def __init__(self, exchange: Exchange, vantage: str, peers: Courier | None) -> None:
        self._exchange = exchange
        self._vantage = vantage
        self._peers = peers

    def offer(self, samples: Sequence[Sample]) -> int:
        """Accept a batch without waiting."""
        self._exchange.pass_on([sample for sample in samples if sample.vantage == self._vantage])
        return self._peers.offer(samples) if self._peers else 0
