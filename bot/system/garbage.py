"""Garbage collection, which stops everything: seldom, not of what stays, and held off while something big is made.

Nearly all that a bot throws away is gone at once, without any collection. To find the rest Python looks through all that was
made lately, and now and then through everything: at 45,000 checks that held the loop for 0.2 s every three seconds.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG, MIDDLE, OLD = 20_000, 10, 5  # objects on top of those before; how many such looks make one that goes further back


class Garbage:
    """Counts who holds it off, all of them on the loop's thread."""

    def __init__(self) -> None:
        self._holding = 0
        self._ran = True

    def look_seldom(self) -> None:
        """Look once so many objects have come on top that 5 ms are worth it: some megabytes may be garbage until then."""
        gc.set_threshold(YOUNG, MIDDLE, OLD)

    def leave_out(self) -> None:
        """Never look at what is there now, which stays to the end. It takes no time, and throws nothing away: of what was
        loaded and started next to nothing is garbage."""
        gc.freeze()

    def look_through_everything(self) -> None:
        """Throw away what was left out and is gone since, as after a bot took the place of another: 0.2 s at 10,000 checks."""
        gc.unfreeze()
        gc.collect()
        gc.freeze()

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
