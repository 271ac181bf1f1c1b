"""Where a deployment keeps its ledger: in a file of its data folder, or in a database that other replicas share."""

import socket
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Sample
from bot.ports import Ledger, Samples, StoreError
from bot.store.connection import Connection
from bot.store.lock import DataLock
from bot.store.samples.sqlite import open_samples
from bot.store.sqlite.ledgers import LEDGER_FILE, open_ledger, open_read_only

T = TypeVar("T")

NO_DRIVER = "`store` names a PostgreSQL database, and the driver for it is missing: pip install 'understudy[postgres]'"
NO_ANEW = (
    "{place} is shared by all replicas, so it is not begun anew from here. Stop them, give the schema another name "
    "(`ALTER SCHEMA {schema} RENAME TO {schema}_aside`), delete ledger.id in each data folder, and start them again"
)


class OpenLedger(Ledger, Protocol):
    """A ledger that was opened here, and is closed here."""

    @property
    def trouble(self) -> StoreError | None:
        """Why it is only read, if so."""

    def check_place(self) -> None:
        """Raise StoreError when it is not there any more."""

    async def reopen(self) -> None:
        """Try to write again; raises StoreError while that is not possible."""

    def be_patient(self, patient: bool) -> None:
        """Whether work waits for a database that is away, as in a start, or is told at once."""

    async def close(self) -> None:
        """Finish what was asked for and close."""


class OpenSamples(Samples, Protocol):
    """Samples that were opened here, and are closed here."""

    @property
    def trouble(self) -> StoreError | None:
        """Why they are only read, if so."""

    @property
    def complaint(self) -> str:
        """What people should know of them; empty where they are as they should be."""

    async def reopen(self) -> None:
        """Try to write again; raises StoreError while that is not possible."""

    def be_patient(self, patient: bool) -> None:
        """Whether work waits for a database that is away, as in a start, or is told at once."""

    async def close(self) -> None:
        """Finish what was asked for and close."""


class ReadLedger(Ledger, Protocol):
    """A ledger that is only read, beside running bots."""

    async def close(self) -> None:
        """Close it."""


@dataclass(frozen=True)
class Home:
    """The data folder, and the address of the database where there is one, which holds its password."""

    folder: Path
    store: str = field(default="", repr=False)

    @property
    def shared(self) -> bool:
        """Whether other processes may write to the ledger."""
        return bool(self.store)

    def __str__(self) -> str:
        return str(_place(self.store)) if self.store else str(self.folder / LEDGER_FILE)

    def is_begun(self) -> bool:
        """Whether there may be a ledger; of a database only reading tells."""
        return self.shared or (self.folder / LEDGER_FILE).is_file()

    async def open(
        self, *, lock: DataLock | None = None, replica: str = "", readers: int = 2, begin_anew: bool = False
    ) -> OpenLedger:  # fmt: skip
        """Open it, making it where there is none; the data folder is locked until it is closed. Raises StoreError."""
        if not self.store:
            return await open_ledger(self.folder, lock=lock, readers=readers, begin_anew=begin_anew)
        if begin_anew:
            place = _place(self.store)
            raise StoreError(NO_ANEW.format(place=place, schema=place.schema))
        _place(self.store)
        from bot.store.postgres.ledgers import open_postgres_ledger

        own = DataLock(self.folder).take() if lock is None else None
        return await open_postgres_ledger(
            self.store, replica or socket.gethostname(), readers=readers, folder=self.folder, lock=own
        )

    async def open_samples(self, *, replica: str = "") -> OpenSamples:
        """Open what was measured, where the ledger is; the folder is locked by then. Raises StoreError."""
        if not self.store:
            return await open_samples(self.folder)
        from bot.store.postgres.samples.keeper import open_postgres_samples

        return await open_postgres_samples(self.store, replica or socket.gethostname())

    def shared_samples_since(self, at: datetime) -> list[Sample]:
        """What was measured in a database that `store` names, oldest first. Raises StoreError."""
        place = _place(self.store)
        from bot.store.postgres.samples.keeper import stored_since

        return stored_since(place, at)

    def open_read_only(self) -> ReadLedger:
        """Open it for reading, whether a bot runs on it or not. Raises StoreError when that is not possible."""
        if not self.store:
            return open_read_only(self.folder)
        place = _place(self.store)
        from bot.store.postgres.ledgers import PostgresReadOnlyLedger

        return PostgresReadOnlyLedger(place)

    def connect(self, *, writing: bool = False) -> Connection:
        """A connection to the tables of the database, for tools. Raises StoreError."""
        place = _place(self.store)
        from bot.store.postgres.ledgers import connect_to_read, connect_up_to_date

        return connect_up_to_date(place, "copies") if writing else connect_to_read(place, "copies")

    def report(self) -> tuple[list[tuple[str, str]], bool]:
        """What there is to know of the database, each `good`, `note` or `bad` with a sentence, and whether it has a ledger.

        Raises StoreError.
        """
        place = _place(self.store)
        from bot.store.postgres.report import report

        return report(place)


def is_address(text: str) -> bool:
    """Whether this names a database, and no folder."""
    return text.startswith(("postgresql://", "postgres://"))


def _place(address: str) -> Any:
    """Where a database is. Raises StoreError, also where its driver is not installed: nobody else needs that."""
    from bot.store.postgres.place import place_of

    try:
        return place_of(address)
    except ImportError as error:
        raise StoreError(NO_DRIVER) from error
