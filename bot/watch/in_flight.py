"""Checks in flight: which answers are late, and which were overtaken by a later run of the same check."""

from collections.abc import Callable, Iterator

from bot.system.clock import Clock
from bot.watch.plan import Check


class Awaited:
    """Numbers runs as they begin. `patience` gives the domain seconds after which an answer is late (at least `least_s`)."""

    def __init__(self, clock: Clock, patience: Callable[[str], float], least_s: float) -> None:
        self._clock = clock
        self._patience = patience
        self._least_s = least_s
        self._last = 0
        self._looks: dict[int, tuple[Check, float]] = {}  # oldest first
        self._told: set[int] = set()
        self._newest: dict[str, int] = {}  # number of the newest finished run, by check

    def began(self, check: Check) -> int:
        """A run begins; returns its number."""
        self._last += 1
        self._looks[self._last] = check, self._clock.monotonic()
        return self._last

    def ended(self, number: int) -> bool:
        """A run ended in any way; True if a later run of the same check ended first."""
        check, _ = self._looks.pop(number)
        self._told.discard(number)
        newest = self._newest.get(check.id, 0)
        self._newest[check.id] = max(newest, number)
        return number < newest

    def late(self) -> Iterator[Check]:
        """Checks whose answers are late; each run is returned once."""
        now = self._clock.monotonic()
        for number, (check, began_at) in list(self._looks.items()) if self._looks else ():
            if now - began_at < self._least_s:
                return
            if number not in self._told and now - began_at >= self._patience(check.id):
                self._told.add(number)
                yield check
