"""HTTP/1.1 as bytes, as far as a probe needs it: one request, one answer, everything limited. Pure: no sockets."""

import re
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import httptools
import httpx

from bot.checks.judging.exceptions import Failure

HEAD_CAP = 100 * 1024  # bytes; real heads are under 16 KiB even with long security policies
HEADERS_CAP = 500
NAME_KEPT = 64  # bytes of a header name to cache; a server inventing long ones must not fill our memory
HINTS_CAP = 20  # interim answers (100, 103) before the final one
BOMB_RATIO = 100  # text unpacks to 3-30 times its size; deflate's limit is 1,032
LINE_CAP = 1024 * 1024

FRAMING_HEADERS = frozenset({"connection", "content-length", "transfer-encoding"})  # framing is not a check's business
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(r"[\t\x20-\x7e]*")
WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})
PACKED = frozenset({"gzip", "x-gzip", "deflate"})
GZIP_MAGIC = b"\x1f\x8b"
ZLIB, RAW_DEFLATE, GZIP = 15, -15, 31  # zlib's wbits for each container


class BadAnswer(httpx.RemoteProtocolError):
    """The peer violated HTTP or one of our limits; `failure` is its classification."""

    def __init__(self, error: str, detail: str = "") -> None:
        super().__init__(detail or error)
        self.failure = Failure(error, detail)


def request_bytes(method: str, target: bytes, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """A complete request. Raises ValueError, quoting nothing, for what cannot be sent: line breaks, non-ASCII letters."""
    if not TOKEN.fullmatch(method):
        raise ValueError("the method is not a word that HTTP can carry")
    lines = [f"{method} ".encode() + target + b" HTTP/1.1"]
    for name, value in headers.items():
        if name.lower() in FRAMING_HEADERS:
            continue
        if not TOKEN.fullmatch(name) or not VALUE.fullmatch(value):
            raise ValueError("a header holds what HTTP cannot carry")
        lines.append(f"{name}: {value.strip()}".encode())
    if body is not None or method in WITH_LENGTH:
        lines.append(b"content-length: %d" % len(body or b""))
    lines.append(b"connection: close\r\n\r\n")
    return b"\r\n".join(lines) + (body or b"")


class AnswerReader:
    """Reads one answer from a connection's bytes, piece by piece.

    `headers` has lower-case names; repeated ones are joined by a comma. Interim answers (100, 103) are skipped; anything after
    the answer is ignored. Raises BadAnswer: `protocol`, `head_too_large`, `closed`, `truncated`.
    """

    __slots__ = ("_body", "_fed", "_hints", "_lines", "_no_body", "_parser", "done", "head_done", "headers", "status")

    def __init__(self, method: str) -> None:
        self._parser: Any = httptools.HttpResponseParser(self)
        # Servers that end lines with a bare LF are old, not down; and an interim answer with "close" does not close.
        self._parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=True, lenient_keep_alive=True)
        self._no_body = method == "HEAD"
        self._body: list[bytes] = []
        self._fed = self._hints = self._lines = 0
        self.status = 0
        self.headers: dict[str, str] = {}
        self.head_done = self.done = False

    def feed(self, data: bytes) -> None:
        """Process received bytes."""
        if self.done:
            return
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.done = True
        except httptools.HttpParserError as exc:
            if not self.done:
                raise BadAnswer("protocol") from exc
        if (not self.head_done and self._fed > HEAD_CAP) or self._lines > HEADERS_CAP or self._hints > HINTS_CAP:
            raise BadAnswer("head_too_large")

    def close(self) -> None:
        """Stop reading. The parser refers to our methods: releasing it leaves no cycle for the garbage collector."""
        self.done = True
        self._parser = None

    def take(self) -> bytes:
        """The body received since the last call, without chunking."""
        body, self._body = self._body, []
        return body[0] if len(body) == 1 else b"".join(body)

    def finish(self) -> None:
        """The peer has closed: fine if closing ends the body, otherwise something is missing."""
        if self.done:
            return
        if not self.head_done:
            raise BadAnswer("truncated" if self._fed else "closed")
        codings = self.headers.get("transfer-encoding", "").lower().rpartition(",")[2].strip()
        if codings == "chunked" or (not codings and "content-length" in self.headers):
            raise BadAnswer("truncated")
        self.done = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self._lines += 1
        if self.head_done or self._lines > HEADERS_CAP:
            return  # trailers, or far too many headers
        key, text = _key(name), value.decode("latin-1")
        headers = self.headers
        headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        if self.done:
            return  # another answer after the one requested
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            self._hints += 1
            self.headers = {}
            return
        self.status = status
        self.head_done = True
        self.done = self._no_body

    def on_body(self, body: bytes) -> None:
        if not self.done:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self.head_done:
            self.done = True


