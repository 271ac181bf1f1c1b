"""Opens the ledger and the samples, or takes what it is given in their place."""

import asyncio
from dataclasses import dataclass

import structlog

from bot.ports import Ledger, Samples, StoreError, StoreTrouble
from bot.store.home import Home, OpenLedger, OpenSamples

log = structlog.get_logger(__name__)

WAITS_S, AGAIN_S = 60.0, 1.0


@dataclass
class Storage:
    """The ledger and the samples; `file` and `beside` are those that were opened here, and are closed here."""

    ledger: Ledger
    samples: Samples
    file: OpenLedger | None = None
    beside: OpenSamples | None = None

    @property
    def complaint(self) -> str:
        """What people should know of the samples; empty where it is as it should be."""
        return self.beside.complaint if self.beside else ""

    async def close(self) -> None:
        """Close the files, the ledger with its lock last."""
        if self.beside:
            await self.beside.close()
        if self.file:
            await self.file.close()


async def open_patiently(
    home: Home, ledger: Ledger | None = None, samples: Samples | None = None, replica: str = ""
) -> Storage:
    """The same, and for a minute again while a database cannot be reached: it may be started together with us."""
    loop = asyncio.get_running_loop()
    until, said = loop.time() + WAITS_S, False
    while True:
        try:
            return await open_storage(home, ledger, samples, replica)
        except StoreError as error:
            if error.kind is not StoreTrouble.AWAY or loop.time() > until:
                raise
            if not said:
                log.warning("waiting for the database", why=str(error), seconds=WAITS_S)
                said = True
        await asyncio.sleep(AGAIN_S)


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
