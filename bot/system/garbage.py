"""Garbage collection, which stops everything: make it rare, skip permanent objects, and pause it during large allocations.

Reference counting frees nearly everything at once. To find the rest, Python scans recent objects often and all objects now and
then: at 45,000 checks that blocked the loop for 0.2 s every three seconds.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG, MIDDLE, OLD = 20_000, 10, 5  # new objects per collection, and collections per one of the next older generation


class Garbage:
    """Counts who has paused it, all on the loop's thread."""

    def __init__(self) -> None:
        self._holding = 0
        self._ran = True

    def collect_rarely(self) -> None:
        """Collect only when enough new objects are worth 5 ms: until then some megabytes may be garbage."""
        gc.set_threshold(YOUNG, MIDDLE, OLD)

    def leave_out(self) -> None:
        """Exclude all present objects, which are permanent, from collections.

        This is instant and frees nothing; after loading and starting there is hardly any garbage.
        """
        gc.freeze()

    def look_through_everything(self) -> None:
        """Free excluded objects that are no longer used, as after a reload: 0.2 s at 10,000 checks."""
        gc.unfreeze()
        gc.collect()
        gc.freeze()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Pause it: scanning ten thousand facts takes 40 ms, again and again while more are created. It catches up later."""
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
