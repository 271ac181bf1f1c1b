"""Notices from outside the event loop that it is blocked, and names the code that blocks it.

A kernel timer, reset at each turn of the loop, interrupts the main thread when the next turn is overdue. While nothing is
measured, turns are a second apart, so a second timer fires once this process has used some processor time, and asks the loop
for a turn. Where these timers are not available, a thread watches instead; it also notices when the loop never comes back.

Blocking the loop blocks everything: no flag is answered, no command acknowledged, no outage seen. A stall is counted and named
once it is over. If the loop never comes back, `/healthz` cannot report it, since the same loop would have to answer; it hangs,
which HTTP probes notice. A supervisor that looks only at exit codes would wait for ever, so the watchdog logs what it sees and
lets `on_gone` end the process: every promise is in the ledger, and a new process continues from there.
"""

import atexit
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Literal

import structlog

from bot.core.lazy_dataclass import dataclass
from bot.system.clock import Clock
from bot.watch.lag import EVERY_S, LoopLag

log = structlog.get_logger(__name__)

STALL_S = 0.1  # real seconds, like all times here; no input from vendors, senders or readers may block the loop for longer
OVERDUE_S = EVERY_S + STALL_S * 0.8  # after a turn: the loop is late, and almost late enough to count as a stall
BUSY_S = 0.02  # of processor time, all threads, while turns are rare: then ask for one
LOOK_EVERY_S = 0.04  # while the loop is late
REST_S = 10.0  # for the thread, while timers watch: it may find a dead loop this much later
GONE_AFTER_S = 30.0
REPORT_WITHIN_S = 2.0
HOUSE = Path(__file__).resolve().parents[2]
OURS = (str(HOUSE / "bot"), str(HOUSE / "commands"))
LOOP_FILES = ("asyncio/runners.py", "asyncio/base_events.py", "asyncio/events.py", "/selectors.py")
LAG_FILE = LoopLag.ask.__code__.co_filename  # called by the loop itself, it only asks for a turn
OUTSIDE = "outside of our code"
DEEPEST = 40  # frames to log for a loop that is gone


@dataclass(frozen=True)
class Stall:
    """The loop's turn was this late; `code` is the function that ran meanwhile, as far as it was seen."""

    seconds: float
    code: str  # bot/core/decide/step.py step
    line: int = 0


class Alarm:
    """Interrupts the main thread wherever it is, unless it is reset in time. One of each kind per process.

    `of` names the kind: `REAL` counts real time, `PROF` this process's processor time.
    """

    def __init__(self, of: Literal["REAL", "PROF"], on_ring: Callable[[FrameType | None], None]) -> None:
        self._timer = signal.ITIMER_REAL if of == "REAL" else signal.ITIMER_PROF
        self._signal = signal.SIGALRM if of == "REAL" else signal.SIGPROF
        self._on_ring = on_ring
        self.ours = False

    def take(self) -> bool:
        """Whether the timer is ours now: signals interrupt only the main thread, and somebody else may already use this one."""
        main = threading.current_thread() is threading.main_thread()
        if main and not self.ours and signal.getsignal(self._signal) is signal.SIG_DFL:
            signal.signal(self._signal, self._on_alarm)
            signal.siginterrupt(self._signal, False)  # any thread may receive it, and its system call must continue
            atexit.register(self.give_back)  # an exiting interpreter removes its handlers, and then the signal would kill it
            self.ours = True
        return self.ours

    def set(self, in_s: float) -> None:
        """Fire once after this many seconds (0 = never), replacing any earlier setting."""
        if self.ours:
            signal.setitimer(self._timer, in_s)

    def give_back(self) -> None:
        """Release the timer; called in the main thread."""
        if self.ours:
            signal.setitimer(self._timer, 0.0)
            signal.signal(self._signal, signal.SIG_DFL)
            atexit.unregister(self.give_back)
            self.ours = False

    def _on_alarm(self, _: int, frame: FrameType | None) -> None:
        self._on_ring(frame)


