"""30,000 checks every 30 s over three replicas on one machine, one of which is killed: `python -m bench spread`.

Three bots, their PostgreSQL, nginx as every vendor and this program share the machine's cores.
"""

import asyncio
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psycopg

from bench.bot import Process, Server, go_first, ready
from bench.probe_world import program, target
from bench.report import line
from bot.cluster.name import ID_FILE, OWN
from bot.cluster.shares import owner_of
from bot.sandbox.postgres import MISSING, a_server, programs

CHECKS, COMPONENTS, NAMES, REPLICAS, EVERY_S = 30_000, 300, 500, 3, 30
STARTS_WITHIN_S = 240.0  # three at once read a configuration of ten megabytes
WARM_UP_S, MEASURED_S = 45.0, 60.0
TAKEN_WITHIN_S = 60.0
LAG = re.compile(r'understudy_check_start_lag_seconds_bucket\{le="([^"]+)"\} (\S+)')
LOOKED = """
SELECT check_id, min(at) FROM understudy.samples JOIN understudy.checks ON id = check_id
WHERE at > %s AND component = ANY(%s) GROUP BY check_id
"""


@dataclass
class Replica(Process):
    """One of them; `id` ends its name."""

    id: str
    process: asyncio.subprocess.Process


def main() -> bool:
    """Start them, look at them for a minute, and kill one."""
    print(f"spread: {CHECKS} checks every {EVERY_S} s over {REPLICAS} replicas, with all around them on {os.cpu_count()} cores")
    nginx = program("nginx")
    if nginx is None or programs() is None:
        print(f"  NOT MEASURED: {MISSING if nginx else 'nginx is missing (Debian: apt-get install nginx-light)'}")
        return True
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        vendor = stack.enter_context(target(folder, nginx, core=None, first=True))
        server = stack.enter_context(a_server(durable=True))
        return asyncio.run(_measured(folder, vendor.plain, server.url(), Server(server)))


async def _measured(folder: Path, vendor: str, address: str, server: Server) -> bool:
    async with _replicas(folder, vendor, address) as replicas:
        for pid in (*(one.pid for one in replicas), *server.pids()):
            go_first(pid)
        await asyncio.sleep(WARM_UP_S)
        held = await _at_work(replicas, server, address)
        return await _takeover(replicas, address) and held


@asynccontextmanager
async def _replicas(folder: Path, vendor: str, address: str) -> AsyncIterator[list[Replica]]:
    started: list[asyncio.subprocess.Process] = []
    try:
        for number in range(REPLICAS):
            own = folder / f"replica-{number}"
            own.mkdir()
            (own / "understudy.yaml").write_text(json.dumps(_settings(vendor, address)), encoding="utf-8")
            started.append(
                await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "bench.many_bot", str(own / "understudy.yaml"), str(own / "data"), ""
                )
            )
        yield [await _up(folder / f"replica-{number}" / "data", process) for number, process in enumerate(started)]
    finally:
        for process in started:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _up(data: Path, process: asyncio.subprocess.Process) -> Replica:
    url = await ready(data / "control.json", STARTS_WITHIN_S)
    return Replica(url, process.pid, (data / ID_FILE).read_text(encoding="ascii")[:OWN], process)


def _settings(vendor: str, address: str) -> dict[str, Any]:
    port = vendor.rstrip("/").rpartition(":")[2]

    def check(number: int) -> dict[str, Any]:
        url = f"http://name-{number % NAMES}.test:{port}/"
        return {"type": "http", "name": f"k{number}", "url": url, "every": f"{EVERY_S}s"}

    components = {f"c{n}": {"checks": [check(m) for m in range(n, CHECKS, COMPONENTS)]} for n in range(COMPONENTS)}
    return {
        "slack": "none", "server": {"listen": "127.0.0.1:0", "open_to_loopback": True}, "allow_private": ["127.0.0.0/8"],
        "control_group": [], "store": address, "providers": {"local": {"components": components}},
    }  # fmt: skip


