"""Ten thousand checks every 30 s on one core, with and without twenty names that hang; slash commands are typed meanwhile."""

import asyncio
import json
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bench.bot import ready
from bench.probe_world import program, target
from bench.report import line, percentile
from bot.sandbox.slack import CommandSpec, LocalWorkspace
from commands.table import words

CHECKS, COMPONENTS, NAMES, DEAD = 10_000, 100, 500, 20
WARM_UP_S, MEASURED_S = 40.0, 45.0  # every check has run once before it is measured
COMMAND_EVERY_S = 0.25
LAG = re.compile(r'understudy_check_start_lag_seconds_bucket\{le="([^"]+)"\} (\S+)')
RESULTS = re.compile(r"understudy_check_results_total\{([^}]*)\} (\S+)")


@dataclass(frozen=True)
class Stretch:
    """What a bot did while it was measured."""

    cpu_share: float
    late_share: float  # of starts that came more than 50 ms late
    started: float
    resident_mb: float
    failed: float  # results of healthy checks that were not good
    acks: list[float]


def main() -> bool:
    """Measure without dead names, then with them."""
    print(f"many: {CHECKS} checks every 30 s over plain HTTP, the bot on one core")
    nginx = program("nginx")
    if nginx is None:
        print("  NOT MEASURED: nginx is missing (Debian: apt-get install nginx-light)")
        return True
    held = True
    for dead in (0, DEAD):
        with tempfile.TemporaryDirectory() as folder, target(Path(folder), nginx, core=0) as vendor:
            found = asyncio.run(_stretch(Path(folder), vendor.plain, dead))
        print(f"  with {dead} names that hang: {found.started:.0f} looks started in {MEASURED_S:.0f} s")
        held &= line("share of the core", found.cpu_share * 100, "%", 25)
        held &= line("starts more than 50 ms late", found.late_share * 100, "%", 1)
        held &= line("resident memory", found.resident_mb, "MB", 250)
        held &= line("results of healthy checks that were not good", found.failed, "", 0)
        held &= line("slash commands acknowledged, p99", percentile(found.acks, 0.99) * 1e3, "ms", 100)
    return held


async def _stretch(folder: Path, url: str, dead: int) -> Stretch:
    async with _running(folder, url, dead) as (workspace, pid, metrics_url):
        await asyncio.sleep(WARM_UP_S)
        before, cpu_before = await _metrics(metrics_url), _cpu_s(pid)
        seen = len(workspace.acks)
        ana = workspace.person("ana")
        loop = asyncio.get_running_loop()
        began = loop.time()
        while loop.time() - began < MEASURED_S:
            await ana.types("/health nothing")
            await asyncio.sleep(COMMAND_EVERY_S)
        took = loop.time() - began
        after, cpu_after = await _metrics(metrics_url), _cpu_s(pid)
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        started = after["+Inf"] - before["+Inf"]
        return Stretch(
            cpu_share=(cpu_after - cpu_before) / took,
            late_share=1 - (after["0.05"] - before["0.05"]) / started,
            started=started,
            resident_mb=pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
            failed=after["not good"],
            acks=[ack.seconds for ack in workspace.acks[seen:] if ack.type == "slash_commands"],
        )


async def _metrics(url: str) -> dict[str, float]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as response:
        text = await response.text()
    found = {bound: float(count) for bound, count in LAG.findall(text)}
    results = ((labels, float(count)) for labels, count in RESULTS.findall(text))
    found["not good"] = sum(
        n for labels, n in results if 'outcome="ok"' not in labels and 'component="local.dead"' not in labels
    )
    return found


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def _running(folder: Path, url: str, dead: int) -> AsyncIterator[tuple[LocalWorkspace, int, str]]:
    async with LocalWorkspace(commands=[CommandSpec(*word) for word in words()]) as workspace:
        workspace.add_user("ana")
        workspace.add_channel("ops", members=("ana",))
        config, data = folder / "understudy.yaml", folder / "data"
        config.write_text(json.dumps(_settings(workspace, url, dead)), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.many_bot", str(config), str(data), "1"
        )  # fmt: skip
        try:
            yield workspace, process.pid, await ready(data / "control.json")
        finally:
            process.terminate()
            await process.wait()


def _settings(workspace: LocalWorkspace, url: str, dead: int) -> dict[str, Any]:
    port = url.rstrip("/").rpartition(":")[2]

    def check(name: str, host: str) -> dict[str, Any]:
        return {"type": "http", "name": name, "url": f"http://{host}.test:{port}/", "every": "30s"}

    components = {
        f"c{n}": {"checks": [check(f"k{m}", f"name-{m % NAMES}") for m in range(n, CHECKS, COMPONENTS)]}
        for n in range(COMPONENTS)
    }
    if dead:
        components["dead"] = {"checks": [check(f"d{n}", f"dead-{n}") for n in range(dead)], "open_on": {"down": "none"}}  # type: ignore[dict-item]
    return {
        "slack": {"bot_token": workspace.bot_token, "app_token": workspace.app_token, "api_url": workspace.api_url},
        "server": {"listen": "127.0.0.1:0", "open_to_loopback": True},
        "allow_private": ["127.0.0.0/8"],
        "control_group": [],
        "providers": {"local": {"components": components}},
    }  # fmt: skip
