"""The only reader of time.

Domain time (when something happened, when the next update is due) comes from a `Clock`; deadlines of network calls come from
the event loop. Nothing else in the project asks the machine for the time.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Domain time: a wall clock in UTC, and seconds that never go backwards."""

    def now(self) -> datetime:
        """The current time as an aware UTC datetime."""

    def monotonic(self) -> float:
        """Domain seconds since an arbitrary start; they pass `speed` times as fast as real ones and never jump."""

    @property
    def speed(self) -> float:
        """Domain seconds per real second: 1 in production."""


class SystemClock:
    """The machine's own clock, at real speed."""

    speed = 1.0
    monotonic = staticmethod(time.monotonic)  # read nine times per probe, so without a wrapper

    def now(self) -> datetime:
        return datetime.now(UTC)


class SteadyClock:
    """A clock that reads the wall clock once and continues on the monotonic clock, so that corrections do not move it.

    For what must not end early or late within one process: leases, settle times, waits that Slack asked for.
    """

    def __init__(self, inner: Clock) -> None:
        self.speed = inner.speed
        self._inner = inner
        self._start = inner.now()
        self._began = inner.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._inner.monotonic() - self._began)

    def monotonic(self) -> float:
        return self._inner.monotonic()


class ScaledClock:
    """A clock that starts at `start` and runs `speed` times as fast as real time; the demo plays four hours with it.

    With `stands` it waits for `begin`. Processes whose clocks began at the same moment show the same time.
    """

    def __init__(self, speed: float, start: datetime, *, stands: bool = False) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above zero, not {speed}")
        self.speed = speed
        self.start = start
        self.began = None if stands else time.monotonic()  # on the machine's monotonic clock, which all its processes share

    def begin(self, at: float | None = None) -> None:
        """Start it now, or as of this time on the machine's monotonic clock."""
        self.began = time.monotonic() if at is None else at

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self._passed())

    def monotonic(self) -> float:
        return self._passed()

    def _passed(self) -> float:
        return 0.0 if self.began is None else (time.monotonic() - self.began) * self.speed


class ManualClock:
    """A clock that moves only when told to, for tests and simulations; its wall clock can be set separately."""

    speed = 1.0

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, by: timedelta) -> None:
        """Advance both clocks by `by`."""
        if by < timedelta(0):
            raise ValueError("time does not go back; step_wall() moves the wall clock alone")
        self._now += by
        self._monotonic += by.total_seconds()

    def step_wall(self, by: timedelta) -> None:
        """Set the wall clock forward or back, like a clock correction; the monotonic clock is not affected."""
        self._now += by
