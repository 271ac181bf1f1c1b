"""Where a flag's switch goes besides its readers: other flag systems, gateways, files."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.core.lazy_dataclass import dataclass


class SinkError(Exception):
    """A sink was not read or not changed. The sentence says what to do; `permanent`: trying again alone cannot help.

    `retry_after` is how long it asks to be left alone.
    """

    def __init__(self, sentence: str, *, permanent: bool = False, retry_after: timedelta | None = None) -> None:
        super().__init__(sentence)
        self.permanent = permanent
        self.retry_after = retry_after


@dataclass(frozen=True)
class Target:
    """What a sink should have of its flag.

    `variant` is the fallback that it is engaged on, empty in normal times; `share_back` percent of the readers are on `default`
    meanwhile. `definitions` is the flag as flagd defines it. `id` names the order, the same one at each try.
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
        """How many percent of the readers each variant should get; only those that get any."""
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
    """What a sink has `before` (opaque, and enough to put it back), and what would be done, in words."""

    before: str
    words: str


class Sink(Protocol):
    """One sink of one flag. All of it may be repeated, and raises SinkError (tests/contracts/test_sink_contract.py)."""

    async def plan(self, target: Target) -> Plan:
        """Read what is there; nothing is changed."""

    async def apply(self, target: Target) -> str:
        """Let it have this, and return how it reads back; an error where it reads back as something else."""

    async def read_back(self) -> str:
        """What it has, in a short text that is equal while nothing changed; empty where it cannot be read."""

    async def revert(self, target: Target, before: str) -> str:
        """Put back what `plan` found, and return how it reads back. `target` is the flag in normal times."""
