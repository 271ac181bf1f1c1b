"""Who may hold a connection to our server, and for how long, so that nobody delays flags, checks or Slack.

A connection is *unproven* until a complete request has arrived, *busy* while it is being answered, and *idle* between
requests. When there is no room, the most expendable one is closed: unproven before idle, oldest first. So a crowd of half-open
connections displaces itself, while a client with a real request is served; and a gateway that brings all requests from a
single address is never blocked, since its connections are proven at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any, cast

import aiohttp
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from bot.core.lazy_dataclass import dataclass
from bot.system.descriptors import in_use, limit, server_limits
from bot.web.server.immediate import ImmediateAnswers, Parser

Next = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS_WITHIN_S = 10.0
IDLE_AT_MOST_S = 3_630.0  # longer than proxies keep a connection, so that they are the ones to close it
BUSY_AT_MOST_S = 30.0  # a longer answer is one that its reader does not accept; it may be cut off if there is no room
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class Limits:
    """How many connections in total, how many unproven ones per address, and how long headers and an answer may take."""

    most: int = 1024
    backlog: int = 128  # new connections waiting to be accepted
    unproven_of_one: int = 256
    headers_within_s: float = HEADERS_WITHIN_S
    idle_at_most_s: float = IDLE_AT_MOST_S
    busy_at_most_s: float = BUSY_AT_MOST_S


def limits_for(checks: int) -> Limits:
    """What this process can give its web server, given this many checks."""
    ours = server_limits(limit(), in_use(), checks)
    return Limits(ours.connections, ours.backlog, max(ours.connections // 4, 1))


class ConnectionState(Enum):
    """The state of a connection."""

    UNPROVEN = 1
    IDLE = 2
    BUSY = 3


class Connections:
    """A server's open connections."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # By state, oldest first: a dict keeps insertion order.
        self._by: dict[ConnectionState, dict[Guarded, float]] = {standing: {} for standing in ConnectionState}
        self.closed_for_room = 0

    @property
    def count(self) -> int:
        """The number of open connections."""
        return sum(len(some) for some in self._by.values())

    def admit(self, one: "Guarded") -> bool:
        """Whether there is room for it, or room can be made."""
        mine = [other for other in self._by[ConnectionState.UNPROVEN] if other.peer == one.peer]
        if len(mine) >= self._limits.unproven_of_one:
            self._close(mine[0])
        elif self.count >= self._limits.most and not self._make_room(one):
            return False
        self.stands(one, ConnectionState.UNPROVEN)
        return True

    def stands(self, one: "Guarded", standing: ConnectionState) -> None:
        """It entered this state now."""
        self.gone(one)
        one.stands, self._by[standing][one] = standing, one.now()

    def gone(self, one: "Guarded") -> None:
        """It is closed."""
        self._by[one.stands].pop(one, None)

    def _make_room(self, one: "Guarded") -> bool:
        for standing in ConnectionState:
            for other, since in self._by[standing].items():
                if standing is ConnectionState.BUSY and one.now() - since < self._limits.busy_at_most_s:
                    return False  # all later ones have been busy for less time
                self._close(other)
                return True
        return False

    def _close(self, one: "Guarded") -> None:
        self.closed_for_room += 1
        self.gone(one)
        one.cut()

    @property
    def headers_within_s(self) -> float:
        """The time limit for a request's headers."""
        return self._limits.headers_within_s


class Guarded(RequestHandler):
    """aiohttp's side of a connection, registered among the others and with a deadline for headers.

    `by_file`: it came over the Unix socket, so that file's mode admitted it.
    """

    __slots__ = ("_among", "_busy", "_deadline", "_heads", "_socket", "by_file", "peer", "stands")

    def __init__(
        self, among: Connections, server: web.Server, at_once: ImmediateAnswers, *, by_file: bool = False, **options: Any
    ) -> None:
        super().__init__(server, auto_decompress=False, **options)  # see `packing`
        self._heads: Parser | None = Parser(self._parser, self, at_once)
        self._parser = cast(Any, self._heads)
        self.by_file = by_file
        self.stands = ConnectionState.UNPROVEN
        self._among = among
        self._busy = False
        self._deadline: asyncio.TimerHandle | None = None
        self._socket: asyncio.Transport | None = None
        self.peer = ""

    def now(self) -> float:
        """Seconds on the loop's clock."""
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
        """A request's headers are complete; its body has its own deadline, in `bodies`."""
        self._busy = True
        self._disarm()
        if not body.is_eof():
            self._among.stands(self, ConnectionState.UNPROVEN)
        body.on_eof(self._whole)

    def _whole(self) -> None:
        if self._busy and self._socket is not None and not self._socket.is_closing():
            self._among.stands(self, ConnectionState.BUSY)

    def waits(self) -> bool:
        """Whether the server has nothing pending, so that a request may be answered before it reaches the server."""
        return not self._messages and self._waiter is not None and not self._waiter.done()

    def asks(self) -> None:
        """A request to be answered at once has its headers; its body has the same deadline."""
        self._arm()
        self._among.stands(self, ConnectionState.UNPROVEN)

    def asked(self) -> None:
        """A request was answered at once, so the connection is idle again."""
        self._next_keepalive_close_time = self.now() + self._keepalive_timeout
        self._disarm()
        self._among.stands(self, ConnectionState.IDLE)

    def ended(self) -> None:
        """The request is answered, apart from what its reader has not accepted yet."""
        self._busy = False
        if self._socket is not None and not self._socket.is_closing():
            self._among.stands(self, ConnectionState.IDLE)

    def cut(self) -> None:
        """Close it at once, whatever is pending."""
        if self._socket is not None:
            self._socket.abort()

    def _arm(self) -> None:
        """Set the deadline for headers, which further bytes do not extend."""
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
    """Make the application tell each connection when a request begins and ends; call before the application starts."""
    app.middlewares.insert(0, _telling)


@web.middleware
async def _telling(request: web.Request, handler: Next) -> web.StreamResponse:
    connection = request.protocol
    if not isinstance(connection, Guarded):  # a server that somebody else created for the same application
        return await handler(request)
    connection.began(request.content)
    try:
        return await handler(request)
    finally:
        connection.ended()
