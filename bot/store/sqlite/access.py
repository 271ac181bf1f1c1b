"""A data file and its threads. While it cannot be written it is only read, until that is fixed without a restart."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from bot.core.lazy_dataclass import dataclass
from bot.ports import StoreError, StoreTrouble
from bot.store.connection import Connection, snapshot
from bot.store.sqlite.engine import DatabaseError
from bot.store.sqlite.errors import explained
from bot.store.writer import Readers, Writer

S = TypeVar("S")
T = TypeVar("T")

PASSING = frozenset({StoreTrouble.FULL, StoreTrouble.READ_ONLY, StoreTrouble.IO})  # may be over in a minute

Opener = Callable[[], tuple[Connection, S]]


@dataclass(frozen=True)
class Openers(Generic[S]):
    """How a file is opened: for writing, for reading beside the writer, and for reading on a full disk."""

    writing: Opener[S]
    reading: Opener[S]
    alone: Opener[S]


class Access(Generic[S]):
    """One writer thread and a few readers. `trouble` says why there is no writer, if there is none."""

    def __init__(self, path: Path, ways: Openers[S], readers: int) -> None:
        self.path = path
        self.trouble: StoreError | None = None
        self._ways = ways
        self._size = readers
        self._writer: Writer[S] | None = None
        self._readers: Readers[S] | None = None
        self._places: dict[Path, tuple[int, int] | None] = {}
        self._one_at_a_time = asyncio.Lock()

    async def open(self) -> None:
        """Open the file; the writer first, since it may recover what a crash left.

        On a disk that is full or read-only, no error is raised: the file is only read, and `trouble` says why. Raises
        StoreError for everything else.
        """
        writer = Writer(str(self.path), self._ways.writing, self.check_place)
        try:
            await writer.open()
        except StoreError as error:
            if error.kind not in PASSING or not self.path.is_file():
                raise
            await self._read_alone(lambda store: None)
            self.trouble = error
            return
        self._places = {path: _place(path) for path in (self.path, _log_of(self.path)) if _place(path)}
        readers = Readers(str(self.path), self._ways.reading, self._size)
        try:
            await readers.open()
        except DatabaseError as error:
            await writer.close()
            raise explained(error, self.path) from error
        except BaseException:
            await writer.close()
            raise
        self._writer, self._readers, self.trouble = writer, readers, None

    async def reopen(self) -> None:
        """Try again to write, if that was impossible; raises StoreError while it still is."""
        if self._writer is None:
            await self.open()
        if self.trouble is not None:
            raise self.trouble

    async def write(self, work: Callable[[S], T]) -> T:
        """Run `work` on the writing store; returns when it is committed. An error in `work` is raised here alone."""
        if self._writer is None:
            raise self.trouble or StoreError(f"{self.path} is closed")
        return await self._writer.run(work)

    async def read(self, work: Callable[[S], T]) -> T:
        """Run `work` on a read-only store, in a snapshot of everything written before."""
        if self._readers is not None:
            return await self._readers.run(work)
        if self.trouble is not None:
            return await self._read_alone(work)
        raise StoreError(f"{self.path} is closed")

    def check_place(self) -> None:
        """Raise StoreError if the file or its log is not the one that was opened. Costs two microseconds."""
        for path, place in self._places.items():
            now = _place(path)
            if now == place:
                continue
            what = "is gone" if now is None else "is another file than the one that was opened"
            sentence = (
                f"{path} {what}, so nothing is committed any more; put the file back, or stop the bot, restore a backup "
                "and start it again"
            )
            raise StoreError(sentence, kind=StoreTrouble.GONE)

    async def close(self) -> None:
        """Finish pending work and close; a second call does nothing."""
        if self._readers is not None:
            await self._readers.close()
        if self._writer is not None:
            await self._writer.close()
        self._readers = self._writer = self.trouble = None

    async def _read_alone(self, work: Callable[[S], T]) -> T:
        """A connection for this read only, so that nobody is locked out for long."""

        def on_thread() -> T:
            conn, store = self._ways.alone()
            try:
                with snapshot(conn):
                    return work(store)
            except DatabaseError as error:
                raise explained(error, self.path) from error
            finally:
                conn.close()

        async with self._one_at_a_time:
            return await asyncio.to_thread(on_thread)


def _place(path: Path) -> tuple[int, int] | None:
    """The identity of the file there; None if there is none, or one that we may not access."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")
