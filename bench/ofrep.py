"""Flags read over HTTP: requests a second that one core answers, beside 500 checks: `python -m bench ofrep`.

The load comes from wrk (Debian) on another core. Where the right is there, bot and wrk run at real-time priority, so that
whatever else the machine does stays out of the figures.
"""

import asyncio
import json
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.bot import Process, Running, pin, running, two_cores
from bench.report import line

FEW, MANY = 50, 500
SECONDS = 4
READERS = 1_000  # that ask one after the other, where it is not the same one each time
VALUE = {"provider": "openai", "model": "gpt-5"}


@dataclass(frozen=True)
class Row:
    """One kind of reading, and how many of it a second one core has to answer."""

    name: str
    path: str
    token: str
    claim: int
    readers: int = 1


ROWS = (
    Row("single", "/ofrep/v1/evaluate/flags/few.0", "few", 12_000),
    Row("single, for another reader each time", "/ofrep/v1/evaluate/flags/few.0", "few", 8_000, READERS),
    Row(f"bulk of {FEW} flags", "/ofrep/v1/evaluate/flags", "few", 8_000),
    Row(f"bulk of {MANY} flags", "/ofrep/v1/evaluate/flags", "many", 3_000),
)


# A body for each reader, made before the load begins.
LUA = """
local made, at, readers = {}, 0, %d
init = function()
  for n = 1, readers do made[n] = wrk.format(nil, nil, nil, '{"context": {"targetingKey": "user-' .. n * 7 .. '"}}') end
end
request = function() at = at %% readers + 1; return made[at] end
"""


@dataclass(frozen=True)
class Load:
    """What wrk saw, and the processor time of the bot meanwhile."""

    a_second: float
    p99_ms: float
    cpu_us: float  # a request
    errors: int


def main() -> bool:
    """One bot with 500 checks and flags of two teams, each read with its own token."""
    print(f"ofrep: flags read over 16 and 64 connections, beside 500 checks, {SECONDS} s each")
    if shutil.which("wrk") is None:
        print("  NOT MEASURED: wrk is not installed (Debian: wrk)")
        return True
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_run(Path(folder)))


async def _run(folder: Path) -> bool:
    names = [*(f"few.{n}" for n in range(FEW)), *(f"many.{n}" for n in range(MANY))]
    flag = {"variants": {"claude": VALUE, "gpt": VALUE}, "default": "claude", "fallbacks": [{"variant": "gpt"}]}
    tokens = [{"name": team, "token": _token(team), "flags": [f"{team}.*"]} for team in ("few", "many")]
    server = {"listen": "127.0.0.1:0", "flag_tokens": tokens}
    async with running(folder, 500, flags=dict.fromkeys(names, flag), server=server) as bot:
        first, second = two_cores()
        bare = await _bare(folder, first, second)
        holds = line("a server of aiohttp that says nothing, 64 connections, p99", bare.p99_ms, "ms")
        line("the same, processor time each", bare.cpu_us, "µs")
        pin(bot.pid, first)
        for row in ROWS:
            load = await _load(folder, bot, row, 16, second)
            short = row.claim / load.a_second
            holds &= line(f"{row.name}, {load.a_second:,.0f} a second; claim over it", short, "times", 1.0)
            line(f"{row.name}, processor time each", load.cpu_us, "µs")
            load = await _load(folder, bot, row, 64, second)
            holds &= line(f"{row.name}, 64 connections, p99", load.p99_ms, "ms", max(10, bare.p99_ms))
            holds &= line(f"{row.name}, 64 connections, errors", load.errors, "", 0)
        etag = await _etag(bot, ROWS[-1])
        load = await _load(folder, bot, ROWS[-1], 16, second, etag)
        return line(f"a 304 for {MANY} flags, processor time", load.cpu_us / 1000, "ms", 0.2) and holds


async def _bare(folder: Path, first: int, second: int) -> Load:
    """What the machine itself makes of 64 connections; where it stands still for 20 ms, so does every server on it."""
    command = (sys.executable, "-m", "bench.bare_server")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        pin(process.pid, first)
        return await _load(folder, Process(f"http://127.0.0.1:{port}", process.pid), ROWS[0], 64, second)
    finally:
        process.terminate()
        await process.wait()


def _token(team: str) -> str:
    return f"{team}-0123456789abcdef"


async def _load(folder: Path, bot: Process, row: Row, connections: int, core: int, etag: str = "") -> Load:
    script = folder / "read.lua"
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {_token(row.token)}"}
    headers |= {"If-None-Match": etag} if etag else {}
    sent = "".join(f"wrk.headers[{json.dumps(name)}]={json.dumps(value)}\n" for name, value in headers.items())
    script.write_text(f'wrk.method="POST"\n{sent}{LUA % row.readers}', encoding="utf-8")
    command = ("wrk", "-t1", f"-c{connections}", f"-d{SECONDS}", "--latency", "-s", str(script), bot.url + row.path)
    first = ("chrt", "-f", "50") if shutil.which("chrt") and os.geteuid() == 0 else ()
    before = bot.cpu_s()
    process = await asyncio.create_subprocess_exec(*first, "taskset", "-c", str(core), *command, stdout=asyncio.subprocess.PIPE)
    told = (await process.communicate())[0].decode()
    took = bot.cpu_s() - before
    found = re.search(r"(\d+) requests in", told)
    count = int(found[1]) if found else 0
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", told)
    scale = {"us": 0.001, "ms": 1.0, "s": 1000.0}
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    return Load(
        float(rate[1]) if rate else 0.0, float(p99[1]) * scale[p99[2]] if p99 else 0.0, took / max(count, 1) * 1e6,
        int(bad[1]) if bad else 0,
    )  # fmt: skip


async def _etag(bot: Running, row: Row) -> str:
    headers = {"Authorization": f"Bearer {_token(row.token)}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.post(bot.url + row.path, json={}) as answer:
        return answer.headers["ETag"]
