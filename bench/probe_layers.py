"""Where the CPU of a plain probe goes, layer by layer: each adds one to the layer before, and all take turns in one process.

`connection` is the least that a fresh connection costs on this loop: connect, send the request, take what comes first, hang up.
`transport` resolves, guards, measures phases and reads the whole answer; `check` judges it and makes a sample under a deadline;
`detector` folds the sample into what is known of the check; `batch` writes it to disk. No claims: those stand in `probe`.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import uvloop

from bench.probe import PROBING, SERVING
from bench.probe_worker import BATCH, CHECKS, LOOKED_AT_EVERY, cpu_s, spread
from bench.probe_world import pinned, program, target
from bench.report import line
from bot.checks.http import HttpCheck, HttpProber
from bot.checks.net.address_guard import Guard
from bot.checks.net.stopwatch import Stopwatch
from bot.checks.net.transport import Transport
from bot.core.detection.detector import NEW, Track, observe
from bot.core.detection.settings import Rule
from bot.core.model import Sample
from bot.store.samples.sqlite import SqliteSamples, open_samples
from bot.system.clock import SystemClock
from bot.system.garbage import GARBAGE

ROUNDS, PROBES = 9, 1_000
DEADLINE_S = 10.0

Layer = Callable[[int], Awaitable[object]]


def main() -> bool:
    """Print what each layer adds."""
    print("probe_layers: CPU that each layer of a probe adds, probing on one core")
    nginx = program("nginx")
    if nginx is None:
        print("  NOT MEASURED: nginx is not installed (Debian: nginx-light)")
        return True
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, target(Path(folder), nginx, SERVING) as served:
        command = [*pinned(PROBING), sys.executable, "-m", "bench.probe_layers", served.plain, folder]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    before = 0.0
    for said in done.stdout.splitlines():
        layer, us = said.split()
        line(layer, float(us) - before, "us")
        before = float(us)
    line("together", before, "us")
    return True


class Probe:
    """One probe as far as each of its layers."""

    def __init__(self, url: str, samples: SqliteSamples) -> None:
        guard = Guard(["127.0.0.0/8"])
        self._url = url
        self._transport = Transport(guard=guard)
        self._prepared = self._transport.prepare("GET", url, {})
        self._prober = HttpProber(SystemClock(), guard=guard)
        self._checks = [HttpCheck(f"local.api.k{n}", "local.api", url) for n in range(CHECKS)]
        self._tracks: dict[str, Track] = {check.id: NEW for check in self._checks}
        self._rule = Rule()
        self._samples = samples
        self._batch: list[Sample] = []

    def layers(self) -> dict[str, Layer]:
        """By name, from the least to the whole."""
        return {
            "connection": self._connect,
            "transport": self._ask,
            "check": self._look,
            "detector": self._observe,
            "batch": self._keep,
        }

    async def close(self) -> None:
        """Give back threads."""
        await self._prober.close()
        await self._transport.aclose()

    async def _connect(self, n: int) -> None:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[None] = loop.create_future()
        parts = urlsplit(self._url)
        await loop.create_connection(lambda: Least(self._prepared.wire, answered), parts.hostname or "", parts.port or 80)
        await answered

    async def _ask(self, n: int) -> None:
        await self._transport.ask(self._prepared, Stopwatch(1.0), DEADLINE_S)

    async def _look(self, n: int) -> Sample:
        return await self._prober.probe(self._checks[n % CHECKS])

    async def _observe(self, n: int) -> Sample:
        sample = await self._look(n)
        self._tracks[sample.check] = observe(self._tracks[sample.check], sample, self._rule, every=LOOKED_AT_EVERY)
        return sample

    async def _keep(self, n: int) -> None:
        self._batch.append(await self._observe(n))
        if len(self._batch) >= BATCH:
            full, self._batch = self._batch, []
            await self._samples.add(full)


class Least(asyncio.Protocol):
    """Sends a request and takes the first of its answer."""

    def __init__(self, request: bytes, answered: "asyncio.Future[None]") -> None:
        self._request = request
        self._answered = answered

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by descent
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._answered.set_result(None)
        self._transport.abort()


async def measured(url: str, folder: Path) -> None:
    """Print by layer the median of what a probe cost so far, in microseconds."""
    samples = await open_samples(folder)
    probe = Probe(url, samples)
    layers = probe.layers()
    spent: dict[str, list[float]] = {name: [] for name in layers}
    for layer in layers.values():
        await spread(layer, CHECKS)
    GARBAGE.collect_rarely()  # as `understudy run` does
    GARBAGE.leave_out()
    for _ in range(ROUNDS):
        for name, layer in layers.items():
            before = cpu_s()
            await spread(layer, PROBES)
            spent[name].append((cpu_s() - before) / PROBES * 1e6)
    for name, each in spent.items():
        print(name, statistics.median(each))
    await probe.close()
    await samples.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measured(sys.argv[1], Path(sys.argv[2])))
