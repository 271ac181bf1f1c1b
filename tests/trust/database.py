"""What replicas share: files of SQLite, or a PostgreSQL server that is made for one storm."""

from pathlib import Path
from typing import Protocol

from bot.core.record.fact import Fact
from bot.ports import OutboxRow
from bot.store.errors import StoreError
from bot.store.sqlite.ledgers import open_read_only

Written = tuple[list[Fact], list[OutboxRow]]


class Database(Protocol):
    """A ledger from outside."""

    port: int  # where it listens; 0 = it is a file
    restarts: int

    def url(self, port: int) -> str:
        """What a replica's `store` is, reached at this port."""

    async def ledger(self) -> Written:
        """Every fact and every row; nothing where there is none yet."""

    async def flaws(self) -> tuple[str, ...]:
        """Streams whose facts do not hold, a sentence each."""

    async def restart(self) -> None:
        """Kill it and start it again, where that can be done."""


class Files:
    """SQLite in one data folder."""

    port = 0
    restarts = 0

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def url(self, port: int) -> str:
        return ""

    async def ledger(self) -> Written:
        if not (self._folder / "ledger.db").exists():
            return [], []
        try:
            ledger = open_read_only(self._folder)
        except StoreError:  # the file is there, its tables are not yet
            return [], []
        try:
            return await ledger.read(lambda s: s.all_facts()), await ledger.read(lambda s: s.outbox())
        finally:
            await ledger.close()

    async def flaws(self) -> tuple[str, ...]:
        ledger = open_read_only(self._folder)
        try:
            found = await ledger.read(lambda store: [store.examine(stream) for stream in store.streams()])
            return tuple(flaw.sentence for flaw in found if flaw)
        finally:
            await ledger.close()

    async def restart(self) -> None:
        return
