"""One replica as a process: `replica.py CONFIG DATA`. SIGUSR1 sets its wall clock off by the seconds in `DATA/../clock`."""

import asyncio
import signal
import sys
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from bot.app import build
from bot.cli.run import serve
from bot.config.load import load
from bot.engine.outbox import OutboxTiming
from bot.system.clock import SystemClock
from bot.wiring.parts import Parts

CLOCK_FILE = "clock"  # holds the seconds by which the wall clock is wrong


class SteppedClock(SystemClock):
    """The machine's clock with an offset; its monotonic time never steps."""

    offset = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.offset


async def main(config: Path, data: Path) -> None:
    clock = SteppedClock()

    def step() -> None:
        with suppress(FileNotFoundError):
            clock.offset = timedelta(seconds=float((data.parent / CLOCK_FILE).read_text(encoding="ascii")))

    step()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, step)
    parts = Parts(clock=clock, pace=OutboxTiming(settle_for=timedelta(seconds=1)))
    await serve(build(load(config, {}), data=data, parts=parts))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
