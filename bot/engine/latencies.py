"""How fast checks were lately, for whoever asks how things stand."""

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta

import structlog

from bot.ports import LatencyPicture, Samples, StoreError

log = structlog.get_logger(__name__)

LATELY = timedelta(hours=1)
KNOWN_WITHIN_S = 1.0  # a person who asks what is down is not kept waiting for how fast it was


async def latencies_lately(samples: Samples, components: Collection[str], now: datetime) -> dict[str, LatencyPicture]:
    """The latency of each component over the last hour; nothing while results cannot be read, or take over a second.

    A database that is away is told by whoever watches over it, and takes no verdict from those who ask.
    """
    if not components:
        return {}
    try:
        async with asyncio.timeout(KNOWN_WITHIN_S):
            return await samples.latencies(components, now - LATELY)
    except (StoreError, TimeoutError) as error:
        log.info("how fast checks were is not known", why=str(error) or f"no answer within {KNOWN_WITHIN_S:g} s")
        return {}
