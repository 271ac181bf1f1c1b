"""Garbage collection, which stops everything, held off while something big is made beside the event loop."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


class Garbage:
    """Counts who holds it off, all of them on the loop's thread."""

    def __init__(self) -> None:
        self._holding = 0
        self._ran = True

    @contextmanager
    def held_off(self) -> Iterator[None]:
        """Ten thousand facts are looked through for 40 ms, again and again while they become more. It is made up for later."""
        if not self._holding:
            self._ran = gc.isenabled()
            gc.disable()
        self._holding += 1
        try:
            yield
        finally:
            self._holding -= 1
            if not self._holding and self._ran:
                gc.enable()


GARBAGE = Garbage()  # of this process
