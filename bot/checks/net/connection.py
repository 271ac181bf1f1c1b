"""One open connection, plain or with TLS.

TLS runs over memory buffers in the line itself instead of the loop's own TLS layer: the handshake has its own phase and its
own error, it costs less, and closing never waits for a peer that does not say goodbye.
"""

import asyncio
import ssl
from collections.abc import Sequence
from typing import cast

from bot.checks.net.certificate import Certificate, certificate_of

READ_AHEAD = 256 * 1024  # more than this is left in the kernel until somebody reads
TLS_PIECE = 64 * 1024


class Line(asyncio.Protocol):
    """One open connection. Reading is pulled: what nobody reads stays in the kernel."""

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
        """The peer's certificate: None on a plain line, and where the context does not verify."""
        return certificate_of(self._tls) if self._tls is not None else None

    @property
    def tls_version(self) -> str | None:
        """`TLSv1.3` and the like; None on a plain line."""
        return self._tls.version() if self._tls is not None else None

    @property
    def resumed(self) -> bool:
        """Whether the handshake resumed an earlier one: then the certificate is the one that was verified in that."""
        return self._tls is not None and bool(self._tls.session_reused)

    @property
    def session(self) -> ssl.SSLSession | None:
        """What a later handshake can resume; with TLS 1.3 it comes behind the handshake, at the latest with an answer."""
        return self._tls.session if self._tls is not None else None

    def write(self, data: bytes) -> None:
        """Send; on a line that is gone this does nothing, and the next read says why."""
        if self._transport is None or self._over:
            return
        if self._tls is None:
            self._transport.write(data)
        else:
            sent = 0
            while sent < len(data):
                sent += self._tls.write(data[sent:])  # a record at a time
            self._transport.write(self._outgoing.read())

    async def read(self) -> bytes:
        """What has come in, at least one byte of it; b"" once the peer has closed. Raises OSError or ssl.SSLError."""
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
        """Go over to TLS; raises ssl.SSLError, or OSError where the line breaks.

        Our last word of the handshake goes out with what is written next, or when we hang up.
        """
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        if alpn:
            tls.set_alpn_protocols(alpn)
        self._tls = tls.wrap_bio(self._incoming, self._outgoing, server_hostname=name, session=session)
        self._shaking = True
        self._shake()
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
        """Hang up at once; closing twice is harmless."""
        self._over = True
        if self._transport is not None:
            if self._tls is not None and self._outgoing.pending:
                self._transport.write(self._outgoing.read())  # a handshake that nothing was written after
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._tls is not None:
            self._incoming.write(data)
            shook = self._shaking
            if shook:
                self._shake()
                if self._shaking:
                    return
            self._decrypt()
            if not shook and self._outgoing.pending and self._transport is not None:
                self._transport.write(self._outgoing.read())  # the peer wanted new keys
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

    def _shake(self) -> None:
        tls = self._tls
        if tls is None or self._transport is None:
            return
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass  # the peer has the word
        except (ssl.SSLError, ValueError) as exc:  # ValueError: a name that no certificate can be for
            self._error = exc
            self._wake()
        else:
            self._shaking = False
            self._wake()
            return  # what is left to say waits for the request: one packet less
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
            pass  # all that was there has been read
        except ssl.SSLZeroReturnError:
            self._over = True
        except ssl.SSLError as exc:
            self._error = exc
        self._buffer = pieces[0] if len(pieces) == 1 else b"".join(pieces)
