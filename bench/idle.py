"""Start to ready, and resident memory of an idle bot with five checks."""

import asyncio
import tempfile
from pathlib import Path

from bench.bot import running
from bench.report import line

SETTLE_S = 5.0
STARTS = 3


def main() -> bool:
    """Start the bot a few times; the slowest start and the largest memory count."""
    print("idle: a bot with five checks")
    ready, resident = [], []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory() as folder:
            took, memory = asyncio.run(_once(Path(folder)))
        ready.append(took)
        resident.append(memory)
    holds = line("start to ready, slowest of three", max(ready), "s", 1.2)
    return line("resident memory, largest of three", max(resident), "MB", 105) and holds


async def _once(folder: Path) -> tuple[float, float]:
    async with running(folder, 5) as bot:
        await asyncio.sleep(SETTLE_S)
        return bot.ready_after_s, bot.resident_mb()
