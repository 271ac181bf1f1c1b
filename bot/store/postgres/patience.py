"""A start does not end because the database was away for a moment in the middle of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bot.ports import StoreError, StoreTrouble

log = structlog.get_logger(__name__)

T = TypeVar("T")

WAITS_S, AGAIN_S = 60.0, 1.0


class Patience:
    """While a start is under way, work waits for a database that cannot be reached; afterwards it is told at once.

    Nothing that a start does harms when it is done twice.
    """

    def __init__(self, *, patient: bool = False) -> None:
        self._patient = patient

    def be_patient(self, patient: bool) -> None:
        """A start is under way, or over."""
        self._patient = patient

    async def over(self, run: Callable[[], Awaitable[T]]) -> T:
        """Run it, and again for a minute while the database is away."""
        loop = asyncio.get_running_loop()
        until: float | None = None
        while True:
            try:
                return await run()
            except StoreError as error:
                if not self._patient or error.kind is not StoreTrouble.AWAY or loop.time() > (until or float("inf")):
                    raise
                if until is None:
                    until = loop.time() + WAITS_S
                    log.warning("waiting for the database", why=str(error), seconds=WAITS_S)
            await asyncio.sleep(AGAIN_S)
