"""How fast a slash command is acknowledged while 500 checks run every 30 s."""

import asyncio
import tempfile
from pathlib import Path

from bench.bot import running
from bench.report import line, percentile

COMMANDS = 400
PAUSE_S = 0.08  # the whole run lasts about as long as one round of checks


def main() -> bool:
    """Type /health again and again; the workspace measures from sending to acknowledgement."""
    print("ack: slash commands beside 500 checks every 30 s")
    with tempfile.TemporaryDirectory() as folder:
        acks = asyncio.run(_run(Path(folder)))
    line("acknowledged, p50", percentile(acks, 0.5) * 1e3, "ms")
    return line("acknowledged, p99", percentile(acks, 0.99) * 1e3, "ms", 100)


async def _run(folder: Path) -> list[float]:
    async with running(folder, 500) as bot:
        ana = bot.workspace.person("ana")
        for _ in range(COMMANDS):
            await ana.types("/health")
            await asyncio.sleep(PAUSE_S)
        return [ack.seconds for ack in bot.workspace.acks if ack.type == "slash_commands"]
