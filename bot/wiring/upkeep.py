"""Regular background work: updating metrics, deleting old samples, recording budgets."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from bot.ports import UNFINISHED, Ledger, OutboxRow, RowState, Samples, StoreError, StoreTrouble
from bot.system.clock import Clock
from bot.system.logs import RateLimitedLog
from bot.system.rhythm import until_next_round
from bot.web.health import Part
from bot.web.metrics import Metrics

log = structlog.get_logger(__name__)

EVERY_S = 10.0
TRIM_EVERY_S = 60.0  # real seconds, like all of these
FORGET_EVERY_S = 3_600.0
TELL_AGAIN_EVERY_S = 60.0
BREATHE_S = 0.05  # between two steps, so that no commit waits for more than one
KEEP = timedelta(days=30)  # for finished effects, and ids of signals
RECENT = timedelta(days=1)
OUTBOX_STATES = (*UNFINISHED, RowState.DEAD)
BUDGETS = "budgets"  # the setting in the ledger that carries checks' spending over a restart


class Housekeeping:
    """A task of its own. `keep` and `budget_bytes` limit samples; `connected` asks about Slack, `spent` about budgets;
    `tell_again` tells by other means what nobody heard yet.

    `acts` returns whether this replica does work that is needed only once per ledger, and whose clock is right; samples that
    are not shared are trimmed by each replica.
    """

    def __init__(
        self, ledger: Ledger, samples: Samples, clock: Clock, metrics: Metrics, *, keep: timedelta, budget_bytes: int,
        connected: Callable[[], bool | None], spent: Callable[[], str], acts: Callable[[], bool] = lambda: True,
        adopt: Callable[[str], None] | None = None, tell_again: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._samples = samples
        self._clock = clock
        self._metrics = metrics
        self._keep = keep
        self._budget_bytes = budget_bytes
        self._connected = connected
        self._spent = spent
        self._acts = acts
        self._adopt = adopt
        self._tell_again = tell_again
        self._recorded = ""
        self._given_up: tuple[OutboxRow, ...] = ()
        self._rate_limited = RateLimitedLog(clock, timedelta(hours=1))
        self._forget_at = self._trim_at = self._tell_again_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def health(self) -> Mapping[str, Part]:
        """Effects given up within a day that no incident's timeline shows; empty if there are none."""
        if not self._given_up:
            return {}
        newest, others = self._given_up[-1], len(self._given_up) - 1
        more = f" and {others} more" if others else ""
        sentence = f"Given up within a day: {newest.effect.kind} ({newest.effect.key}){more}. {newest.error}"
        return {"outbox": Part(False, "given up", self._given_up[0].not_before, sentence)}

    def start(self) -> None:
        """Start."""
        self._task = asyncio.create_task(self._run(), name="housekeeping")

    async def stop(self) -> None:
        """Stop; records spending once more."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            with suppress(StoreError):  # a disk that refuses writes must not keep the bot from stopping
                await self._record_spent()

    async def _run(self) -> None:
        while True:
            await until_next_round(EVERY_S)
            try:
                await self._once()
            except StoreError as error:  # whoever monitors the ledger reports it
                log.debug("not written", why=str(error))
            except Exception:  # the root of a task: one failure must not end it for good
                log.exception("updating metrics or deleting old samples crashed: this is a bug in Understudy")

    async def _once(self) -> None:
        passed = asyncio.get_running_loop().time()
        if self._acts() and passed >= self._tell_again_at:
            self._tell_again_at = passed + TELL_AGAIN_EVERY_S
            self._tell_again()
        await self._tell_outbox()
        connected = self._connected()
        if connected is not None:
            self._metrics.set_slack(connected)
        await self._record_spent()
        passed = asyncio.get_running_loop().time()
        if self._acts() and passed >= self._forget_at:
            await forget_old(self._ledger, self._clock.now(), KEEP)
            self._forget_at = passed + FORGET_EVERY_S
        if passed >= self._trim_at and (self._acts() or not getattr(self._samples, "shared", False)):
            self._trim_at = passed + TRIM_EVERY_S
            now = self._clock.now()
            await self._samples.trim(now - self._keep)
            await self._samples.keep_within(self._budget_bytes, now)

    async def _tell_outbox(self) -> None:
        try:
            rows = await self._ledger.read(lambda store: store.outbox(*OUTBOX_STATES))
        except StoreError as error:
            if error.kind is not StoreTrouble.CORRUPT:
                raise
            # A row changed by hand must not prevent other work.
            if (unsaid := self._rate_limited.may("outbox")) is not None:
                log.error("the outbox cannot be counted", why=str(error), since_last=unsaid)
            return
        since = self._clock.now() - RECENT
        self._given_up = tuple(
            row for row in rows if row.state is RowState.DEAD and row.effect.incident is None and row.not_before >= since
        )
        counts = {state.value: sum(row.state == state for row in rows) for state in OUTBOX_STATES}
        waiting = [row.created_at for row in rows if row.state is RowState.PENDING]
        oldest = self._clock.now() - min(waiting) if waiting else timedelta(0)
        self._metrics.set_outbox(counts, max(oldest, timedelta(0)))

    async def _record_spent(self) -> None:
        """Record spending if it changed, so that a restart, or a check moving between replicas, does not spend money twice."""
        if self._adopt and (told := await self._ledger.read(lambda store: store.setting(BUDGETS))) not in (
            None,
            self._recorded,
        ):
            self._adopt(told or "")
        spent = self._spent()
        if spent and spent != self._recorded:
            await self._ledger.write(lambda store: store.put_setting(BUDGETS, spent))
            self._recorded = spent


async def forget_old(ledger: Ledger, now: datetime, keep: timedelta) -> int:
    """Delete finished effects and ids of signals, step by step; returns how many."""
    after: int | None = 0
    gone = 0
    while after is not None:
        old = await ledger.read(lambda store, after=after: store.find_old(now, keep, after))  # type: ignore[misc] # bound early
        if old.rows or old.signals:
            await ledger.write(lambda store, old=old: store.forget(old))  # type: ignore[misc] # bound early
            gone += len(old.rows) + len(old.signals)
            await asyncio.sleep(BREATHE_S)
        after = old.after
    return gone
