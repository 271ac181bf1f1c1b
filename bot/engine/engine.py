"""The one door: a signal comes in, facts are committed, effects are queued, everybody sees the new world."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.core.answers.base import Answer, DoneAlready
from bot.core.codec import encode
from bot.core.decide.permissions import Denied
from bot.core.decide.step import step
from bot.core.effects import Effect
from bot.core.policy import Policy
from bot.core.record.fact import Fact
from bot.core.record.recent import without_old
from bot.core.record.streams import changed
from bot.core.record.world import World
from bot.core.signals import FeedRead, OfEffect, OfIncident, Signal
from bot.engine.world_reading import absent, read_world, rebuilt, with_states
from bot.ports import AlreadyHandled, Commit, Conflict, Ledger, NewFact, StateRow, Store, StoreError, StoreTrouble
from bot.system.clock import Clock
from bot.system.denials import Denials
from bot.system.redaction import Redactor

log = structlog.get_logger(__name__)

Listener = Callable[[Sequence[Fact], World], None]

MOST_TOGETHER = 100  # signals in one commit; a person who comes behind them waits for no more than this
FORGET_EVERY = 64  # commits; then the incidents that are long over leave the memory
MOST_TRIES = 8  # conflicts need another writer; with one ledger lock even a second try is rare

UNDONE = frozenset({StoreTrouble.FULL, StoreTrouble.READ_ONLY, StoreTrouble.GONE})  # then what was committed is as before


@dataclass(eq=False)
class _Request:
    """A signal that waits for its answer. Whoever sent it may have gone meanwhile."""

    signal: Signal
    answered: "asyncio.Future[Answer]"

    def answer(self, answer: Answer) -> None:
        self.answered.set_result(answer)

    def fail(self, error: Exception) -> None:
        self.answered.set_exception(error)
        self.answered.exception()  # looked at, so that asyncio does not complain where nobody asks any more


class _Together:
    """Signals decided on one after the other, each in the world that those before it left, and not committed yet."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.facts: list[Fact] = []
        self._effects: list[Effect] = []
        self._signals: dict[str, None] = {}
        self._answers: list[tuple[_Request, Answer | Exception]] = []

    def decide(self, request: _Request, now: datetime, policy: Policy) -> None:
        signal = request.signal
        try:
            decided = step(self.world, signal, now, policy)
        except Exception as error:  # noqa: BLE001 # raised where this signal came from; the others go on
            self._answers.append((request, error))
            return
        if decided.facts and signal.id in self._signals:
            self._answers.append((request, done_already(decided.answer)))
            return
        if decided.facts:
            self.world = decided.world
            self.facts += decided.facts
            self._effects += decided.effects
            if signal.id:
                self._signals[signal.id] = None
        self._answers.append((request, decided.answer))

    def commit(self, before: World) -> Commit:
        return _commit_of(tuple(self._signals), self.facts, self._effects, before, self.world)

    def answer(self) -> None:
        for request, answer in self._answers:
            if isinstance(answer, Answer):
                request.answer(answer)
            else:
                request.fail(answer)


