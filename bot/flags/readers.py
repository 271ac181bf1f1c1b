"""Who reads which flag: registers that never take more than their share of memory, whoever asks however often.

Clients name themselves, so there may be millions, with names of any length. The longest silent goes first. Whoever asks for one
flag gets what holds at that moment; whoever takes all flags keeps a copy, and what it holds is known by when it asked last.
"""

import hashlib
import heapq
import sys
from collections import OrderedDict
from collections.abc import Collection, Container, Iterable, Iterator
from itertools import islice

from bot.core.drill import MOST_READERS as MOST_READERS_IN_DRILL
from bot.core.lazy_dataclass import dataclass
from bot.flags.audience import EVERYBODY, Audience
from bot.flags.conversation import as_ms
from bot.system.clock import Clock

READER_FOR_S = 900.0  # a reader that was silent for this long has gone: three of the slowest usual polling intervals
MOST_READERS = 10_000  # per flag; the count then says "at least"
MOST_BYTES = 16_000_000  # of all flags together
MOST_CONVERSATIONS = 50_000  # of all flags together; 13 MB, measured with tracemalloc
MOST_COPIES = 5_000  # of clients that take all flags
ENTRY_BYTES = 200  # one entry beside its name, measured with tracemalloc where its table is emptiest
KEPT_SHARE = 0.97  # forgetting a little more than needed at once keeps the search for the oldest rare
NAME_CHARS = 120


Seen = OrderedDict[str, float]  # of one flag, the longest silent first: when on the steady clock


class Readers:
    """Remembers each flag's readers for fifteen minutes, as far as `most_bytes` allow."""

    def __init__(self, clock: Clock, most_bytes: int = MOST_BYTES) -> None:
        self._clock = clock
        self._most_bytes = most_bytes
        self._seen: dict[str, Seen] = {}
        self._bytes = 0

    def note(self, flag: str, client: str) -> None:
        """This client reads this flag now."""
        seen = self._seen.setdefault(flag, OrderedDict())
        name = _short(client)
        if name not in seen:
            self._bytes += _cost(name)
        seen[name] = self._clock.monotonic()
        seen.move_to_end(name)
        if len(seen) > MOST_READERS:
            self._forget_oldest(seen)
        if self._bytes > self._most_bytes:
            self._shrink()

    def of(self, flag: str) -> Collection[str]:
        """The clients that read this flag in the last fifteen minutes, as far as they are remembered, longest silent first."""
        return self._fresh(flag).keys()

    def count(self, flag: str) -> int:
        """How many they are."""
        return len(self._fresh(flag))

    def silent_for(self, flag: str, client: str) -> float:
        """For how many seconds one of them has not read it."""
        return self._clock.monotonic() - self._seen[flag][client]

    def keep_only(self, flags: Container[str]) -> None:
        """Forget the readers of all other flags."""
        for flag in [flag for flag in self._seen if flag not in flags]:
            self._bytes -= sum(_cost(name) for name in self._seen.pop(flag))

    def _fresh(self, flag: str) -> Seen:
        """The flag's readers, oldest first, after those are forgotten that fell silent."""
        seen = self._seen.get(flag, OrderedDict())
        horizon = self._clock.monotonic() - READER_FOR_S
        while seen and _oldest(seen) < horizon:
            self._forget_oldest(seen)
        return seen

    def _shrink(self) -> None:
        """Forget those that were silent longest, whichever flags they read."""
        oldest = [(_oldest(seen), flag) for flag, seen in self._seen.items() if seen]
        heapq.heapify(oldest)
        while oldest and self._bytes > self._most_bytes * KEPT_SHARE:
            _, flag = oldest[0]
            seen = self._seen[flag]
            self._forget_oldest(seen)
            if seen:
                heapq.heapreplace(oldest, (_oldest(seen), flag))
            else:
                heapq.heappop(oldest)

    def _forget_oldest(self, seen: Seen) -> None:
        name, _ = seen.popitem(last=False)
        self._bytes -= _cost(name)


@dataclass(frozen=True)
class Copy:
    """What a client holds that takes all flags that it may read: as of when, by the steady clock, and which revision."""

    at: float
    revision: int
    audience: Audience


