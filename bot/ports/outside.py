"""What is checked, what tells the time, and ways to people other than the chat."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from bot.core.lazy_dataclass import dataclass
from bot.core.model import FeedReport, Sample


class Admission(StrEnum):
    """Whether a job's report may be accepted, and if not, why."""

    OK = "ok"
    UNKNOWN = "unknown"  # there is no such heartbeat
    DENIED = "denied"  # it needs its token
    CLOSED = "closed"  # it has no token, which this sender would need
    TOO_MANY = "too many"


class Prober(Protocol):
    """Runs checks; a failure is a sample, never an exception."""

    async def probe(self, check: Any) -> Sample:
        """Run it once, within the check's total deadline."""

    async def close(self) -> None:
        """Release resources."""


class Fetcher(Protocol):
    """Reads status pages; a failure is a report, never an exception."""

    async def read(self, source: Any) -> FeedReport:
        """Read the page from the first address that answers."""

    async def close(self) -> None:
        """Release resources."""


class Ticker(Protocol):
    """The metronome."""

    def start(self, beat: Callable[[], None], look: Callable[[], Awaitable[None]], every_s: float) -> None:
        """Call `beat` roughly every `every_s` real seconds, and then run `look`, unless one is still running."""

    def expect(self, at: datetime | None) -> None:
        """Also run `look` at this real time, replacing any earlier request; None for none."""

    async def stop(self) -> None:
        """Stop: no further beat; a running look ends first."""


class Notifier(Protocol):
    """Messages to people outside Slack."""

    async def call(self, title: str, body: str, named: Sequence[str]) -> "NotifyResult":
        """Send to addresses named by number (from 1), by scheme, or as `all`; returns who took it, and any problems."""


@dataclass(frozen=True)
class NotifyResult:
    """The addresses that took a notice, and one sentence per address that failed or does not exist."""

    reached: tuple[str, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class OnDuty:
    """The people behind a name at this moment: Slack user ids, and the user group if the name is one.

    `problem` says why there is nobody, or why this may be outdated.
    """

    people: tuple[str, ...] = ()
    group: str = ""
    problem: str = ""


class OnCall(Protocol):
    """Who is on call."""

    async def who(self, name: str) -> OnDuty:
        """The people behind a name in `people.on_call`, or an id, now. Answers within seconds and never raises."""
