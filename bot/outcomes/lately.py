"""How much a flag is used at present, according to services."""

from datetime import datetime, timedelta

from bot.core.outcomes.counts import MINUTE
from bot.ports import Outcomes, StoreError

LATELY = timedelta(minutes=10)


async def requests_lately(outcomes: Outcomes, flag: str, now: datetime) -> int:
    """The number of requests reported for a flag in the last ten minutes; 0 if none, or if counts cannot be read."""
    try:
        minutes = await outcomes.between(now - LATELY, now + MINUTE)
    except StoreError:  # whoever monitors the files reports it; a plan works without
        return 0
    return sum(one.counts.total for one in minutes if one.route.flag == flag)