class Copies:
    """Remembers for fifteen minutes who holds a copy of the flags, the longest silent first."""

    def __init__(self, clock: Clock, most: int = MOST_COPIES) -> None:
        self._clock = clock
        self._most = most
        self._held: OrderedDict[str, Copy] = OrderedDict()

    def note(self, client: str, revision: int, audience: Audience = EVERYBODY) -> None:
        """This client took all flags of that revision now."""
        name = _short(client)
        self._held[name] = Copy(self._clock.monotonic(), revision, audience)
        self._held.move_to_end(name)
        if len(self._held) > self._most:
            self._held.popitem(last=False)

    def of(self, flag: str) -> Iterator[tuple[str, Copy]]:
        """Who holds a copy with this flag in it, and what they hold."""
        horizon = self._clock.monotonic() - READER_FOR_S
        while self._held and next(iter(self._held.values())).at < horizon:
            self._held.popitem(last=False)
        return ((name, copy) for name, copy in self._held.items() if copy.audience.opens(flag))


class Conversations:
    """When conversations that do not say when they began were first heard of; the one silent longest is forgotten first.

    Where a balancer spreads the requests of one over replicas, each has to know what another one heard: `news` and `hear`.
    """

    def __init__(self, clock: Clock, most: int = MOST_CONVERSATIONS) -> None:
        self._clock = clock
        self._most = most
        self._first: OrderedDict[bytes, int] = OrderedDict()
        self.several = False  # whether there may be somebody to be told
        self._news: dict[bytes, None] = {}

    def heard(self, flag: str, name: str, last_step_ms: int) -> int:
        """It is read for now; gives the moment when it was read for first, in milliseconds since 1970.

        One that is not known began after the last step, whatever the clock says: it may have been forgotten, and only so it
        can never go back to the side that it left.
        """
        key = hashlib.blake2b(f"{flag}\0{name}".encode("utf-8", "surrogatepass"), digest_size=12).digest()
        first = self._first.get(key)
        if first is None:
            first = max(as_ms(self._clock.now()), last_step_ms)
            self._put(key, first)
            if self.several:
                self._news[key] = None
        self._first.move_to_end(key)
        return first

    def _put(self, key: bytes, first: int) -> None:
        self._first[key] = first
        if len(self._first) > self._most:
            self._news.pop(self._first.popitem(last=False)[0], None)

    def news(self, most: int) -> list[tuple[str, int]]:
        """Up to so many that nobody was told of yet, by a digest of their names."""
        taken = list(islice(self._news, most))
        for key in taken:
            del self._news[key]
        return [(key.hex(), self._first[key]) for key in taken]

    def hear(self, told: Iterable[tuple[str, int]]) -> None:
        """What another replica heard of. Of two moments the later one counts: who left a side does not come back to it."""
        for name, first in told:
            key = bytes.fromhex(name)
            self._put(key, max(first, self._first.get(key, first)))

    def tell_again(self) -> None:
        """Somebody came who was told nothing yet."""
        self._news = dict.fromkeys(self._first)

    def __len__(self) -> int:
        return len(self._first)

    def forget(self) -> None:
        """No flag is switched any more for which it matters."""
        self._first.clear()
        self._news.clear()


class DrillReaders:
    """Who reads a flag while a drill has it in its scope, and who asks without the scope: the first ones of each side."""

    def __init__(self, most: int = MOST_READERS_IN_DRILL) -> None:
        self._most = most
        self._seen: dict[str, tuple[dict[str, None], dict[str, None]]] = {}

    def note(self, flag: str, client: str, *, fallback: bool) -> None:
        """This client reads this flag now: the `fallback` of the drill, or what everybody gets."""
        side = self._seen.setdefault(flag, ({}, {}))[0 if fallback else 1]
        if len(side) < self._most:
            side[_short(client)] = None

    def of(self, flag: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Those of the fallback, and the others."""
        fallback, other = self._seen.get(flag, ({}, {}))
        return tuple(fallback), tuple(other)

    def keep_only(self, flags: Container[str]) -> None:
        """Forget the readers of all other flags: their drill is over."""
        self._seen = {flag: seen for flag, seen in self._seen.items() if flag in flags}


def _oldest(seen: Seen) -> float:
    return next(iter(seen.values()))


def _cost(name: str) -> int:
    return ENTRY_BYTES + sys.getsizeof(name)


def _short(name: str) -> str:
    """A client's name as it is kept: long ones are cut, with a digest so that two of them stay two."""
    if not name.isascii():
        name = name.encode("utf-8", "replace").decode()
    if len(name) <= NAME_CHARS:
        return name
    return f"{name[: NAME_CHARS - 17]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"
