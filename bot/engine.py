"""The one door: a signal comes in, facts are committed, effects are queued, everybody sees the new world."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from bot.clock import Clock
from bot.core.codec import decode, encode
from bot.core.draft import Step
from bot.core.facts import Fact
from bot.core.layered import Layered
from bot.core.model import Policy
from bot.core.signals import Answer, FeedRead, Signal
from bot.core.state import STATE_TYPES, Incident, World
from bot.core.step import step
from bot.denials import Denials
from bot.ports import AlreadyHandled, Commit, Conflict, Ledger, NewFact, StateRow, Store, StoreError, StoreTrouble
from bot.redaction import Redactor

log = structlog.get_logger(__name__)

Listener = Callable[[Sequence[Fact], World], None]

MOST_TRIES = 8  # conflicts need another writer; with one ledger lock even a second try is rare

UNDONE = frozenset({StoreTrouble.FULL, StoreTrouble.READ_ONLY, StoreTrouble.GONE})  # then what was committed is as before


class CommittingEngine:
    """Decides with `core.step`, commits through the ledger, and only then shows the new world.

    One signal at a time. Listeners are told of each commit in order; they must be quick and must not raise.
    """

    def __init__(self, ledger: Ledger, clock: Clock, policy: Policy, redactor: Redactor | None = None) -> None:
        self.policy = policy
        self._redactor = redactor or Redactor(())
        self._ledger = ledger
        self._clock = clock
        self._world = World()
        self._stale = True
        self._turn = asyncio.Lock()
        self._listeners: list[Listener] = []
        self._denials = Denials(clock)

    @property
    def world(self) -> World:
        """The world as committed."""
        return self._world

    def listen(self, listener: Listener) -> None:
        """Call `listener(facts, world)` after each commit."""
        self._listeners.append(listener)

    async def load(self) -> World:
        """Read the committed states; the engine serves from here on."""
        async with self._turn:
            await self._reload()
        return self._world

    async def caught_up(self) -> None:
        """Wait until `world` shows everything that is committed: the ledger knows of a commit a moment before we do."""
        async with self._turn:
            return

    async def handle(self, signal: Signal) -> Answer:
        """Decide, commit, answer. What was committed stays committed even when the caller is cancelled meanwhile.

        Secrets are taken out of what anybody said before anything is decided, so that none is written down.
        """
        signal = self._redactor.words(signal, undo=not isinstance(signal, FeedRead))  # a page is long, and knows none
        return await asyncio.shield(asyncio.ensure_future(self._in_turn(signal)))

    async def _in_turn(self, signal: Signal) -> Answer:
        async with self._turn:
            for _ in range(MOST_TRIES):
                if self._stale:
                    await self._reload()
                decided = step(self._world, signal, self._clock.now(), self.policy)
                if decided.answer.denied:
                    self._denials.note(signal.actor.id, signal.actor.kind, type(signal).__name__)
                if not decided.facts:
                    return decided.answer
                try:
                    await self._commit(signal, decided)
                except AlreadyHandled:
                    return replace(decided.answer, text="That was done already.", changed=False)
                except Conflict:
                    self._stale = True
                    continue
                self._show(decided)
                return decided.answer
        raise RuntimeError(f"{type(signal).__name__} met {MOST_TRIES} conflicts in a row; is another writer on this ledger?")

    async def _commit(self, signal: Signal, decided: Step) -> None:
        commit = Commit(
            signal=signal.id,
            at=decided.facts[0].at,
            facts=tuple(NewFact(x.stream, x.seq, x.actor, x.incident, x.body) for x in decided.facts),
            states=changed_states(self._world, decided.world),
            effects=decided.effects,
        )

        def work(store: Store) -> list[Fact]:
            return store.commit(commit)

        self._stale = True  # until the ledger says yes, nobody knows what it holds
        try:
            await self._ledger.write(work)
        except AlreadyHandled:
            self._stale = False
            raise
        except StoreError as error:
            self._stale = error.kind not in UNDONE
            raise
        self._stale = False

    def _show(self, decided: Step) -> None:
        self._world = decided.world
        for listener in self._listeners:
            listener(decided.facts, decided.world)

    async def _reload(self) -> None:
        rows = await self._ledger.read(lambda store: store.states())
        self._world = world_from(rows)
        self._stale = False
        for listener in self._listeners:
            listener((), self._world)


def changed_states(before: World, after: World) -> tuple[StateRow, ...]:
    """The state rows that differ between two worlds, ready to be written."""
    rows = []
    families: tuple[tuple[str, Mapping[Any, Any], Mapping[Any, Any]], ...] = (
        ("component", before.components, after.components),
        ("provider", before.providers, after.providers),
        ("incident", before.incidents, after.incidents),
        ("flag", before.flags, after.flags),
    )
    for kind, old, new in families:
        for name, state in new.items():
            if old.get(name) is not state:
                stream = f"{kind}/{name}"
                dedup = state.dedup if isinstance(state, Incident) and state.phase.open else ""
                rows.append(StateRow(stream, after.seqs.get(stream, 0), kind, dedup, encode(state)))
    if after.sight is not before.sight:
        rows.append(StateRow("sight", after.seqs.get("sight", 0), "sight", "", encode(after.sight)))
    return tuple(rows)


def world_from(rows: Sequence[StateRow]) -> World:
    """The world that these state rows describe."""
    world = World(seqs=Layered({row.stream: row.seq for row in rows}))
    for row in rows:
        world = world.put(decode(STATE_TYPES[row.kind], row.body))
    return world
