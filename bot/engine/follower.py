"""Shows what other replicas commit to the ledger: when they announce it, and by looking every second as well."""

import asyncio
from contextlib import suppress
from datetime import datetime

import structlog

from bot.engine.engine import CommittingEngine
from bot.ports import Ledger, StoreError, StoreTrouble
from bot.system.clock import Clock

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0  # real seconds; the delay if an announcement is lost
UNHEARD_AFTER_S = 3.0  # real seconds; after this long without news from the ledger, our view may be outdated


class Follower:
    """Follows other replicas; `error` says why it cannot, `heard_at` is when the ledger last reported its position.

    `clock` is real time.
    """

    def __init__(self, ledger: Ledger, engine: CommittingEngine, clock: Clock) -> None:
        self._ledger = ledger
        self._engine = engine
        self._clock = clock
        self._called = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._heard_s = clock.monotonic()
        self.heard_at = clock.now()
        self.error: StoreError | None = None

    def start(self) -> None:
        """Start, if there are other replicas to follow."""
        if self._ledger.shared:
            self._ledger.on_commit(self._called.set)
            self._task = asyncio.create_task(self._run(), name="follower of other replicas")

    async def close(self) -> None:
        """Stop following."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def unheard_since(self) -> datetime | None:
        """Since when others may have committed facts not shown here; None while our view is current."""
        silent = self._clock.monotonic() - self._heard_s > UNHEARD_AFTER_S
        return self.heard_at if self.error is not None or silent else None

    @property
    def outdated(self) -> bool:
        """Whether others committed facts that only a newer Understudy understands."""
        return self.error is not None and self.error.kind is StoreTrouble.NEWER

    async def look(self) -> None:
        """Show what was committed since the last look; log each obstacle once."""
        at, at_s = self._clock.now(), self._clock.monotonic()
        try:
            await self._engine.catch_up()
        except StoreError as error:
            self._cannot(error)
        except Exception as error:  # our own bug, and tried again: commits of others must not stay unseen for good
            if self.error is None:
                log.exception("following other replicas' commits crashed: this is a bug in Understudy")
            self.error = StoreError(f"{type(error).__name__}: {error}")
        else:
            if self.error is not None:
                log.info("commits of other replicas can be read again")
            self.error, self.heard_at, self._heard_s = None, at, at_s

    async def _run(self) -> None:
        while True:
            self._called.clear()
            await self.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._called.wait()

    def _cannot(self, error: StoreError) -> None:
        if self.error is None or self.error.kind is not error.kind:
            log.error("commits of other replicas cannot be read, flags are served as they were", why=str(error))
        self.error = error
