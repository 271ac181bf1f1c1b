"""Answers requests as soon as they are complete, between aiohttp's parser and its server.

For each message the server creates a task, a request, a writer and a response, which costs more than everything else in
reading a flag. What the parser has read is offered here first; anything not answered goes to the server as usual.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from aiohttp import StreamReader
from aiohttp.http_parser import RawRequestMessage
from multidict import CIMultiDictProxy

Message = tuple[RawRequestMessage, StreamReader]

KEPT_BYTES, KEPT_HEADERS = 4_096, 32  # of a connection's last request


class RequestLike(Protocol):
    """What guards and flag endpoints need of a request: aiohttp's qualifies, and so does `PlainRequest`."""

    @property
    def path(self) -> str: ...
    @property
    def raw_path(self) -> str: ...
    @property
    def headers(self) -> CIMultiDictProxy[str]: ...
    @property
    def query(self) -> Mapping[str, str]: ...
    @property
    def remote(self) -> str | None: ...
    @property
    def protocol(self) -> Any: ...


class PlainRequest:
    """A request without percent-encoding in its path, and without anything that only a server needs."""

    __slots__ = ("found_out", "headers", "path", "protocol", "query", "raw_path", "remote", "sent")

    def __init__(self, message: RawRequestMessage, remote: str, protocol: Any) -> None:
        self.found_out: Any = None  # cached by whoever answers, for when the same request comes again
        self.sent = _sent(message)
        self.raw_path = message.path
        self.path, _, query = message.path.partition("?")
        self.query = dict([query.split("=", 1)]) if query else {}
        self.headers = message.headers
        self.remote = remote
        self.protocol = protocol

    @property
    def worth_keeping(self) -> bool:
        """Whether it is small enough to keep: what is kept per connection must not add up."""
        size = sum(len(name) + len(value) for name, value in self.sent[-1])
        return size <= KEPT_BYTES and len(self.sent[-1]) <= KEPT_HEADERS


class ImmediateAnswers(Protocol):
    """Answers requests at once."""

    open: bool  # whether it answers anything at present

    def wants(self, message: RawRequestMessage) -> bool:
        """Whether it can answer this request as soon as its body has arrived."""
        ...

    def answer(self, request: PlainRequest, body: bytes) -> bytes:
        """The complete response bytes. An identical request passes the same `request` again, with what was cached in it."""
        ...


class Connection(Protocol):
    """The server's side of a connection."""

    peer: str
    transport: Any

    @property
    def writing_paused(self) -> bool: ...

    def waits(self) -> bool:
        """Whether the server is handling no request of it, so that this one cannot overtake an earlier one."""
        ...

    def asks(self) -> None:
        """A request to be answered at once has arrived, except for part of its body."""
        ...

    def asked(self) -> None:
        """A whole request was answered."""
        ...


class Parser:
    """aiohttp's parser, which keeps requests that are answered at once from the server.

    Services ask the same thing again and again, so what was cached for a request is reused for the next one if the two are
    identical to the byte.
    """

    def __init__(self, parser: Any, connection: Connection, at_once: ImmediateAnswers) -> None:
        self._parser = parser
        self._connection = connection
        self._at_once = at_once
        self._held: Message | None = None  # to be answered at once, but its body is not complete
        self._last: PlainRequest | None = None
        self._taking = False
        self.count = 0  # requests whose headers were read
        self.pause_reading = parser.pause_reading
        self.message_consumed = parser.message_consumed
        self.feed_eof = parser.feed_eof
        self.set_upgraded = parser.set_upgraded

    def feed_data(self, data: bytes) -> tuple[Sequence[Message], bool, bytes]:
        """Messages for the server, whether they end in an upgrade, and the bytes after it; raises what the parser raises."""
        if not data and self._taking:  # reading a body also wakes a connection that is not paused
            return (), False, b""
        held, self._held = self._held, None
        messages, upgraded, tail = self._parser.feed_data(data)
        self.count += len(messages)
        if held is not None:
            messages = [held, *messages]
        if len(messages) == 1 and not upgraded and self._takes(*messages[0]):
            return (), False, tail
        return messages, upgraded, tail

    def _takes(self, message: RawRequestMessage, body: StreamReader) -> bool:
        connection = self._connection
        if not (self._at_once.open and connection.waits()) or connection.writing_paused:
            return False
        asked = self._last
        if asked is None or asked.sent != _sent(message):
            if not self._at_once.wants(message):
                return False
            asked = PlainRequest(message, connection.peer, connection)
            self._last = asked if asked.worth_keeping else None
        if body.is_eof():
            self._parser.message_consumed()
            self._taking = True
            sent = body.read_nowait()
            self._taking = False
            connection.transport.write(self._at_once.answer(asked, sent))
            connection.asked()
        else:
            self._held = message, body
            connection.asks()
        return True


def _sent(message: RawRequestMessage) -> tuple[Any, ...]:
    """Everything in a head, apart from its spelling."""
    return message.method, message.path, message.version, message.raw_headers
