"""One thread writes, a few read; the event loop never waits for the disk.

The writer takes up to `MOST` pieces of work from its queue into one transaction, so that sixty-four callers share one flush. A
piece of work that fails is undone alone.
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
    """The thread that owns a file's only writing connection.

    `opener` runs on that thread and returns the connection and the store over it. `in_place` raises StoreError if the file no
    longer exists; it is called before and after each transaction, since SQLite keeps writing to a deleted file.
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

        Once queued it is done, even if the caller is cancelled meanwhile.
        """
        if self._closing:
            raise StoreError(f"{self._name} is closed")
        loop = asyncio.get_running_loop()
        request: _Request[S] = _Request(work, loop, loop.create_future())
        self._requests.put(request)
        result: T = await request.future
        return result

    async def close(self) -> None:
        """Finish pending work, then close the file."""
        if not self._closing:
            self._closing = True
            self._requests.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    # --- on the thread

    def _run(self) -> None:
        try:
            conn, store = self._opener()
        except Exception as error:  # noqa: BLE001 # the root of a thread: raised in `open`
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
        """Run one piece of work in a savepoint, so that its failure affects no other."""
        try:
            with atomic(conn):
                request.result = request.work(store)
        except conn.Error as error:
            lost = conn.explained(error, self._name)
            lost.__cause__ = error
            request.error = error if isinstance(error, conn.IntegrityError) else lost
            if not conn.in_transaction:
                # The whole transaction was undone (disk full, I/O error), so nothing in this batch was written.
                raise lost from error
        except Exception as error:  # noqa: BLE001 # raised in the caller of this work
            request.error = error


def _wake(batch: list[_Request[Any]]) -> None:
    """Wake callers with one call per event loop, however many are waiting."""
    loops: dict[asyncio.AbstractEventLoop, list[_Request[Any]]] = {}
    for request in batch:
        loops.setdefault(request.loop, []).append(request)
    for loop, requests in loops.items():
        try:
            loop.call_soon_threadsafe(_answer, requests)
        except RuntimeError:
            continue  # that loop was closed, together with everybody waiting


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
        """Run `work` on a connection that nobody else is using."""
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
        """Wait for reads in progress, then close the connections."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        await asyncio.get_running_loop().run_in_executor(None, pool.shutdown)
        while not self._free.empty():  # all that were opened are back by now
            self._free.get()[0].close()
