"""One replica as a process: `replica.py CONFIG DATA`. SIGUSR1 steps its wall clock, by what `clock` beside DATA says."""

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

CLOCK = "clock"  # the file with the seconds that the wall clock is off


class SteppedClock(SystemClock):
    """The machine's clock, as far off as somebody set it; its seconds never step."""

    off = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.off


async def main(config: Path, data: Path) -> None:
    clock = SteppedClock()

    def step() -> None:
        with suppress(FileNotFoundError):
            clock.off = timedelta(seconds=float((data.parent / CLOCK).read_text(encoding="ascii")))

    step()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, step)
    parts = Parts(clock=clock, pace=OutboxTiming(settle_for=timedelta(seconds=1)))
    await serve(build(load(config, {}), data=data, parts=parts))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
