"""How long work waits for a database: never for ever, and longer during a start."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bot.ports import StoreError, StoreTrouble

log = structlog.get_logger(__name__)

T = TypeVar("T")

WAITS_S, AGAIN_S = 60.0, 1.0
# Longer than the server takes to end a statement itself. A frozen server ends nothing, and the network does not notice: its
# machine keeps acknowledging packets.
ANSWERS_WITHIN_S = 15.0
SPARED_S = 5.0  # after that, work fails this soon, so that checks go on


class Patience:
    """During a start, work waits for an unreachable database; afterwards it fails at once.

    Everything that a start does may be repeated. Work without an answer in time may still complete, as after a broken
    connection: the caller learns that the result is unknown.
    """

    def __init__(self, place: object, *, patient: bool = False, answers_within_s: float = ANSWERS_WITHIN_S) -> None:
        self._place = place
        self._patient = patient
        self._answers_within_s = answers_within_s
        self._spared_until = float("-inf")

    def be_patient(self, patient: bool) -> None:
        """Whether a start is in progress."""
        self._patient = patient

    async def over(self, run: Callable[[], Awaitable[T]], *, within_s: float = 0.0) -> T:
        """Run it; during a start, retry for a minute while the database is away. `within_s` allows more time than usual."""
        loop = asyncio.get_running_loop()
        until: float | None = None
        while True:
            try:
                return await self._in_time(run, within_s or self._answers_within_s)
            except StoreError as error:
                if not self._patient or error.kind is not StoreTrouble.AWAY or loop.time() > (until or float("inf")):
                    raise
                if until is None:
                    until = loop.time() + WAITS_S
                    log.warning("waiting for the database", why=str(error), seconds=WAITS_S)
            await asyncio.sleep(AGAIN_S)

    async def _in_time(self, run: Callable[[], Awaitable[T]], within_s: float) -> T:
        loop = asyncio.get_running_loop()
        if loop.time() < self._spared_until:
            raise self._silent()
        try:
            async with asyncio.timeout(within_s):
                return await run()
        except TimeoutError as error:
            self._spared_until = loop.time() + SPARED_S
            raise self._silent() from error

    def _silent(self) -> StoreError:
        sentence = f"{self._place} does not answer; it goes on by itself when it does"
        return StoreError(sentence, kind=StoreTrouble.AWAY, permanent=False)