def _key(name: bytes) -> str:
    return _usual_key(name) if len(name) <= NAME_KEPT else name.decode("latin-1").lower()


@lru_cache(maxsize=2048)  # servers use the same few hundred names
def _usual_key(name: bytes) -> str:
    return name.decode("latin-1").lower()


class Unpacker:
    """Unpacks gzip or deflate, never producing more than asked for. Other encodings pass unchanged.

    Raises BadAnswer: `bad_encoding`, `inflates_too_far`, and `truncated` if the compressed stream is incomplete.
    """

    __slots__ = ("_behind", "_encoding", "_inflate", "_packed", "_unpacked")

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding.strip().lower()
        self._inflate: Any = None
        self._behind = b""
        self._packed = self._unpacked = 0

    def unpack(self, data: bytes, room: int) -> bytes:
        """The next piece, unpacked and cut at `room` + 1 bytes; a decompression bomb is refused."""
        if self._encoding not in PACKED or not data:
            return data
        if self._inflate is None:
            self._inflate = zlib.decompressobj(self._wrapping(data))
        parts: list[bytes] = []
        left = room + 1
        while data and left > 0:
            if self._inflate.eof:
                data, self._behind = self._behind + data, b""
                if not data.startswith(GZIP_MAGIC):
                    self._behind = data[:1]  # padding, or the first byte of another stream that follows
                    break
                self._inflate = zlib.decompressobj(GZIP)
            try:
                part = self._inflate.decompress(data, left)
            except zlib.error as exc:
                raise BadAnswer("bad_encoding") from exc
            rest = self._inflate.unconsumed_tail or self._inflate.unused_data
            self._packed += len(data) - len(rest)
            left -= len(part)
            parts.append(part)
            data = rest
        self._unpacked += room + 1 - left
        if left <= 0 and self._unpacked > BOMB_RATIO * self._packed:
            raise BadAnswer("inflates_too_far")
        return b"".join(parts)

    def finish(self) -> None:
        """The body is complete; check that the compressed stream is too."""
        if self._inflate is not None and not self._inflate.eof:
            raise BadAnswer("truncated")

    def _wrapping(self, data: bytes) -> int:
        if self._encoding != "deflate":
            return GZIP
        # "deflate" means zlib's container, whose first byte ends in 8; some servers send it raw (RFC 9110, 8.4.1.2).
        return ZLIB if data[0] & 0x0F == 8 else RAW_DEFLATE


class LineSplitter:
    """Splits bytes into lines ending in LF, CRLF or CR, as in Server-Sent Events. BadAnswer `too_large` over the limit."""

    __slots__ = ("_cap", "_rest")

    def __init__(self, cap: int = LINE_CAP) -> None:
        self._cap = cap
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines completed by this piece, without their ends."""
        text = self._rest + data
        held = b""
        if text.endswith(b"\r"):  # its LF may be still to come
            text, held = text[:-1], b"\r"
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = text.split(b"\n")
        self._rest = rest + held
        if len(self._rest) > self._cap:
            raise BadAnswer("too_large")
        return [line.decode("utf-8", "replace") for line in lines]

    def finish(self) -> list[str]:
        """The last line, if the stream ended without ending it."""
        rest, self._rest = self._rest.removesuffix(b"\r"), b""
        return [rest.decode("utf-8", "replace")] if rest else []
