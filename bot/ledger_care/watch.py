"""Knows whether the ledger accepts commits, and reports it while it does not: log, readiness, metrics, `notify`.

The file's existence is checked every second; a small durable write every ten seconds proves the rest, since a bot in quiet
times writes next to nothing and would notice a full disk only during an outage.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

import structlog

from bot.core.lazy_dataclass import dataclass
from bot.core.model import Verdict
from bot.delivery.direct_posts import OVER
from bot.ledger_care.notices import LOOK_BACK, LedgerNotices
from bot.ports import Engine, Ledger, Store, StoreError
from bot.system.clock import Clock
from bot.system.rhythm import until_next_round
from bot.views.storage import nothing_is_written, unwritten_words
from bot.web.health import Part

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0  # real seconds, like all of these
PROVE_EVERY_S = 10.0
RETRY_EVERY_S = 3.0  # while it cannot be written
TELL_AFTER_S = 5.0  # a problem shorter than this calls nobody, and space that is gone again by then does not count
PROOF = "proved_at"  # the setting used for the test write
ENDED_BY = "spell_ended_by"  # the setting that says which replica tells of the last end


class Reopenable(Protocol):
    """A data file that may be read-only for now."""

    @property
    def trouble(self) -> StoreError | None:
        """Why it is read-only, if it is."""

    async def reopen(self) -> None:
        """Try to write again; raises StoreError while that is impossible."""


class File(Reopenable, Protocol):
    """The ledger's file."""

    def check_place(self) -> None:
        """Raise StoreError if the file no longer exists."""


@dataclass(frozen=True)
class LedgerState:
    """The ledger's state; `error` is None while it accepts commits."""

    error: StoreError | None
    since: datetime


