"""What is looked at, what tells the time, and the way to people that is not the chat."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from bot.core.lazy_dataclass import dataclass
from bot.core.model import FeedReport, Sample


class Admission(StrEnum):
    """Whether a sign of life may be taken, and if not, why."""

    OK = "ok"
    UNKNOWN = "unknown"  # there is no such heartbeat
    DENIED = "denied"  # it needs its token
    CLOSED = "closed"  # it has no token, and this sender may not do without
    TOO_MANY = "too many"


class Prober(Protocol):
    """One run of one check; a failure is a sample, never an exception."""

    async def probe(self, check: Any) -> Sample:
        """Look once, under the check's total deadline."""

    async def close(self) -> None:
        """Give back what is held."""


class Fetcher(Protocol):
    """One reading of one status page; a failure is a report, never an exception."""

    async def read(self, source: Any) -> FeedReport:
        """Read the page from the first of its addresses that answers."""

    async def close(self) -> None:
        """Give back what is held."""


class Ticker(Protocol):
    """The metronome."""

    def start(self, beat: Callable[[], None], look: Callable[[], Awaitable[None]], every_s: float) -> None:
        """Call `beat` about every `every_s` real seconds, and run `look` after it unless one is under way still."""

    def expect(self, at: datetime | None) -> None:
        """Run `look` at this real moment too, instead of the one that was named before; None for none."""

    async def stop(self) -> None:
        """No beat after this; a look that is under way ends first."""


class Notifier(Protocol):
    """Word to people on a way that is not Slack."""

    async def notify(self, title: str, body: str) -> list[str]:
        """Send to every address; returns one sentence per address that did not take it."""

    async def call(self, title: str, body: str, named: Sequence[str]) -> "Called":
        """Send to those that are named by number (from 1), by scheme, or as `all`; who took it, and a sentence per trouble."""


@dataclass(frozen=True)
class Called:
    """Which addresses took a notice, and one sentence per address that did not or that is none."""

    reached: tuple[str, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class OnDuty:
    """Who is behind a name at this moment: Slack user ids, and the user group where the name is one.

    `problem` says why there is nobody, or why this may be out of date.
    """

    people: tuple[str, ...] = ()
    group: str = ""
    problem: str = ""


class OnCall(Protocol):
    """Who is on call."""

    async def who(self, name: str) -> OnDuty:
        """Whom a name of `people.on_call`, or an id, stands for now. Answers within seconds and never raises."""
