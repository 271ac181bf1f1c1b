"""A limited pool of daemon threads for calls that cannot be interrupted.

concurrent.futures joins its threads when the interpreter exits, so one name that hangs would delay shutdown; these are
abandoned.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

IDLE_FOR_S = 60.0


class Threads:
    """Runs blocking calls in at most `most` threads, created on demand and ended after a minute without work."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._wanted = 0  # calls running or waiting
        self._closed = False

    async def run(self, call: Callable[..., T], *arguments: object) -> T:
        """The result or exception of `call(*arguments)`. Cancelling ends the waiting; the call itself continues."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            result: Any = None
            error: BaseException | None = None
            try:
                result = call(*arguments)
            except BaseException as exc:  # noqa: BLE001 # the root of a thread; raised where it is awaited
                error = exc
            try:
                loop.call_soon_threadsafe(_deliver, future, result, error)
            except RuntimeError:
                return  # the loop is closed: nobody waits any more

        with self._lock:  # an idle thread looks for work under the same lock before it ends
            if self._closed:
                raise RuntimeError(f"the pool {self._name} is closed")
            self._wanted += 1
            if self._threads < min(self._wanted, self._most):
                self._threads += 1
                threading.Thread(target=self._serve, name=self._name, daemon=True).start()
            self._work.put(work)
        return await future

    def close(self) -> None:
        """End idle threads and drop waiting calls; calls that hang are abandoned. Closing twice is harmless."""
        with self._lock:
            self._closed = True
            self._drop_waiting()
            for _ in range(self._threads):
                self._work.put(None)

    def _serve(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=IDLE_FOR_S)
            except queue.Empty:
                with self._lock:
                    if self._work.empty():
                        self._threads -= 1
                        return
                continue
            if work is None:
                with self._lock:
                    self._threads -= 1
                return
            work()
            with self._lock:
                self._wanted -= 1

    def _drop_waiting(self) -> None:
        try:
            while True:
                if self._work.get_nowait() is not None:
                    self._wanted -= 1
        except queue.Empty:
            return


def _deliver(future: "asyncio.Future[T]", result: T, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
