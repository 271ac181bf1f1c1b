"""Records who reads a flag as facts: what people are told must not depend on how long this process has run."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

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

Copies = dict[str, dict[str, bool]]  # by flag, by reader: whether its copy is current

READERS = Actor.rule("flag readers")
PATIENCE = timedelta(seconds=15)  # a listening client has it at once, one that polls usually within ten seconds
STALE = timedelta(seconds=10)  # age at which another replica's report expires
TOLD = "readers"
BEGUN = "conversations"
MOST_BEGUN = 2_000  # sent per beat, about 80 kB
GIVEN_UP = timedelta(minutes=15)  # a client that has not asked since then is no longer a reader


def readers_seen(store: Store, board: FlagBoard, clock: Clock) -> Callable[[], Awaitable[None]]:
    """A function for each beat: records who has a switch, and who reads in a drill. One replica records a switch for all.

    It also tells the others which conversations were first seen here.
    """
    began = clock.now()
    elsewhere = ReadersElsewhere(clock)
    joined = False

    async def begun(body: Any) -> None:
        if board.ready and board.serving().heeding:  # else that switch is over
            board.began.hear([(str(name), int(first)) for name, first in body])

    async def look() -> None:
        nonlocal joined
        if not joined:  # by then the other replicas are known
            joined = True
            store.member.hear(TOLD, elsewhere.hear)
            store.member.hear(BEGUN, begun)
            store.member.listen(board.began.tell_again)
            board.began.several = bool(store.member.live)
        if len(store.member.live) > 1 and (news := board.began.news(MOST_BEGUN)):
            store.member.tell(BEGUN, news)
        mine = _copies(store, board, clock)
        if not store.leads():
            if mine:
                store.member.tell(TOLD, [store.member.name, mine])
            mine = {}
        merged = elsewhere.merged(mine)
        for signal in (*_in_drills(store, board), *_after_switches(store, board, clock, merged, began + PATIENCE)):
            try:
                await store.engine.handle(signal)
            except StoreError as error:  # whoever monitors the ledger reports it; retried at the next beat
                log.debug("readers could not be saved", why=str(error))

    return look


def _in_drills(store: Store, board: FlagBoard) -> Iterator[Signal]:
    for incident in store.engine.world.open_incidents():
        drill = incident.drill
        if drill is None or not drill.running or not drill.plan.flag:
            continue
        fallback, other = board.read_in_drill(drill.plan.flag)
        if not (set(fallback) <= set(drill.fallback_readers) and set(other) <= set(drill.other_readers)):
            yield ReadInDrill(READERS, incident=incident.number, fallback=fallback, other=other)


class ReadersElsewhere:
    """The copies of just-switched flags that other replicas serve, as last reported."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: dict[str, tuple[datetime, Copies]] = {}

    async def hear(self, body: Any) -> None:
        """Receive a report of another replica."""
        name, copies = body
        self._told[str(name)] = self._clock.now(), {str(key): dict(readers) for key, readers in copies.items()}

    def merged(self, mine: Copies) -> Copies:
        """All reports combined: a reader that has the switch anywhere has it."""
        now = self._clock.now()
        self._told = {name: told for name, told in self._told.items() if now - told[0] <= STALE}
        merged: Copies = {key: dict(readers) for key, readers in mine.items()}
        for _, copies in self._told.values():
            for key, readers in copies.items():
                held = merged.setdefault(key, {})
                for name, current in readers.items():
                    held[name] = current or held.get(name, False)
        return merged


def _awaited(store: Store, clock: Clock) -> Iterator[tuple[str, datetime, bool]]:
    """Flags just switched: key, since when, and whether something about their readers was already told."""
    for key, state in store.engine.world.flags.items():
        if state.changed_at is not None and awaits_readers(state) and clock.now() - state.changed_at <= GIVEN_UP:
            yield key, state.changed_at, state.seen is not None


def _copies(store: Store, board: FlagBoard, clock: Clock) -> Copies:
    """Our readers with a copy of those flags, and whether it is current."""
    if not board.ready:
        return {}
    return {
        key: {one.name: one.current for one in board.readers_of(whole(key)) if one.copy} for key, _, _ in _awaited(store, clock)
    }


def _after_switches(store: Store, board: FlagBoard, clock: Clock, merged: Copies, known_from: datetime) -> Iterator[Signal]:
    now = clock.now()
    if now < known_from or not board.ready or not store.leads():
        return  # after a start, it is unknown who will come back
    for key, changed_at, told in _awaited(store, clock):
        copies = merged.get(key, {})
        missing = tuple(name for name, current in copies.items() if not current)
        if copies and (not missing or (not told and now - changed_at >= PATIENCE)):
            yield ReadersCounted(
                READERS, flag=key, changed_at=changed_at, by=len(copies) - len(missing), of=len(copies), missing=missing
            )
