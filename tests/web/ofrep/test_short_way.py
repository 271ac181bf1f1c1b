"""What services ask most goes a short way: it answers and refuses as the ordinary one does."""

import asyncio
import json
from typing import Any

import pytest
from raw_http import status_of
from web_house import CONTROL, READ, House, OpenHouse

from bot.web.server.connections import Limits

FLAGS = "/ofrep/v1/evaluate/flags"
BODIES = [
    b"", b"{}", b'{"context": {"targetingKey": "ana"}}', b'{"context": {"targetingKey": 7}}', b'{"context": []}', b"[1]",
    b"{", b"\xff", b"\xef\xbb\xbf{}", b'{"context": {"a": NaN}}', b"[" * 3_000, b'{"context": {"targetingKey": "\\ud800"}}',
    b" " * 70_000,
]  # fmt: skip
PATHS = [FLAGS, FLAGS + "/on", FLAGS + "/route", FLAGS + "/nope", FLAGS + "?rules=1", FLAGS + "/on?rules=1"]
TOKENS = [f"Authorization: Bearer {READ}", f"X-API-Key: {READ}", "Authorization: Bearer wrong", ""]
LEFT_OUT = ("date", "connection", "keep-alive")  # of how it is sent, not of what is said


async def asked(house: House, path: str, body: bytes, *lines: str, close: bool) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body; with `close` the request goes the ordinary way, since its connection ends with it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    head = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{house.port}", f"Content-Length: {len(body)}", *filter(None, lines)]
    writer.write("\r\n".join([*head, *(["Connection: close"] if close else []), "", ""]).encode() + body)
    try:
        async with asyncio.timeout(5):
            answer = await reader.readuntil(b"\r\n\r\n")
            first, *rest = answer.decode().strip().split("\r\n")
            found = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
            length = int(found.get("content-length", "0"))
            return status_of(first.encode() + b"\r\n"), found, await reader.readexactly(length)
    finally:
        writer.close()


def said(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, dict[str, str], Any]:
    """Without what may differ."""
    status, found, body = answer
    kept = {name: value for name, value in found.items() if name not in LEFT_OUT}
    return status, kept, json.loads(body) if body else None


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", TOKENS)
async def test_both_ways_say_the_same(house: House, path: str, token: str) -> None:
    """For every body: status, headers and content."""
    for body in BODIES:
        short, ordinary = [await asked(house, path, body, token, close=close) for close in (False, True)]
        assert said(ordinary) == said(short), body[:60]


@pytest.mark.parametrize("path", [FLAGS, FLAGS + "?rules=1"])
async def test_known_answer_is_not_sent_again(house: House, path: str) -> None:
    """On both ways, and under a tag made weak by a proxy."""
    _, found, _ = await asked(house, path, b"", TOKENS[0], close=False)
    for close in (False, True):
        for tag in (found["etag"], f"W/{found['etag']}", f'"other", {found["etag"]}'):
            status, _, body = await asked(house, path, b"", TOKENS[0], f"If-None-Match: {tag}", close=close)
            assert (304, b"") == (status, body)


async def test_unread_answers_are_not_piled_up(open_house: OpenHouse) -> None:
    """Whoever asks on without reading is waited for: the next request is taken once there is room for its answer."""
    house = await open_house(read_tokens=(READ,))
    _, writer = await asyncio.open_connection("127.0.0.1", house.port)
    request = f"POST {FLAGS} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {READ}\r\nContent-Length: 0\r\n\r\n".encode()
    writer.write(request * 20_000)
    counted = 0
    for _ in range(50):
        await asyncio.sleep(0.01)
        before, counted = counted, counted + sum(house.board.take_reads().values())
        if counted and counted == before:
            break
    writer.close()
    assert 0 < counted < 20_000 * len(house.board.snapshot.entries)


async def test_state_is_awaited(open_house: OpenHouse) -> None:
    """Before it is restored nobody gets a flag."""
    house = await open_house(restored=False, read_tokens=(READ,))
    assert 503 == (await asked(house, FLAGS + "/on", b"", TOKENS[0], close=False))[0]


async def test_body_in_pieces_is_answered(house: House) -> None:
    """It goes the ordinary way, which waits for it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    head = f"POST {FLAGS}/on HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {READ}\r\nContent-Length: 15\r\n\r\n"
    for piece in (head.encode(), b'{"context"', b": {}"):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.02)
    writer.write(b"}")
    async with asyncio.timeout(5):
        assert b" 200 " in await reader.readuntil(b"\r\n")
    writer.close()


async def test_connection_that_was_answered_is_idle() -> None:
    """It gives way before one that is busy, as any other."""
    house = await House(read_tokens=(READ,), control_tokens=(CONTROL,)).open(limits=Limits(most=1))
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(f"POST {FLAGS}/on HTTP/1.1\r\nHost: x\r\nX-API-Key: {READ}\r\nContent-Length: 0\r\n\r\n".encode())
        assert b" 200 " in await reader.readuntil(b"\r\n")
        assert 200 == (await asked(house, FLAGS + "/on", b"", TOKENS[0], close=False))[0]
        writer.close()
    finally:
        await house.close()
