"""How the bot ends when asked: in order if possible, and within ten seconds in any case."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from bot.watch.watchdog import last_words, stack

END_WITHIN_S = 7.0  # with a moment for last log lines; Docker and most others kill after ten
STUCK_EXIT = 70  # sysexits.h: EX_SOFTWARE


def leave(status: int = STUCK_EXIT) -> None:
    """End the process at once, from any thread. Every promise is committed, so nothing is lost."""
    os._exit(status)  # without flushing: a stuck thread may hold a stream's lock


class Shutdown:
    """Waits for SIGTERM or SIGINT. Then the process ends within `within_s`, whatever it is doing.

    The handlers are Python's own: they interrupt whatever occupies the main thread, while the event loop's would wait for its
    turn.
    """

    def __init__(self, within_s: float = END_WITHIN_S, leave: Callable[[], None] = leave) -> None:
        self.asked = asyncio.Event()
        self._within_s = within_s
        self._leave = leave
        self._loop = asyncio.get_running_loop()
        self._main = threading.get_ident()
        self._timer: threading.Timer | None = None
        self._before: dict[signal.Signals, Any] = {}

    def listen(self) -> None:
        """Install the handlers; called in the main thread."""
        for name in (signal.SIGTERM, signal.SIGINT):
            self._before[name] = signal.signal(name, self._ask)

    def over(self) -> None:
        """Everything is closed, so no deadline is needed."""
        if self._timer is not None:
            self._timer.cancel()
        for name, handler in self._before.items():
            signal.signal(name, handler)

    def _ask(self, _: int, __: FrameType | None) -> None:
        if self._timer is None:
            self._timer = threading.Timer(self._within_s, self._give_up)
            self._timer.daemon = True
            self._timer.start()
            self._loop.call_soon_threadsafe(self.asked.set)

    def _give_up(self) -> None:
        frames = stack(sys._current_frames().get(self._main))
        last_words("ending took too long; leaving as it is", seconds=self._within_s, frames=frames)
        self._leave()
