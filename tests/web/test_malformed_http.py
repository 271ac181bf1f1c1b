"""Requests that are not HTTP: each is refused, and together they make one line in the log."""

import asyncio
import json
import logging
from datetime import timedelta

import pytest
import structlog
from raw_http import send_raw, status_of
from web_house import CONTROL, House, OpenHouse

FLAG = b"/ofrep/v1/evaluate/flags/on"
HOST = b"Host: localhost\r\n"
TOKEN = b"Authorization: Bearer " + CONTROL.encode() + b"\r\n"
CHUNKED = b"POST " + FLAG + b" HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
MALFORMED = {
    "no HTTP at all": b"hello\r\n\r\n",
    "nothing but ends of lines": b"\r\n\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "a version that is none": b"GET / HTTP/9.9x\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "a method that is none": b"G@T{} / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target of bytes": b"GET /\xff\xfe\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target that is not an address": b"GET http://[::1 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a port that is none": b"GET http://localhost:99999999/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target without end": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a header without end": b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 20_000 + b"\r\n\r\n",
    "headers without end": b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 20_000 + b"\r\n",
    "a header without colon": b"GET / HTTP/1.1\r\n" + HOST + TOKEN + b"nonsense\r\n\r\n",
    "a header with a space in its name": b"GET / HTTP/1.1\r\n" + HOST + b"X Y: z\r\n\r\n",
    "a header with a null": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n" + TOKEN + b"\r\n",
    "a folded header": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n  b\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "two lengths": b"POST " + FLAG + b" HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "a negative length": b"POST " + FLAG + b" HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    "a length of words": b"POST " + FLAG + b" HTTP/1.1\r\n" + HOST + b"Content-Length: ten\r\n\r\n",
    "a length and chunks": b"POST "
    + FLAG
    + b" HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown transfer coding": b"POST " + FLAG + b" HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n",
    "a chunk size that is none": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than it says": CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
    "a chunk size without end": CHUNKED + b"0" * 20_000 + b"\r\n",
    "no method": b" / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a bare line feed": b"GET / HTTP/1.1\n" + HOST + b"\n",
    "garbage after a good request": b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n\x00\x01garbage\r\n\r\n",
    "a connect": b"CONNECT localhost:22 HTTP/1.1\r\n" + HOST + b"\r\n",
    "an upgrade with a tail": b"GET /healthz HTTP/1.1\r\n"
    + HOST
    + b"Connection: Upgrade\r\nUpgrade: x\r\n\r\n\x00\xff garbage\r\n\r\n",
    "a body that is not packed": b"POST "
    + FLAG
    + b" HTTP/1.1\r\n"
    + HOST
    + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "an expectation": b"POST " + FLAG + b" HTTP/1.1\r\n" + HOST + b"Expect: a miracle\r\nContent-Length: 2\r\n\r\n{}",
}


async def send(house: House, sent: bytes) -> bytes:
    """Send the bytes and hang up soon, because some of them look like an unfinished request."""
    try:
        return await send_raw(house.port, sent, within_s=0.3)
    except (TimeoutError, ConnectionError):
        return b""


async def test_malformed_requests_make_one_log_line(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """The log has no traceback, none of the bytes and no line per request: a scanner must not fill the disk."""
    caplog.set_level(logging.INFO)
    with structlog.testing.capture_logs() as written:
        for _ in range(2):
            await asyncio.gather(*(send(house, sent) for sent in MALFORMED.values()))
        assert ["requests that are not HTTP are refused"] == [line["event"] for line in written]
        house.clock.advance(timedelta(minutes=1))
        await send(house, MALFORMED["a header without colon"])
    assert 2 == len(written)
    assert 2 * 15 < written[1]["held_back"]
    assert [] == [(record.name, record.getMessage()) for record in caplog.records]
    assert CONTROL not in json.dumps(written)


@pytest.mark.parametrize("kind", MALFORMED)
async def test_malformed_request_reaches_no_handler_and_harms_nothing(open_house: OpenHouse, kind: str) -> None:
    """It gets a 4xx or no answer, and the next client is served."""
    house = await open_house(open_to_loopback=True)
    status = status_of(await send(house, MALFORMED[kind]))
    good = kind in ("a bare line feed", "garbage after a good request", "an upgrade with a tail")
    assert status in ((0, 200, 400) if good else (0, 400, 403, 404, 405, 417))
    assert 200 == status_of(await send_raw(house.port, b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"))


async def test_error_of_ours_is_logged_with_its_traceback(house: House) -> None:
    """Only errors caused by clients are shortened to one line."""
    from bot.web.server.server_log import ServerLog

    with structlog.testing.capture_logs() as written:
        try:
            raise ZeroDivisionError
        except ZeroDivisionError as error:
            ServerLog(house.clock).exception("Unhandled exception", exc_info=error)
    assert [("http.failed", "error", ZeroDivisionError)] == [
        (line["event"], line["log_level"], type(line["exc_info"])) for line in written
    ]
