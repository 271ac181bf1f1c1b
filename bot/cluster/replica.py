"""One of several replicas: sends a heartbeat every second, and knows how long the others must rely on it.

That is counted from the moment before the heartbeat, on a monotonic clock that runs on while a process is paused: a replica
that was paused too long knows so before it does anything, leaves its unfinished work to the others, and continues in a new
epoch.
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
from bot.ports import CLOCK, Fence, Lease, Ledger, LiveReplica, Renewal, ReplicaInfo, ReplicaMessage, Store, StoreError
from bot.system.clock import Clock

log = structlog.get_logger(__name__)

MOST_UNTOLD = 1_000  # messages waiting while the ledger is away; the oldest are dropped first
QUICK_S = 1.0  # a slower answer says too little about the ledger's clock


@dataclass(frozen=True)
class ReplicaTiming:
    """How long a heartbeat counts, how often one is sent, how much earlier we stop relying on it, and which gap is a pause."""

    ttl: timedelta = timedelta(seconds=3)
    every_s: float = 1.0
    margin: timedelta = timedelta(milliseconds=500)  # for commits in progress and clocks of different speed
    paused_after: timedelta = timedelta(seconds=2)  # without a turn of ours, due every second: the lease may end meanwhile


@dataclass(frozen=True)
class _Found:
    """The result of one heartbeat."""

    renewed: Renewal
    clock: int | None
    live: Sequence[LiveReplica]
    leases: Sequence[Lease]
    news: Sequence[ReplicaMessage]


class Replica:
    """A `bot.ports.Member` over a shared ledger. `clock` is real time, `wall` this machine's wall clock.

    `blind` returns whether its network is down, `older` whether only a newer Understudy understands the ledger.
    """

    def __init__(
        self, ledger: Ledger, says: ReplicaInfo, clock: Clock, wall: Clock, *, timing: ReplicaTiming | None = None,
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
        self._turn: tuple[float, datetime] | None = None  # our latest turn, by the monotonic and the wall clock
        self._paused = False  # since the last heartbeat
        self._woke_in = 0  # the latest epoch that began after a pause
        self._live: tuple[LiveReplica, ...] = ()
        self._leases: tuple[Lease, ...] = ()
        self._names: tuple[str, ...] = ()  # replicas that run checks
        self._owners: dict[str, str] = {}
        self._ahead: timedelta | None = None  # how far the ledger's clock is ahead of ours
        self._first_at: datetime | None = None
        self._untold: deque[str] = deque(maxlen=MOST_UNTOLD)
        self._place = 0  # of the latest thing that another replica told us
        self._hearers: dict[str, Callable[[Any], Awaitable[None]]] = {}
        self._heard: asyncio.Queue[ReplicaMessage] = asyncio.Queue()
        # Received before anybody listened, as a start takes a while.
        self._unheard: deque[ReplicaMessage] = deque(maxlen=MOST_UNTOLD)
        self._listeners: list[Callable[[], None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._away = ""
        self._said: set[str] = set()  # problems already logged

    async def start(self) -> None:
        """Join, then keep sending heartbeats. Raises StoreError."""
        self._place = await self._ledger.read(lambda store: store.newest_passed_on())
        await self.beat()
        await self.beat()  # a second heartbeat, since the first showed how far off our clock is, which others need to know
        log.info(
            "joined the replicas of this ledger", name=self.name, epoch=self._epoch, live=[o.says.name for o in self._live]
        )
        self._tasks = [
            asyncio.create_task(self._beat_for_ever(), name="sign of life"),
            asyncio.create_task(self._hear_for_ever(), name="news of other replicas"),
            asyncio.create_task(self._watch_turns(), name="turns of this replica"),
        ]

    async def stop(self) -> None:
        """Leave, so that others take over at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._until = float("-inf")
        with suppress(StoreError):  # then they wait until our time is up
            await self._ledger.write_at_once(lambda store: store.give_back(self.boot))

    # --- who we are, and what we may do

    @property
    def name(self) -> str:
        """Its name for people."""
        return self._says.name

    @property
    def boot(self) -> str:
        """The id of this start."""
        return self._says.boot

    @property
    def epoch(self) -> int:
        """The epoch that it is alive in."""
        return self._epoch

    @property
    def live(self) -> Sequence[LiveReplica]:
        """The replicas alive at the last heartbeat."""
        return self._live

    def alive(self, epoch: int | None = None) -> bool:
        """Whether no replica counts us as dead; with `epoch`, nor has since that epoch."""
        return self._clock.monotonic() < self._until and epoch in (None, self._epoch)

    def awake_since(self, epoch: int) -> bool:
        """Whether we have kept running since that epoch: perhaps cut off, but never paused."""
        return self._woke_in <= epoch

    def holds(self, lease: str) -> bool:
        """Whether we are alive and hold this lease."""
        return self.alive() and any(one.name == lease and one.holder == self.boot for one in self._leases)

    def holder(self, lease: str) -> str:
        """The name of a lease's holder; empty if there is none, or an unknown one."""
        boots = {one.holder for one in self._leases if one.name == lease}
        return next((one.says.name for one in self._live if one.says.boot in boots), "")

    def fence(self, duty: Duty) -> Fence | None:
        """What must still be true when a decision of ours is committed."""
        if duty is Duty.HEARD:
            return None
        clock = next((one.epoch for one in self._leases if one.name == CLOCK and one.holder == self.boot), 0)
        return Fence(self.boot, self._epoch, clock if duty is Duty.CLOCK else None)

    def place(self) -> int:
        """Our position among the replicas: first whoever held the clock when the ledger last answered, then by name."""
        first = {one.holder for one in self._leases if one.name == CLOCK}
        order = sorted(self._live, key=lambda one: (one.says.boot not in first, one.says.name, one.says.boot))
        return next((place for place, one in enumerate(order) if one.says.boot == self.boot), len(order))

    def owns(self, key: str) -> bool:
        """Whether this share is ours, given the replicas we know; also works while the ledger is away."""
        owner = self._owners.get(key)
        if owner is None:
            owner = self._owners[key] = owner_of(key, self._names)
        return owner == self.name

    def time(self, own: datetime) -> datetime:
        """The ledger's time when our clock shows `own`."""
        return own + (self._ahead or timedelta(0))

    def troubles(self) -> list[str]:
        """Sentences about problems between the replicas."""
        found = differences(self._says, [one for one in self._live if not self._was_before(one)])
        if not self.alive():
            found.append(f"{self.name} could not give a sign of life for too long: it acts on nothing until it can")
        return found

    def _was_before(self, one: LiveReplica) -> bool:
        """Whether that is ourselves before a restart, still counted as alive."""
        first_at = self._first_at
        earlier = one.says.name == self.name and one.says.boot != self.boot
        return earlier and (first_at is None or one.seen_at < first_at + self._timing.ttl)

    # --- messages

    def tell(self, kind: str, body: Any) -> None:
        """Send it with the next heartbeat."""
        self._untold.append(json.dumps([kind, body], separators=(",", ":")))

    def hear(self, kind: str, callback: Callable[[Any], Awaitable[None]]) -> None:
        """Call `callback` with each message of this kind from another replica."""
        self._hearers[kind] = callback
        waiting, self._unheard = self._unheard, deque(maxlen=MOST_UNTOLD)
        for one in waiting:
            self._heard.put_nowait(one)

    def listen(self, callback: Callable[[], None]) -> None:
        """Call `callback` when replicas appear or disappear, or when epochs or shares change."""
        self._listeners.append(callback)

    # --- heartbeats

    async def beat(self) -> None:
        """Send one heartbeat and process the result. Raises StoreError."""
        self._has_turn()
        began, own, wall = self._clock.monotonic(), self._clock.now(), self._wall.now()
        says = self._says = replace(self._says, blind=self._blind(), older=self._older())
        leads = not says.older and self._is_on_time(says)
        told, self._untold = list(self._untold), deque(maxlen=MOST_UNTOLD)

        def work(store: Store) -> _Found:
            renewed = store.renew(says, self._epoch, self._timing.ttl, own)
            clock = store.lease(CLOCK, says.boot, self._timing.ttl, own) if leads else None
            if told:
                store.pass_on(says.boot, told, own)
            news = store.passed_on(self._place, says.boot)
            return _Found(renewed, clock, store.replicas(own), store.leases(own), news)

        try:
            found = await self._ledger.write_at_once(work)
        except BaseException:
            self._untold = deque([*told, *self._untold], maxlen=MOST_UNTOLD)
            raise
        self._has_turn()
        self._until = began + (self._timing.ttl - self._timing.margin).total_seconds()
        self._compare_clocks(found.renewed, own, wall, self._clock.monotonic() - began)
        self._take_in(found)

    def _is_on_time(self, says: ReplicaInfo) -> bool:
        """Whether our clock is right, as far as those of the others tell; before our first heartbeat nobody can."""
        now = [replace(one, says=says) if one.says.boot == self.boot else one for one in self._live]
        return any(one.says.boot == self.boot for one in on_time(now))

    def _compare_clocks(self, renewed: Renewal, own: datetime, wall: datetime, took_s: float) -> None:
        """Compute how far the ledger's clock is ahead of ours and of the machine's."""
        if took_s > QUICK_S and self._ahead is not None:
            return
        half = timedelta(seconds=took_s / 2)
        self._ahead = renewed.at - own - half
        self._says = replace(self._says, offset=renewed.at - wall - half)

    def _take_in(self, found: _Found) -> None:
        if self._epoch and found.renewed.epoch != self._epoch:
            log.warning(
                "paused or cut off for too long: unfinished work is left to other replicas",
                name=self.name,
                epoch=found.renewed.epoch,
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
            log.error("the replicas differ", what=trouble)
        self._said = troubles

    def _has_turn(self) -> None:
        """Note that we are running. Only the wall clock shows that a machine slept."""
        at, wall = self._clock.monotonic(), self._wall.now()
        if self._turn is not None:
            gap_s = max(at - self._turn[0], (wall - self._turn[1]).total_seconds())
            self._paused |= gap_s > self._timing.paused_after.total_seconds()
        self._turn = at, wall

    async def _watch_turns(self) -> None:
        """Heartbeats may wait for a blocked ledger, which must not count as a pause of ours."""
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
                    log.error("this replica's heartbeat could not be written", why=str(error))
                self._away = error.kind
            except Exception:  # the root of a task: the next one may succeed
                log.exception("a replica's heartbeat crashed: this is a bug in Understudy")

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
                log.debug("a message of another replica was not processed", why=str(error))
            except Exception:  # the root of a task: perhaps a message from another version
                log.exception("a message of another replica could not be processed")
