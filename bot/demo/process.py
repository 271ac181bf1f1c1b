"""A replica's process, controlled by the demo."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from bot.demo.front import Place
from bot.sandbox.postgres import free_port
from bot.system.clock import ScaledClock

COMES_UP_WITHIN_S = 60.0


class ReplicaError(Exception):
    """A replica did not start; its own output is on standard error above."""


class ReplicaProcess:
    """Runs `bot.demo.replica` with its own data folder and port. May be started again after `kill`."""

    def __init__(self, name: str, config: Path, data: Path, clock: ScaledClock) -> None:
        self.name = name
        self.place: Place = ("127.0.0.1", free_port())
        self._config = config
        self._data = data
        self._clock = clock
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and wait until it serves. Raises ReplicaError."""
        await self._run()
        said = b""
        if self._process is not None and self._process.stdout is not None:
            with suppress(TimeoutError):
                said = await asyncio.wait_for(self._process.stdout.readline(), COMES_UP_WITHIN_S)
        if not said:
            raise ReplicaError(f"{self.name} did not come up")

    def begin(self) -> None:
        """Start the story's time, which stood still until now."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(f"{self._clock.began}\n".encode())

    async def _run(self) -> None:
        host, port = self.place
        began = () if self._clock.began is None else (str(self._clock.began),)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.demo.replica", self.name, str(self._config), str(self._data), f"{host}:{port}",
            str(self._clock.speed), self._clock.start.isoformat(), *began,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the demo, which ends this process by closing its standard input
        )  # fmt: skip

    async def kill(self) -> None:
        """Kill it; it cannot prevent that."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def stop(self) -> None:
        """Let it end by itself, if it is running."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()
