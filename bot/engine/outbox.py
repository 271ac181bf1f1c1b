"""Carries out effects: in order per lane, once, and honest about unknown outcomes.

An unclear outcome is a state of its own. A call that timed out, broke off or returned 5xx may have been carried out; so the
row waits for the settle time, is looked up by its key, and is sent again only if it is not found. Whether it can be looked up
or safely repeated is defined by the effect's class (CERTAINTY).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog

from bot.cluster.single_replica import SingleReplica
from bot.core.effects import EFFECTS, Certainty, Effect, EffectBody, OfPage, PostLine
from bot.core.lazy_dataclass import dataclass
from bot.core.model import Actor
from bot.core.signals import EffectDone, EffectRefused
from bot.ports import (
    EffectError,
    Engine,
    Ledger,
    Member,
    OutboxRow,
    Performed,
    Performers,
    RowState,
    Settled,
    StoreError,
    Wait,
)
from bot.ports.performers import LeaseLost, check_lease, lease_checked_by
from bot.system.clock import Clock

log = structlog.get_logger(__name__)

SETTLE_FOR = timedelta(seconds=30)  # longest late arrival seen, plus the client's own 10 s timeout
LEASE = timedelta(seconds=90)  # longer than any single call with its rate limiting; then a dead sender's rows are taken over
AT_ONCE = 16  # rows per claim
MOST_ROUNDS = 3  # failed look-ups before an effect is given up, or repeated unseen if that is better
LONGEST_WAIT = timedelta(seconds=60)
LEFT_WAIT_S = 0.5  # before looking again at due rows that we may not, or cannot, carry out
OUTBOX = Actor.rule("outbox")


@dataclass(frozen=True)
class OutboxTiming:
    """The outbox's own delays, in real seconds; tests and simulations shorten them."""

    settle_for: timedelta = SETTLE_FOR
    lease: timedelta = LEASE
    first_wait: timedelta = timedelta(seconds=1)


