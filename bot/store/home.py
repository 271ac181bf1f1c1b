"""Where a deployment keeps its ledger: in a file in its data folder, or in a database shared by replicas."""

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
    "{place} is shared by all replicas, so it is not recreated from here. Stop them, give the schema another name "
    "(`ALTER SCHEMA {schema} RENAME TO {schema}_aside`), delete ledger.id in each data folder, and start them again"
)


class OpenLedger(Ledger, Protocol):
    """A ledger that the caller opened and will close."""

    @property
    def trouble(self) -> StoreError | None:
        """Why it is read-only, if it is."""

    def check_place(self) -> None:
        """Raise StoreError if it no longer exists."""

    async def reopen(self) -> None:
        """Try to write again; raises StoreError while that is impossible."""

    def be_patient(self, patient: bool) -> None:
        """Whether work waits for an unreachable database, as during a start, or fails at once."""

    async def close(self) -> None:
        """Finish pending work and close."""


class OpenSamples(Samples, Protocol):
    """Samples that the caller opened and will close."""

    @property
    def trouble(self) -> StoreError | None:
        """Why they are read-only, if they are."""

    @property
    def complaint(self) -> str:
        """What people should know about them; empty if all is well."""

    async def reopen(self) -> None:
        """Try to write again; raises StoreError while that is impossible."""

    def be_patient(self, patient: bool) -> None:
        """Whether work waits for an unreachable database, as during a start, or fails at once."""

    async def close(self) -> None:
        """Finish pending work and close."""


class ReadLedger(Ledger, Protocol):
    """A ledger opened for reading, beside running bots."""

    async def close(self) -> None:
        """Close it."""


@dataclass(frozen=True)
class Home:
    """The data folder, and the database's address if there is one, which includes its password."""

    folder: Path
    store: str = field(default="", repr=False)

    @property
    def shared(self) -> bool:
        """Whether other processes may write to the ledger."""
        return bool(self.store)

    def __str__(self) -> str:
        return str(_place(self.store)) if self.store else str(self.folder / LEDGER_FILE)

    def is_begun(self) -> bool:
        """Whether there may be a ledger; for a database only reading tells."""
        return self.shared or (self.folder / LEDGER_FILE).is_file()

    async def open(
        self, *, lock: DataLock | None = None, replica: str = "", readers: int = 2, new_ledger: bool = False
    ) -> OpenLedger:  # fmt: skip
        """Open the ledger, creating it if necessary; the data folder stays locked until it is closed. Raises StoreError."""
        if not self.store:
            return await open_ledger(self.folder, lock=lock, readers=readers, new_ledger=new_ledger)
        if new_ledger:
            place = _place(self.store)
            raise StoreError(NO_ANEW.format(place=place, schema=place.schema))
        _place(self.store)
        from bot.store.postgres.ledgers import open_postgres_ledger

        own = DataLock(self.folder).take() if lock is None else None
        return await open_postgres_ledger(
            self.store, replica or socket.gethostname(), readers=readers, folder=self.folder, lock=own
        )

    async def open_samples(self, *, replica: str = "") -> OpenSamples:
        """Open the samples beside the ledger; the folder is already locked. Raises StoreError."""
        if not self.store:
            return await open_samples(self.folder)
        from bot.store.postgres.samples.keeper import open_postgres_samples

        return await open_postgres_samples(self.store, replica or socket.gethostname())

    def shared_samples_since(self, at: datetime) -> list[Sample]:
        """The samples in a database named by `store`, oldest first. Raises StoreError."""
        place = _place(self.store)
        from bot.store.postgres.samples.keeper import stored_since

        return stored_since(place, at)

    def open_read_only(self) -> ReadLedger:
        """Open the ledger for reading, whether or not a bot is using it. Raises StoreError if that is impossible."""
        if not self.store:
            return open_read_only(self.folder)
        place = _place(self.store)
        from bot.store.postgres.ledgers import PostgresReadOnlyLedger

        return PostgresReadOnlyLedger(place)

    def connect(self, *, writing: bool = False) -> Connection:
        """A database connection for tools. Raises StoreError."""
        place = _place(self.store)
        from bot.store.postgres.ledgers import connect_to_read, connect_up_to_date

        return connect_up_to_date(place, "copies") if writing else connect_to_read(place, "copies")

    def report(self) -> tuple[list[tuple[str, str]], bool]:
        """Findings about the database, each `good`, `note` or `bad` with a sentence, and whether it has a ledger.

        Raises StoreError.
        """
        place = _place(self.store)
        from bot.store.postgres.report import report

        return report(place)


def is_address(text: str) -> bool:
    """Whether this is the address of a database, not a folder."""
    return text.startswith(("postgresql://", "postgres://"))


def _place(address: str) -> Any:
    """The place of a database. Raises StoreError, also if its driver, which is optional, is not installed."""
    from bot.store.postgres.place import place_of

    try:
        return place_of(address)
    except ImportError as error:
        raise StoreError(NO_DRIVER) from error
