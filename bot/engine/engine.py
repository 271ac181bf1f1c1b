"""The single entry for signals: decide, commit the facts, queue the effects, show the new world to everybody."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeVar

import structlog

from bot.core.answers.base import Answer
from bot.core.decide.permissions import Denied
from bot.core.policy import Policy
from bot.core.record.fact import Fact
from bot.core.record.recent import without_old
from bot.core.record.world import World
from bot.core.signals import Duty, FeedRead, OfIncident, Signal
from bot.engine.batch import DecidedBatch, Request, done_already, not_ours
from bot.engine.tail import LedgerView, look, not_held, read_from_scratch, require_known
from bot.engine.world_reading import absent, rebuilt, with_states
from bot.ports import AlreadyHandled, Conflict, Fence, Fenced, Ledger, Store, StoreError, StoreTrouble
from bot.system.clock import Clock
from bot.system.denials import Denials
from bot.system.redaction import Redactor

log = structlog.get_logger(__name__)

T = TypeVar("T")

Listener = Callable[[Sequence[Fact], World], None]

IN_A_ROW = 10  # signals and facts to decide before yielding to other tasks: about half a millisecond
MOST_TOGETHER = 100  # signals in one commit; a person's signal waits for at most this many
FORGET_EVERY = 64  # commits; then incidents that ended long ago are dropped from memory

UNDONE = frozenset({StoreTrouble.FULL, StoreTrouble.READ_ONLY, StoreTrouble.GONE})  # after these errors the ledger is unchanged


class CommittingEngine:
    """Decides with `core.step`, commits through the ledger, and only then shows the new world.

    The world holds the finished incidents that a decision may need; any other one named by a signal is read first. There is
    one decision at a time; signals that arrive meanwhile are decided in a row and committed together. Other engines may commit
    to the same ledger: their commits are followed, and nothing is decided on an outdated world. Listeners are told of each
    commit in order; they must be quick and must not raise. `fence` returns what must still be true of this replica when its
    own decision is committed; it is called when the signal arrives, since that is when the replica checked its right to act.
    """

    def __init__(
        self, ledger: Ledger, clock: Clock, policy: Policy, redactor: Redactor | None = None, denials: Denials | None = None, *,
        fence: Callable[[Duty], Fence | None] = lambda duty: None,
    ) -> None:  # fmt: skip
        self.policy = policy
        self._redactor = redactor or Redactor(())
        self._fence = fence
        self._ledger = ledger
        self._clock = clock
        self._world = World()
        self._position: int | None = None  # of the ledger, as shown in the world; None before the first read
        self._behind = True  # whether the ledger may hold facts that we have not read
        self._turn = asyncio.Lock()
        self._waiting: list[Request] = []
        self._carrier: asyncio.Task[None] | None = None
        self._listeners: list[tuple[Listener, bool]] = []
        self._timers: list[Callable[[timedelta], None]] = []
        self._denials = denials or Denials(clock)
        self._shown = 0

    @property
    def world(self) -> World:
        """The world as committed."""
        return self._world

    def listen(self, listener: Listener, *, own: bool = False) -> None:
        """Call `listener(facts, world)` after each commit, or only after this engine's `own` commits.

        Commits of others arrive in order too, possibly several at once. No facts: the world was read again from scratch.
        """
        self._listeners.append((listener, own))

    def time_commits(self, timer: Callable[[timedelta], None]) -> None:
        """Call `timer(took)` after each commit: the time from request to disk flush, including waiting for others."""
        self._timers.append(timer)

    async def load(self) -> World:
        """Read the committed states; the engine can be used from then on."""
        async with self._turn:
            self._position = None
            await self._catch_up()
        return self._world

    async def catch_up(self) -> None:
        """Show what others committed. Raises StoreError, NEWER for facts that only a newer Understudy understands."""
        async with self._turn:
            await self._catch_up()

    async def caught_up(self) -> None:
        """Wait until `world` shows everything committed: the ledger knows of a commit a moment before we do."""
        async with self._turn:
            if self._ledger.shared:
                await self._catch_up()

    async def world_with(self, incidents: Collection[int]) -> World:
        """The committed world plus these incidents, however old they are; numbers that were never declared are ignored."""
        if self._ledger.shared and any(number > self._world.last_incident for number in incidents):
            await self.catch_up()  # another replica may have just declared it
        missing = absent(self._world, incidents)
        states = await self._ledger.read(lambda store: rebuilt(store.incidents(missing))) if missing else []
        world = self._world  # read again: it now has any that were reopened meanwhile
        return with_states(world, [(row, state) for row, state in states if row.stream not in world.seqs])

    async def handle(self, signal: Signal) -> Answer:
        """Decide, commit, answer. A commit stands even if the caller is cancelled meanwhile.

        Secrets in the signal's text are removed before the decision, so that none is stored.
        """
        signal = self._redactor.words(signal, undo=not isinstance(signal, FeedRead))  # a page is long and contains no secrets
        fence = None if signal.DUTY is Duty.HEARD else self._fence(signal.DUTY)
        request = Request(signal, asyncio.get_running_loop().create_future(), fence)
        request.answered.add_done_callback(partial(self._note_denial, signal))  # even if the caller was cancelled
        self._waiting.append(request)
        if self._carrier is None:
            self._carrier = asyncio.create_task(self._carry(), name="decisions and commits")
        return await asyncio.shield(request.answered)

    def _note_denial(self, signal: Signal, answered: "asyncio.Future[Answer]") -> None:
        if answered.exception() is None and isinstance(answer := answered.result(), Denied):
            about = signal.incident if isinstance(signal, OfIncident) else None
            what, actor = type(signal).__name__, signal.actor
            self._denials.note(actor.id, answer.role, what, name=actor.name, incident=about)

    async def _carry(self) -> None:
        """Process signals until none wait: those that gather meanwhile share one commit and one disk flush."""
        batch: list[Request] = []
        try:
            while self._waiting:
                async with self._turn:
                    batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
                    await self._carry_out_all(batch)
        except BaseException as error:  # the process is ending, or a test plays that: nobody may wait for ever
            for request in (*batch, *self._waiting):
                if not request.answered.done():
                    request.fail(error)
            self._waiting = []
            raise
        finally:
            self._carrier = None

    async def _carry_out_all(self, batch: Sequence[Request]) -> None:
        if len(batch) > 1 and await self._together(batch):
            return
        for request in batch:
            if not request.answered.done():
                await self._alone(request)

    async def _together(self, batch: Sequence[Request]) -> bool:
        """Decide on all and commit once; False if each must be processed alone.

        A signal that cannot be decided or written does not take the others with it.
        """
        try:
            await self._carry_out(batch)
        except StoreError as error:  # no signal is at fault, so retrying each alone is useless
            for request in batch:
                request.fail(error)
        except Exception:  # noqa: BLE001 # whichever caused it: each is processed alone
            return False
        return True

    async def _alone(self, request: Request) -> None:
        try:
            await self._carry_out([request])
        except Exception as error:  # noqa: BLE001 # raised in the sender
            request.fail(error)

    async def _carry_out(self, batch: Sequence[Request]) -> None:
        """Decide on each signal in the world that the previous ones left, commit, and only then answer.

        If another engine commits first, follow it and decide again, this time inside a write transaction: so every engine gets
        its turn, however busy the others are.
        """
        signals = [request.signal for request in batch]
        await self._bring_up(signals)
        decided = await self._decided(batch)
        try:
            if not await self._stands(decided):
                decided = await self._decided_inside(batch)
        except AlreadyHandled:
            await self._catch_up()  # by another replica
            if len(batch) > 1:
                raise
            decided.answer(done_already)
            return
        except Fenced as error:
            if len(batch) > 1:
                raise  # each is processed alone, so that what people said is still committed
            log.debug("left to other replicas", signal=type(batch[0].signal).__name__, why=str(error))
            decided.answer(not_ours)
            return
        decided.answer()

    async def _decided(self, batch: Sequence[Request]) -> DecidedBatch:
        now, policy = self._clock.now(), self.policy
        decided = DecidedBatch(self._seen)
        in_a_row = 0
        for request in batch:
            in_a_row += 1 + decided.decide(request, now, policy)
            if in_a_row >= IN_A_ROW:
                in_a_row = 0
                await asyncio.sleep(0)  # let readers of flags run
        return decided

    async def _stands(self, decided: DecidedBatch) -> bool:
        """Commit the decisions; False if another engine committed first, which also invalidates "nothing to do"."""
        if not decided.facts:
            return not self._ledger.shared or not await self._catch_up()
        commit = decided.commit()
        try:
            await self._write(lambda store: store.commit(commit))
        except Conflict:
            return False
        self._position = self._seen.position + len(decided.facts)
        self._show(decided.facts, decided.world, own=True)
        return True

    async def _decided_inside(self, batch: Sequence[Request]) -> DecidedBatch:
        """Catch up, decide and commit inside one write transaction."""
        before, signals, policy = self._seen, [request.signal for request in batch], self.policy

        def on_newest(store: Store, seen: LedgerView) -> tuple[LedgerView, DecidedBatch]:
            now, decided = self._clock.now(), DecidedBatch(seen)
            for request in batch:
                decided.decide(request, now, policy)
            if decided.facts:
                store.commit(decided.commit())
            return seen, decided

        def work(store: Store) -> tuple[LedgerView, DecidedBatch]:
            try:
                return on_newest(store, look(store, before, signals, self._clock.now()))
            except Conflict:  # memory does not match the ledger: somebody repaired it by hand
                return on_newest(store, read_from_scratch(store, signals, self._clock.now()))

        seen, decided = await self._write(work)
        self._follow(seen)
        if decided.facts:
            self._position = seen.position + len(decided.facts)
            self._show(decided.facts, decided.world, own=True)
        return decided

    async def _write(self, work: Callable[[Store], T]) -> T:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        self._behind = True  # unknown until the write succeeds
        try:
            result = await self._ledger.write(work)
        except StoreError as error:
            self._behind = error.kind not in UNDONE
            raise
        self._behind = False
        for timer in self._timers:
            timer(timedelta(seconds=loop.time() - began_s))
        return result

    async def _bring_up(self, signals: Sequence[Signal]) -> None:
        """Catch up with the ledger, and load the incidents that these signals name, with related ones."""
        if self._behind or not_held(self._world, signals):
            await self._catch_up(signals)

    async def _catch_up(self, signals: Sequence[Signal] = ()) -> bool:
        """Show what the ledger holds; True if that is more than we had."""
        before, shared = self._seen if self._position is not None else None, self._ledger.shared

        def work(store: Store) -> LedgerView:
            if before is not None:
                return look(store, before, signals, self._clock.now())
            if shared:
                require_known(store)
            return read_from_scratch(store, signals, self._clock.now())

        seen = await self._ledger.read(work)
        self._behind = False
        self._follow(seen)
        return before is None or seen.position != before.position

    @property
    def _seen(self) -> LedgerView:
        return LedgerView(self._world, self._position or 0)

    def _follow(self, seen: LedgerView) -> None:
        self._position = seen.position
        if seen.facts:
            self._show(seen.facts, seen.world, own=False)
            return
        self._world = seen.world
        if seen.anew:
            self._tell((), seen.world, own=False)

    def _show(self, facts: Sequence[Fact], world: World, *, own: bool) -> None:
        self._shown += 1
        self._world = world if self._shown % FORGET_EVERY else without_old(world, self._clock.now())
        self._tell(facts, world, own=own)

    def _tell(self, facts: Sequence[Fact], world: World, *, own: bool) -> None:
        for listener, only_own in self._listeners:
            if own or not only_own:
                listener(facts, world)
