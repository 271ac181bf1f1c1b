"""Names to addresses: a cache in front of the machine's resolver, which runs in threads of its own.

asyncio's default pool has a handful of threads: twenty dead names that block getaddrinfo for 5 s each would starve every
healthy check. Here a dead name uses one thread however many checks ask for it, slow names queue among themselves and not in
front of others, and cached answers need no thread.
"""

import asyncio
import ipaddress
import math
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from bot.checks.net.threads import Threads

QUICK = 64  # concurrent look-ups of names that answered quickly or are new
SLOW = 32  # concurrent look-ups of names that were slow last time
THREADS = 256  # hard limit; 100 dead names at the first start use 100 of them once, then 32
SLOW_AFTER_S = 0.5  # a slower look-up gives up its place among the quick ones
TTL_S = 30.0
NEGATIVE_TTL_S = 5.0
STALE_FOR_S = 600.0
STALE_AFTER_S = 1.0  # with an old answer at hand, wait this long for a new one
REFRESH_AT = 0.8  # of the TTL; later requests get the cached answer while the next one is fetched
NAMES = 20_000
# These mean "no such name", which is an answer; all others mean that nobody could be asked.
NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})

LookUp = Callable[[str], tuple[str, ...]]


@dataclass(frozen=True)
class Resolved:
    """A name's addresses, those to try first in front; `stale` if the resolver fails and this is its last good answer."""

    addresses: tuple[str, ...]
    stale: bool = False


class Resolver(Protocol):
    """Resolves a host to addresses."""

    async def addresses(self, host: str, port: int) -> Resolved:
        """At least one address; raises socket.gaierror."""

    def close(self) -> None:
        """Release resources without waiting for names that hang. Closing twice is harmless."""


def machine_look_up(host: str) -> tuple[str, ...]:
    """Ask getaddrinfo, IPv4 first, so that a broken IPv6 route does not look like an outage. Blocks; raises socket.gaierror."""
    try:
        rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except ValueError as exc:  # a label over 63 characters, a NUL: not worth asking
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from exc
    rows.sort(key=lambda row: row[0] != socket.AF_INET)
    return tuple(dict.fromkeys(str(row[4][0]) for row in rows))


@dataclass
class _Name:
    host: str
    found: Resolved | None = None
    good_until: float = -math.inf
    refresh_at: float = -math.inf
    stale_until: float = -math.inf
    error: OSError | None = None
    quiet_until: float = -math.inf  # it failed; not asked again before this time
    slow: bool = False
    lookup: "asyncio.Task[Resolved | OSError] | None" = None
    left_at: float = 0.0


@dataclass
class _Place:
    """A place in a lane, returned once."""

    lane: asyncio.Semaphore
    held: bool = field(default=True)

    def leave(self) -> None:
        if self.held:
            self.held = False
            self.lane.release()


