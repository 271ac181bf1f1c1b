"""One of several replicas: gives a sign of life each second, and knows until when the others must believe it.

That is reckoned from the moment before the sign was sent, by a monotonic clock, which runs on while a process is paused: one
that slept for longer knows so before it does anything, leaves what it had begun to the others, and goes on in another epoch.
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.cluster.differences import differences
from bot.cluster.shares import able, on_time, owner_of
from bot.core.lazy_dataclass import dataclass
from bot.core.signals.base import Duty
from bot.ports import CLOCK, Fence, Introduction, Lease, Ledger, LiveReplica, PassedOn, Renewed, Store, StoreError
from bot.system.clock import Clock

log = structlog.get_logger(__name__)

MOST_UNTOLD = 1_000  # things to pass on that wait while the ledger is away; the oldest go first
QUICK_S = 1.0  # an answer that took longer says too little about the ledger's clock


@dataclass(frozen=True)
class ReplicaTiming:
    """How long a sign of life counts, how often one is given, how much earlier we ourselves stop believing it, and how long we
    may have no turn without counting as paused."""

    ttl: timedelta = timedelta(seconds=3)
    every_s: float = 1.0
    margin: timedelta = timedelta(milliseconds=500)  # a commit takes its time, and clocks run differently fast
    paused_after: timedelta = timedelta(seconds=2)  # without a turn of ours, which come each second: the lease may end in it


@dataclass(frozen=True)
class _Found:
    """What one sign of life came to."""

    renewed: Renewed
    clock: int | None
    live: Sequence[LiveReplica]
    leases: Sequence[Lease]
    news: Sequence[PassedOn]


class Replica:
    """A `bot.ports.Member` over a ledger that others share. `clock` is real time, `wall` what this machine calls it.

    `blind` says whether its own network is what it sees, `older` whether only a newer Understudy understands the ledger.
    """

    def __init__(
        self, ledger: Ledger, says: Introduction, clock: Clock, wall: Clock, *, timing: ReplicaTiming | None = None,
        blind: Callable[[], bool] = lambda: False, older: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._says = says
        self._clock = clock
        self._wall = wall
        self._timing = timing or ReplicaTiming()
        self._blind = blind
        self._older = older
        self._epoch = 0
        self._until = float("-inf")  # by the monotonic clock
        self._turn: tuple[float, datetime] | None = None  # the newest of ours, by the monotonic clock and by the wall
        self._paused = False  # since the last sign of life
        self._woke_in = 0  # the newest epoch that began with a pause
        self._live: tuple[LiveReplica, ...] = ()
        self._leases: tuple[Lease, ...] = ()
        self._names: tuple[str, ...] = ()  # of those that do checks
        self._owners: dict[str, str] = {}
        self._ahead: timedelta | None = None  # the ledger's clock before our own
        self._first_at: datetime | None = None
        self._untold: deque[str] = deque(maxlen=MOST_UNTOLD)
        self._place: int | None = None
        self._hearers: dict[str, Callable[[Any], Awaitable[None]]] = {}
        self._heard: asyncio.Queue[PassedOn] = asyncio.Queue()
        self._unheard: deque[PassedOn] = deque(maxlen=MOST_UNTOLD)  # what nobody listened to yet: a start takes its time
        self._listeners: list[Callable[[], None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._away = ""
        self._said: set[str] = set()  # troubles that are in the log

    async def start(self) -> None:
        """Join, then go on giving signs of life. Raises StoreError."""
        self._place = await self._ledger.read(lambda store: store.newest_passed_on())
        await self.beat()
        await self.beat()  # the first one told how far our clock is off; until then nobody could know whether to rely on us
        log.info(
            "joined the replicas of this ledger", name=self.name, epoch=self._epoch, live=[o.says.name for o in self._live]
        )
        self._tasks = [
            asyncio.create_task(self._beat_for_ever(), name="sign of life"),
            asyncio.create_task(self._hear_for_ever(), name="news of other replicas"),
            asyncio.create_task(self._watch_turns(), name="turns of this replica"),
        ]

    async def stop(self) -> None:
        """Leave: others take over at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._until = float("-inf")
        with suppress(StoreError):  # then they wait for our time to be over
            await self._ledger.sign(lambda store: store.give_back(self.boot))

    # --- who we are, and what we may do

    @property
    def name(self) -> str:
        """What people call it."""
        return self._says.name

    @property
    def boot(self) -> str:
        """This start of it."""
        return self._says.boot

    @property
    def epoch(self) -> int:
        """The epoch that it is alive in."""
        return self._epoch

    @property
    def live(self) -> Sequence[LiveReplica]:
        """Who was alive at the last sign of life."""
        return self._live

    def alive(self, epoch: int | None = None) -> bool:
        """Whether nobody counts us as dead yet; with `epoch`, nor ever did since that one."""
        return self._clock.monotonic() < self._until and epoch in (None, self._epoch)

    def awake_since(self, epoch: int) -> bool:
        """Whether we ran all the time since we lived in that epoch: cut off at most, and never paused."""
        return self._woke_in <= epoch

    def holds(self, lease: str) -> bool:
        """Whether we are alive and hold this lease."""
        return self.alive() and any(one.name == lease and one.holder == self.boot for one in self._leases)

    def holder(self, lease: str) -> str:
        """The name of who holds a lease; empty where nobody does, or nobody whom we know."""
        boots = {one.holder for one in self._leases if one.name == lease}
        return next((one.says.name for one in self._live if one.says.boot in boots), "")

    def fence(self, duty: Duty) -> Fence | None:
        """What must be so still when that is committed which we decide now."""
        if duty is Duty.HEARD:
            return None
        clock = next((one.epoch for one in self._leases if one.name == CLOCK and one.holder == self.boot), 0)
        return Fence(self.boot, self._epoch, clock if duty is Duty.CLOCK else None)

    def place(self) -> int:
        """Behind who held the clock when the ledger was last heard of, and whose names come first of those who lived then."""
        first = {one.holder for one in self._leases if one.name == CLOCK}
        order = sorted(self._live, key=lambda one: (one.says.boot not in first, one.says.name, one.says.boot))
        return next((place for place, one in enumerate(order) if one.says.boot == self.boot), len(order))

    def owns(self, key: str) -> bool:
        """Whether this share is ours, as we know the others; also while the ledger is away."""
        owner = self._owners.get(key)
        if owner is None:
            owner = self._owners[key] = owner_of(key, self._names)
        return owner == self.name

    def time(self, own: datetime) -> datetime:
        """The ledger's time when our clock shows `own`."""
        return own + (self._ahead or timedelta(0))

    def troubles(self) -> list[str]:
        """Sentences on what is not as it should be between the replicas."""
        found = differences(self._says, [one for one in self._live if not self._was_before(one)])
        if not self.alive():
            found.append(f"{self.name} could not give a sign of life for too long: it acts on nothing until it can")
        return found

    def _was_before(self, one: LiveReplica) -> bool:
        """Whether that is ourselves before our restart, whose time is not over yet."""
        first_at = self._first_at
        earlier = one.says.name == self.name and one.says.boot != self.boot
        return earlier and (first_at is None or one.seen_at < first_at + self._timing.ttl)

    # --- telling and hearing

    def tell(self, kind: str, body: Any) -> None:
        """Pass it on with the next sign of life."""
        self._untold.append(json.dumps([kind, body], separators=(",", ":")))

    def hear(self, kind: str, callback: Callable[[Any], Awaitable[None]]) -> None:
        """Call back with each thing of this kind that another replica tells."""
        self._hearers[kind] = callback
        waiting, self._unheard = self._unheard, deque(maxlen=MOST_UNTOLD)
        for one in waiting:
            self._heard.put_nowait(one)

    def listen(self, callback: Callable[[], None]) -> None:
        """Call back when replicas came, went, or changed their epochs or their shares."""
        self._listeners.append(callback)

    # --- signs of life

    async def beat(self) -> None:
        """Give one sign of life, and take in what it came to. Raises StoreError."""
        self._has_turn()
        began, own, wall = self._clock.monotonic(), self._clock.now(), self._wall.now()
        says = self._says = replace(self._says, blind=self._blind(), older=self._older())
        leads = self._ahead is not None and not says.older and self._is_on_time(says)
        told, self._untold = list(self._untold), deque(maxlen=MOST_UNTOLD)

        def work(store: Store) -> _Found:
            renewed = store.renew(says, self._epoch, self._timing.ttl, own)
            clock = store.lease(CLOCK, says.boot, self._timing.ttl, own) if leads else None
            if told:
                store.pass_on(says.boot, told, own)
            news = store.passed_on(self._place or 0, says.boot)
            return _Found(renewed, clock, store.replicas(own), store.leases(own), news)

        try:
            found = await self._ledger.sign(work)
        except BaseException:
            self._untold = deque([*told, *self._untold], maxlen=MOST_UNTOLD)
            raise
        self._has_turn()
        self._until = began + (self._timing.ttl - self._timing.margin).total_seconds()
        self._reckon(found.renewed, own, wall, self._clock.monotonic() - began)
        self._take_in(found)

    def _is_on_time(self, says: Introduction) -> bool:
        """Whether our clock may be relied on, as far as the others' allow to tell."""
        now = [replace(one, says=says) if one.says.boot == self.boot else one for one in self._live]
        return any(one.says.boot == self.boot for one in on_time(now))

    def _reckon(self, renewed: Renewed, own: datetime, wall: datetime, took_s: float) -> None:
        """How far the ledger's clock is ahead, of ours and of the machine's."""
        if took_s > QUICK_S and self._ahead is not None:
            return
        half = timedelta(seconds=took_s / 2)
        self._ahead = renewed.at - own - half
        self._says = replace(self._says, offset=renewed.at - wall - half)

    def _take_in(self, found: _Found) -> None:
        if self._epoch and found.renewed.epoch != self._epoch:
            log.warning(
                "paused or cut off for too long: what was begun is left to others", name=self.name, epoch=found.renewed.epoch
            )
        if self._paused and found.renewed.epoch != self._epoch:
            self._woke_in = found.renewed.epoch
        self._paused = False
        before = {(one.says.boot, one.epoch) for one in self._live}, self._names
        self._first_at = self._first_at or found.renewed.at
        self._epoch, self._live, self._leases = found.renewed.epoch, tuple(found.live), tuple(found.leases)
        self._names = tuple(sorted({one.says.name for one in able(self._live)}))
        for one in found.news:
            self._place = one.id
            self._heard.put_nowait(one)
        if before != ({(one.says.boot, one.epoch) for one in self._live}, self._names):
            self._owners = {}
            for listener in self._listeners:
                listener()
        troubles = set(self.troubles())
        for trouble in sorted(troubles - self._said):
            log.error("the replicas are not alike", what=trouble)
        self._said = troubles

    def _has_turn(self) -> None:
        """We run. A machine that slept shows that by its wall clock alone."""
        at, wall = self._clock.monotonic(), self._wall.now()
        if self._turn is not None:
            gap_s = max(at - self._turn[0], (wall - self._turn[1]).total_seconds())
            self._paused |= gap_s > self._timing.paused_after.total_seconds()
        self._turn = at, wall

    async def _watch_turns(self) -> None:
        """Signs of life may wait for a ledger that stands still, and that is no pause of ours."""
        while True:
            await asyncio.sleep(self._timing.every_s)
            self._has_turn()

    async def _beat_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._timing.every_s)
            try:
                await self.beat()
                self._away = ""
            except StoreError as error:
                if self._away != error.kind:
                    log.error("no sign of life could be given", why=str(error))
                self._away = error.kind
            except Exception:  # the root of a task: the next one may go better
                log.exception("a sign of life failed by our own fault")

    async def _hear_for_ever(self) -> None:
        while True:
            one = await self._heard.get()
            try:
                kind, body = json.loads(one.body)
                if hearer := self._hearers.get(kind):
                    await hearer(body)
                else:
                    self._unheard.append(one)
            except StoreError as error:
                log.debug("what a replica told was not taken in", why=str(error))
            except Exception:  # the root of a task: of another version, perhaps
                log.exception("what a replica told could not be taken in")
