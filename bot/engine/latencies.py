"""Recent latencies of checks, for people who ask about the current state."""

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta

import structlog

from bot.ports import LatencyPicture, Samples, StoreError

log = structlog.get_logger(__name__)

LATELY = timedelta(hours=1)
KNOWN_WITHIN_S = 1.0  # nobody who asks what is down waits longer than this for latencies


async def latencies_lately(samples: Samples, components: Collection[str], now: datetime) -> dict[str, LatencyPicture]:
    """The latency of each component over the last hour; empty if samples cannot be read within a second.

    Whoever monitors the database reports its failure; answers leave the latencies out.
    """
    if not components:
        return {}
    try:
        async with asyncio.timeout(KNOWN_WITHIN_S):
            return await samples.latencies(components, now - LATELY)
    except (StoreError, TimeoutError) as error:
        log.info("latencies of checks cannot be read", why=str(error) or f"no answer within {KNOWN_WITHIN_S:g} s")
        return {}
