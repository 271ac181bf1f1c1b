"""One thread writes, a few read; nobody on the event loop ever waits for the disk.

The writer takes what has gathered in its queue, up to `MOST` pieces of work, into one transaction: sixty-four callers share
one flush. A piece of work that fails undoes itself alone.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from bot.ports import StoreError
from bot.store.connection import Connection, atomic, snapshot

S = TypeVar("S")
T = TypeVar("T")

MOST = 500  # pieces of work in one transaction


@dataclass
class _Request(Generic[S]):
    work: Callable[[S], Any]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"
    result: Any = None
    error: Exception | None = None


class Writer(Generic[S]):
    """The thread that owns the one writing connection of a file.

    `opener` runs on that thread and gives the connection and the store over it. `in_place` raises StoreError when the file
    is not there any more; it is asked before each transaction and after it, for SQLite goes on writing into a deleted file.
    """

    def __init__(
        self, name: str, opener: Callable[[], tuple[Connection, S]], in_place: Callable[[], None] = lambda: None
    ) -> None:
        self._name = name
        self._opener = opener
        self._in_place = in_place
        self._requests: queue.SimpleQueue[_Request[S] | None] = queue.SimpleQueue()
        self._opened: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name=f"writer of {name}", daemon=True)
        self._closing = False

    async def open(self) -> None:
        """Start; raises what the opener raises."""
        self._thread.start()
        await asyncio.wrap_future(self._opened)

    async def run(self, work: Callable[[S], T]) -> T:
        """Run `work`, return when its transaction is committed, raise what it raises.

        Once asked for it is done, even if the caller is cancelled meanwhile.
        """
        if self._closing:
            raise StoreError(f"{self._name} is closed")
        loop = asyncio.get_running_loop()
        request: _Request[S] = _Request(work, loop, loop.create_future())
        self._requests.put(request)
        result: T = await request.future
        return result

    async def close(self) -> None:
        """Finish what was asked for, then close the file."""
        if not self._closing:
            self._closing = True
            self._requests.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    # --- on the thread

    def _run(self) -> None:
        try:
            conn, store = self._opener()
        except Exception as error:  # noqa: BLE001 # the root of a thread: raised where the file was asked for
            self._opened.set_exception(error)
            return
        self._opened.set_result(None)
        more = True
        while more:
            batch, more = self._gather()
            self._carry_out(conn, store, batch)
            _wake(batch)
        conn.close()

    def _gather(self) -> tuple[list[_Request[S]], bool]:
        batch: list[_Request[S]] = []
        request = self._requests.get()
        while request is not None:
            batch.append(request)
            if len(batch) == MOST:
                return batch, True
            try:
                request = self._requests.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _carry_out(self, conn: Connection, store: S, batch: list[_Request[S]]) -> None:
        if not batch:
            return
        try:
            self._in_place()
            with atomic(conn):
                for request in batch:
                    self._run_alone(conn, store, request)
            self._in_place()
        except (conn.Error, StoreError) as error:
            lost = error if isinstance(error, StoreError) else conn.explained(error, self._name)
            for request in batch:
                request.error = request.error or lost

    def _run_alone(self, conn: Connection, store: S, request: _Request[S]) -> None:
        """Run one piece of work in a savepoint, so that its failure is its own."""
        try:
            with atomic(conn):
                request.result = request.work(store)
        except conn.Error as error:
            lost = conn.explained(error, self._name)
            lost.__cause__ = error
            request.error = error if isinstance(error, conn.IntegrityError) else lost
            if not conn.in_transaction:
                # The whole transaction was undone (disk full, I/O error): nobody of this batch has anything.
                raise lost from error
        except Exception as error:  # noqa: BLE001 # the root of somebody's work: raised where it was asked for
            request.error = error


def _wake(batch: list[_Request[Any]]) -> None:
    """One call per event loop, however many callers wait on it."""
    loops: dict[asyncio.AbstractEventLoop, list[_Request[Any]]] = {}
    for request in batch:
        loops.setdefault(request.loop, []).append(request)
    for loop, requests in loops.items():
        try:
            loop.call_soon_threadsafe(_answer, requests)
        except RuntimeError:
            continue  # that loop was closed, and with it everybody who waited


def _answer(requests: list[_Request[Any]]) -> None:
    for request in requests:
        if request.future.done():
            continue  # its caller was cancelled
        if request.error:
            request.future.set_exception(request.error)
        else:
            request.future.set_result(request.result)


@dataclass
class Readers(Generic[S]):
    """A few read-only connections, each used by one thread at a time; each piece of work sees one snapshot."""

    name: str
    opener: Callable[[], tuple[Connection, S]]
    size: int = 2
    _free: "queue.SimpleQueue[tuple[Connection, S]]" = field(default_factory=queue.SimpleQueue)
    _pool: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Open the connections."""
        self._pool = ThreadPoolExecutor(self.size, thread_name_prefix=f"reader of {self.name}")
        loop = asyncio.get_running_loop()
        for _ in range(self.size):
            self._free.put(await loop.run_in_executor(self._pool, self.opener))

    async def run(self, work: Callable[[S], T]) -> T:
        """Run `work` on a connection that nobody else uses meanwhile."""
        if self._pool is None:
            raise StoreError(f"{self.name} is closed")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._on_thread, work)

    def _on_thread(self, work: Callable[[S], T]) -> T:
        conn, store = self._free.get()
        try:
            with snapshot(conn):
                return work(store)
        except conn.Error as error:
            raise conn.explained(error, self.name) from error
        finally:
            self._free.put((conn, store))

    async def close(self) -> None:
        """Wait for readings under way, then close the connections."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        await asyncio.get_running_loop().run_in_executor(None, pool.shutdown)
        while not self._free.empty():  # those that were opened, and all of them are back
            self._free.get()[0].close()
