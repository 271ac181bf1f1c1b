"""When each look is due: fixed phases spread over the interval, quick looks in between, and no more at once than is good.

The same thing always runs at the same offset of its interval, so a thousand checks never start in one instant, and a restart
changes nothing. What a stall swallowed is skipped, not caught up on.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import structlog

from bot.system.clock import Clock
from bot.watch.stagger import offset

log = structlog.get_logger(__name__)

AT_ONCE = 1_000  # looks under way; more than this only measures our own crowd
BESIDE = 8  # of one check at once: a quick look does not wait for one that hangs
BESIDE_SHARE = 0.1  # of those under way, at most, are such
BESIDE_AFTER_S = 1.0  # domain seconds; what began a moment ago is look enough
Look = Callable[[], Coroutine[Any, Any, None]]


@dataclass
class _Due:
    """Something that runs at a fixed phase of its interval; `quick_at` is an extra look before the next regular one."""

    id: str
    every_s: float
    next_at: float
    run: Look
    mine: Callable[[], bool] = lambda: True
    tasks: list[asyncio.Task[None]] = field(default_factory=list)  # under way
    began_at: float = 0.0  # the newest of them
    quick_at: float | None = None
    eager: bool = False  # the next regular one stands for a quick one
    waits: bool = False  # for room among those under way


class Rounds:
    """Starts looks on time. `beat` is called by the metronome; what falls due before the next beat is armed on the loop.

    `ahead_s` is how far (domain seconds) a beat may plan ahead; 0 where time is moved by hand. `on_start` hears how late
    each regular look began, in real seconds.
    """

    def __init__(
        self, clock: Clock, *, ahead_s: float = 0.0, at_once: int = AT_ONCE, on_start: Callable[[float], None] | None = None
    ) -> None:
        self._clock = clock
        self._ahead_s = ahead_s
        self._armed_until = 0.0  # what falls due before is armed on the loop
        self._at_once = at_once
        self._on_start = on_start
        self._due: dict[str, _Due] = {}
        self._heap: list[tuple[float, str]] = []
        self._armed: dict[str, asyncio.TimerHandle] = {}
        self._running = 0
        self._besides = 0  # of them, those that began while one of the same check was under way
        self._queue: deque[_Due] = deque()
        self._stopped = False

    def add(
        self, id: str, every_s: float, run: Look, phase_s: float | None = None, *, mine: Callable[[], bool] = lambda: True
    ) -> None:
        """Run `run` every `every_s` domain seconds, the first time `phase_s` from now; where that is None, its name tells.

        Whether it is `mine` is asked each time it is due: where it is not, somebody else runs it.
        """
        phase_s = offset(id) * every_s if phase_s is None else phase_s
        due = _Due(id, every_s, self._clock.monotonic() + phase_s, run, mine)
        self._due[id] = due
        heapq.heappush(self._heap, (due.next_at, id))

    def sooner(self, id: str, in_s: float) -> None:
        """Look once more in `in_s` domain seconds, beside one that hangs if need be, unless a look comes before that anyway."""
        due = self._due[id]
        at = self._clock.monotonic() + in_s
        if in_s <= 0:
            self._start(due, at, quick=True)
        elif due.next_at <= at:
            due.eager = True
        elif at <= self._armed_until:
            due.quick_at = None
            self._arm(due, at, in_s / self._clock.speed, quick=True)
        elif due.quick_at is None or due.quick_at > at:
            due.quick_at = at
            heapq.heappush(self._heap, (at, id))

    def no_sooner(self, id: str) -> None:
        """The quick look that was asked for is not needed any more."""
        due = self._due[id]
        due.quick_at, due.eager = None, False

    def soon(self, run: Look) -> None:
        """Run something once, now, besides the rounds; not a second time while it runs, nor after `stop`."""
        if self._stopped:
            return
        due = self._due.setdefault(f"once {run.__name__}", _Due(f"once {run.__name__}", 0.0, 0.0, run))
        if not due.tasks and not due.waits:
            self._run(due)

    def beat(self) -> None:
        """Start what is due, and arm what will be before the next beat."""
        now = self._clock.monotonic()
        self._armed_until = now + self._ahead_s
        while self._heap and self._heap[0][0] <= self._armed_until:
            at, id = heapq.heappop(self._heap)
            due = self._due[id]
            quick = at == due.quick_at
            if quick:
                due.quick_at = None
            elif at == due.next_at:
                quick, due.eager = due.eager, False
                due.next_at += due.every_s * (1 + max(0.0, now - due.next_at) // due.every_s)
                heapq.heappush(self._heap, (due.next_at, id))
            else:
                continue  # a quick look that was overtaken
            self._arm(due, at, (at - now) / self._clock.speed, quick=quick)

    def _arm(self, due: _Due, at: float, delay_s: float, *, quick: bool) -> None:
        if delay_s <= 0:
            self._start(due, at, quick=quick)
        elif due.id not in self._armed:
            self._armed[due.id] = asyncio.get_running_loop().call_later(delay_s, self._fire, due, at, quick)

    def _fire(self, due: _Due, at: float, quick: bool) -> None:  # call_later takes no keywords
        self._armed.pop(due.id, None)
        self._start(due, at, quick=quick)

    def _start(self, due: _Due, at: float, *, quick: bool) -> None:
        now = self._clock.monotonic()
        if self._stopped or due.waits or not due.mine() or (due.tasks and not (quick and self._fits_beside(due, now))):
            return  # the one before is still under way; its deadline is its own matter
        if self._on_start:
            self._on_start(max(0.0, now - at) / self._clock.speed)
        if self._running >= self._at_once:
            due.waits = True
            self._queue.append(due)
        else:
            self._run(due)

    def _fits_beside(self, due: _Due, now: float) -> bool:
        room = len(due.tasks) < BESIDE and self._besides < BESIDE_SHARE * self._at_once
        return room and now - due.began_at >= BESIDE_AFTER_S

    def _run(self, due: _Due) -> None:
        self._running += 1
        self._besides += bool(due.tasks)
        due.waits = False
        due.began_at = self._clock.monotonic()
        due.tasks.append(asyncio.create_task(self._look(due), name=due.id))

    async def _look(self, due: _Due) -> None:
        try:
            await due.run()
        except Exception:  # the root of a task: the check looks again in its next round
            log.exception("looking failed by our own fault", task=due.id)
        finally:
            self._ended(due)

    def _ended(self, due: _Due) -> None:
        self._running -= 1
        due.tasks = [task for task in due.tasks if task is not asyncio.current_task()]
        self._besides -= bool(due.tasks)
        if self._queue and self._running < self._at_once:
            self._run(self._queue.popleft())

    async def idle(self) -> None:
        """Wait until nothing that was started is still looking; for those who move time by hand."""
        while self._running:
            await asyncio.gather(*(task for due in self._due.values() for task in due.tasks), return_exceptions=True)
            await asyncio.sleep(0)  # what ended makes room for what waits

    async def stop(self) -> None:
        """Start nothing more and end what is under way."""
        self._stopped = True
        for handle in self._armed.values():
            handle.cancel()
        self._armed.clear()
        self._heap.clear()
        self._queue.clear()
        tasks = [task for due in self._due.values() for task in due.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
