"""An incident of 10,000 entries as a file, and flags read meanwhile: `python -m bench exports`."""

import asyncio
import os
import tempfile
from datetime import timedelta
from pathlib import Path

import aiohttp

from bench.bot import go_first
from bench.hostile_sockets import Victim, victim
from bench.past import ANA, NOW, changes, looks, policy
from bench.report import line, percentile, timed
from bot.core import signals as s
from bot.core.decide.step import step
from bot.core.model import Level
from bot.core.record.world import World
from bot.exports import FORMATS
from bot.ports import Commit, Store
from bot.store.sqlite.ledgers import open_ledger

ENTRIES = 10_000
TIMES = 3  # each format
READ_EVERY_S = 0.002
FLAG = "/ofrep/v1/evaluate/flags/f0"
HELD_MS, READ_MS = 20.0, 20.0


def main() -> bool:
    """Print how long each format held the loop, and what reads of a flag took."""
    print(f"exports: an incident of {ENTRIES:,} entries as a file over HTTP, {TIMES} times each; a flag read every 2 ms")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # beside the checkout: /tmp may be memory
        asyncio.run(_write(Path(folder) / "data"))
        return asyncio.run(_measure(Path(folder)))


async def _write(data: Path) -> None:
    """A ledger in which one long incident is going on: it began two days ago, and somebody noted something every 15 s."""
    data.mkdir(mode=0o700)
    ledger, rules, began = await open_ledger(data), policy(1), NOW - timedelta(days=2)
    world, commits = World(), list[Commit]()
    for n in range(ENTRIES):
        text = f"Number {n}: support of <https://status.example|the vendor> says that *it* goes on, `HTTP 502`."
        signal = s.AddNote(actor=ANA, incident=1, text=text) if n else looks(0, Level.DOWN, began)
        at = began + timedelta(seconds=15 * n)
        before, decided = world, step(world, signal, at, rules)
        world = decided.world
        commits.append(changes(before, decided, at))

    def work(store: Store) -> None:
        for commit in commits:
            store.commit(commit)

    await ledger.write(work)
    await ledger.close()


async def _measure(folder: Path) -> bool:
    held = True
    async with (
        victim(folder) as bot,
        aiohttp.ClientSession(bot.url, headers={"Authorization": f"Bearer {bot.token}"}) as session,
    ):
        for pid in (bot.pid, os.getpid()):
            go_first(pid)
        line("a flag read alone, slowest", max(await _reads(session, 2.0)) * 1e3, "ms")
        for format in FORMATS:
            held &= await _beside(bot, session, format)
    return held


async def _beside(bot: Victim, session: aiohttp.ClientSession, format: str) -> bool:
    """The least of several tries: what is slow by nature is slow each time."""
    held_ms, slowest_ms, all_ms, took = [], [], list[float](), list[float]()
    for _ in range(TIMES):
        await bot.worst()
        reading = asyncio.create_task(_reads(session))
        with timed(took):
            async with session.get(f"/api/v1/incidents/1/export?format={format}") as answer:
                assert answer.status == 200, await answer.text()
                size = len(await answer.read())
        reading.cancel()
        reads = [seconds * 1e3 for seconds in await reading]
        held_ms.append(await bot.worst())
        slowest_ms.append(max(reads))
        all_ms += reads
    line(f"{format}: {size / 1e6:.1f} MB made and sent after", min(took) * 1e3, "ms")
    line(f"{format}: a flag read meanwhile, p99", percentile(all_ms, 0.99), "ms")
    return line(f"{format}: a flag read meanwhile, slowest", min(slowest_ms), "ms", READ_MS) & line(
        f"{format}: loop held", min(held_ms), "ms", HELD_MS
    )


async def _reads(session: aiohttp.ClientSession, seconds: float = 60.0) -> list[float]:
    """How long each read took until that time is over, or until cancelled."""
    took: list[float] = []
    try:
        async with asyncio.timeout(seconds):
            while True:
                with timed(took):
                    async with session.post(FLAG, json={"context": {}}) as answer:
                        assert answer.status == 200, await answer.text()
                        await answer.read()
                await asyncio.sleep(READ_EVERY_S)
    except (TimeoutError, asyncio.CancelledError):
        return took


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
