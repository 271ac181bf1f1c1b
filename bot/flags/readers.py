"""Who reads which flag: registers with bounded memory, however many clients ask.

Clients choose their names, so there may be millions, of any length. The one silent longest is forgotten first. A client that
asks for one flag gets its current value; one that takes all flags keeps a copy, whose age is that of its last request.
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

READER_FOR_S = 900.0  # silent this long = gone: three of the slowest usual polling intervals
MOST_READERS = 10_000  # per flag; the count then says "at least"
MOST_BYTES = 16_000_000  # for all flags together
MOST_CONVERSATIONS = 50_000  # for all flags together; 13 MB, measured with tracemalloc
MOST_COPIES = 5_000  # of clients that read all flags
ENTRY_BYTES = 200  # one entry without its name, measured with tracemalloc at its table's emptiest
KEPT_SHARE = 0.97  # forgetting slightly more than needed makes the search for the oldest rare
NAME_CHARS = 120


Seen = OrderedDict[str, float]  # for one flag, longest silent first: last read, on the steady clock


class Readers:
    """Remembers each flag's readers for fifteen minutes, as far as `most_bytes` allows."""

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
        """The clients that read this flag in the last fifteen minutes, as far as remembered, longest silent first."""
        return self._fresh(flag).keys()

    def count(self, flag: str) -> int:
        """The number of these clients."""
        return len(self._fresh(flag))

    def silent_for(self, flag: str, client: str) -> float:
        """The seconds since one of them last read it."""
        return self._clock.monotonic() - self._seen[flag][client]

    def keep_only(self, flags: Container[str]) -> None:
        """Forget the readers of all other flags."""
        for flag in [flag for flag in self._seen if flag not in flags]:
            self._bytes -= sum(_cost(name) for name in self._seen.pop(flag))

    def _fresh(self, flag: str) -> Seen:
        """The flag's readers, oldest first, without those that fell silent."""
        seen = self._seen.get(flag, OrderedDict())
        horizon = self._clock.monotonic() - READER_FOR_S
        while seen and _oldest(seen) < horizon:
            self._forget_oldest(seen)
        return seen

    def _shrink(self) -> None:
        """Forget the readers silent longest, whichever flags they read."""
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
    """What a client that reads all its flags holds: of when, on the steady clock, and which revision."""

    at: float
    revision: int
    audience: Audience


class Copies:
    """Remembers for fifteen minutes who holds a copy of the flags, longest silent first."""

    def __init__(self, clock: Clock, most: int = MOST_COPIES) -> None:
        self._clock = clock
        self._most = most
        self._held: OrderedDict[str, Copy] = OrderedDict()

    def note(self, client: str, revision: int, audience: Audience = EVERYBODY) -> None:
        """This client read all flags of that revision now."""
        name = _short(client)
        self._held[name] = Copy(self._clock.monotonic(), revision, audience)
        self._held.move_to_end(name)
        if len(self._held) > self._most:
            self._held.popitem(last=False)

    def of(self, flag: str) -> Iterator[tuple[str, Copy]]:
        """The holders of a copy with this flag, and what they hold."""
        horizon = self._clock.monotonic() - READER_FOR_S
        while self._held and next(iter(self._held.values())).at < horizon:
            self._held.popitem(last=False)
        return ((name, copy) for name, copy in self._held.items() if copy.audience.opens(flag))


class Conversations:
    """When conversations that do not give their beginning were first seen; the one silent longest is forgotten first.

    A balancer may spread one conversation's requests over replicas, so each must know what the others saw: `news` and `hear`.
    """

    def __init__(self, clock: Clock, most: int = MOST_CONVERSATIONS) -> None:
        self._clock = clock
        self._most = most
        self._first: OrderedDict[bytes, int] = OrderedDict()
        self.several = False  # whether there are other replicas to tell
        self._news: dict[bytes, None] = {}

    def heard(self, flag: str, name: str, last_step_ms: int) -> int:
        """Record a read of this conversation; returns when it was first seen, in milliseconds since 1970.

        An unknown one counts as begun after the last step, whatever the clock says: it may have been forgotten, and this way
        it never returns to the side that it left.
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
        """Up to `most` conversations not yet told to other replicas, by a digest of their names."""
        taken = list(islice(self._news, most))
        for key in taken:
            del self._news[key]
        return [(key.hex(), self._first[key]) for key in taken]

    def hear(self, told: Iterable[tuple[str, int]]) -> None:
        """Merge what another replica saw. The later of two times counts, so that nobody returns to the side that they left."""
        for name, first in told:
            key = bytes.fromhex(name)
            self._put(key, max(first, self._first.get(key, first)))

    def tell_again(self) -> None:
        """Tell everything again, since a new replica has appeared."""
        self._news = dict.fromkeys(self._first)

    def __len__(self) -> int:
        return len(self._first)

    def forget(self) -> None:
        """Forget all, since no flag is switched any more for which they matter."""
        self._first.clear()
        self._news.clear()


class DrillReaders:
    """The first readers of a flag on each side of its drill: inside and outside the scope."""

    def __init__(self, most: int = MOST_READERS_IN_DRILL) -> None:
        self._most = most
        self._seen: dict[str, tuple[dict[str, None], dict[str, None]]] = {}

    def note(self, flag: str, client: str, *, fallback: bool) -> None:
        """This client reads this flag now: the drill's `fallback`, or what everybody gets."""
        side = self._seen.setdefault(flag, ({}, {}))[0 if fallback else 1]
        if len(side) < self._most:
            side[_short(client)] = None

    def of(self, flag: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The readers of the fallback, and the others."""
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
    """A client's name as stored: a long one is cut, with a digest that keeps it unique."""
    if not name.isascii():
        name = name.encode("utf-8", "replace").decode()
    if len(name) <= NAME_CHARS:
        return name
    return f"{name[: NAME_CHARS - 17]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"
