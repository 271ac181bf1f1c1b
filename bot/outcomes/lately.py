"""How much a flag is used now, as far as services tell."""

from datetime import datetime, timedelta

from bot.core.outcomes.counts import MINUTE
from bot.ports import Outcomes, StoreError

LATELY = timedelta(minutes=10)


async def requests_lately(outcomes: Outcomes, flag: str, now: datetime) -> int:
    """How many requests were told of a flag in the last ten minutes; 0 where none was, or the counts cannot be read."""
    try:
        minutes = await outcomes.between(now - LATELY, now + MINUTE)
    except StoreError:  # said by whoever watches over the files; a plan is good without
        return 0
    return sum(one.counts.total for one in minutes if one.route.flag == flag)
