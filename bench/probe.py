"""What a probe costs in CPU: ours, whole, beside blackbox_exporter and plain httpx, on fresh connections to the same nginx.

Everything that probes runs on one core, the target and whoever drives it on another. The ways take turns, and each claim is
the median of ratios of one round, so that a busy machine slows all of them. `bench.probe_worker` says what each way does.
`pip install understudy[dev]` and Debian's `nginx-light` and `prometheus-blackbox-exporter` have what it needs.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import aiohttp

from bench.probe_world import Blackbox, Target, blackbox, pinned, program, target
from bench.report import line

ROUNDS = 5
PLAIN_PROBES, TLS_PROBES = 4_000, 1_500
AT_A_TIME = 20
WARM_UP = 300
PROBING, SERVING = 0, 1  # cores

Cost = Callable[[str, int], float]  # URL, probes -> CPU seconds


def main() -> bool:
    """Take turns, print medians and ratios."""
    print("probe: CPU of one probe on a fresh connection, probing on one core")
    nginx, exporter = program("nginx"), program("prometheus-blackbox-exporter", "blackbox_exporter")
    if nginx is None:
        print("  NOT MEASURED: nginx is not installed (Debian: nginx-light); nothing here says that the claims hold")
        return True
    if exporter is None:
        print(
            "  NOT MEASURED: blackbox_exporter is not installed (Debian: prometheus-blackbox-exporter); its rows are left out"
        )
    with ExitStack() as stack:
        # Beside the checkout, since /tmp may be memory, and a batch must reach a disk.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=Path.cwd())))
        served = stack.enter_context(target(folder, nginx, SERVING))

        def by_worker(*names: str) -> dict[str, Cost]:
            return {name: partial(_worker, name, served=served, folder=folder) for name in names}

        ways = by_worker("ours", "httpx")
        if exporter is not None:
            rival = stack.enter_context(blackbox(folder, exporter, PROBING))
            ways["blackbox"] = lambda url, probes: asyncio.run(_scraped(rival, url, probes))
        stack.enter_context(_away_from_probes())
        plain = _rounds(ways, served.plain, PLAIN_PROBES)
        tls = _rounds(ways | by_worker("full", "bare", "resumed"), served.tls, TLS_PROBES)
    held = _reported("plain HTTP", plain, "ours", {"blackbox": 0.21, "httpx": 0.3})
    held &= _reported("verified TLS", tls, "ours", {"blackbox": 0.55})
    return _reported("verified TLS, never resumed", tls, "full", {"bare": 1.05}, medians=False) and held


@contextmanager
def _away_from_probes() -> Iterator[None]:
    """Who drives must not take time from those who probe."""
    before = os.sched_getaffinity(0)
    if SERVING in before:
        os.sched_setaffinity(0, {SERVING})
    yield
    os.sched_setaffinity(0, before)


def _rounds(ways: dict[str, Cost], url: str, probes: int) -> list[dict[str, float]]:
    """CPU seconds a probe of each way, round by round."""
    return [{name: cost(url, probes) / probes for name, cost in ways.items()} for _ in range(ROUNDS)]


def _reported(what: str, rounds: list[dict[str, float]], ours: str, claims: dict[str, float], *, medians: bool = True) -> bool:
    """Print what each way costs, and the ratios of the way `ours` to those of the claims; whether all hold."""
    for name in rounds[0] if medians else ():
        line(f"{what}: {name}, median", statistics.median(one[name] for one in rounds) * 1e6, "us")
    held = True
    for name, claim in claims.items():
        if name in rounds[0]:
            ratio = statistics.median(one[ours] / one[name] for one in rounds)
            held = line(f"{what}: {ours}, of {name}", ratio, "times", claim) and held
    return held


def _worker(way: str, url: str, probes: int, *, served: Target, folder: Path) -> float:
    with tempfile.TemporaryDirectory(dir=folder) as own:
        command = [sys.executable, "-m", "bench.probe_worker", way, url, str(probes), served.authority, own]
        done = subprocess.run([*pinned(PROBING), *command], check=True, capture_output=True, text=True)
    return float(done.stdout)


async def _scraped(rival: Blackbox, url: str, probes: int) -> float:
    """Scrape the exporter so many times over kept connections: what it spends beyond the probe is its answer to us."""
    connector = aiohttp.TCPConnector(limit=AT_A_TIME)
    async with aiohttp.ClientSession(connector=connector) as session:
        await _spread(session, rival, url, WARM_UP)
        before = rival.cpu_s()
        await _spread(session, rival, url, probes)
        return rival.cpu_s() - before


async def _spread(session: aiohttp.ClientSession, rival: Blackbox, url: str, probes: int) -> None:
    turns = iter(range(probes))

    async def worker() -> None:
        for _ in turns:
            async with session.get(f"{rival.url}/probe", params={"target": url, "module": "http_2xx"}) as response:
                assert "probe_success 1" in await response.text()

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_A_TIME):
            group.create_task(worker())


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
