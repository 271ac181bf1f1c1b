"""A thousand clients listen for changes of flags: when each is told of a switch: `python -m bench listeners`."""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from bench.bot import Running, pin, running, two_cores
from bench.report import line, percentile

LISTENERS, SWITCHES = 1_000, 6
AT_ONCE = 50  # of them come together: more connections of one address that have not said anything yet are not let in
FLAG = {"variants": {"claude": "claude", "gpt": "gpt"}, "default": "claude", "fallbacks": [{"variant": "gpt"}]}
TOKEN = "listener-0123456789"  # noqa: S105 # of a bot that lives for a minute


def main() -> bool:
    """Listeners in a process of their own; a switch every second, by API."""
    print(f"listeners: {LISTENERS:,} streams of events, {SWITCHES} switches, beside 500 checks")
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_run(Path(folder)))


async def _run(folder: Path) -> bool:
    server = {"listen": "127.0.0.1:0", "flag_tokens": [{"name": "all", "token": TOKEN, "flags": ["*"]}]}
    async with running(folder, 500, flags={"chat": FLAG}, server=server) as bot:
        listening = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.listeners", bot.url, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert listening.stdin is not None
        assert listening.stdout is not None
        await listening.stdout.readline()
        for pid, core in zip((bot.pid, listening.pid), two_cores(), strict=True):
            pin(pid, core)
        told = await _switch(folder, bot)
        listening.stdin.close()
        heard: list[list[float]] = json.loads(await listening.stdout.read())
    after = [min((at - moment for at in one if at >= moment), default=60.0) for moment in told for one in heard]
    line("from the answer to the switch, p50", percentile(after, 0.5) * 1e3, "ms")
    return line("from the answer to the switch, p99", percentile(after, 0.99) * 1e3, "ms", 150)


async def _switch(folder: Path, bot: Running) -> list[float]:
    """When each switch was asked for."""
    token = json.loads((folder / "data" / "control.json").read_text(encoding="utf-8"))["token"]
    began = []
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        for turn in range(SWITCHES):
            verb, more = ("release", {}) if turn % 2 else ("engage", {"force": True})
            began.append(time.time())
            async with http.post(f"{bot.url}/api/v1/flags/chat/{verb}", json={"reason": "a drill"} | more) as answer:
                assert answer.status == 200, await answer.text()
            await asyncio.sleep(1)
    return began


async def _listen(url: str) -> None:
    """Print that all are there, and at the end of the input when each heard something."""
    heard: list[list[float]] = [[] for _ in range(LISTENERS)]
    host, _, port = url.removeprefix("http://").partition(":")
    head = f"GET /ofrep/v1/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    tasks = []
    for at in range(0, LISTENERS, AT_ONCE):
        there = [asyncio.Event() for _ in heard[at : at + AT_ONCE]]
        few = zip(heard[at : at + AT_ONCE], there, strict=True)
        tasks += [asyncio.create_task(_one(host, int(port), head, into, first)) for into, first in few]
        async with asyncio.timeout(10):
            await asyncio.gather(*(first.wait() for first in there))
    print("all there", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for task in tasks:
        task.cancel()
    print(json.dumps(heard))


async def _one(host: str, port: int, head: bytes, into: list[float], first: asyncio.Event) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(head)
    async for text in reader:
        if text.startswith(b"data:"):
            into.append(time.time())
            first.set()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(_listen(sys.argv[1]))
    else:
        raise SystemExit(0 if main() else 1)
