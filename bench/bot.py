"""A real `understudy run` in a process of its own, against a local workspace and a plain local vendor."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import yaml
from aiohttp import web

from bot.sandbox.postgres import PostgresServer
from bot.sandbox.slack import CommandSpec, LocalWorkspace
from commands.table import words

DEADLINE_S = 30.0


@dataclass
class Process:
    """A program that serves over HTTP."""

    url: str
    pid: int

    def resident_mb(self) -> float:
        """Its resident memory in MB (10^6 bytes)."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_s(self) -> float:
        """The CPU seconds that it has taken so far, in all threads."""
        return cpu_s(self.pid)


def cpu_s(pid: int, *, ended: bool = False) -> float:
    """CPU seconds of a process, in all threads; `ended`: of its children that ended instead."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    first = 13 if ended else 11
    return (int(fields[first]) + int(fields[first + 1])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Running(Process):
    """A bot that answers."""

    workspace: LocalWorkspace
    ready_after_s: float
    ready_after_cpu_s: float


@asynccontextmanager
async def running(folder: Path, checks: int, *, number: int = 5, **more: object) -> AsyncIterator[Running]:
    """Start everything with so many HTTP checks every 30 s over so many components, and `more` sections; stop it at the end."""
    served = web.AppRunner(vendor({}), access_log=None)
    await served.setup()
    await web.TCPSite(served, "127.0.0.1", 0).start()
    port = served.addresses[0][1]
    async with LocalWorkspace(commands=[CommandSpec(*word) for word in words()]) as workspace:
        workspace.add_user("ana")
        workspace.add_channel("ops", members=("ana",))
        config = folder / "understudy.yaml"
        config.write_text(yaml.safe_dump(settings(workspace, port, checks, number=number) | more), encoding="utf-8")
        loop = asyncio.get_running_loop()
        began = loop.time()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.cli", "run", "--config", str(config), "--data", str(folder / "data"),
            "--log-level", "WARNING",
        )  # fmt: skip
        try:
            url = await ready(folder / "data" / "control.json")
            took, worked = loop.time() - began, cpu_s(process.pid)
            await workspace.connected(within=DEADLINE_S)
            yield Running(url, process.pid, workspace, took, worked)
        finally:
            process.terminate()
            await process.wait()
            await served.cleanup()


async def ready(control: Path, within_s: float = DEADLINE_S) -> str:
    """The bot's address, once it says that it is ready."""
    async with asyncio.timeout(within_s), aiohttp.ClientSession() as session:
        while True:
            if control.exists():
                url = str(json.loads(control.read_text(encoding="utf-8"))["url"])
                async with session.get(f"{url}/readyz") as response:
                    if response.status == 200:
                        return url
            await asyncio.sleep(0.01)


def pin(pid: int, core: int) -> None:
    """This process with all its threads on one core, before whatever else runs there."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})
    go_first(pid)


def go_first(pid: int) -> None:
    """This process with all its threads before whatever else runs, and its first thread, the loop, before the others.

    One of equal rank would run on with the interpreter in its hand, for the loop cannot even ask it to let go.
    """
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            os.sched_setscheduler(int(thread.name), os.SCHED_FIFO, os.sched_param(50 + (int(thread.name) == pid)))
        except PermissionError:
            print("  not at real-time priority: what else runs here is in the figures")
            return
        except ProcessLookupError:
            continue  # it has ended meanwhile


class Server(Process):
    """A PostgreSQL server with all its processes."""

    def __init__(self, server: PostgresServer) -> None:
        super().__init__("", int((server.data / "postmaster.pid").read_text(encoding="ascii").split()[0]))

    def pids(self) -> list[int]:
        """Of the first one and of its children."""
        return [self.pid, *map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii").split())]

    def cpu_s(self) -> float:
        """The CPU seconds of all of them, with those that ended."""
        return sum(cpu_s(pid) for pid in self.pids()) + cpu_s(self.pid, ended=True)


def two_cores() -> tuple[int, int]:
    """One for the bot and one for whoever asks it; the same where there is no other."""
    found = sorted(os.sched_getaffinity(0))
    return found[0], found[min(1, len(found) - 1)]


def vendor(asked: dict[str, float]) -> web.Application:
    """Answers everything, and notes when each path was asked last, by the loop's clock."""

    async def answer(request: web.Request) -> web.Response:
        asked[request.path] = asyncio.get_running_loop().time()
        return web.json_response({"ok": True})

    app = web.Application()
    app.router.add_get("/{tail:.*}", answer)
    return app


def settings(workspace: LocalWorkspace, port: int, checks: int, every: str = "30s", *, number: int = 5) -> dict[str, object]:
    """A configuration with so many HTTP checks over so many components."""
    return {
        "slack": {
            "bot_token": workspace.bot_token, "app_token": workspace.app_token, "api_url": workspace.api_url,
        },
        "server": {"listen": "127.0.0.1:0", "open_to_loopback": True},
        "allow_private": ["127.0.0.0/8"],
        "control_group": [],
        "providers": {"local": {"components": components(number, checks, port, every)}},
    }  # fmt: skip


def components(number: int, checks: int, port: int, every: str = "30s") -> dict[str, object]:
    """So many, with so many HTTP checks in all."""
    return {
        f"c{n}": {
            "checks": [
                {"type": "http", "name": f"k{m}", "url": f"http://127.0.0.1:{port}/{n}/{m}", "every": every}
                for m in range(n, checks, number)
            ]
        }
        for n in range(number)
    }
