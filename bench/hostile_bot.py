"""The bot of `bench/hostile_sockets.py`: the real one on uvloop, with a side door that tells how long its loop was held."""

import asyncio
import os
import sys
import time
from pathlib import Path

import uvloop

from bot.cli import loading

with loading():  # as `understudy run` is loaded
    from bot.app import build
    from bot.cli.run import serve, tune_interpreter
    from bot.config.load import load
    from bot.system.logs import configure_logs

BEAT_S = 0.005


class Meter:
    """The longest hold since it was last asked, in ms.

    Of two numbers for each beat the smaller: by how much it was late, and what the process computed meanwhile. So a neighbour
    on a busy machine does not count, and neither does a thread that lets the loop go on.
    """

    def __init__(self) -> None:
        self.worst_ms = 0.0

    async def beat(self) -> None:
        """Measure until cancelled."""
        while True:
            wall, used = time.perf_counter(), time.process_time()
            await asyncio.sleep(BEAT_S)
            late = time.perf_counter() - wall - BEAT_S
            self.worst_ms = max(self.worst_ms, min(late, time.process_time() - used) * 1000)

    async def tell(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One number for each line that comes."""
        while await reader.readline():
            told, self.worst_ms = self.worst_ms, 0.0
            writer.write(f"{told}\n".encode())


def main(config: str, data: str) -> None:
    """Run until a signal."""
    loaded = load(Path(config), os.environ)
    configure_logs(loaded.config.secrets(), level="ERROR")

    async def run() -> None:
        meter = Meter()
        beating = asyncio.create_task(meter.beat())
        door = await asyncio.start_unix_server(meter.tell, Path(data) / "meter")
        async with door:
            await serve(build(loaded, data=Path(data)))
        beating.cancel()

    tune_interpreter()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


if __name__ == "__main__":
    main(*sys.argv[1:])