class Outbox:
    """Claims rows and processes them with the performer for their kind. `on_trouble` is called for every failed attempt."""

    def __init__(
        self, ledger: Ledger, engine: Engine, performers: Performers, clock: Clock, *,
        pace: OutboxTiming | None = None, member: Member | None = None,
        on_trouble: Callable[[OutboxRow, EffectError], None] | None = None,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._engine = engine
        self._performers = performers
        self._clock = clock
        self._pace = pace or OutboxTiming()
        self._member = member or SingleReplica()
        self._member.listen(self._others_changed)
        self._on_trouble = on_trouble
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._taken_up = False  # rows left by the dead: an earlier process, another replica, or ourselves before a long pause
        self._held_up = ""  # why the ledger refuses writes

    def _others_changed(self) -> None:
        """A replica that died may have left rows."""
        self._taken_up = False
        self._wake.set()

    def _now(self) -> datetime:
        """The time by which rows are due: the same for all who share them."""
        return self._member.time(self._clock.now())

    async def start(self) -> None:
        """Take over rows of a dead process, then run for ever, even while the ledger refuses writes."""
        await self._try_round(self._take_up)
        self._loop = asyncio.create_task(self._run(), name="outbox")

    async def stop(self, grace_s: float = 5.0) -> None:
        """Let running effects finish for `grace_s` seconds; the rest is taken over at the next start."""
        if self._loop:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        if self._running:
            await asyncio.wait(self._running, timeout=grace_s)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def wake(self) -> None:
        """Something was queued."""
        self._wake.set()

    async def _run(self) -> None:
        while True:
            if not await self._try_round(self._round):
                await asyncio.sleep(1.0)

    async def _try_round(self, round: Callable[[], Awaitable[None]]) -> bool:
        """True if it succeeded; each obstacle is logged once."""
        try:
            await round()
        except StoreError as error:
            if self._held_up != error.kind:
                log.error("nothing is sent while the ledger cannot be written", why=str(error))
            self._held_up = error.kind
            return False
        except Exception:  # the root of the outbox: log and try again
            log.exception("the outbox crashed: this is a bug in Understudy")
            return False
        self._held_up = ""
        return True

    async def _take_up(self) -> None:
        now = self._now()
        self._taken_up = True
        try:
            await self._ledger.write(lambda store: store.release_claims(now, self._pace.settle_for))
        except BaseException:
            self._taken_up = False
            raise
        for row in await self._ledger.read(lambda store: store.untold()):
            await self._tell(row)

    async def _round(self) -> None:
        self._wake.clear()
        if not self._taken_up:
            await self._take_up()
        now = self._now()
        due = await self._ledger.read(lambda store: store.next_due(now))
        if due is not None and due <= now and await self._claimed(now):
            return
        wait_s = LONGEST_WAIT.total_seconds() if due is None else max(0.02, (due - self._now()).total_seconds())
        if due is not None and due <= now:
            wait_s = LEFT_WAIT_S
        try:
            async with asyncio.timeout(min(wait_s, LONGEST_WAIT.total_seconds())):
                await self._wake.wait()
        except TimeoutError:
            pass  # something became due

    async def _claimed(self, now: datetime) -> bool:
        if not self._member.alive():
            return False
        await self._engine.caught_up()  # if we cannot understand what others committed, we must not carry out their effects
        boot, epoch = self._member.boot, self._member.epoch
        claiming = asyncio.ensure_future(
            self._ledger.write(lambda store: store.claim(now, boot, self._pace.lease, AT_ONCE, epoch))
        )
        try:
            rows = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            # These rows are claimed: if nobody processed them, they would wait for the settle time at the next start.
            self._see_to(await claiming, epoch)
            raise
        self._see_to(rows, epoch)
        return bool(rows)

    def _see_to(self, rows: Sequence[OutboxRow], epoch: int) -> None:
        for row in rows:
            task = asyncio.create_task(self._held_through(row, epoch), name=f"effect {row.effect.key}")
            self._running.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, StoreError):
            log.warning(
                "the result of an effect could not be saved; it will be looked up", effect=task.get_name(), why=str(error)
            )
        elif error:
            log.error("an effect crashed: this is a bug in Understudy", effect=task.get_name(), exc_info=error)
        self._wake.set()

    async def _tell(self, row: OutboxRow) -> None:
        """Report a row that nobody can read like any other effect that was given up."""
        kind = EFFECTS.get(row.result.get("kind", ""), PostLine)
        # The recipients of a page are lost with the row, so paging itself cannot report it.
        await self._refuse(row, row.error, PostLine if issubclass(kind, OfPage) else kind, ours=True)
        await self._ledger.write(lambda store: store.told(row.id))

    async def _held_through(self, row: OutboxRow, epoch: int) -> None:
        """Process a row while it is ours: once others may count us as dead, it is theirs."""

        def look() -> None:
            if not self._member.alive(epoch):
                raise LeaseLost(row.effect.key)

        try:
            with lease_checked_by(look):
                await self._process(row)
        except LeaseLost:
            log.warning("an effect is left to another replica", effect=row.effect.key)

    async def _process(self, row: OutboxRow) -> None:
        if row.state is RowState.DEAD:
            await self._tell(row)
            return
        try:
            came = await self._try(row)
            check_lease()
        except EffectError as error:
            check_lease()
            outcome = self._after(row, error)
            if self._on_trouble:
                self._on_trouble(row, error)
            log.info("effect not done", effect=row.effect.key, state=outcome.state, why=str(error))
        except (StoreError, LeaseLost):
            raise  # the row keeps its lease, and is looked up when that ends
        except Exception as error:
            # A bug of ours must neither block the lane for ever nor go unnoticed.
            check_lease()
            await self._refuse(row, f"internal error: {type(error).__name__}", ours=True)
            outcome = Settled(RowState.DEAD, error=f"{type(error).__name__}: {error}")
            await self._settle(row, outcome)
            raise
        else:
            # If the ledger refuses this, the row keeps its lease and is looked up when that ends.
            outcome = await self._outcome(row, came)
        if outcome.state is RowState.DEAD:
            await self._refuse(row, outcome.error)
        await self._settle(row, outcome)

    async def _try(self, row: OutboxRow) -> Performed | Wait | None:
        """The effect's result; None if it was looked up and not found."""
        body = row.effect.body
        performer = self._performers.get(type(body))
        if performer is None:
            raise EffectError(f"nothing here carries out {row.effect.kind}", permanent=True)
        await self._engine.caught_up()  # a row may be claimed before its own commit is shown
        check_lease()
        if row.state is not RowState.AMBIGUOUS or body.CERTAINTY is Certainty.REPEATABLE:
            return await performer.perform(body, row)
        if performer.find is None:
            raise EffectError("the bot may not read what it sends there", permanent=True)
        return await performer.find(body, row)

    async def _outcome(self, row: OutboxRow, came: Performed | Wait | None) -> Settled:
        now = self._now()
        match came:
            case None:
                return Settled(RowState.PENDING, now)
            case Performed():
                return await self._done(row.effect, came)
            case Wait(reason, until):
                state, pause = RowState.PENDING, row.attempt
                if row.state is RowState.AMBIGUOUS:
                    state, pause = RowState.AMBIGUOUS, row.ambiguous_rounds + 1
                return Settled(state, max(until or now, now + self._wait(pause)), error=reason)

    async def _done(self, effect: Effect, done: Performed) -> Settled:
        """First the fact, then the row: after a crash in between it is looked up, and the signal's id prevents a duplicate."""
        await self._engine.handle(
            EffectDone(
                actor=OUTBOX, id=f"done/{effect.key}", key=effect.key, kind=type(effect.body), incident=effect.incident,
                body=effect.body, channel=done.channel, ts=done.ts, name=done.name, reached=done.reached, problem=done.problem,
            )
        )  # fmt: skip
        return Settled(RowState.DONE, result={"channel": done.channel, "ts": done.ts, "name": done.name})

    async def _refuse(self, row: OutboxRow, reason: str, kind: type[EffectBody] | None = None, *, ours: bool = False) -> None:
        effect = row.effect
        await self._engine.handle(
            EffectRefused(
                actor=OUTBOX, id=f"refused/{effect.key}", key=effect.key, kind=kind or type(effect.body),
                incident=effect.incident, body=effect.body, stream=effect.stream, seq=effect.seq, reason=reason, ours=ours,
            )
        )  # fmt: skip

    async def _settle(self, row: OutboxRow, outcome: Settled) -> None:
        check_lease()
        now = self._now()
        if not await self._ledger.write(lambda store: store.settle(row.id, row.attempt, outcome, now)):
            log.warning("an effect was taken over by another replica meanwhile", effect=row.effect.key)

    def _after(self, row: OutboxRow, error: EffectError) -> Settled:
        now, words = self._now(), str(error)
        if error.retry_after is not None:
            state = RowState.AMBIGUOUS if row.state is RowState.AMBIGUOUS else RowState.PENDING
            return Settled(state, now + error.retry_after, error=words)
        if row.state is RowState.AMBIGUOUS and row.effect.body.CERTAINTY is not Certainty.REPEATABLE:
            return self._after_lookup(row, error)
        if error.unclear:
            return Settled(RowState.AMBIGUOUS, now + self._pace.settle_for, error=words)
        if error.permanent:
            return Settled(RowState.DEAD, error=words)
        return Settled(RowState.PENDING, now + self._wait(row.attempt), error=words)

    def _after_lookup(self, row: OutboxRow, error: EffectError) -> Settled:
        """The look-up itself failed. Then an alert is worth repeating unseen, but an hourly update is not."""
        now, lost = self._now(), row.effect.body.CERTAINTY is Certainty.BEST_EFFORT
        if not lost and (not error.permanent or row.ambiguous_rounds < MOST_ROUNDS):
            return Settled(RowState.AMBIGUOUS, now + self._wait(row.ambiguous_rounds + 1), error=str(error))
        if row.effect.body.REPEATED_UNSEEN:
            return Settled(RowState.PENDING, now, error=f"posted again without a look-up: {error}")
        return Settled(RowState.DEAD, error=f"it may have been posted, and cannot be looked up: {error}")

    def _wait(self, attempt: int) -> timedelta:
        return min(self._pace.first_wait * float(2 ** min(max(attempt - 1, 0), 10)), LONGEST_WAIT)
