"""A common rhythm: everything that runs every second runs at the same instant, so that one wake-up serves all."""

import asyncio


def next_round(now: float, every_s: float) -> float:
    """The multiple of the interval after the one nearest to `now`: half an interval to one and a half away."""
    return (round(now / every_s) + 1) * every_s


async def until_next_round(every_s: float) -> None:
    """Sleep for about `every_s` real seconds, until everything else with that interval wakes up too."""
    now = asyncio.get_running_loop().time()
    await asyncio.sleep(next_round(now, every_s) - now)
