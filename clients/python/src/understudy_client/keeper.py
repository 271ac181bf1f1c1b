"""Keeps the last good flags: asks the bot in the background, holds its last answer in memory, and in a file."""

import enum
import logging
import os
import random
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from understudy_client.bot import Bot, BotError
from understudy_client.cache import CacheError, CacheFile
from understudy_client.events import Listener
from understudy_client.flags import Flags, NotFlags, parse

log = logging.getLogger("understudy_client")

STALE_POLLS = 3  # a bot that restarts misses one or two
STALE_AT_LEAST_S = 3.0
BESIDE_A_STREAM_S = 10.0  # how often we ask all the same while a stream tells us of changes
FIRST_ANSWER_S = 1.5  # how long a start may take; longer than a bot needs, shorter than a deployment notices


class State(enum.Enum):
    """What a reader can expect."""

    NOTHING = "nothing"  # no flag is known: readers get their code default
    OLD = "old"  # the last good answer is served, and may be out of date
    FRESH = "fresh"


@dataclass(frozen=True)
class Held:
    """What is served: flags, and whether they come from the file of an earlier process."""

    flags: Flags
    from_file: bool


# What to tell the OpenFeature SDK: the new state with a sentence, or the flags that changed.
OnState = Callable[[State, str], None]
OnChange = Callable[[list[str]], None]