# --- at work


async def _at_work(replicas: Sequence[Replica], server: Server, address: str) -> bool:
    bots, database = [one.cpu_s() for one in replicas], server.cpu_s()
    before, rows = await _starts(replicas), _rows(address)
    began = time.monotonic()
    await asyncio.sleep(MEASURED_S)
    took_s = time.monotonic() - began
    starts = {bound: count - before[bound] for bound, count in (await _starts(replicas)).items()}
    shares = [(one.cpu_s() - cpu_s) / took_s for one, cpu_s in zip(replicas, bots, strict=True)]
    looks = starts["+Inf"]
    missing = 100 - 100 * looks / (took_s * CHECKS / EVERY_S)
    held = line("looks that were left out", missing, "%", 1)
    line("a start is late by at most, p50", _quantile(starts, 0.5) * 1e3, "ms")
    held = line("a start is late by at most, p99", _quantile(starts, 0.99) * 1e3, "ms", 1_000) and held
    for number, (one, share) in enumerate(zip(replicas, shares, strict=True), 1):
        line(f"replica {number}: share of a core", share * 100, "%", 100 / REPLICAS)
        line(f"replica {number}: resident memory", one.resident_mb(), "MB")
    line("all replicas, CPU of a look", 1e6 * sum(shares) * took_s / looks, "us")
    line("results written", (_rows(address) - rows) / took_s, "a second")
    line("PostgreSQL: share of a core", 100 * (server.cpu_s() - database) / took_s, "%")
    line("PostgreSQL: CPU of a result", 1e6 * (server.cpu_s() - database) / looks, "us")
    return held


async def _starts(replicas: Sequence[Replica]) -> Counter[str]:
    """How many looks of all replicas started no later than each bound."""
    found: Counter[str] = Counter()
    async with aiohttp.ClientSession() as session:
        for replica in replicas:
            async with session.get(f"{replica.url}/metrics") as answer:
                found.update({bound: float(count) for bound, count in LAG.findall(await answer.text())})  # type: ignore[misc] # whole
    return found


def _quantile(starts: Counter[str], share: float) -> float:
    """The lowest bound that holds so many of them, in seconds."""
    return min(float(bound) for bound, count in starts.items() if count >= share * starts["+Inf"])


def _rows(address: str) -> int:
    with psycopg.connect(address) as conn:
        [(count,)] = conn.execute("SELECT count(*) FROM understudy.samples").fetchall()
    return int(count)


# --- one is killed


async def _takeover(replicas: Sequence[Replica], address: str) -> bool:
    """From kill -9 until the first of its checks is looked at by another replica, and until all of them are."""
    dead = replicas[0]
    with psycopg.connect(address, autocommit=True) as conn:
        names = [name for (name,) in conn.execute("SELECT name FROM understudy.replicas ORDER BY name").fetchall()]
        [mine] = [name for name in names if name.endswith(dead.id)]
        lost = [f"local.c{n}" for n in range(COMPONENTS) if owner_of(f"local.c{n}", names) == mine]
        dead.process.kill()
        died_at = int(time.time() * 1e6)
        await dead.process.wait()
        firsts: list[int] = []
        checks = len(lost) * CHECKS // COMPONENTS
        until = time.monotonic() + TAKEN_WITHIN_S
        while len(firsts) < checks and time.monotonic() < until:
            await asyncio.sleep(1.0)
            firsts = [at - died_at for _, at in conn.execute(LOOKED, (died_at, lost)).fetchall()]
    print(f"  a replica with {checks} checks was killed; {len(firsts)} of them were looked at by the others")
    held = line("the first of them looked at by another replica", min(firsts) / 1e6, "s", 5)
    line("half of them looked at again", sorted(firsts)[len(firsts) // 2] / 1e6, "s")
    return line("all of them looked at again", max(firsts) / 1e6, "s", 20) and held and len(firsts) == checks


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
