"""Replicas over one ledger in one process. The ledger's time is `Scene.now`; each has a monotonic clock of its own."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from bot.cluster.replica import Replica, ReplicaTiming
from bot.ports import ReplicaInfo, StoreError, StoreTrouble
from bot.store.sqlite.ledgers import InlineLedger
from tests.ledger_facts import NOON

CLAUDE = {
    "name": "Claude",
    "components": {"api": {"checks": [{"type": "tcp", "host": "127.0.0.1", "port": 9, "every": "30s"}]}},
}
FLAG = {"variants": {"a": 1, "b": 2}, "default": "a", "description": "Which one"}
BY_HAND = ReplicaTiming(every_s=3_600.0)


@dataclass
class Its:
    """One machine with its clocks.

    Monotonic seconds pass at its own `rate`; its wall clock differs from the ledger by `off`.
    """

    scene: "Scene"
    rate: float = 1.0
    off: timedelta = timedelta(0)
    speed: float = 1.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.scene.passed) + self.off

    def monotonic(self) -> float:
        return self.scene.passed * self.rate


class TimedLedger(InlineLedger):
    """A ledger with a clock of its own, like a database: the times that replicas pass do not count.

    `before_write` and `after_write` are called around each write; they may let time pass, or raise.
    """

    scene: "Scene"
    before_write: Callable[[], None] | None = None
    after_write: Callable[[], None] | None = None

    async def write(self, work):  # type: ignore[no-untyped-def] # as the other one
        if self.before_write:
            self.before_write()
        found = await super().write(lambda store: work(_Timed(store, self.scene)))
        if self.after_write:
            self.after_write()
        return found


def away() -> None:
    """A `before_write` of a ledger that cannot be reached."""
    raise StoreError("away", kind=StoreTrouble.AWAY, permanent=False)


class _Timed:
    """A store that uses the scene's time for everything about leases."""

    def __init__(self, store, scene) -> None:  # type: ignore[no-untyped-def]
        self._store, self._scene = store, scene

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self._store, name)

    def renew(self, says, epoch, ttl, now):  # type: ignore[no-untyped-def]
        return self._store.renew(says, epoch, ttl, self._scene.now)

    def lease(self, name, holder, ttl, now):  # type: ignore[no-untyped-def]
        return self._store.lease(name, holder, ttl, self._scene.now)

    def replicas(self, now):  # type: ignore[no-untyped-def]
        return self._store.replicas(self._scene.now)

    def leases(self, now):  # type: ignore[no-untyped-def]
        return self._store.leases(self._scene.now)


@dataclass
class Scene:
    """One ledger and its replicas."""

    passed: float = 0.0
    replicas: dict[str, Replica] = field(default_factory=dict)
    outdated: set[str] = field(default_factory=set)  # names of those that are older than the ledger

    def __post_init__(self) -> None:
        opened = InlineLedger.open()
        self.ledger = TimedLedger(opened.conn, shared=True)
        self.ledger.scene = self

    @property
    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)

    def add(self, name: str, *, rate: float = 1.0, off_s: float = 0.0, blind: bool = False, **says: object) -> Replica:
        """A replica that did not join yet."""
        clock = Its(self, rate, timedelta(seconds=off_s))
        introduction = ReplicaInfo(name, f"boot-{name}", **says)  # type: ignore[arg-type]
        made = Replica(
            self.ledger, introduction, clock, clock, timing=BY_HAND, blind=lambda: blind, older=lambda: name in self.outdated
        )
        self.replicas[name] = made
        return made

    async def joins(self, name: str, **more: object) -> Replica:
        """A replica that joined, and beats from then on when it is told to."""
        made = self.add(name, **more)  # type: ignore[arg-type]
        await made.beat()
        await made.beat()
        return made

    async def passes(self, seconds: float, *beating: str) -> None:
        """Let time pass in which these give their signs of life each second, and all others are paused."""
        for _ in range(round(seconds)):
            self.passed += 1
            for name in beating:
                await self.replicas[name].beat()
            await asyncio.sleep(0)


def written(folder: Path, **changes: Any) -> Path:
    folder.mkdir()
    config = folder / "understudy.yaml"
    base = {
        "slack": "none", "server": {"listen": "127.0.0.1:0", "open_to_loopback": True}, "control_group": [],
        "allow_private": ["127.0.0.0/8"], "providers": {"anthropic": CLAUDE}, "flags": {"chat": FLAG},
    }  # fmt: skip
    config.write_text(yaml.safe_dump({**base, **changes}), encoding="utf-8")
    return config
