"""One open connection, plain or with TLS.

TLS runs over memory buffers here instead of in the loop's own TLS layer: the handshake gets its own phase and its own error,
it costs less, and closing never waits for a peer that does not say goodbye.
"""

import asyncio
import ssl
from collections.abc import Sequence
from typing import cast

from bot.checks.net.certificate import Certificate, certificate_of

READ_AHEAD = 256 * 1024  # beyond this, data stays in the kernel until somebody reads
TLS_PIECE = 64 * 1024


class Line(asyncio.Protocol):
    """One open connection. Reading is by pull: unread data stays in the kernel."""

    __slots__ = (
        "_buffer", "_error", "_incoming", "_loop", "_outgoing", "_over", "_paused", "_shaking", "_tls", "_transport", "_waiter",
        "address",
    )  # fmt: skip

    def __init__(self, address: str, loop: asyncio.AbstractEventLoop) -> None:
        self.address = address
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._over = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._paused = False
        self._shaking = False
        self._tls: ssl.SSLObject | None = None
        self._incoming: ssl.MemoryBIO
        self._outgoing: ssl.MemoryBIO

    @property
    def certificate(self) -> Certificate | None:
        """The peer's certificate: None without TLS, or if the context does not verify."""
        return certificate_of(self._tls) if self._tls is not None else None

    @property
    def tls_version(self) -> str | None:
        """`TLSv1.3` and the like; None without TLS."""
        return self._tls.version() if self._tls is not None else None

    @property
    def resumed(self) -> bool:
        """Whether the handshake resumed an earlier one: then the certificate was verified in that one."""
        return self._tls is not None and bool(self._tls.session_reused)

    @property
    def session(self) -> ssl.SSLSession | None:
        """What a later handshake can resume; with TLS 1.3 it arrives after the handshake, at the latest with an answer."""
        return self._tls.session if self._tls is not None else None

    def write(self, data: bytes) -> None:
        """Send data; on a broken connection this does nothing, and the next read raises the reason."""
        if self._transport is None or self._over:
            return
        if self._tls is None:
            self._transport.write(data)
        else:
            sent = 0
            while sent < len(data):
                sent += self._tls.write(data[sent:])  # one record at a time
            self._transport.write(self._outgoing.read())

    async def read(self) -> bytes:
        """The next received bytes, at least one; b"" once the peer has closed. Raises OSError or ssl.SSLError."""
        while not self._buffer:
            if self._error is not None:
                raise self._error
            if self._over:
                return b""
            if self._paused and self._transport is not None:
                self._paused = False
                self._transport.resume_reading()
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        data, self._buffer = self._buffer, b""
        return data

    async def shake_hands(
        self, tls: ssl.SSLContext, name: str, alpn: Sequence[str] = (), session: ssl.SSLSession | None = None
    ) -> None:
        """Start TLS; raises ssl.SSLError, or OSError if the connection breaks.

        Our last handshake message is sent with the next write, or on close.
        """
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        if alpn:
            tls.set_alpn_protocols(alpn)
        self._tls = tls.wrap_bio(self._incoming, self._outgoing, server_hostname=name, session=session)
        self._shaking = True
        self._handshake()
        while self._shaking:
            if self._error is not None:
                raise self._error
            if self._over:
                raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "the peer closed the connection during the handshake")
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def close(self) -> None:
        """Close at once; closing twice is harmless."""
        self._over = True
        if self._transport is not None:
            if self._tls is not None and self._outgoing.pending:
                self._transport.write(self._outgoing.read())  # a handshake with no write after it
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._tls is not None:
            self._incoming.write(data)
            shook = self._shaking
            if shook:
                self._handshake()
                if self._shaking:
                    return
            self._decrypt()
            if not shook and self._outgoing.pending and self._transport is not None:
                self._transport.write(self._outgoing.read())  # the peer asked for new keys
        elif self._buffer:
            self._buffer += data
        else:
            self._buffer = bytes(data)
        if len(self._buffer) > READ_AHEAD and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._over = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._over:
            self._error = exc
        self._over = True
        self._transport = None
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _handshake(self) -> None:
        tls = self._tls
        if tls is None or self._transport is None:
            return
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass  # the peer has to speak next
        except (ssl.SSLError, ValueError) as exc:  # ValueError: a name that no certificate can have
            self._error = exc
            self._wake()
        else:
            self._shaking = False
            self._wake()
            return  # the rest is sent with the request, which saves a packet
        ours = self._outgoing.read()
        if ours:
            self._transport.write(ours)

    def _decrypt(self) -> None:
        tls = self._tls
        if tls is None:
            return
        pieces = [self._buffer] if self._buffer else []
        try:
            while True:
                piece = tls.read(TLS_PIECE)
                if not piece:
                    self._over = True
                    break
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass  # everything available was read
        except ssl.SSLZeroReturnError:
            self._over = True
        except ssl.SSLError as exc:
            self._error = exc
        self._buffer = pieces[0] if len(pieces) == 1 else b"".join(pieces)
