"""Replicas: several running processes over one ledger, and who of them may do what must be done by one."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Protocol

from bot.core.lazy_dataclass import dataclass


@dataclass(frozen=True)
class Introduction:
    """What a replica says of itself with every sign of life. `boot` is another one for each start, `name` stays.

    `configuration` has a digest of each part that all replicas should agree on, by a name that people know it by.
    `offset` is how far the ledger's clock is ahead of the replica's own.
    """

    name: str
    boot: str
    listen: str = ""
    version: str = ""
    schema: int = 0
    configuration: Mapping[str, str] = field(default_factory=dict)
    offset: timedelta = timedelta(0)


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
