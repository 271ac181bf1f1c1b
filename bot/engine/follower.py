"""Shows what other replicas commit to the ledger: as soon as they call, and by looking every second besides."""

import asyncio
from contextlib import suppress
from datetime import datetime

import structlog

from bot.engine.engine import CommittingEngine
from bot.ports import Ledger, StoreError, StoreTrouble
from bot.system.clock import Clock

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0  # real seconds: what a call that got lost costs
UNHEARD_AFTER_S = 3.0  # real seconds: a ledger that says nothing for so long may hold what is not shown


class Follower:
    """Follows for as long as it runs; `error` says why it cannot, `heard_at` when the ledger last said where it stands.

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
        """Begin, where there is anybody to follow."""
        if self._ledger.shared:
            self._ledger.on_commit(self._called.set)
            self._task = asyncio.create_task(self._run(), name="follower of other replicas")

    async def close(self) -> None:
        """Follow nobody any more."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def unheard_since(self) -> datetime | None:
        """Since when others may have committed what is not shown here; None while all is shown within a moment."""
        silent = self._clock.monotonic() - self._heard_s > UNHEARD_AFTER_S
        return self.heard_at if self.error is not None or silent else None

    @property
    def outdated(self) -> bool:
        """Whether only a newer Understudy understands what others committed."""
        return self.error is not None and self.error.kind is StoreTrouble.NEWER

    async def look(self) -> None:
        """Show what came since the last look; what stands in the way is logged once."""
        at, at_s = self._clock.now(), self._clock.monotonic()
        try:
            await self._engine.catch_up()
        except StoreError as error:
            self._cannot(error)
        except Exception as error:  # ours, and tried again: what others commit must not stay unseen for good
            if self.error is None:
                log.exception("what other replicas commit cannot be followed, by our own fault")
            self.error = StoreError(f"{type(error).__name__}: {error}")
        else:
            if self.error is not None:
                log.info("what other replicas commit is followed again")
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
            log.error("what other replicas commit is not known, flags are served as they were", why=str(error))
        self.error = error
