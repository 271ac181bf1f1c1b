"""When each check runs: at fixed phases spread over the interval, with rechecks in between, and a bound on how many at once.

A check always runs at the same offset of its interval, so a thousand checks never start at once, and a restart changes
nothing. Runs missed while the loop was blocked are skipped, not caught up on.
"""

import asyncio
import heapq
import math
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from bot.system.clock import Clock
from bot.watch.stagger import offset

log = structlog.get_logger(__name__)

AT_ONCE = 1_000  # runs in flight; more would only measure our own load. One owner may use as many as it leaves free
RUNS_OF_ONE_CHECK = 8  # runs of one check at once: a recheck does not wait for one that hangs
EXTRA_RUNS_SHARE = 0.1  # the largest share of all runs that may be such extra ones
BESIDE_AFTER_S = 1.0  # domain seconds; a run this recent makes another one pointless
SLOT_S = 0.02  # domain seconds; starts are rounded to it, since waking the loop for each costs more than starting it
SLICE = 32  # starts per turn of the loop: late ones must not block it again
TICK_S = 0.002  # real seconds; uvloop's timers have whole milliseconds and may fire up to one and a half early
BEATS_AHEAD = 1.5  # beats to plan for: the beat after a late one may come that much later
Look = Callable[..., Coroutine[Any, Any, None]]


@dataclass(slots=True, eq=False)
class _Due:
    """Something that runs at a fixed phase of its interval; `quick_at` is an extra run before the next regular one."""

    id: str
    owner: str
    every_s: float
    next_at: float
    run: Look
    args: tuple[Any, ...] = ()
    mine: Callable[[], bool] = lambda: True
    under_way: int = 0
    was_due_at: float | None = None  # when the newest run was due, and when it began
    began_at: float = 0.0
    quick_at: float | None = None
    eager: bool = False  # the next regular run also serves as a recheck
    waits: bool = False  # for free capacity