class Keeper:
    """The flags of one bot. `held` and `fresh_until` are read by any thread, without a lock; one thread of ours writes them."""

    def __init__(
        self,
        make_bot: Callable[[], Bot],
        file: CacheFile | None,
        poll_every_s: float,
        on_state: OnState,
        on_change: OnChange,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.held: Held | None = None
        self.fresh_until = 0.0  # on the steady clock: clocks that people set may jump
        self.forked = False
        self._make_bot, self._bot = make_bot, make_bot()
        self._file = file
        self._poll_every_s = poll_every_s
        self._stale_after_s = max(STALE_POLLS * poll_every_s, STALE_AT_LEAST_S)
        self._on_state, self._on_change, self._now = on_state, on_change, now
        self._etag = ""
        self._trouble = ""
        self._told = State.FRESH  # the SDK itself tells READY, once `initialize` has returned
        self._telling = False
        self._read_in_drill: set[tuple[str, bool]] = set()
        self._listener: Listener | None = None
        self._fresh_locks()

    def _fresh_locks(self) -> None:
        self._wake, self._ended, self._tried = threading.Event(), threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    # --- life

    def start(self) -> None:
        """Take what the file has, ask in the background, and wait a moment for the first answer."""
        with self._lock:
            if self._thread is not None:
                return
            self.load()
            self._run()
        self._tried.wait(FIRST_ANSWER_S)
        self._telling = True

    def stop(self) -> None:
        """End the background work; what is held can still be read."""
        with self._lock:
            thread, self._thread = self._thread, None
            listener, self._listener = self._listener, None
            self.forked = False
            self._ended.set()
            self._wake.set()
        if listener is not None:
            listener.stop()
        if thread is not None and thread is not threading.current_thread():
            thread.join(FIRST_ANSWER_S)
        self._bot.close()
        _running.discard(self)

    def resume(self) -> None:
        """Go on in a process that was forked off: its memory holds the flags, but the thread and its sockets stayed behind."""
        with self._lock:
            if not self.forked:
                return
            self.forked = False
            self._bot = self._make_bot()
            self._run()

    def _run(self) -> None:
        self._ended = threading.Event()  # of its own: an earlier thread may still be on its way out
        self._thread = threading.Thread(target=self._loop, args=(self._ended,), name="understudy-client", daemon=True)
        _running.add(self)
        self._thread.start()

    def after_fork(self) -> None:
        """In the child: another thread may have held a lock when it was made. The next read starts the background work anew."""
        self._fresh_locks()
        self._listener = None
        self.forked = True

    def _loop(self, ended: threading.Event) -> None:
        while not ended.is_set():
            try:
                pause_s = self.look()
            except Exception:  # the root of our thread: reads must go on being served, and the next round may do better
                log.exception("reading flags failed on our side")
                pause_s = self._poll_every_s
            self._tried.set()
            self._wake.wait(pause_s * random.uniform(0.9, 1.1))  # noqa: S311 # so that a thousand services do not ask at once
            self._wake.clear()

    # --- one round

    def load(self) -> None:
        """Begin with what an earlier process saved; a file that cannot be believed is left alone, and said."""
        if self._file is None or self.held is not None:
            return
        try:
            flags = self._file.load()
        except CacheError as error:
            log.warning("the flags saved in %s are not used: %s", self._file.path, error)
            return
        if flags is not None:
            self.held = Held(flags, from_file=True)

    def look(self) -> float:
        """Ask the bot once and remember what it says; returns the seconds until the next time."""
        began, reads = self._now(), self._drill_reads()
        try:
            received = self._bot.ask(self._etag, reads)
            flags = None if received is None else self._understood(received.text)
        except BotError as error:
            self._read_in_drill |= {(key, side) for side, name in _SIDES for key in reads.get(name, ())}
            return self._failed(str(error), error.pause_s)
        if received is not None and flags is not None:
            self._etag = received.etag
            self._take(flags)
        streaming = self._listen()
        pause_s = max(self._poll_every_s, BESIDE_A_STREAM_S) if streaming else self._poll_every_s
        self.fresh_until = began + max(self._stale_after_s, STALE_POLLS * pause_s)
        if self._trouble:
            log.info("flags are read again")
            self._trouble = ""
        self._tell("")
        return pause_s

    def note_in_drill(self, key: str, fallback: bool) -> None:
        """This flag was read while a drill runs: the bot's report names who is ready for a real outage."""
        self._read_in_drill.add((key, fallback))

    def _understood(self, text: str) -> Flags:
        try:
            return parse(text, self.held.flags.by_key if self.held else None)
        except NotFlags as error:
            raise BotError(f"{self._bot.url} answered something that is no set of flags: {error}") from error

    def _take(self, flags: Flags) -> None:
        before = self.held
        old = before.flags.by_key if before else {}
        self.held = Held(flags, from_file=False)
        if self._file is not None:
            try:
                self._file.save(flags)
            except CacheError as error:
                log.warning("the flags could not be saved in %s: %s", self._file.path, error)
        changed = sorted(key for key in old.keys() | flags.by_key.keys() if old.get(key) != flags.by_key.get(key))
        if changed and before is not None:
            self._on_change(changed)

    def _failed(self, sentence: str, pause_s: float) -> float:
        now = self._now()
        self.fresh_until = min(self.fresh_until, now + self._stale_after_s)
        if sentence != self._trouble:
            self._trouble = sentence
            served = "the last good flags are served" if self.held else "readers get their code defaults"
            log.warning("%s; %s", sentence, served)
        self._tell(sentence)
        return max(self._poll_every_s, pause_s)

    @property
    def fresh(self) -> bool:
        """Whether the bot was heard a short while ago."""
        return self._now() <= self.fresh_until

    @property
    def state(self) -> State:
        """What a reader can expect now."""
        if self.held is None:
            return State.NOTHING
        return State.FRESH if self.fresh else State.OLD

    def _tell(self, sentence: str) -> None:
        state = self.state
        if self._telling and state is not self._told:
            self._told = state
            self._on_state(state, sentence)

    def _drill_reads(self) -> Mapping[str, list[str]]:
        reads, self._read_in_drill = self._read_in_drill, set()
        return {name: sorted(key for key, side in reads if side is fallback) for fallback, name in _SIDES} if reads else {}

    # --- told of changes

    def _listen(self) -> bool:
        """Follow the stream that the bot announces; whether it tells us of changes at this moment."""
        streams = self.held.flags.streams if self.held else ()
        if not streams:
            if self._listener is not None:
                self._listener.stop()
                self._listener = None
            return False
        with self._lock:
            if self._ended.is_set():
                return False
            if self._listener is None or self._listener.stream != streams[0]:
                if self._listener is not None:
                    self._listener.stop()
                self._listener = Listener(self._make_bot(), streams[0], self._wake.set)
            return self._listener.connected


_SIDES = ((True, "drill_fallback"), (False, "drill_other"))
_running: "weakref.WeakSet[Keeper]" = weakref.WeakSet()


def _after_fork() -> None:
    for keeper in list(_running):
        keeper.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
