"""Virtual time: an asyncio loop that jumps to the next deadline instead of waiting for it.

Everything that waits by the loop's clock (sleeps, timeouts, `call_later`) keeps its order; hours pass in milliseconds. This
works only for parts inside the process: a real socket would still take real time.
"""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(2026, 3, 20, 3, 0, tzinfo=UTC)


class _JumpingSelector(selectors.SelectSelector):
    """Polls real descriptors without waiting, then lets virtual time jump over the rest of the wait."""

    loop: "VirtualLoop"

    watched = 0  # descriptors, the loop's own wake-up pipe included

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch one more descriptor."""
        key = super().register(fileobj, events, data)
        self.watched = len(self.get_map())
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Watch one less."""
        key = super().unregister(fileobj)
        self.watched = len(self.get_map())
        return key

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; if nothing is, time jumps."""
        # The loop's own wake-up pipe is always registered; polling it alone is a wasted system call while time can jump.
        ready = super().select(0) if timeout is None or self.watched > 1 else []
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("everything waits for something that no deadline will bring")
        if timeout:
            self.loop.jump(timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose `time()` is virtual seconds since its creation."""

    def __init__(self) -> None:
        self._virtual = 0.0
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """Virtual seconds."""
        return self._virtual

    def jump(self, seconds: float) -> None:
        """Let virtual time pass."""
        self._virtual += seconds

    def run_in_executor(  # type: ignore[override] # fewer types than typeshed declares
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        """Run at once: a thread would take real time, which no deadline here waits for."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 # raised where it was asked for
            done.set_exception(error)
        return done


class LoopClock:
    """Domain time that follows the loop's time: one virtual second is one second."""

    speed = 1.0

    def __init__(self, loop: asyncio.AbstractEventLoop, start: datetime = EPOCH) -> None:
        self._loop = loop
        self._start = start
        self._seen, self._now = 0.0, start

    def now(self) -> datetime:
        """The virtual moment."""
        seconds = self._loop.time()
        if seconds != self._seen:
            self._seen, self._now = seconds, self._start + timedelta(seconds=seconds)
        return self._now

    def monotonic(self) -> float:
        """Virtual seconds."""
        return self._loop.time()


class LoopTicker:
    """A `Ticker` without a scheduler: it beats by the loop's time, at intervals of `least_s` seconds or more."""

    def __init__(self, least_s: float = 0.0) -> None:
        self._least_s = least_s
        self._task: asyncio.Task[None] | None = None

    def start(self, beat: Callable[[], None], look: Callable[[], Awaitable[None]], every_s: float) -> None:
        """Beat and look in turn until stopped."""
        self._task = asyncio.get_running_loop().create_task(self._run(beat, look, every_s), name="ticker")

    def expect(self, at: datetime | None) -> None:
        """Do nothing: a deadline waits for the next beat."""

    async def stop(self) -> None:
        """Stop beating."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, beat: Callable[[], None], look: Callable[[], Awaitable[None]], every_s: float) -> None:
        while True:
            beat()
            await look()
            await asyncio.sleep(max(every_s, self._least_s))