class ThreadResolver:
    """A resolver over a blocking look-up: cached, one look-up per name at a time, with limited threads.

    A good answer is valid for `ttl_s`; a failed name is not asked again within `negative_ttl_s`. If a look-up fails for a
    reason other than "no such name", or takes longer than `stale_after_s`, the last good answer is served for `stale_for_s`
    more, marked stale. All spans are in seconds of `time`, by default the event loop's. Cancelling a caller only ends its
    waiting. The guard judges an answer at each connect, so a name that changes to an internal address gains nothing from the
    cache.
    """

    def __init__(
        self,
        look_up: LookUp = machine_look_up,
        *,
        threads: int = THREADS,
        quick: int = QUICK,
        slow: int = SLOW,
        slow_after_s: float = SLOW_AFTER_S,
        ttl_s: float = TTL_S,
        negative_ttl_s: float = NEGATIVE_TTL_S,
        stale_for_s: float = STALE_FOR_S,
        stale_after_s: float = STALE_AFTER_S,
        names: int = NAMES,
        time: Callable[[], float] | None = None,
    ) -> None:
        self._look_up = look_up
        self._threads = Threads(threads, "resolve")
        self._quick = asyncio.Semaphore(quick)
        self._slow = asyncio.Semaphore(slow)
        self._slow_after_s = slow_after_s
        self._ttl_s = ttl_s
        self._negative_ttl_s = negative_ttl_s
        self._stale_for_s = stale_for_s
        self._stale_after_s = stale_after_s
        self._size = names
        self._time = time or self._time_of_loop
        self._names: dict[str, _Name] = {}
        self._lookups: set[asyncio.Task[Resolved | OSError]] = set()
        self._closed = False

    async def addresses(self, host: str, port: int) -> Resolved:
        name = self._names.get(host) or self._learn(host)
        now = self._time()
        if name.found is not None and now < name.good_until:
            if now >= max(name.refresh_at, name.quiet_until) and name.lookup is None and not self._closed:
                self._start_lookup(name, now)
            return name.found
        if name.error is not None and now < name.quiet_until:
            return self._last_word(name, name.error, now)
        if self._closed:
            raise socket.gaierror(socket.EAI_AGAIN, "the resolver is closed")
        lookup = name.lookup or self._start_lookup(name, now)
        await asyncio.wait({lookup}, timeout=self._patience_s(name, now))
        if lookup.cancelled():
            raise socket.gaierror(socket.EAI_AGAIN, "the resolver was closed")
        if not lookup.done():
            return self._last_word(name, socket.gaierror(socket.EAI_AGAIN, "no answer yet"), now)
        result = lookup.result()
        return result if isinstance(result, Resolved) else self._last_word(name, result, self._time())

    def _time_of_loop(self) -> float:
        self._time = asyncio.get_running_loop().time  # it serves a single loop
        return self._time()

    def close(self) -> None:
        self._closed = True
        for lookup in self._lookups:
            lookup.cancel()
        self._threads.close()

    def _learn(self, host: str) -> _Name:
        """Add a name, making room if necessary; an address resolves to itself for ever."""
        while len(self._names) >= self._size:
            del self._names[next(iter(self._names))]  # the one with the oldest answer
        name = self._names[host] = _Name(host)
        try:
            name.found = Resolved((str(ipaddress.ip_address(host)),))
        except ValueError:
            return name
        name.good_until = name.refresh_at = math.inf
        return name

    def _patience_s(self, name: _Name, now: float) -> float | None:
        """How long to wait for the current look-up: without limit if there is no old answer."""
        if name.found is None or now >= name.stale_until:
            return None
        return max(0.0, name.left_at + self._stale_after_s - now)

    def _last_word(self, name: _Name, error: OSError, now: float) -> Resolved:
        if name.found is not None and now < name.stale_until:
            return Resolved(name.found.addresses, stale=True)
        raise type(error)(*error.args)  # a new one for each caller: tracebacks grow with every raise

    def _start_lookup(self, name: _Name, now: float) -> "asyncio.Task[Resolved | OSError]":
        name.left_at = now
        name.lookup = asyncio.create_task(self._resolve_name(name), name=f"resolve {name.host}")
        self._lookups.add(name.lookup)
        name.lookup.add_done_callback(self._lookups.discard)
        return name.lookup

    async def _resolve_name(self, name: _Name) -> Resolved | OSError:
        loop = asyncio.get_running_loop()
        lane = self._slow if name.slow else self._quick
        await lane.acquire()
        place = _Place(lane)
        began = loop.time()
        # getaddrinfo cannot be interrupted. A look-up that hangs keeps its thread but not its place.
        timer = loop.call_later(self._slow_after_s, place.leave) if lane is self._quick else None
        try:
            addresses = await self._threads.run(self._look_up, name.host)
        except OSError as error:
            self._failed(name, error)
            return error
        else:
            return self._answered(name, addresses)
        finally:
            name.lookup = None
            name.slow = loop.time() - began >= self._slow_after_s
            place.leave()
            if timer is not None:
                timer.cancel()

    def _answered(self, name: _Name, addresses: tuple[str, ...]) -> Resolved | OSError:
        if not addresses:
            error = socket.gaierror(socket.EAI_NONAME, "the name has no address")
            self._failed(name, error)
            return error
        now = self._time()
        name.found, name.error = Resolved(addresses), None
        name.good_until = now + self._ttl_s
        name.refresh_at = now + self._ttl_s * REFRESH_AT
        name.stale_until = name.good_until + self._stale_for_s
        if self._names.get(name.host) is name:
            self._names[name.host] = self._names.pop(name.host)
        return name.found

    def _failed(self, name: _Name, error: OSError) -> None:
        name.error = error
        name.quiet_until = self._time() + self._negative_ttl_s
        if isinstance(error, socket.gaierror) and error.errno in NO_SUCH_NAME:
            name.found = None
