"""Ten thousand checks every 30 s on one core, with and without twenty names that hang, and 45,000 of them.

Slash commands are typed meanwhile, and `/metrics` is read every 15 s, as Prometheus does.
"""

import asyncio
import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bench.bot import go_first, ready
from bench.probe_world import program, target
from bench.report import line, percentile
from bot.sandbox.slack import CommandSpec, LocalWorkspace
from commands.table import words

COMPONENTS, NAMES, DEAD = 100, 500, 20
READY_S = 120.0
WARM_UP_S, MEASURED_S = 65.0, 45.0  # every check has run twice before it is measured
QUIET_S = 20.0  # without commands and scrapes, for what looks alone cost
COMMAND_EVERY_S, SCRAPE_EVERY_S = 0.25, 15.0
LAG = re.compile(r'understudy_check_start_lag_seconds_bucket\{le="([^"]+)"\} (\S+)')
TURNS = re.compile(r'understudy_loop_stall_seconds_bucket\{le="([^"]+)"\} (\S+)')
HELD = re.compile(r'understudy_loop_stalls_total\{code="([^"]*)"\} (\S+)')
RESULTS = re.compile(r"understudy_check_results_total\{([^}]*)\} (\S+)")


@dataclass(frozen=True)
class Load:
    """What a bot is given to do, and what it may take for it."""

    checks: int
    dead: int
    share: float  # of the core, in percent
    resident_mb: float


LOADS = (Load(10_000, 0, 15, 165), Load(10_000, DEAD, 15, 165), Load(45_000, 0, 60, 420))


@dataclass(frozen=True)
class Page:
    """What `/metrics` says: starts and turns of the loop by how late they were, stalls by what held the loop."""

    starts: Mapping[str, float]
    turns: Mapping[str, float]
    held: Counter[str]
    failed: float  # results of healthy checks that were not good


@dataclass(frozen=True)
class Stretch:
    """What a bot did while it was measured."""

    look_s: float  # of processor time, while nothing else was asked for
    cpu_share: float
    late_share: float  # of starts that came more than 50 ms late
    started: float
    late_turns: float  # of the loop, more than 20 ms late
    held: Counter[str]
    resident_mb: float
    failed: float
    acks: list[float]


def main() -> bool:
    """Measure one load after the other."""
    print("many: checks every 30 s over plain HTTP, the bot on one core")
    nginx = program("nginx")
    if nginx is None:
        print("  NOT MEASURED: nginx is missing (Debian: apt-get install nginx-light)")
        return True
    held = True
    for load in LOADS:
        with tempfile.TemporaryDirectory() as folder, target(Path(folder), nginx, core=0, first=True) as vendor:
            found = asyncio.run(_stretch(Path(folder), vendor.plain, load))
        print(f"  {load.checks} checks, {load.dead} names that hang: {found.started:.0f} looks started in {MEASURED_S:.0f} s")
        held &= line("share of the core", found.cpu_share * 100, "%", load.share)
        held &= line("CPU of a look, by themselves", found.look_s * 1e3, "ms", 0.34)
        held &= line("starts more than 50 ms late", found.late_share * 100, "%", 1)
        held &= line("stalls of the loop over 20 ms", found.late_turns, "times", 5)
        held &= line("resident memory", found.resident_mb, "MB", load.resident_mb)
        held &= line("results of healthy checks that were not good", found.failed, "", 0)
        held &= line("slash commands acknowledged, p99", percentile(found.acks, 0.99) * 1e3, "ms", 100)
        for code, times in found.held.most_common():
            line(f"held the loop for 100 ms: {code}", times, "times")
    return held


async def _stretch(folder: Path, url: str, load: Load) -> Stretch:
    async with _running(folder, url, load) as (workspace, pid, metrics_url):
        await asyncio.sleep(WARM_UP_S)
        go_first(pid)
        quiet, cpu_quiet = await _metrics(metrics_url), _cpu_s(pid)
        await asyncio.sleep(QUIET_S)
        looks_s = _cpu_s(pid) - cpu_quiet
        before, cpu_before = await _metrics(metrics_url), _cpu_s(pid)
        seen = len(workspace.acks)
        ana = workspace.person("ana")
        loop = asyncio.get_running_loop()
        scraped = began = loop.time()
        while loop.time() - began < MEASURED_S:
            await ana.types("/health nothing")
            if loop.time() - scraped >= SCRAPE_EVERY_S:
                scraped = loop.time()
                await _metrics(metrics_url)
            await asyncio.sleep(COMMAND_EVERY_S)
        took = loop.time() - began
        cpu_after, after = _cpu_s(pid), await _metrics(metrics_url)
        started = after.starts["+Inf"] - before.starts["+Inf"]
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return Stretch(
            look_s=looks_s / (before.starts["+Inf"] - quiet.starts["+Inf"]),
            cpu_share=(cpu_after - cpu_before) / took,
            late_share=_later(before.starts, after.starts, "0.05") / started,
            started=started,
            late_turns=_later(before.turns, after.turns, "0.02"),
            held=after.held - before.held,
            resident_mb=pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
            failed=after.failed,
            acks=[ack.seconds for ack in workspace.acks[seen:] if ack.type == "slash_commands"],
        )


def _later(before: Mapping[str, float], after: Mapping[str, float], bound: str) -> float:
    """How many came meanwhile that were later than that."""
    return after["+Inf"] - before["+Inf"] - (after[bound] - before[bound])


async def _metrics(url: str) -> Page:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as response:
        text = await response.text()
    results = ((labels, float(count)) for labels, count in RESULTS.findall(text))
    return Page(
        {bound: float(count) for bound, count in LAG.findall(text)},
        {bound: float(count) for bound, count in TURNS.findall(text)},
        Counter({code: int(float(count)) for code, count in HELD.findall(text)}),
        sum(n for labels, n in results if 'outcome="ok"' not in labels and 'component="local.dead"' not in labels),
    )


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def _running(folder: Path, url: str, load: Load) -> AsyncIterator[tuple[LocalWorkspace, int, str]]:
    async with LocalWorkspace(commands=[CommandSpec(*word) for word in words()]) as workspace:
        workspace.add_user("ana")
        workspace.add_channel("ops", members=("ana",))
        config, data = folder / "understudy.yaml", folder / "data"
        config.write_text(json.dumps(_settings(workspace, url, load)), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.many_bot", str(config), str(data), "1"
        )  # fmt: skip
        try:
            yield workspace, process.pid, await ready(data / "control.json", READY_S)
        finally:
            process.terminate()
            await process.wait()


def _settings(workspace: LocalWorkspace, url: str, load: Load) -> dict[str, Any]:
    port = url.rstrip("/").rpartition(":")[2]

    def check(name: str, host: str) -> dict[str, Any]:
        return {"type": "http", "name": name, "url": f"http://{host}.test:{port}/", "every": "30s"}

    components = {
        f"c{n}": {"checks": [check(f"k{m}", f"name-{m % NAMES}") for m in range(n, load.checks, COMPONENTS)]}
        for n in range(COMPONENTS)
    }
    if load.dead:
        components["dead"] = {"checks": [check(f"d{n}", f"dead-{n}") for n in range(load.dead)], "open_on": {"down": "none"}}  # type: ignore[dict-item]
    return {
        "slack": {"bot_token": workspace.bot_token, "app_token": workspace.app_token, "api_url": workspace.api_url},
        "server": {"listen": "127.0.0.1:0", "open_to_loopback": True},
        "allow_private": ["127.0.0.0/8"],
        "control_group": [],
        "providers": {"local": {"components": components}},
    }  # fmt: skip
