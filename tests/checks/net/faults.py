"""A server that does wrong on purpose: each play is one fault, over a real socket."""

import asyncio
import contextlib
import gzip
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import lru_cache

import trustme

Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
LONG = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
FOR_EVER_S = 60.0


@asynccontextmanager
async def serving(play: Play, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on loopback where every connection goes as `play` says; yields its port, and leaves nothing behind."""
    tasks: set[asyncio.Task[None]] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        # RuntimeError: uvloop's word for writing to a connection that the other side has closed.
        with contextlib.suppress(ConnectionError, RuntimeError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await play(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


def saying(*parts: bytes, pause_s: float = 0.0, then_hang: bool = False) -> Play:
    """Read the request's head, send the parts, and close (or fall silent)."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
        if then_hang:
            await asyncio.sleep(FOR_EVER_S)
        writer.close()

    return play


def drip(text: bytes, pause_s: float = 0.02) -> Play:
    """One byte at a time, as slow servers and slow-loris ones do."""
    return saying(*(text[at : at + 1] for at in range(len(text))), pause_s=pause_s)


async def close_after_accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the connection and hang up before a word was said, ours neither: no reset, since nothing is left unread."""
    await asyncio.sleep(0.02)
    await reader.read(65536)
    writer.close()


async def close_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hang up before anything was read; what we say into it is answered with a reset, or not at all."""
    writer.close()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read the request and answer it with a TCP reset."""
    await reader.readuntil(b"\r\n\r\n")
    _reset(writer)


async def reset_within_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begin an answer, then reset."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(LONG + b"x" * 10)
    await writer.drain()
    await asyncio.sleep(0.05)
    _reset(writer)


async def endless_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer without an end, as fast as it is read."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x" * 16384)
        await writer.drain()


async def endless_hints(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Early hints for ever, and never an answer."""
    await reader.readuntil(b"\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n" * 100)
        await writer.drain()


async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the connection and never say a word."""
    await asyncio.sleep(FOR_EVER_S)


async def speaks_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What is no HTTP server introduces itself."""
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    await reader.read()


async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An HTTP port without TLS, which answers a handshake as a bad request."""
    await reader.read(5)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()
    await reader.read()


async def hang_up_on_handshake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read the client's hello and close."""
    await reader.read(65536)
    writer.close()


def blocking(stall_s: float, then: Play) -> Play:
    """The fault is on our side: a blocking call on the loop that the probe runs on."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        time.sleep(stall_s)  # noqa: ASYNC251 # the fault under test
        await then(reader, writer)

    return play


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Nothing more is said."""
    await asyncio.sleep(FOR_EVER_S)


def many_headers(count: int) -> bytes:
    """An answer with so many headers."""
    return b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: y\r\n" % n for n in range(count)) + b"content-length: 2\r\n\r\nok"


@lru_cache
def gzip_bomb() -> bytes:
    """An answer of some kilobytes that unpacks to 32 MiB."""
    packed = gzip.compress(bytes(32 * 1024 * 1024))
    return b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed) + packed


class Authority:
    """A certificate authority that clients here trust, and server contexts with certificates good and bad."""

    def __init__(self) -> None:
        self._ca = trustme.CA(key_type=trustme.KeyType.ECDSA)

    def client(self) -> ssl.SSLContext:
        """Trusts this authority and nobody else."""
        context = ssl.create_default_context()
        self._ca.configure_trust(context)
        return context

    def server(self, host: str = "localhost", *, not_after: datetime | None = None) -> ssl.SSLContext:
        """A certificate for a host."""
        issued = self._ca.issue_cert(host, common_name=host, not_after=not_after, key_type=trustme.KeyType.ECDSA)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(context)
        return context

    def expired(self) -> ssl.SSLContext:
        """A certificate that was good until long ago."""
        return self.server(not_after=datetime(2020, 1, 1, tzinfo=UTC))

    def self_signed(self) -> ssl.SSLContext:
        """A certificate that vouches for itself."""
        alone = trustme.CA(key_type=trustme.KeyType.ECDSA)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with alone.cert_pem.tempfile() as cert, alone.private_key_pem.tempfile() as key:
            context.load_cert_chain(cert, key)
        return context


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
