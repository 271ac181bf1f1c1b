"""The looks under way: which of them are long awaited, and which were overtaken by a later look of the same check."""

from collections.abc import Callable, Iterator

from bot.system.clock import Clock
from bot.watch.plan import Check


class Awaited:
    """Numbers looks as they begin. `patience` says for how many domain seconds a check's answer is waited for as a matter of
    course, never less than `least_s`."""

    def __init__(self, clock: Clock, patience: Callable[[str], float], least_s: float) -> None:
        self._clock = clock
        self._patience = patience
        self._least_s = least_s
        self._last = 0
        self._looks: dict[int, tuple[Check, float]] = {}  # the oldest first
        self._told: set[int] = set()
        self._newest: dict[str, int] = {}  # that was answered, by check

    def began(self, check: Check) -> int:
        """A look begins; its number."""
        self._last += 1
        self._looks[self._last] = check, self._clock.monotonic()
        return self._last

    def ended(self, number: int) -> bool:
        """It ended, somehow; whether a look of the same check that began later ended before it."""
        check, _ = self._looks.pop(number)
        self._told.discard(number)
        newest = self._newest.get(check.id, 0)
        self._newest[check.id] = max(newest, number)
        return number < newest

    def late(self) -> Iterator[Check]:
        """Whose answers are long awaited, each told once."""
        now = self._clock.monotonic()
        for number, (check, began_at) in list(self._looks.items()) if self._looks else ():
            if now - began_at < self._least_s:
                return
            if number not in self._told and now - began_at >= self._patience(check.id):
                self._told.add(number)
                yield check
