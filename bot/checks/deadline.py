"""A probe's deadline: `asyncio.timeout` at half its cost, which every probe pays."""

import asyncio
from types import TracebackType
from typing import Self


class Deadline:
    """Cancels what its task does inside it once `seconds` have passed, and raises TimeoutError instead.

    Other cancellations of the task pass through. `over` says whether time ran out.
    """

    __slots__ = ("_cancelled", "_seconds", "_task", "_timer", "over")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.over = False

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("a deadline needs a task that it can cancel")
        self._task = task
        self._cancelled = task.cancelling()
        self._timer = loop.call_later(self._seconds, self._end)
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        self._timer.cancel()
        # Our own cancellation is taken back; any other one continues (asyncio's own rule).
        if self.over and self._task.uncancel() <= self._cancelled and kind is asyncio.CancelledError:
            raise TimeoutError from exc

    def _end(self) -> None:
        self.over = True
        self._task.cancel()