class Watchdog:
    """Checks whenever the loop's next turn is overdue. `clock` is real time.

    The loop calls `turn` at each of its turns (`LoopLag` does). While turns are rare, `ask` requests one; it is called from a
    thread, or while the loop is interrupted. `on_stall` is called on the loop after a stall; `on_gone` once, in the watchdog's
    thread, if the loop had no turn for `gone_after_s` although this process was running.
    """

    def __init__(
        self, clock: Clock, *, ask: Callable[[], None], on_stall: Callable[[Stall], None],
        on_gone: Callable[[], None] | None = None, gone_after_s: float = GONE_AFTER_S,
    ) -> None:  # fmt: skip
        self._clock = clock
        self._ask = ask
        self._on_stall = on_stall
        self._on_gone = on_gone
        self._gone_after_s = gone_after_s
        self._turn_at = 0.0  # or when a turn was asked for
        self._rests = False  # no turn is due soon
        self._seen: tuple[str, int] | None = None
        self._loop_thread = 0
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None
        self._alarm = Alarm("REAL", self._see)
        self._busy = Alarm("PROF", self._ask_in_doubt)

    def start(self) -> None:
        """Start; called in the loop's thread."""
        self._loop_thread = threading.get_ident()
        self._alarm.take()
        self._busy.take()
        self._ask_in_doubt(None)
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._alarm.give_back()
        self._busy.give_back()
        if self._thread is not None:
            self._ends.set()
            self._thread.join()
            self._thread = None

    def turn(self, late_s: float, next_s: float) -> None:
        """The loop has its turn, this much late; the next one is due in `next_s`."""
        self._turn_at = self._clock.monotonic()
        self._rests = next_s > EVERY_S
        self._alarm.set(next_s + OVERDUE_S - EVERY_S)
        self._busy.set(BUSY_S if self._rests else 0.0)
        seen, self._seen = self._seen, None
        if late_s >= STALL_S:
            stall = Stall(late_s, *(seen or (OUTSIDE, 0)))
            log.warning("the event loop was blocked", seconds=round(late_s, 3), code=stall.code, line=stall.line)
            self._on_stall(stall)

    def _ask_in_doubt(self, _: FrameType | None) -> None:
        """Ask for a turn while turns are rare, in case the loop is blocked."""
        self._turn_at = self._clock.monotonic()
        self._rests = False
        self._alarm.set(OVERDUE_S - EVERY_S)
        self._ask()

    def _see(self, frame: FrameType | None) -> None:
        self._seen = self._seen or culprit(frame)

    def _run(self) -> None:
        absent_s, looked_at = 0.0, self._clock.monotonic()
        rest_s = REST_S if self._alarm.ours and self._busy.ours else OVERDUE_S
        wait_s = rest_s
        while not self._ends.wait(wait_s):
            now = self._clock.monotonic()
            wait_s = max(LOOK_EVERY_S, self._turn_at + rest_s - now)
            if self._rests and now - self._turn_at >= rest_s:
                self._ask_in_doubt(None)
                wait_s = OVERDUE_S
            if self._rests or now - self._turn_at < OVERDUE_S:
                absent_s, looked_at = 0.0, now
                continue
            wait_s = LOOK_EVERY_S
            # A stopped process or a sleeping machine is not a dead loop: only time that this thread observed counts.
            absent_s += min(now - looked_at, 10 * LOOK_EVERY_S)
            looked_at = now
            frame = sys._current_frames().get(self._loop_thread)
            self._see(frame)
            if absent_s >= self._gone_after_s:
                last_words("the event loop is gone", seconds=round(absent_s), code=culprit(frame)[0], frames=stack(frame))
                if self._on_gone is not None:
                    self._on_gone()
                return


def culprit(frame: FrameType | None) -> tuple[str, int]:
    """The innermost function of ours that the loop is running, and its line; else the innermost of any module.

    `OUTSIDE` if it runs none, or only its own turn, as a process does after being stopped: then the machine blocked it, not
    its work.
    """
    ran = list(_callbacks(frame))
    if len(ran) == 1 and ran[0].f_code.co_filename == LAG_FILE:
        return OUTSIDE, 0
    ours = next((frame for frame in ran if frame.f_code.co_filename.startswith(OURS)), None)
    return _place(ours or ran[0]) if ran else (OUTSIDE, 0)


def _callbacks(frame: FrameType | None) -> Iterator[FrameType]:
    """The frames above the loop's own, innermost first."""
    while frame is not None and not frame.f_code.co_filename.endswith(LOOP_FILES):
        yield frame
        frame = frame.f_back


def last_words(event: str, **more: object) -> None:
    """Log this, but wait only briefly: whatever blocks the loop may block the log too."""
    thread = threading.Thread(target=log.critical, args=(event,), kwargs=more, daemon=True)
    thread.start()
    thread.join(REPORT_WITHIN_S)


def stack(frame: FrameType | None) -> list[str]:
    """A thread's call stack, innermost function first."""
    places: list[str] = []
    while frame is not None and len(places) < DEEPEST:
        code, line = _place(frame)
        places.append(f"{code}:{line}")
        frame = frame.f_back
    return places


def _place(frame: FrameType) -> tuple[str, int]:
    file = frame.f_code.co_filename
    inside = file.removeprefix(f"{HOUSE}/") if file.startswith(OURS) else "/".join(Path(file).parts[-2:])
    return f"{inside} {frame.f_code.co_name}", frame.f_lineno
