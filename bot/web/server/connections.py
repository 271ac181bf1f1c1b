"""Who may hold a connection to our server, and for how long: nobody keeps the flags, the checks or Slack waiting.

A connection is *unproven* until its request is complete with its body, *busy* while that is answered, and *idle* between two.
When there is no room, the one that can best be spared is closed for the newcomer: unproven before idle, the oldest first. So a
crowd of half-open ones pushes itself out, while a client that has something to say is heard; and a gateway that brings
everybody's requests from one address is never held up, since what it opens is proven at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any, cast

import aiohttp
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from bot.core.lazy_dataclass import dataclass
from bot.system.descriptors import in_use, limit, share
from bot.web.server.at_once import AtOnce, Parser

Next = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS_WITHIN_S = 10.0
IDLE_AT_MOST_S = 3_630.0  # longer than proxies keep a connection, so that they are the ones who end it
BUSY_AT_MOST_S = 30.0  # a longer answer is one that its reader does not take; it may be cut off when there is no room
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class Limits:
    """How many connections at once, how many unproven ones of one address, how long headers and an answer may take."""

    most: int = 1024
    backlog: int = 128  # newcomers that wait to be let in
    unproven_of_one: int = 256
    headers_within_s: float = HEADERS_WITHIN_S
    idle_at_most_s: float = IDLE_AT_MOST_S
    busy_at_most_s: float = BUSY_AT_MOST_S


def limits_for(checks: int) -> Limits:
    """What this process may give to the web server beside so many checks."""
    ours = share(limit(), in_use(), checks)
    return Limits(ours.connections, ours.backlog, max(ours.connections // 4, 1))


class Standing(Enum):
    """What a connection is doing."""

    UNPROVEN = 1
    IDLE = 2
    BUSY = 3


class Connections:
    """The open connections of one server."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # By standing, oldest first: a dict keeps the order in which they came to it.
        self._by: dict[Standing, dict[Guarded, float]] = {standing: {} for standing in Standing}
        self.closed_for_room = 0

    @property
    def count(self) -> int:
        """How many are open."""
        return sum(len(some) for some in self._by.values())

    def admit(self, one: "Guarded") -> bool:
        """Whether there is room for it, or room can be made."""
        mine = [other for other in self._by[Standing.UNPROVEN] if other.peer == one.peer]
        if len(mine) >= self._limits.unproven_of_one:
            self._close(mine[0])
        elif self.count >= self._limits.most and not self._make_room(one):
            return False
        self.stands(one, Standing.UNPROVEN)
        return True

    def stands(self, one: "Guarded", standing: Standing) -> None:
        """It came to this standing now."""
        self.gone(one)
        one.stands, self._by[standing][one] = standing, one.now()

    def gone(self, one: "Guarded") -> None:
        """It is closed."""
        self._by[one.stands].pop(one, None)

    def _make_room(self, one: "Guarded") -> bool:
        for standing in Standing:
            for other, since in self._by[standing].items():
                if standing is Standing.BUSY and one.now() - since < self._limits.busy_at_most_s:
                    return False  # every one behind it is busy for less long
                self._close(other)
                return True
        return False

    def _close(self, one: "Guarded") -> None:
        self.closed_for_room += 1
        self.gone(one)
        one.cut()

    @property
    def headers_within_s(self) -> float:
        """How long a request's headers may take."""
        return self._limits.headers_within_s


class Guarded(RequestHandler):
    """aiohttp's side of a connection, with a place among the others and a deadline for headers.

    `by_file`: it came over the Unix socket, so the mode of that file let it in.
    """

    __slots__ = ("_among", "_busy", "_deadline", "_heads", "_socket", "by_file", "peer", "stands")

    def __init__(
        self, among: Connections, server: web.Server, at_once: AtOnce, *, by_file: bool = False, **options: Any
    ) -> None:
        super().__init__(server, **options)
        self._heads: Parser | None = Parser(self._parser, self, at_once)
        self._parser = cast(Any, self._heads)
        self.by_file = by_file
        self.stands = Standing.UNPROVEN
        self._among = among
        self._busy = False
        self._deadline: asyncio.TimerHandle | None = None
        self._socket: asyncio.Transport | None = None
        self.peer = ""

    def now(self) -> float:
        """Seconds of the loop's clock."""
        return self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._socket = cast(asyncio.Transport, transport)
        self.peer = "" if self.by_file else str((transport.get_extra_info("peername") or ("",))[0])
        if self._among.admit(self):
            self._arm()
        else:
            self.cut()

    def data_received(self, data: bytes) -> None:
        heads = self._heads
        before = heads.count if heads is not None else 0
        super().data_received(data)
        if data and (heads is None or heads.count == before):
            self._arm()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._disarm()
        self._among.gone(self)
        super().connection_lost(exc)
        self._heads = None

    def began(self, body: aiohttp.StreamReader) -> None:
        """A request is complete up to its headers; its body has a deadline of its own where it is read (`bodies`)."""
        self._busy = True
        self._disarm()
        if not body.is_eof():
            self._among.stands(self, Standing.UNPROVEN)
        body.on_eof(self._whole)

    def _whole(self) -> None:
        if self._busy and self._socket is not None and not self._socket.is_closing():
            self._among.stands(self, Standing.BUSY)

    def waits(self) -> bool:
        """Whether nothing is asked of the server, so that a request may be answered before it hears of it."""
        return not self._messages and self._waiter is not None and not self._waiter.done()

    def asks(self) -> None:
        """A request that will be answered at once has its headers; its body has to be there when they had to."""
        self._arm()
        self._among.stands(self, Standing.UNPROVEN)

    def asked(self) -> None:
        """A request was answered at once, so that between the two it need not stand anywhere else."""
        self._next_keepalive_close_time = self.now() + self._keepalive_timeout
        self._disarm()
        self._among.stands(self, Standing.IDLE)

    def ended(self) -> None:
        """It is answered, but for what its reader has not taken yet."""
        self._busy = False
        if self._socket is not None and not self._socket.is_closing():
            self._among.stands(self, Standing.IDLE)

    def cut(self) -> None:
        """Close it at once, whatever is under way."""
        if self._socket is not None:
            self._socket.abort()

    def _arm(self) -> None:
        """Headers must be complete by a time that no further byte puts off."""
        if self._deadline is None and not self._busy:
            self._deadline = self._loop.call_later(self._among.headers_within_s, self._too_slow)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self._socket is not None and not self._socket.is_closing():
            self._socket.write(TOO_SLOW)
            self._socket.close()


def in_place(app: web.Application) -> None:
    """Let the application tell each connection when a request of it begins and ends; before the application starts."""
    app.middlewares.insert(0, _telling)


@web.middleware
async def _telling(request: web.Request, handler: Next) -> web.StreamResponse:
    connection = request.protocol
    if not isinstance(connection, Guarded):  # a server that somebody else made of the same application
        return await handler(request)
    connection.began(request.content)
    try:
        return await handler(request)
    finally:
        connection.ended()
