"""Replicas: several running processes over one ledger, and who of them may do what must be done by one."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.core.lazy_dataclass import dataclass
from bot.core.signals.base import Duty

CLOCK = "clock"  # the lease of whoever acts on what falls due, and does all else that must be done once


@dataclass(frozen=True)
class Introduction:
    """What a replica says of itself with every sign of life. `boot` is another one for each start, `name` stays.

    `configuration` has a digest of each part that all replicas should agree on, by a name that people know it by.
    `offset` is how far the ledger's clock is ahead of the replica's own; `blind` that it cannot tell vendors' troubles from
    its own network's; `older` that it met facts which only a newer Understudy understands, so that it can decide on nothing.
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
    """A replica whose last sign of life still counts."""

    says: Introduction
    epoch: int
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Renewed:
    """A sign of life was taken: until `at`, by the ledger's clock, and its time to live, the replica is alive in this epoch."""

    epoch: int
    at: datetime


@dataclass(frozen=True)
class Lease:
    """Something that one replica does for all: its holder is a boot, and `epoch` grows with every change of holder."""

    name: str
    holder: str
    epoch: int
    expires_at: datetime


@dataclass(frozen=True)
class Fence:
    """What must be so still when something is committed that a replica decided by itself: that `boot` is alive in `epoch`,
    and, where `clock` is given, that it holds the clock in that epoch of the lease."""

    boot: str
    epoch: int
    clock: int | None = None

    def within(self, other: "Fence | None") -> "Fence":
        """Both in one, of the same boot: epochs only grow, so that where two differ the older one is over."""
        if other is None:
            return self
        clocks = [clock for clock in (self.clock, other.clock) if clock is not None]
        return Fence(self.boot, min(self.epoch, other.epoch), min(clocks, default=None))


@dataclass(frozen=True)
class PassedOn:
    """Something that one replica tells the others, such as what came in by a hook of its own."""

    id: int
    boot: str
    body: str


class Replicas(Protocol):
    """What the ledger knows of replicas. All times are its own clock's where it has one, and `now` where it has none."""

    def renew(self, says: Introduction, epoch: int, ttl: timedelta, now: datetime) -> Renewed:
        """A sign of life of a replica that was alive in `epoch`, 0 at its start; others count it as dead after `ttl`.

        It stays in its epoch where its time was not over; otherwise it enters the next one, and whatever it held in the one
        before counts as a dead one's.
        """

    def replicas(self, now: datetime) -> list[LiveReplica]:
        """The live ones, by name and boot."""

    def lease(self, name: str, holder: str, ttl: timedelta, now: datetime) -> int | None:
        """Take a lease, or hold it for longer: its epoch; None while another one holds it."""

    def leases(self, now: datetime) -> list[Lease]:
        """The leases that are held."""

    def give_back(self, holder: str) -> None:
        """A replica ends cleanly, or may hold nothing: its leases are free, and it counts as dead, at once."""

    def pass_on(self, boot: str, bodies: Sequence[str], now: datetime) -> None:
        """Tell the other replicas something. It is kept for a minute: for news, not for facts."""

    def passed_on(self, after: int, boot: str) -> list[PassedOn]:
        """What the others told behind that place, in order."""

    def newest_passed_on(self) -> int:
        """The place behind which everything is news; 0 before the first."""


class Member(Protocol):
    """One replica among those of its ledger, as the rest of the program knows it. Nothing here waits or fails."""

    @property
    def name(self) -> str:
        """What people call it; stays over restarts."""

    @property
    def boot(self) -> str:
        """Another one for each start; owns leases and rows of the outbox."""

    @property
    def epoch(self) -> int:
        """The epoch that it is alive in; 0 where nobody else is on the ledger."""

    @property
    def live(self) -> Sequence[LiveReplica]:
        """The replicas that were alive at the last sign of life, this one among them; empty where there can be no other."""

    def alive(self, epoch: int | None = None) -> bool:
        """Whether it may act: no other replica counts it as dead at this moment. With `epoch`: and did not since that one."""

    def awake_since(self, epoch: int) -> bool:
        """Whether it ran all the time since it lived in that epoch: it was cut off at most, and never paused."""

    def holds(self, lease: str) -> bool:
        """Whether it is alive and holds this lease."""

    def fence(self, duty: Duty) -> Fence | None:
        """What must be so still when that is committed which it decides now; None where nobody else could decide it."""

    def place(self) -> int:
        """Its place among those who tell people what all notice, such as that the ledger is away: whoever held the clock last
        is in place 0, and the others follow by name."""

    def owns(self, key: str) -> bool:
        """Whether this share of the work, such as a component, is its own, by what it knows of the others."""

    def time(self, own: datetime) -> datetime:
        """The ledger's time when its own clock shows `own`."""

    def tell(self, kind: str, body: Any) -> None:
        """Pass something on to the others, JSON-ready; lost where the ledger is away for long."""

    def hear(self, kind: str, callback: Callable[[Any], Awaitable[None]]) -> None:
        """Call back with each thing of this kind that another replica tells."""

    def listen(self, callback: Callable[[], None]) -> None:
        """Call back when replicas came, went, or changed their epochs or their shares."""
