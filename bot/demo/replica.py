"""One of the demo's replicas: `python -m bot.demo.replica NAME CONFIG DATA LISTEN SPEED START [BEGAN]`.

It prints when it serves, and ends when standard input closes. BEGAN is when the story's time started, on the monotonic clock
that all processes of a machine share; without it, time stands still until BEGAN arrives on standard input.
"""

import asyncio
import signal
import sys
from datetime import datetime
from pathlib import Path

import uvloop

from bot.app import build
from bot.config.load import load
from bot.config.scalars import split_listen
from bot.demo.bots import story_parts
from bot.ports import StoreError
from bot.system.clock import ScaledClock
from bot.system.logs import configure_logs
from bot.web.app import WebError
from bot.wiring.parts import StartRefused


async def main(name: str, config: Path, data: Path, listen: tuple[str, int], clock: ScaledClock) -> None:
    """Run a replica until standard input closes. Raises the same as `App.start`."""
    told = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(told), sys.stdin)
    app = build(load(config, {}), data=data, listen=listen, parts=story_parts(clock, name))
    try:
        await app.start()
        print("serves", flush=True)  # noqa: T201 # its starter waits for that
        if clock.began is None and (began := await told.readline()):
            clock.begin(float(began))
        await told.read()
    finally:
        await app.stop()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # when started by hand it ends at once, without a traceback
    configure_logs((), level="WARNING", pretty=True)
    name, config, data, listen, speed, start, *began = sys.argv[1:]
    clock = ScaledClock(float(speed), datetime.fromisoformat(start), stands=True)
    for moment in began:
        clock.begin(float(moment))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main(name, Path(config), Path(data), split_listen(listen), clock))
    except (StoreError, StartRefused, WebError) as error:
        sys.exit(str(error))
