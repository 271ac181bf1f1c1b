"""What every source provides: who has which shift. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.core.lazy_dataclass import dataclass

AHEAD = timedelta(days=14)  # how far ahead a source is read, so that shifts change correctly while it is unavailable


class SourceError(Exception):
    """A source could not be read; the sentence says why and contains no secret."""


@dataclass(frozen=True)
class Shift:
    """People on call from `starts` until before `ends`; without an end, until the next read.

    `unknown` are people whom the source names but the configuration does not.
    """

    people: tuple[str, ...]
    starts: datetime | None = None
    ends: datetime | None = None
    unknown: tuple[str, ...] = ()

    def covers(self, now: datetime) -> bool:
        """Whether it is the current shift."""
        return (self.starts is None or self.starts <= now) and (self.ends is None or now < self.ends)


class Source(Protocol):
    """A way to find out who is on call."""

    async def shifts(self, now: datetime) -> Sequence[Shift]:
        """The shifts from now to the next days, as far as known. Raises SourceError."""


def on_duty(shifts: Sequence[Shift], now: datetime) -> tuple[str, ...]:
    """Everybody who has a shift now, once, in order."""
    return tuple(dict.fromkeys(person for shift in shifts if shift.covers(now) for person in shift.people))


def moment(text: str) -> datetime:
    """A time in ISO 8601 with its offset. Raises ValueError."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a moment without an offset")
    return at.astimezone(UTC)


SHORTEST_BY_THE_CLOCK = timedelta(hours=3)  # no clock is put forward by more than two hours


@dataclass(frozen=True)
class Rota:
    """People who take turns by the wall clock in `zone`. Turns shorter than three hours use elapsed time."""

    starts: datetime
    every: timedelta
    users: tuple[str, ...]
    zone: str = "UTC"

    async def shifts(self, now: datetime) -> Sequence[Shift]:
        """The current turn; none before the first one begins."""
        number = (now - self.starts) // self.every
        while self._begins(number) > now:  # daylight saving time moved it by an hour
            number -= 1
        while self._begins(number + 1) <= now:
            number += 1
        if number < 0:
            return ()
        return (Shift((self.users[number % len(self.users)],), self._begins(number), self._begins(number + 1)),)

    def _begins(self, number: int) -> datetime:
        """When a turn begins, in UTC; in an hour that occurs twice, the first time."""
        if self.every < SHORTEST_BY_THE_CLOCK:
            return (self.starts + number * self.every).astimezone(UTC)
        zone = ZoneInfo(self.zone)
        first = self.starts.astimezone(zone)
        wall = first.replace(tzinfo=None) + number * self.every
        return wall.replace(tzinfo=zone, fold=first.fold if number == 0 else 0).astimezone(UTC)
