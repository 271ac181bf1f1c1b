"""Programs of the bot in processes of their own, which do not load it anew: half of what a start costs is loading.

A mother of processes has loaded it once and forks for each start; `tests/forks/mother.py` says what a start sets up. What
starts has its own memory, folder, environment, signals, limits and files, and may be killed like any other. Only what loading
itself does is not seen so: tests of that start Python (`tests/cli/test_verb_loading.py`, `tests/cli/test_ending.py`, the demo).

There are two mothers, taken in turn: each has its own seed of hashes, so that a restart meets another one, as in life.
"""

import asyncio
import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryFile

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Start:
    """What is started: `python -m bot.cli` with these arguments, or a script."""

    args: Sequence[str]
    cwd: str
    env: Mapping[str, str]
    script: str = ""
    file_bytes: int | None = None  # no file grows beyond, until the limit is lifted
    open_files: int | None = None


@dataclass
class Program:
    """A process; like `asyncio.subprocess.Process`, as far as it is needed."""

    pid: int = 0
    returncode: int | None = None
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode


async def start(what: Start, out: int, err: int) -> Program:
    """Start it, with its output and its errors in these files."""
    loop, program, known = asyncio.get_running_loop(), Program(), asyncio.Event()
    told, tells = os.pipe()
    heard = bytearray()

    def hear() -> None:
        """The process's number, and when it ended, how."""
        data = os.read(told, 64)
        heard.extend(data)
        lines = heard.decode().split("\n")
        if len(lines) > 1:
            program.pid = int(lines[0])
            known.set()
        if not data:
            loop.remove_reader(told)
            os.close(told)
            program.returncode = int(lines[1]) if len(lines) > 2 else -signal.SIGKILL
            known.set()
            program._ended.set()

    loop.add_reader(told, hear)
    try:
        socket.send_fds(next(_mothers()), [json.dumps(vars(what)).encode()], (out, err, tells))
    finally:
        os.close(tells)
    await known.wait()
    return program


async def run(what: Start, within_s: float) -> tuple[int, str, str]:
    """Run it to its end: exit status, output and errors."""
    with TemporaryFile() as out, TemporaryFile() as err:
        program = await start(what, out.fileno(), err.fileno())
        try:
            async with asyncio.timeout(within_s):
                status = await program.wait()
        finally:
            program.kill()
            await program.wait()
        out.seek(0)
        err.seek(0)
        return status, out.read().decode(), err.read().decode()


@cache
def _mothers() -> "cycle[socket.socket]":
    """Both, made when the first process is wanted; they end with this one."""
    return cycle([_mother(), _mother()])


def _mother() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forks.mother", str(theirs.fileno())], cwd=ROOT, pass_fds=(theirs.fileno(),),
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def end() -> None:
        ours.close()
        process.wait(10.0)

    atexit.register(end)
    return ours
