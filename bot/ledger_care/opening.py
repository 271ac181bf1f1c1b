"""Opens the ledger and the samples, unless it is given substitutes."""

from dataclasses import dataclass

from bot.ports import Ledger, Samples
from bot.store.home import Home, OpenLedger, OpenSamples

OPENS_WITHIN_S = 300.0  # upgrading a large ledger takes time


@dataclass
class Storage:
    """The ledger and the samples; `file` and `beside` are those opened here, to be closed here."""

    ledger: Ledger
    samples: Samples
    file: OpenLedger | None = None
    beside: OpenSamples | None = None

    @property
    def complaint(self) -> str:
        """What people should know about the samples; empty if all is well."""
        return self.beside.complaint if self.beside else ""

    def be_patient(self, patient: bool) -> None:
        """Whether work waits for an unreachable database, as during a start, or fails at once."""
        if self.file:
            self.file.be_patient(patient)
        if self.beside:
            self.beside.be_patient(patient)

    async def close(self) -> None:
        """Close the files, the ledger with its lock last."""
        if self.beside:
            await self.beside.close()
        if self.file:
            await self.file.close()


async def open_patiently(
    home: Home, ledger: Ledger | None = None, samples: Samples | None = None, replica: str = "", *, patient: bool = True
) -> Storage:
    """Open them, retrying for a minute while a database cannot be reached: it may be starting together with us.

    Everything later in a start waits likewise, until `be_patient(False)`. With `patient` False, somebody at a terminal is told
    at once.
    """
    if not home.shared:
        return await open_storage(home, ledger, samples, replica)
    from bot.store.postgres.patience import Patience

    storage = await Patience(home, patient=patient).over(
        lambda: open_storage(home, ledger, samples, replica), within_s=OPENS_WITHIN_S
    )
    storage.be_patient(patient)
    return storage


async def open_storage(home: Home, ledger: Ledger | None = None, samples: Samples | None = None, replica: str = "") -> Storage:
    """Open the ledger first: it takes the folder's lock, so that a second bot touches nothing. Raises StoreError."""
    file = None if ledger else await home.open(replica=replica)
    try:
        beside = None if samples else await home.open_samples(replica=replica)
    except BaseException:
        if file:
            await file.close()
        raise
    held, seen = ledger or file, samples or beside
    if held is None or seen is None:
        raise RuntimeError("one of each was given or opened")
    return Storage(held, seen, file, beside)
