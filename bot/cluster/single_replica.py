"""The only process on a ledger that no other can open, thanks to the folder's lock."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from bot.core.signals.base import Duty
from bot.ports import Fence, LiveReplica


class SingleReplica:
    """A `bot.ports.Member` that is always alive and owns everything."""

    epoch = 0
    live: Sequence[LiveReplica] = ()

    def __init__(self, boot: str = "bot", name: str = "") -> None:
        self.boot = boot
        self.name = name or boot

    def alive(self, epoch: int | None = None) -> bool:
        """Always true."""
        return True

    def awake_since(self, epoch: int) -> bool:
        """Never matters: nobody counts it as dead."""
        return True

    def holds(self, lease: str) -> bool:
        """Holds every lease."""
        return True

    def fence(self, duty: Duty) -> Fence | None:
        """None: nobody else could decide."""
        return None

    def place(self) -> int:
        """The first and only place."""
        return 0

    def owns(self, key: str) -> bool:
        """Owns everything."""
        return True

    def time(self, own: datetime) -> datetime:
        """Our own time: a file has no clock."""
        return own

    def tell(self, kind: str, body: Any) -> None:
        """Does nothing: there is nobody to tell."""

    def hear(self, kind: str, callback: Callable[[Any], Awaitable[None]]) -> None:
        """Never called."""

    def listen(self, callback: Callable[[], None]) -> None:
        """Never called."""
