"""The one process on a ledger that no other can open: the folder's lock says so, and nobody has to be told."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from bot.core.signals.base import Duty
from bot.ports import Fence, LiveReplica


class Alone:
    """A `bot.ports.Member` that is always alive, and whose share is everything."""

    epoch = 0
    live: Sequence[LiveReplica] = ()

    def __init__(self, boot: str = "bot", name: str = "") -> None:
        self.boot = boot
        self.name = name or boot

    def alive(self, epoch: int | None = None) -> bool:
        """Always."""
        return True

    def awake_since(self, epoch: int) -> bool:
        """Nobody counts it as dead, so it does not matter."""
        return True

    def holds(self, lease: str) -> bool:
        """Every lease."""
        return True

    def fence(self, duty: Duty) -> Fence | None:
        """There is nobody else who could decide."""
        return None

    def place(self) -> int:
        """There is nobody else who could tell."""
        return 0

    def owns(self, key: str) -> bool:
        """Everything is its own."""
        return True

    def time(self, own: datetime) -> datetime:
        """A file has no clock of its own."""
        return own

    def tell(self, kind: str, body: Any) -> None:
        """There is nobody to be told."""

    def hear(self, kind: str, callback: Callable[[Any], Awaitable[None]]) -> None:
        """Nobody tells anything."""

    def listen(self, callback: Callable[[], None]) -> None:
        """Nobody comes or goes."""
