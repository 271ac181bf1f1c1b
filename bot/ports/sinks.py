"""Where a flag's variant goes besides its readers: other flag systems, gateways, files."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.core.lazy_dataclass import dataclass


class SinkError(Exception):
    """A sink could not be read or changed. The sentence says what to do; `permanent`: retrying alone cannot help.

    `retry_after` is how long it asks us to wait.
    """

    def __init__(self, sentence: str, *, permanent: bool = False, retry_after: timedelta | None = None) -> None:
        super().__init__(sentence)
        self.permanent = permanent
        self.retry_after = retry_after


@dataclass(frozen=True)
class Target:
    """What a sink should hold for its flag.

    `variant` is the engaged fallback, empty otherwise; `share_back` is the percentage of readers on `default` meanwhile.
    `definitions` is the flag in flagd's format. `id` identifies the order, the same at each attempt.
    """

    flag: str
    variant: str
    share_back: int
    default: str
    values: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    definitions: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    at: datetime | None = None

    @property
    def shares(self) -> Mapping[str, int]:
        """The percentage of readers for each variant that gets any."""
        if not self.variant or self.variant == self.default:
            return {self.default: 100}
        shares = {self.variant: 100 - self.share_back, self.default: self.share_back}
        return {name: share for name, share in shares.items() if share}

    @property
    def in_words(self) -> str:
        """The same for people: `gpt`, or `gpt 75 %, claude 25 %`."""
        shares = self.shares
        return next(iter(shares)) if len(shares) == 1 else ", ".join(f"{name} {share} %" for name, share in shares.items())


@dataclass(frozen=True)
class Plan:
    """What a sink holds `before` (opaque, and enough to restore it), and what would be done, in words."""

    before: str
    words: str


class Sink(Protocol):
    """One sink of one flag. All calls may be repeated, and raise SinkError (tests/contracts/test_sink_contract.py)."""

    async def plan(self, target: Target) -> Plan:
        """Read the current value; changes nothing."""

    async def apply(self, target: Target) -> str:
        """Write this value, and return how it reads back; raises SinkError if it reads back differently."""

    async def read_back(self) -> str:
        """The current value as a short text that changes only if it does; empty if it cannot be read."""

    async def revert(self, target: Target, before: str) -> str:
        """Restore what `plan` found, and return how it reads back. `target` is the flag on its default."""
