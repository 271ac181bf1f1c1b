"""`/health` beside 10,000 checks, from typing until the answer stands: `python -m bench health`.

All is well at first; then a component of a hundred checks is down, whose latency the answer tells.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from bench.bot import Running, components, go_first, running, vendor
from bench.report import line, percentile, timed

COMPONENTS, CHECKS = 100, 100  # of each
WARM_UP_S = 40.0  # every check has looked once
TIMES, PAUSE_S = 60, 0.25
LIMIT_MS = 50.0


def main() -> bool:
    """Print p50 and p99 of each way to ask."""
    print(f"health: beside {COMPONENTS * CHECKS:,} checks every 30 s, from typing until the answer stands")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # beside the checkout: /tmp may be memory
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> bool:
    async with _serving() as well, _serving() as failing:
        providers = {
            "local": {"components": components(COMPONENTS - 1, (COMPONENTS - 1) * CHECKS, _port(well))},
            "failing": {"components": components(1, CHECKS, _port(failing))},
        }
        async with running(folder, 0, providers=providers) as bot:
            for pid in (bot.pid, os.getpid()):
                go_first(pid)
            await asyncio.sleep(WARM_UP_S)
            held = await _asked(bot, "/health", "while all is well", LIMIT_MS)
            await failing.cleanup()
            await bot.workspace.person("ana").waits_for("down", within=120)
            held &= await _asked(bot, "/health", "while a component is down", LIMIT_MS)
            await _asked(bot, "/health failing", "of that provider")
            await _asked(bot, "/health local", f"of a provider with {COMPONENTS - 1} components")
    return held


@asynccontextmanager
async def _serving() -> AsyncIterator[web.AppRunner]:
    served = web.AppRunner(vendor({}), access_log=None)
    await served.setup()
    await web.TCPSite(served, "127.0.0.1", 0).start()
    yield served
    await served.cleanup()


def _port(served: web.AppRunner) -> int:
    return int(served.addresses[0][1])


async def _asked(bot: Running, typed: str, when: str, limit_ms: float | None = None) -> bool:
    took: list[float] = []
    ana, team = bot.workspace.person("ana"), bot.workspace.team
    for _ in range(TIMES):
        answered = len(team.ephemerals)
        with timed(took):
            await ana.types(typed)
            while len(team.ephemerals) == answered:
                await team.change_after(team.version)
        await asyncio.sleep(PAUSE_S)
    held = line(f"{typed} {when}, p50", percentile(took, 0.5) * 1e3, "ms", limit_ms)
    line(f"{typed} {when}, p99", percentile(took, 0.99) * 1e3, "ms")
    return held


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