class LedgerWatch:
    """Looks every second. `live_verdicts` returns current verdicts, `unchecked` the components without one since the start.

    `notices` tell people, `on_change` updates the metrics. `file` is the ledger's, if it has one; those `beside` it are
    reopened for writing together with it.
    """

    def __init__(
        self, ledger: Ledger, file: File | None, engine: Engine, clock: Clock, *, beside: Sequence[Reopenable] = (),
        live_verdicts: Callable[[], Mapping[str, Verdict]], unchecked: Callable[[], Collection[str]], notices: LedgerNotices,
        on_change: Callable[[bool], None],
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._file = file
        self._beside = beside
        self._engine = engine
        self._clock = clock
        self._live_verdicts = live_verdicts
        self._unchecked = unchecked
        self._notices = notices
        self._on_change = on_change
        self._waiting: list[Callable[[], Awaitable[None]]] = []
        self._task: asyncio.Task[None] | None = None
        self._prove_at = self._proved_s = self._bad_at = self._well_at = 0.0
        self._proved: datetime | None = None  # when it last accepted a write, including an earlier process's
        self._recalled = False
        self._earlier: datetime | None = None  # the same, until it is known whether that process's trouble continues
        trouble = file.trouble if file else None
        self.standing = LedgerState(trouble, clock.now())
        on_change(trouble is None)
        if trouble:
            log.error("the ledger cannot be written: read only, flags are served as they were committed", why=str(trouble))

    def start(self) -> None:
        """Start looking."""
        self._task = asyncio.create_task(self._run(), name="ledger watch")

    async def close(self) -> None:
        """Stop looking."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def when_writable(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do this now, or as soon as the ledger accepts writes."""
        try:
            await work()
        except StoreError as error:
            log.warning("this waits until the ledger can be written", why=str(error))
            self._waiting.append(work)

    def part(self) -> Part:
        """Its state, for health and status."""
        if self.standing.error is None:
            return Part(True, "restored", self.standing.since, "State is restored; the ledger takes what is committed.")
        news = unwritten_words(self._engine.world, self._engine.policy, self._live_verdicts())
        words = f"The ledger cannot be written: {self.standing.error}. {news}".strip()
        return Part(False, self.standing.error.kind.value, self.standing.since, words)

    def trouble(self) -> str:
        """What people should know; empty while all is well."""
        return nothing_is_written(self.standing.error) if self.standing.error else ""

    def unwritten(self) -> Mapping[str, Verdict]:
        """Current verdicts that differ from the ledger because it refuses writes; empty while it accepts them."""
        if self.standing.error is None:
            return {}
        world = self._engine.world
        return {id: verdict for id, verdict in self._live_verdicts().items() if not world.component(id).agrees(verdict)}

    async def look(self) -> None:
        """Look once, and report what changed."""
        if not self._recalled:
            await self._recall()
        error = await self._ask()
        if error is None:
            await self._well()
        else:
            self._bad(error)

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:  # the root of a task: the next look may succeed
                log.exception("checking the ledger crashed: this is a bug in Understudy")
            await until_next_round(LOOK_EVERY_S)

    async def _recall(self) -> None:
        """Load when an earlier process last wrote."""
        self._recalled = True
        with suppress(StoreError, ValueError, OverflowError):  # then nobody knows what it told
            text = await self._ledger.read(lambda store: store.setting(PROOF))
            self._proved = self._earlier = datetime.fromisoformat(text).astimezone(UTC) if text else None

    async def _ask(self) -> StoreError | None:
        now = asyncio.get_running_loop().time()
        try:
            if self._file:
                self._file.check_place()
            if now < self._prove_at:
                return self.standing.error
            self._prove_at = now + (RETRY_EVERY_S if self.standing.error or self._notices.told else PROVE_EVERY_S)
            if self._file:
                await self._file.reopen()
            at = self._clock.now()
            await self._ledger.write(lambda store: store.put_setting(PROOF, at.isoformat()))
            self._proved, self._proved_s = at, now
        except StoreError as error:
            return error
        return None

    async def _well(self) -> None:
        if self.standing.error is not None:
            self.standing = LedgerState(None, self._clock.now())
            self._well_at = self._proved_s
            self._on_change(True)
            log.info("the ledger can be written again")
        if self._notices.told and self._proved_s - self._well_at >= TELL_AFTER_S:
            with suppress(StoreError):  # then it is not over
                self._notices.over(self.standing.since, ours=await self._tells_end())
        if self._earlier:
            self._notices.earlier(self._earlier, self.standing.since)
            self._earlier = None
        for file in self._beside:
            with suppress(StoreError):  # it has its own trouble, and is retried
                await file.reopen()
        waiting, self._waiting = self._waiting, []
        for work in waiting:
            await self.when_writable(work)

    async def _tells_end(self) -> bool:
        """Whether this replica, of all that know of the spell, tells of its end. Raises StoreError; then ask again."""
        at, post = self._clock.now(), self._notices.shared_post
        if post is None:
            return True
        claim = f"{post}{OVER} by {self._notices.replica}"

        def take(store: Store) -> bool:
            if store.first_sight(f"{post}{OVER}", at, LOOK_BACK):
                store.put_setting(ENDED_BY, claim)
            return store.setting(ENDED_BY) == claim  # also if it was ours before, and the response was lost

        return await self._ledger.write(take)

    def _bad(self, error: StoreError) -> None:
        now = asyncio.get_running_loop().time()
        if self._earlier:
            self._earlier = None  # it continues
            self._notices.inherit()
        if self.standing.error is None or self.standing.error.kind is not error.kind:
            self.standing = LedgerState(error, self._clock.now())
            self._bad_at = now
            self._prove_at = now + RETRY_EVERY_S
            self._on_change(False)
            log.error("the ledger cannot be written", why=str(error), kind=error.kind.value)
        if now - self._bad_at < TELL_AFTER_S + (0.0 if self._notices.told else self._notices.lets_others_s()):
            return
        self._notices.spell(error, self._proved or self.standing.since, self._live_verdicts(), self._unchecked())
