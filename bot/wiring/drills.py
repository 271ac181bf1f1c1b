"""Who reads a flag in a drill becomes a fact: the report must not depend on how long this process runs."""

from collections.abc import Awaitable, Callable

import structlog

from bot.core.model import Actor
from bot.core.signals import ReadInDrill
from bot.flags.board import FlagBoard
from bot.ports import StoreError
from bot.wiring.store import Store

log = structlog.get_logger(__name__)

READERS = Actor.rule("flag readers")


def drill_readers(store: Store, board: FlagBoard) -> Callable[[], Awaitable[None]]:
    """What each beat does for them: put those on record whom the ledger does not know yet."""

    async def look() -> None:
        for incident in store.engine.world.open_incidents():
            drill = incident.drill
            if drill is None or not drill.running or not drill.plan.flag:
                continue
            fallback, other = board.read_in_drill(drill.plan.flag)
            if set(fallback) <= set(drill.fallback_readers) and set(other) <= set(drill.other_readers):
                continue
            try:
                await store.engine.handle(ReadInDrill(READERS, incident=incident.number, fallback=fallback, other=other))
            except StoreError as error:  # said by whoever watches over the ledger; the next beat tries again
                log.debug("readers of a drill are not on record", why=str(error))

    return look
