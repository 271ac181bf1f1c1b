"""Bodies that come packed, unpacked by whoever reads one and only as far as they read.

The server itself unpacks nothing: it would go on with a body that nobody wants, and 300 KB sent by a stranger can be 300 MB.
"""

import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

from aiohttp import hdrs, web

PIECE_BYTES = 64 * 1024
GZIP, ZLIB, BARE = 31, 15, -15  # how zlib calls the wrappings
GZIP_MAGIC = b"\x1f\x8b"
PACKED = frozenset({"gzip", "x-gzip", "deflate"})


class UnknownEncoding(Exception):  # noqa: N818 # what a client sent, not a fault of ours
    """A Content-Encoding that is not known here."""


async def pieces(request: web.Request) -> AsyncIterator[bytes]:
    """The body as it comes in, unpacked, at most `PIECE_BYTES` at once where it is packed.

    Raises UnknownEncoding, and RequestPayloadError for what is not packed as it says, or not to its end.
    """
    encoding = ", ".join(request.headers.getall(hdrs.CONTENT_ENCODING, [])).strip().lower()
    if encoding not in ("", "identity", *PACKED):
        raise UnknownEncoding(encoding)
    unpacker = Unpacker(encoding) if encoding in PACKED else None
    async for data in request.content.iter_any():
        if unpacker is None:
            yield data
        else:
            for piece in unpacker.pieces(data):
                yield piece
    if unpacker is not None and not unpacker.whole:
        raise web.RequestPayloadError("the packed body lacks its end")


class Unpacker:
    """Takes gzip or deflate off a body that comes in parts."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._inflate: Any = None
        self._ended = False  # padding may follow, or in gzip another stream

    @property
    def whole(self) -> bool:
        """Whether nothing is missing; nothing at all is whole."""
        return self._inflate is None or self._inflate.eof

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What this part unpacks to; as much of it as is asked for. Raises RequestPayloadError."""
        more = bool(data)
        while more and not self._ended:
            if self._inflate is None:
                self._inflate = zlib.decompressobj(self._wrapping(data))
            try:
                piece = self._inflate.decompress(data, PIECE_BYTES)
            except zlib.error as error:
                raise web.RequestPayloadError("the body is not packed as it says") from error
            if piece:
                yield piece
            data = self._inflate.unconsumed_tail
            more = bool(data) or len(piece) == PIECE_BYTES  # of what it has taken in, some may not be out yet
            if self._inflate.eof:
                data = self._inflate.unused_data
                self._ended = bool(data) and not (self._encoding != "deflate" and data.startswith(GZIP_MAGIC))
                if more := bool(data) and not self._ended:
                    self._inflate = None

    def _wrapping(self, data: bytes) -> int:
        if self._encoding != "deflate":
            return GZIP
        # "deflate" means zlib's wrapping, whose first byte ends in 8; some clients send it bare (RFC 9110, 8.4.1.2).
        return ZLIB if data[0] & 0x0F == 8 else BARE
