"""Start to ready, resident memory of an idle bot with five checks, and what one with 33 takes while nothing happens.

A first start loads what makes the data files, and keeps it; a later one does not. Where `rich` is installed, as it is for
contributors, structlog loads it, and both take 4 MB more.
"""

import asyncio
import os
import tempfile
from pathlib import Path

from bench.bot import Running, pin, running, two_cores
from bench.report import line

SETTLE_S = 5.0
STARTS = 3
WARM_S = 45.0  # what follows a start has ended, and each check has looked once
WATCHED_S = 180.0


def main() -> bool:
    """Start the bot a few times; the slowest start and the largest memory count. Then leave one alone for three minutes."""
    print("idle: a bot with five checks")
    ready, resident, again = [], [], []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory() as folder:
            took, memory = asyncio.run(_once(Path(folder)))
            ready.append(took)
            resident.append(memory)
            again.append(asyncio.run(_once(Path(folder)))[1])
    holds = line("start to ready, slowest of three", max(ready), "s", 1.2)
    holds = line("resident memory, largest of three", max(resident), "MB", 100) and holds
    holds = line("resident memory after a restart, largest of three", max(again), "MB", 97) and holds
    print(f"idle: a bot with 33 checks every 30 s, its Slack connected and silent, for {WATCHED_S:.0f} s")
    with tempfile.TemporaryDirectory() as folder:
        share, wakes = asyncio.run(_left_alone(Path(folder)))
    holds = line("of a core", share * 100, "%", 0.2) and holds
    line("wake-ups a second, of all threads", wakes, "")
    return holds


async def _once(folder: Path) -> tuple[float, float]:
    async with running(folder, 5) as bot:
        await asyncio.sleep(SETTLE_S)
        return bot.ready_after_s, bot.resident_mb()


async def _left_alone(folder: Path) -> tuple[float, float]:
    ours, core = os.sched_getaffinity(0), two_cores()
    async with running(folder, 33) as bot:
        pin(bot.pid, core[0])
        os.sched_setaffinity(0, {core[1]})  # a vendor that waits for the bot's core answers late, which costs the bot
        try:
            await asyncio.sleep(WARM_S)
            ran, woke = counted(bot)
            await asyncio.sleep(WATCHED_S)
            ran_then, woke_then = counted(bot)
        finally:
            os.sched_setaffinity(0, ours)
        return (ran_then - ran) / WATCHED_S, (woke_then - woke) / WATCHED_S


def counted(bot: Running) -> tuple[float, int]:
    """Processor seconds to the nanosecond, where `stat` counts in hundredths, and how often a thread was woken up."""
    threads = list(Path(f"/proc/{bot.pid}/task").iterdir())
    ran = sum(int((thread / "schedstat").read_text(encoding="ascii").split()[0]) for thread in threads) / 1e9
    status = "\n".join((thread / "status").read_text(encoding="ascii") for thread in threads)
    return ran, sum(int(row.split()[1]) for row in status.splitlines() if row.startswith("voluntary_ctxt_switches"))
