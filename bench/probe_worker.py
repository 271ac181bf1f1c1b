"""Probes a target and prints the CPU seconds that took: `python -m bench.probe_worker ours|httpx URL PROBES CAFILE FOLDER`."""

import asyncio
import resource
import ssl
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import uvloop

from bot.checks.http import HttpCheck, HttpProber
from bot.checks.net.address_guard import Guard
from bot.core.detection.detector import NEW, Track, observe
from bot.core.detection.settings import Rule
from bot.core.model import Outcome, Sample
from bot.store.samples.sqlite import open_samples
from bot.system.clock import SystemClock

AT_A_TIME = 20
CHECKS = 200
BATCH = 333  # ten thousand checks every half minute are so many a second
WARM_UP = 300

Look = Callable[[int], Awaitable[None]]


async def ours(url: str, probes: int, trusted: ssl.SSLContext, folder: Path) -> float:
    """The whole probe: transport, classification, detector, and batches to disk."""
    prober = HttpProber(SystemClock(), ssl_context=trusted, guard=Guard(["127.0.0.0/8"]))
    samples = await open_samples(folder)
    rule = Rule()
    checks = [HttpCheck(f"local.api.k{n}", "local.api", url, every=timedelta(seconds=30)) for n in range(CHECKS)]
    tracks: dict[str, Track] = {check.id: NEW for check in checks}
    batch: list[Sample] = []

    async def look(n: int) -> None:
        check = checks[n % CHECKS]
        sample = await prober.probe(check)
        assert sample.outcome is Outcome.OK, sample.reason
        tracks[check.id] = observe(tracks[check.id], sample, rule)
        batch.append(sample)
        if len(batch) >= BATCH:
            full, batch[:] = list(batch), []
            await samples.add(full)

    spent = await _measured(look, probes)
    await prober.close()
    await samples.close()
    return spent


async def plain_httpx(url: str, probes: int, trusted: ssl.SSLContext, folder: Path) -> float:
    """What the library does by itself, with a new connection for each request."""
    limits = httpx.Limits(max_connections=AT_A_TIME, max_keepalive_connections=0)
    async with httpx.AsyncClient(limits=limits, verify=trusted, trust_env=False) as client:

        async def look(n: int) -> None:
            response = await client.get(url)
            assert response.status_code == 200

        return await _measured(look, probes)


async def _measured(look: Look, probes: int) -> float:
    await _spread(look, WARM_UP)
    before = _cpu_s()
    await _spread(look, probes)
    return _cpu_s() - before


async def _spread(look: Look, probes: int) -> None:
    turns = iter(range(probes))

    async def worker() -> None:
        for n in turns:
            await look(n)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_A_TIME):
            group.create_task(worker())


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(way: str, url: str, probes: int, authority: str, folder: str) -> None:
    """Run one way and print what it cost. Our bot runs on uvloop; plain httpx on the loop that it comes with."""
    trusted = ssl.create_default_context(cafile=authority)
    if way == "ours":
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            print(runner.run(ours(url, probes, trusted, Path(folder))))
    else:
        print(asyncio.run(plain_httpx(url, probes, trusted, Path(folder))))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
