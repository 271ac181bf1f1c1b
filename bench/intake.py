"""Alerts of another monitor at 500 a second, each a fact on disk, and flags read meanwhile: `python -m bench intake`."""

import asyncio
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bench.bot import running
from bench.report import line, percentile

FLAG = {"chat": {"variants": {"a": 1, "b": 2}, "default": "a", "fallbacks": [{"variant": "b"}]}}
RATE, SECONDS, SENDERS = 500, 10, 16
KEYS = 40  # of each component; each fires, is resolved, and fires again
READ_EVERY_S = 0.01


@dataclass
class Seen:
    """What senders and reader were told, and how long it took."""

    taken: int = 0
    refused: int = 0
    alerts: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)  # reads before the alerts
    took_s: float = 0.0
    cpu_s: float = 0.0  # of the bot's process meanwhile


def main() -> bool:
    """One bot with five checks; alerts are spread evenly over the seconds, as fast as the cap of one source allows."""
    print(f"intake: {RATE} alerts a second for {SECONDS} s over {SENDERS} connections, flags read meanwhile")
    with tempfile.TemporaryDirectory() as folder:
        seen = asyncio.run(_run(Path(folder)))
    short = RATE - seen.taken / seen.took_s
    line("alerts taken", seen.taken / seen.took_s, "a second")
    line("alerts answered with 429", seen.refused, "")
    line("CPU of the bot an alert, its share of reads included", seen.cpu_s / len(seen.alerts) * 1e3, "ms")
    line("an alert answered, p50", percentile(seen.alerts, 0.5) * 1e3, "ms")
    line("an alert answered, p99", percentile(seen.alerts, 0.99) * 1e3, "ms")
    line("a flag read alone, p99", percentile(seen.alone, 0.99) * 1e3, "ms")
    line("a flag read meanwhile, p50", percentile(seen.reads, 0.5) * 1e3, "ms")
    holds = line("a flag read meanwhile, p99", percentile(seen.reads, 0.99) * 1e3, "ms", 20)
    line("a flag read meanwhile, slowest", max(seen.reads) * 1e3, "ms")
    return line("alerts short of the rate", short, "a second", RATE * 0.05) and holds


async def _run(folder: Path) -> Seen:
    seen = Seen()
    async with running(folder, 5, flags=FLAG) as bot:
        token = json.loads((folder / "data" / "control.json").read_text(encoding="utf-8"))["token"]
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(bot.url, headers=headers) as session:
            await _read(session, seen.alone, 300)
            reader = asyncio.create_task(_read(session, seen.reads))
            loop = asyncio.get_running_loop()
            began, cpu = loop.time(), bot.cpu_s()
            await asyncio.gather(*(_send(session, seen, began, number) for number in range(SENDERS)))
            seen.took_s, seen.cpu_s = loop.time() - began, bot.cpu_s() - cpu
            reader.cancel()
    return seen


async def _send(session: aiohttp.ClientSession, seen: Seen, began: float, sender: int) -> None:
    """Every sixteenth alert, each at its time; one that is answered late makes the next ones late, never fewer."""
    loop = asyncio.get_running_loop()
    for number in range(sender, RATE * SECONDS, SENDERS):
        await asyncio.sleep(max(0.0, began + number / RATE - loop.time()))
        component, key = number % 5, number // 5 % KEYS
        state = ("firing", "resolved")[number // 5 // KEYS % 2]
        sent = loop.time()
        body = {"state": state, "key": f"key-{key}", "source": "bench", "title": "Errors above 5 %"}
        async with session.post(f"/hooks/alert/local.c{component}", json=body) as answer:
            await answer.read()
        seen.alerts.append(loop.time() - sent)
        seen.taken += answer.status == 200
        seen.refused += answer.status == 429


async def _read(session: aiohttp.ClientSession, took: list[float], times: int = 1_000_000) -> None:
    loop = asyncio.get_running_loop()
    for _ in range(times):
        sent = loop.time()
        async with session.post("/ofrep/v1/evaluate/flags/chat", json={"context": {"targetingKey": "bench"}}) as answer:
            await answer.read()
        took.append(loop.time() - sent)
        await asyncio.sleep(READ_EVERY_S)