class CommittingEngine:
    """Decides with `core.step`, commits through the ledger, and only then shows the new world.

    Of the incidents that are over, the world holds those that a decision may need; one that a signal names is read before.
    One decision at a time; what waits meanwhile is decided on in a row and committed together. Listeners are told of each
    commit in order; they must be quick and must not raise.
    """

    def __init__(
        self, ledger: Ledger, clock: Clock, policy: Policy, redactor: Redactor | None = None, denials: Denials | None = None
    ) -> None:
        self.policy = policy
        self._redactor = redactor or Redactor(())
        self._ledger = ledger
        self._clock = clock
        self._world = World()
        self._stale = True
        self._turn = asyncio.Lock()
        self._waiting: list[_Request] = []
        self._listeners: list[Listener] = []
        self._timers: list[Callable[[timedelta], None]] = []
        self._denials = denials or Denials(clock)
        self._shown = 0

    @property
    def world(self) -> World:
        """The world as committed."""
        return self._world

    def listen(self, listener: Listener) -> None:
        """Call `listener(facts, world)` after each commit."""
        self._listeners.append(listener)

    def time_commits(self, timer: Callable[[timedelta], None]) -> None:
        """Call `timer(took)` after each commit: from the request to the flush of the disk, waiting for others included."""
        self._timers.append(timer)

    async def load(self) -> World:
        """Read the committed states; the engine serves from here on."""
        async with self._turn:
            await self._reload()
        return self._world

    async def caught_up(self) -> None:
        """Wait until `world` shows everything that is committed: the ledger knows of a commit a moment before we do."""
        async with self._turn:
            return

    async def world_with(self, incidents: Collection[int]) -> World:
        """The world as committed, with these incidents in it too, however long they are over; none that was never declared."""
        missing = absent(self._world, incidents)
        states = await self._ledger.read(lambda store: rebuilt(store.incidents(missing))) if missing else []
        world = self._world  # one that was reopened meanwhile is in it by now, and newer
        return with_states(world, [(row, state) for row, state in states if row.stream not in world.seqs])

    async def handle(self, signal: Signal) -> Answer:
        """Decide, commit, answer. What was committed stays committed even when the caller is cancelled meanwhile.

        Secrets are taken out of what anybody said before anything is decided, so that none is written down.
        """
        signal = self._redactor.words(signal, undo=not isinstance(signal, FeedRead))  # a page is long, and knows none
        request = _Request(signal, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        return await asyncio.shield(asyncio.ensure_future(self._answered(request)))

    async def _answered(self, request: "_Request") -> Answer:
        await self._in_turn(request)
        answer, signal = request.answered.result(), request.signal
        if isinstance(answer, Denied):
            about = signal.incident if isinstance(signal, OfIncident) else None
            what, actor = type(signal).__name__, signal.actor
            self._denials.note(actor.id, answer.role, what, name=actor.name, incident=about)
        return answer

    async def _in_turn(self, request: "_Request") -> None:
        """Whoever has the turn carries out what waits: one commit, one flush of the disk for all of them."""
        async with self._turn:
            if request.answered.done():
                return
            waiting = [one for one in self._waiting if not one.answered.done()]
            batch, self._waiting = waiting[:MOST_TOGETHER], waiting[MOST_TOGETHER:]
            if request not in batch:
                batch.append(request)
            if len(batch) > 1 and await self._together(batch):
                return
            for one in batch:
                if not one.answered.done():
                    await self._alone(one)

    async def _together(self, batch: "Sequence[_Request]") -> bool:
        """Decide on each in the world that those before it left, and commit once; False when each has to go alone.

        Nobody is answered before the commit, and a signal that cannot be decided on or written takes none of the others along.
        """
        try:
            await self._bring_up([request.signal for request in batch])
            now, policy = self._clock.now(), self.policy
            so_far = _Together(self._world)
            for request in batch:
                so_far.decide(request, now, policy)
                await asyncio.sleep(0)  # readers of flags come in between
            if so_far.facts:
                await self._commit(so_far.commit(self._world))
        except StoreError as error:  # nobody's signal is at fault, so nobody tries again
            for request in batch:
                request.fail(error)
            return True
        except Exception:  # noqa: BLE001 # whichever of them it was: each goes alone, and meets it or does not
            return False
        self._show(so_far.facts, so_far.world)
        so_far.answer()
        return True

    async def _alone(self, request: "_Request") -> None:
        try:
            request.answer(await self._carried_out(request.signal))
        except Exception as error:  # noqa: BLE001 # raised where the signal came from
            request.fail(error)

    async def _carried_out(self, signal: Signal) -> Answer:
        for _ in range(MOST_TRIES):
            await self._bring_up([signal])
            decided = step(self._world, signal, self._clock.now(), self.policy)
            if not decided.facts:
                return decided.answer
            signals = (signal.id,) if signal.id else ()
            try:
                await self._commit(_commit_of(signals, decided.facts, decided.effects, self._world, decided.world))
            except AlreadyHandled:
                return done_already(decided.answer)
            except Conflict:
                self._stale = True
                continue
            self._show(decided.facts, decided.world)
            return decided.answer
        raise RuntimeError(f"{type(signal).__name__} met {MOST_TRIES} conflicts in a row; is another writer on this ledger?")

    async def _commit(self, commit: Commit) -> None:
        def work(store: Store) -> list[Fact]:
            return store.commit(commit)

        loop = asyncio.get_running_loop()
        began_s = loop.time()
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
        for timer in self._timers:
            timer(timedelta(seconds=loop.time() - began_s))

    def _show(self, facts: Sequence[Fact], world: World) -> None:
        if not facts:
            return
        self._shown += 1
        self._world = world if self._shown % FORGET_EVERY else without_old(world, self._clock.now())
        for listener in self._listeners:
            listener(facts, world)

    async def _bring_up(self, signals: Sequence[Signal]) -> None:
        """Know what is committed, and the incidents that these signals name, with those that are near them."""
        if self._stale:
            await self._reload()
        named = {number for s in signals if isinstance(s, OfIncident) for number in s.named}
        named |= {s.incident for s in signals if isinstance(s, OfEffect) and s.incident is not None}
        known: set[int] = set()
        while named - known:
            if absent(self._world, named):
                self._world = await self.world_with(named)
            known |= named
            named = {near for number in known if (held := self._world.incidents.get(number)) for near in held.near}

    async def _reload(self) -> None:
        self._world = without_old(await self._ledger.read(read_world), self._clock.now())
        self._stale = False
        for listener in self._listeners:
            listener((), self._world)


def done_already(answer: Answer) -> Answer:
    """What is told of a signal whose id was handled before."""
    return DoneAlready(incident=answer.incident, flag=answer.flag)


def _commit_of(
    signals: tuple[str, ...], facts: Sequence[Fact], effects: Sequence[Effect], before: World, after: World
) -> Commit:  # fmt: skip
    return Commit(
        signals=signals,
        at=facts[0].at,
        facts=tuple(NewFact(x.stream, x.seq, x.actor, x.incident, x.body) for x in facts),
        states=changed_states(before, after),
        effects=tuple(effects),
    )


def changed_states(before: World, after: World) -> tuple[StateRow, ...]:
    """The state rows that differ between two worlds, ready to be written."""
    return tuple(
        StateRow(name, after.seqs.get(name, 0), stream.name, stream.holds(state), encode(state))
        for stream, name, state in changed(before, after)
    )
