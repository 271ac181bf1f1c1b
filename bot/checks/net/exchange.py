"""One request and its answer over a connection, also in the form of an httpx response."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import httpx

from bot.checks.net.certificate import Certificate
from bot.checks.net.connection import Line
from bot.checks.net.http1 import AnswerReader, BadAnswer, Unpacker


class Exchange:
    """A connection and the reader of its answer."""

    __slots__ = ("line", "reader")

    def __init__(self, line: Line, reader: AnswerReader) -> None:
        self.line = line
        self.reader = reader

    async def more(self) -> None:
        """Wait for data and feed it to the reader."""
        data = await self.line.read()
        if data:
            self.reader.feed(data)
        else:
            self.reader.finish()

    def close(self) -> None:
        """Close; what was read so far can still be taken."""
        self.line.close()
        self.reader.close()

    async def body(self) -> bytes:
        """The next piece of the body; b"" at its end."""
        while True:
            piece = self.reader.take()
            if piece or self.reader.done:
                return piece
            await self.more()

    async def text(self, cap: int) -> bytes:
        """The whole body, unpacked; if it is longer than `cap` bytes, slightly more than that."""
        encoding = self.reader.headers.get("content-encoding", "")
        if self.reader.done and not encoding:
            return self.reader.take()  # it arrived with the head, as most do
        unpacker = Unpacker(encoding)
        text = b""
        while len(text) <= cap:
            piece = await self.body()
            if not piece:
                unpacker.finish()
                break
            text += unpacker.unpack(piece, cap - len(text))
        return text


class Body(httpx.AsyncByteStream):
    """A body that is still on the wire. `ends_at` bounds reading it, if nobody else does."""

    def __init__(self, exchange: Exchange, ends_at: float | None = None) -> None:
        self._exchange = exchange
        self._ends_at = ends_at

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            try:
                async with asyncio.timeout_at(self._ends_at):
                    piece = await self._exchange.body()
            except TimeoutError as exc:
                raise httpx.ReadTimeout("the body did not end in time") from exc
            if not piece:
                return
            yield piece

    async def aclose(self) -> None:
        self._exchange.close()


class HttpxBody(httpx.AsyncByteStream):
    """The body of an answer that httpx reads for us; it is closed where it was opened."""

    def __init__(self, inner: httpx.Response) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner.aiter_raw():
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


class Answer(httpx.Response):
    """An httpx.Response that never unpacks or passes on more than its cap."""

    def __init__(
        self,
        status: int,
        headers: httpx.Headers,
        stream: httpx.AsyncByteStream,
        cap: int,
        certificate: Certificate | None,
    ) -> None:
        super().__init__(status, headers=headers, stream=stream, extensions={"certificate": certificate})
        self._cap = cap

    async def aiter_raw(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        passed = 0
        async for piece in super().aiter_raw(chunk_size):
            passed += len(piece)
            if passed > self._cap:
                raise BadAnswer("too_large")
            yield piece

    async def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        if hasattr(self, "_content"):  # already read
            yield self._content
            return
        unpacker = Unpacker(self.headers.get("content-encoding", ""))
        passed = 0
        async for piece in self.aiter_raw(chunk_size):
            text = unpacker.unpack(piece, self._cap - passed)
            passed += len(text)
            if passed > self._cap:
                raise BadAnswer("too_large")
            if text:
                yield text
        unpacker.finish()


def as_httpx_headers(headers: Mapping[str, str]) -> httpx.Headers:
    return httpx.Headers([(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()])
