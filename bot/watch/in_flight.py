"""Checks in flight: which answers are late, and which were overtaken by a later run of the same check."""

from collections.abc import Callable, Iterator

from bot.system.clock import Clock
from bot.watch.plan import Check


class ChecksInFlight:
    """Numbers runs as they begin. `late_after_s` returns after how many domain seconds a check is late (at least `least_s`)."""

    def __init__(self, clock: Clock, late_after_s: Callable[[str], float], least_s: float) -> None:
        self._clock = clock
        self._late_after_s = late_after_s
        self._least_s = least_s
        self._last = 0
        self._runs: dict[int, tuple[Check, float]] = {}  # oldest first
        self._reported: set[int] = set()
        self._newest: dict[str, int] = {}  # number of the newest finished run, by check

    def began(self, check: Check) -> int:
        """A run begins; returns its number."""
        self._last += 1
        self._runs[self._last] = check, self._clock.monotonic()
        return self._last

    def ended(self, number: int) -> bool:
        """A run ended in any way; True if a later run of the same check ended first."""
        check, _ = self._runs.pop(number)
        self._reported.discard(number)
        newest = self._newest.get(check.id, 0)
        self._newest[check.id] = max(newest, number)
        return number < newest

    def late(self) -> Iterator[Check]:
        """Checks whose answers are late; each run is returned once."""
        now = self._clock.monotonic()
        for number, (check, began_at) in list(self._runs.items()) if self._runs else ():
            if now - began_at < self._least_s:
                return
            if number not in self._reported and now - began_at >= self._late_after_s(check.id):
                self._reported.add(number)
                yield check
