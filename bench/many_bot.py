"""The bot of `bench/many.py`: everything real but the resolver's innermost call, so that some names can hang at will."""

import asyncio
import os
import socket
import sys
import time
from pathlib import Path

import uvloop

from bot.app import build
from bot.cli.run import serve, tune_interpreter
from bot.config.load import load
from bot.feeds.fetch import FeedReader
from bot.system.clock import SystemClock
from bot.system.logs import configure_logs
from bot.wiring.parts import Parts
from bot.wiring.probing import Probing

HANG_S = 5.0  # what getaddrinfo takes for a name whose servers do not answer


def look_up(host: str) -> tuple[str, ...]:
    """Names that begin with `dead` block for five seconds and then fail; all others are here."""
    if host.startswith("dead"):
        time.sleep(HANG_S)
        raise socket.gaierror(socket.EAI_AGAIN, "no name server answers")
    return ("127.0.0.1",)


def main(config: str, data: str, core: str) -> None:
    """Run until a signal, on that core; on any without one."""
    if core and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {int(core)})
    tune_interpreter()
    loaded = load(Path(config), os.environ)
    configure_logs(loaded.config.secrets(), level="ERROR")
    clock = SystemClock()

    async def run() -> None:
        probing = Probing(loaded.config, clock, look_up=look_up)
        app = build(
            loaded,
            data=Path(data),
            parts=Parts(clock=clock, prober=probing.prober, fetcher=FeedReader(clock, probing.transport())),
        )
        await serve(app)
        await probing.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


if __name__ == "__main__":
    main(*sys.argv[1:])
