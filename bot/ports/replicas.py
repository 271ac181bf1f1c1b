"""Replicas: several running processes on one ledger, and which of them does the work that only one should do."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.core.lazy_dataclass import dataclass
from bot.core.signals.base import Duty

CLOCK = "clock"  # the lease of the replica that acts on deadlines, and does everything else that only one should do


@dataclass(frozen=True)
class ReplicaInfo:
    """What a replica says about itself with every heartbeat. `boot` is new at each start, `name` stays.

    `configuration` has a digest of each part on which all replicas should agree, by a name that people know. `offset` is how
    far the ledger's clock is ahead of its own; `blind` = it cannot tell vendors' failures from its own network's; `older` = it
    saw facts that only a newer Understudy understands, so it cannot decide anything.
    """

    name: str
    boot: str
    listen: str = ""
    version: str = ""
    schema: int = 0
    configuration: Mapping[str, str] = field(default_factory=dict)
    offset: timedelta = timedelta(0)
    blind: bool = False
    older: bool = False


@dataclass(frozen=True)
class LiveReplica:
    """A replica whose last heartbeat is still valid."""

    says: ReplicaInfo
    epoch: int
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Renewal:
    """The result of a heartbeat: the replica is alive in this epoch until `at` (on the ledger's clock) plus its lifetime."""

    epoch: int
    at: datetime


@dataclass(frozen=True)
class Lease:
    """Work that one replica does for all: `holder` is its boot, and `epoch` grows with every change of holder."""

    name: str
    holder: str
    epoch: int
    expires_at: datetime


@dataclass(frozen=True)
class Fence:
    """What must still be true at commit of a replica that decided by itself: `boot` is alive in `epoch`.

    If `clock` is given, it must also hold the clock in that epoch of the lease.
    """

    boot: str
    epoch: int
    clock: int | None = None

    def within(self, other: "Fence | None") -> "Fence":
        """Both fences in one, for the same boot: epochs only grow, so if two differ, the older one is over."""
        if other is None:
            return self
        clocks = [clock for clock in (self.clock, other.clock) if clock is not None]
        return Fence(self.boot, min(self.epoch, other.epoch), min(clocks, default=None))


@dataclass(frozen=True)
class ReplicaMessage:
    """A message from one replica to the others, such as what arrived at one of its hooks."""

    id: int
    boot: str
    body: str


class Replicas(Protocol):
    """The replicas as the ledger knows them. Times are on its own clock if it has one, else `now`."""

    def renew(self, says: ReplicaInfo, epoch: int, ttl: timedelta, now: datetime) -> Renewal:
        """A heartbeat of a replica that was alive in `epoch` (0 at its start); others count it as dead after `ttl`.

        It stays in its epoch if its time was not up; otherwise it enters the next one, and everything that it held counts as a
        dead replica's.
        """

    def replicas(self, now: datetime) -> list[LiveReplica]:
        """Live replicas, by name and boot."""

    def lease(self, name: str, holder: str, ttl: timedelta, now: datetime) -> int | None:
        """Take or extend a lease; returns its epoch, or None while another replica holds it."""

    def leases(self, now: datetime) -> list[Lease]:
        """The leases currently held."""

    def give_back(self, holder: str) -> None:
        """A replica stops, or must give up everything: its leases become free and it counts as dead, at once."""

    def pass_on(self, boot: str, bodies: Sequence[str], now: datetime) -> None:
        """Send messages to the other replicas. They are kept for a minute: news, not facts."""

    def passed_on(self, after: int, boot: str) -> list[ReplicaMessage]:
        """What the others sent after that position, in order."""

    def newest_passed_on(self) -> int:
        """The position after which everything is new; 0 before the first message."""


class Member(Protocol):
    """This replica among those of its ledger, for the rest of the program. Nothing here waits or fails."""

    @property
    def name(self) -> str:
        """Its name for people; survives restarts."""

    @property
    def boot(self) -> str:
        """New at each start; owns leases and rows of the outbox."""

    @property
    def epoch(self) -> int:
        """The epoch that it is alive in; 0 if nobody else uses the ledger."""

    @property
    def live(self) -> Sequence[LiveReplica]:
        """The replicas alive at the last heartbeat, including this one; empty if there can be no others."""

    def alive(self, epoch: int | None = None) -> bool:
        """Whether it may act: no other replica counts it as dead. With `epoch`: nor has since that epoch."""

    def awake_since(self, epoch: int) -> bool:
        """Whether it has kept running since that epoch: perhaps cut off, but never paused."""

    def holds(self, lease: str) -> bool:
        """Whether it is alive and holds this lease."""

    def fence(self, duty: Duty) -> Fence | None:
        """What must still be true when its decision is committed; None if nobody else could decide it."""

    def place(self) -> int:
        """Its position among the replicas for telling people what all of them notice, such as an unreachable ledger.

        0 is whoever held the clock last; the others follow by name.
        """

    def owns(self, key: str) -> bool:
        """Whether this share of the work, such as a component, is its own, given the replicas it knows."""

    def time(self, own: datetime) -> datetime:
        """The ledger's time when its own clock shows `own`."""

    def tell(self, kind: str, body: Any) -> None:
        """Send a JSON-ready message to the others; lost if the ledger is unreachable for long."""

    def hear(self, kind: str, callback: Callable[[Any], Awaitable[None]]) -> None:
        """Call `callback` with each message of this kind from another replica."""

    def listen(self, callback: Callable[[], None]) -> None:
        """Call `callback` when replicas appear or disappear, or when epochs or shares change."""
