"""Opens the ledger and the samples, or takes what it is given in their place."""

from dataclasses import dataclass

from bot.ports import Ledger, Samples
from bot.store.home import Home, OpenLedger
from bot.store.samples.sqlite import SqliteSamples, open_samples


@dataclass
class Storage:
    """The ledger and the samples; `file` and `beside` are those that were opened here, and are closed here."""

    ledger: Ledger
    samples: Samples
    file: OpenLedger | None = None
    beside: SqliteSamples | None = None

    @property
    def complaint(self) -> str:
        """What people should know of the samples' file; empty where it is as it should be."""
        return self.beside.complaint if self.beside else ""

    async def close(self) -> None:
        """Close the files, the ledger with its lock last."""
        if self.beside:
            await self.beside.close()
        if self.file:
            await self.file.close()


async def open_storage(home: Home, ledger: Ledger | None = None, samples: Samples | None = None, replica: str = "") -> Storage:
    """Open the ledger first: it takes the folder's lock, so that a second bot touches nothing. Raises StoreError."""
    file = None if ledger else await home.open(replica=replica)
    try:
        beside = None if samples else await open_samples(home.folder)
    except BaseException:
        if file:
            await file.close()
        raise
    held, seen = ledger or file, samples or beside
    if held is None or seen is None:
        raise RuntimeError("one of each was given or opened")
    return Storage(held, seen, file, beside)
