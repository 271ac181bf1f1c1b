"""From nothing to ready: what `--version` and `--help` take, and a bot with twenty thousand checks."""

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.bot import running
from bench.report import line

CHECKS = 20_000
COMPONENTS = 200
RUNS = 5


def main() -> bool:
    """The quickest of a few runs of each answer, since what else the machine does is in all of them; then one large start."""
    print("start: an answer that needs no verb, and a bot with 20,000 checks over 200 components in YAML")
    holds = line("understudy --version, quickest of five", min(_answers("--version") for _ in range(RUNS)), "s", 0.3)
    holds = line("understudy --help, quickest of five", min(_answers("--help") for _ in range(RUNS)), "s", 0.5) and holds
    with tempfile.TemporaryDirectory() as folder:
        ready_s, cpu_s, resident = asyncio.run(_large(Path(folder)))
    holds = line("20,000 checks, start to ready", ready_s, "s", 6) and holds
    line("of it processor time", cpu_s, "s")
    line("resident memory then", resident, "MB")
    return holds


def _answers(option: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "bot.cli", option], check=True, capture_output=True)
    return time.perf_counter() - began


async def _large(folder: Path) -> tuple[float, float, float]:
    async with running(folder, CHECKS, number=COMPONENTS) as bot:
        return bot.ready_after_s, bot.ready_after_cpu_s, bot.resident_mb()
