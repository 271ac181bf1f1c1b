"""Who reads a flag becomes a fact: what people are told must not depend on how long this process runs."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta

import structlog

from bot.core.decide.flags.arrival import awaits_readers
from bot.core.model import Actor
from bot.core.scope import whole
from bot.core.signals import ReadersCounted, ReadInDrill, Signal
from bot.flags.board import FlagBoard
from bot.ports import StoreError
from bot.system.clock import Clock
from bot.wiring.store import Store

log = structlog.get_logger(__name__)

READERS = Actor.rule("flag readers")
PATIENCE = timedelta(seconds=15)  # a client that listens has it at once, one that polls within ten seconds as a rule
GIVEN_UP = timedelta(minutes=15)  # then whoever did not ask is no reader any more


def readers_seen(store: Store, board: FlagBoard, clock: Clock) -> Callable[[], Awaitable[None]]:
    """What each beat does: put on record who has a switch, and who reads in a drill."""
    began = clock.now()

    async def look() -> None:
        for signal in (*_in_drills(store, board), *_after_switches(store, board, clock, began + PATIENCE)):
            try:
                await store.engine.handle(signal)
            except StoreError as error:  # said by whoever watches over the ledger; the next beat tries again
                log.debug("readers are not on record", why=str(error))

    return look


def _in_drills(store: Store, board: FlagBoard) -> Iterator[Signal]:
    for incident in store.engine.world.open_incidents():
        drill = incident.drill
        if drill is None or not drill.running or not drill.plan.flag:
            continue
        fallback, other = board.read_in_drill(drill.plan.flag)
        if not (set(fallback) <= set(drill.fallback_readers) and set(other) <= set(drill.other_readers)):
            yield ReadInDrill(READERS, incident=incident.number, fallback=fallback, other=other)


def _after_switches(store: Store, board: FlagBoard, clock: Clock, known_from: datetime) -> Iterator[Signal]:
    now = clock.now()
    if now < known_from or not board.ready:
        return  # after a start nobody knows yet who is still to come back
    for key, state in store.engine.world.flags.items():
        if state.changed_at is None or not awaits_readers(state) or now - state.changed_at > GIVEN_UP:
            continue
        copies = [one for one in board.readers_of(whole(key)) if one.copy]
        missing = tuple(one.name for one in copies if not one.current)
        if copies and (not missing or (state.seen is None and now - state.changed_at >= PATIENCE)):
            yield ReadersCounted(
                READERS, flag=key, changed_at=state.changed_at, by=len(copies) - len(missing), of=len(copies), missing=missing
            )