class Schedule:
    """Starts runs on time. `beat` is called by the metronome; until the next one, the loop is woken for whatever is due.

    `ahead_s` is the time between two beats (domain seconds), for which to plan ahead; 0 if time is moved by hand. `on_start`
    is called with how late each regular run began, in real seconds.
    """

    def __init__(
        self, clock: Clock, *, ahead_s: float = 0.0, at_once: int = AT_ONCE, on_start: Callable[[float], None] | None = None
    ) -> None:
        self._clock = clock
        self._ahead_s = ahead_s
        self._awake_until = 0.0  # the loop is woken for anything due before this
        self._at_once = at_once
        self._on_start = on_start
        self._due: dict[str, _Due] = {}
        self._heap: list[tuple[float, str]] = []
        self._wake: asyncio.Handle | None = None
        self._wakes_at = math.inf
        self._tasks: set[asyncio.Task[None]] = set()  # in flight
        self._tasks_of: Counter[str] = Counter()  # by owner
        self._besides = 0  # runs that began while one of the same check was in flight
        self._waiting: dict[str, deque[_Due]] = {}  # by owner
        self._stopped = False

    def add(
        self, id: str, every_s: float, run: Look, *args: object, owner: str = "", phase_s: float | None = None,
        mine: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        """Run `run(*args)` every `every_s` domain seconds, first after `phase_s`, or at an offset derived from its id.

        `mine` is called each time it is due: if False, another replica runs it. Runs that may hang together share an `owner`,
        such as a provider: however many of them hang, others keep capacity.
        """
        phase_s = offset(id) * every_s if phase_s is None else phase_s
        due = _Due(id, owner or id, every_s, _slot(self._clock.monotonic() + phase_s), run, args, mine)
        self._due[id] = due
        heapq.heappush(self._heap, (due.next_at, id))

    def run_early(self, id: str, in_s: float) -> None:
        """Run it once more in `in_s` domain seconds, beside one that hangs if need be, unless it is due before that anyway."""
        due = self._due[id]
        now = self._clock.monotonic()
        at = _slot(now + in_s)
        if in_s <= 0:
            self._start(due, now, quick=True)
        elif due.next_at <= at:
            due.eager = True
        elif due.quick_at is None or due.quick_at > at:
            due.quick_at = at
            heapq.heappush(self._heap, (at, id))
            self._wake_for_next()

    def cancel_early(self, id: str) -> None:
        """Cancel the early run."""
        due = self._due[id]
        due.quick_at, due.eager = None, False

    def run_once(self, run: Look) -> None:
        """Run something once, now, outside the schedule; not again while it runs, nor after `stop`."""
        if self._stopped:
            return
        id = f"once {run.__name__}"
        due = self._due.setdefault(id, _Due(id, id, 0.0, 0.0, run))
        if not due.under_way and not due.waits:
            self._run(due)

    def beat(self) -> None:
        """Start what is due, and plan wake-ups until the next beat."""
        self._awake_until = self._clock.monotonic() + BEATS_AHEAD * self._ahead_s
        self._begin_due()

    def _begin_due(self) -> None:
        now, begun = self._clock.monotonic(), 0
        while self._heap and self._heap[0][0] <= now:
            if begun >= SLICE and self._ahead_s:
                break  # the rest starts after other waiting callbacks
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
                continue  # an early run that was superseded
            self._start(due, at, quick=quick)
            begun += 1
        if self._wake:
            self._wake.cancel()
        self._wake, self._wakes_at = None, math.inf
        self._wake_for_next()

    def _wake_for_next(self) -> None:
        at = self._heap[0][0] if self._heap else math.inf
        if self._stopped or at > self._awake_until or at >= self._wakes_at:
            return
        if self._wake:
            self._wake.cancel()
        in_s = (at - self._clock.monotonic()) / self._clock.speed
        loop = asyncio.get_running_loop()
        self._wake = loop.call_later(in_s + TICK_S, self._begin_due) if in_s > 0 else loop.call_soon(self._begin_due)
        self._wakes_at = at

    def _start(self, due: _Due, at: float, *, quick: bool) -> None:
        now = self._clock.monotonic()
        if self._stopped or due.waits or not due.mine() or (due.under_way and not (quick and self._fits_beside(due, now))):
            return  # a run is still in flight, with its own deadline
        due.was_due_at = at
        if self._has_room(due.owner):
            self._run(due)
        else:
            due.waits = True
            self._waiting.setdefault(due.owner, deque()).append(due)

    def _has_room(self, owner: str) -> bool:
        return self._tasks_of[owner] < self._at_once - len(self._tasks)

    def _fits_beside(self, due: _Due, now: float) -> bool:
        room = due.under_way < RUNS_OF_ONE_CHECK and self._besides < EXTRA_RUNS_SHARE * self._at_once
        return room and now - due.began_at >= BESIDE_AFTER_S

    def _run(self, due: _Due) -> None:
        self._besides += bool(due.under_way)
        due.under_way += 1
        self._tasks_of[due.owner] += 1
        due.waits = False
        due.began_at = self._clock.monotonic()
        if self._on_start and due.was_due_at is not None:
            self._on_start(max(0.0, due.began_at - due.was_due_at) / self._clock.speed)
        self._tasks.add(asyncio.get_running_loop().create_task(self._look(due), name=due.id))

    async def _look(self, due: _Due) -> None:
        try:
            await due.run(*due.args)
        except Exception:  # the root of a task: the check runs again next time
            log.exception("a scheduled run crashed: this is a bug in Understudy", task=due.id)
        finally:
            self._ended(due)

    def _ended(self, due: _Due) -> None:
        if task := asyncio.current_task():
            self._tasks.discard(task)
        due.under_way -= 1
        self._tasks_of[due.owner] -= 1
        self._besides -= bool(due.under_way)
        if self._waiting:
            self._begin_waiting()

    def _begin_waiting(self) -> None:
        """Start waiting runs as far as there is capacity: for each owner, in order of arrival."""
        for owner, waiting in tuple(self._waiting.items()):
            while waiting and not waiting[0].mine():  # it became another replica's meanwhile
                waiting.popleft().waits = False
            if waiting and self._has_room(owner):
                self._run(waiting.popleft())
            if not waiting:
                del self._waiting[owner]

    async def idle(self) -> None:
        """Wait until no run is in flight; for callers that move time by hand."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await asyncio.sleep(0)  # finished runs make room for waiting ones

    async def stop(self) -> None:
        """Start nothing more and cancel what is in flight."""
        self._stopped = True
        if self._wake:
            self._wake.cancel()
        self._heap.clear()
        self._waiting.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()  # tasks that never started do not remove themselves


def _slot(at: float) -> float:
    """The first slot at or after that time."""
    return math.ceil(at / SLOT_S - 1e-6) * SLOT_S
