"""What services ask most goes a short way: it answers and refuses as the ordinary one does."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import HttpVersion11
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_parser import HttpRequestParser, RawRequestMessage
from multidict import CIMultiDict, CIMultiDictProxy
from raw_http import status_of
from web_house import CONTROL, READ, House, OpenHouse
from yarl import URL

from bot.core.model import Actor
from bot.core.signals import EngageFlag
from bot.web.server.bodies import BODY_BYTES
from bot.web.server.connections import Limits
from bot.web.server.immediate import Parser, PlainRequest

FLAGS = "/ofrep/v1/evaluate/flags"
BODIES = [
    b"", b"{}", b'{"context": {"targetingKey": "ana"}}', b'{"context": {"targetingKey": 7}}', b'{"context": []}', b"[1]",
    b"{", b"\xff", b"\xef\xbb\xbf{}", b'{"context": {"a": NaN}}', b"[" * 3_000, b'{"context": {"targetingKey": "\\ud800"}}',
    b" " * 70_000,
]  # fmt: skip
PATHS = [FLAGS, FLAGS + "/on", FLAGS + "/route", FLAGS + "/nope", FLAGS + "?rules=1", FLAGS + "/on?rules=1"]
TOKENS = [f"Authorization: Bearer {READ}", f"X-API-Key: {READ}", "Authorization: Bearer wrong", ""]
Told = tuple[int, dict[str, str], bytes]
LEFT_OUT = ("date", "connection", "keep-alive")  # of how it is sent, not of what is said


class Asker:
    """One connection that is kept, which asks again and again."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def ask(self, path: str, body: bytes = b"", *lines: str) -> Told:
        """Status, headers and body."""
        head = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", *filter(None, lines), "", ""]
        self.writer.write("\r\n".join(head).encode() + body)
        return await self.told()

    async def told(self) -> Told:
        """The next answer."""
        async with asyncio.timeout(5):
            answer = await self._reader.readuntil(b"\r\n\r\n")
            first, *rest = answer.decode().strip().split("\r\n")
            found = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
            length = int(found.get("content-length", "0"))
            return status_of(first.encode() + b"\r\n"), found, await self._reader.readexactly(length)

    async def rest(self) -> bytes:
        """What comes until the other side ends the connection."""
        return await self._reader.read()


@asynccontextmanager
async def asker(house: House) -> AsyncIterator[Asker]:
    """A new connection, whose other side is set up, so that what comes now may go the short way."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    await asyncio.sleep(0.01)
    try:
        yield Asker(reader, writer)
    finally:
        writer.close()


async def asked(house: House, path: str, body: bytes, *lines: str, close: bool) -> Told:
    """One answer; with `close` the request goes the ordinary way, since its connection ends with it."""
    async with asker(house) as one:
        return await one.ask(path, body, *lines, *(["Connection: close"] if close else []))


def said(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, dict[str, str], Any]:
    """Without what may differ."""
    status, found, body = answer
    kept = {name: value for name, value in found.items() if name not in LEFT_OUT}
    return status, kept, json.loads(body) if body else None


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", TOKENS)
async def test_both_ways_say_the_same(house: House, path: str, token: str) -> None:
    """For every body: status, headers and content, also when the same is asked again on a connection that is kept."""
    async with asker(house) as kept:
        for body in BODIES:
            ordinary = said(await asked(house, path, body, token, close=True))
            if len(body) > BODY_BYTES:  # that ends the connection
                assert ordinary == said(await asked(house, path, body, token, close=False))
                continue
            assert [ordinary] * 2 == [said(await kept.ask(path, body, token)) for _ in range(2)], body[:60]


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


async def test_what_changed_is_told_to_who_asks_again(house: House) -> None:
    """Only the question is remembered, never its answer."""
    engage = EngageFlag(Actor.operator("ana"), flag="support-chat.llm", variant="", reason="claude is down")
    async with asker(house) as one:
        before = await one.ask(f"{FLAGS}/support-chat.llm", b"{}", TOKENS[0])
        assert (await house.engine.handle(engage)).ok
        after = await one.ask(f"{FLAGS}/support-chat.llm", b"{}", TOKENS[0])
    assert ["normal", "engaged"] == [said(told)[2]["metadata"]["phase"] for told in (before, after)]


async def test_every_request_is_looked_at_for_itself(house: House) -> None:
    """One with another token, path or body gets nothing that was found out about the one before."""
    async with asker(house) as one:
        right, wrong = TOKENS[0], TOKENS[2]
        asked_for = [(f"{FLAGS}/on", right), (f"{FLAGS}/nope", right), (f"{FLAGS}/on", wrong), (f"{FLAGS}/on", "")]
        assert [200, 404, 401, 401] == [(await one.ask(path, b"", token))[0] for path, token in asked_for]
        for name in (b"ana", b"bob"):
            await one.ask(f"{FLAGS}/on", b'{"context": {"targetingKey": "%b"}}' % name, right)
    assert {"ana", "bob"} <= {reader.name for reader in house.board.readers_of("on")}


async def test_small_body_in_pieces_is_waited_for_while_others_are_answered(house: House) -> None:
    """It is answered with its last piece, and what came on the same connection meanwhile after it."""
    body = b'{"context": {"targetingKey": "ana"}}'
    head = f"POST {FLAGS}/on HTTP/1.1\r\nHost: x\r\n{TOKENS[0]}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    async with asker(house) as one:
        for piece in (head, body[:9]):
            one.writer.write(piece)
            await asyncio.sleep(0.02)
        assert 200 == (await asked(house, f"{FLAGS}/on", b"", TOKENS[0], close=False))[0]
        one.writer.write(body[9:] + head.replace(b"/on ", b"/nope ") + body)
        assert [200, 404] == [(await one.told())[0], (await one.told())[0]]


async def test_body_that_does_not_come_ends_the_connection() -> None:
    """By the time by which its headers had to be there."""
    house = await House(read_tokens=(READ,)).open(limits=Limits(headers_within_s=0.05))
    try:
        async with asker(house) as one:
            await one.ask(f"{FLAGS}/on", b"", TOKENS[0])
            one.writer.write(f"POST {FLAGS}/on HTTP/1.1\r\nHost: x\r\n{TOKENS[0]}\r\nContent-Length: 9\r\n\r\n{{".encode())
            assert 408 == (await one.told())[0]
    finally:
        await house.close()


@pytest.mark.parametrize(("count", "size", "kept"), [(5, 50, True), (40, 5, False), (5, 4_096, False)])
def test_little_is_kept_of_a_connection(count: int, size: int, kept: bool) -> None:
    """Of a request with many headers, or with large ones, nothing is remembered, however often it is asked."""
    sent = tuple((f"X-{n}".encode(), b"x" * (size - 4)) for n in range(count))
    headers = CIMultiDictProxy(CIMultiDict({name.decode(): value.decode() for name, value in sent}))
    message = RawRequestMessage("POST", FLAGS, HttpVersion11, headers, sent, False, None, False, False, URL(FLAGS))
    assert PlainRequest(message, "127.0.0.1", None).worth_keeping is kept


async def test_the_time_for_headers_ends_with_the_answer() -> None:
    """A head in two pieces that was answered is not held against the connection later."""
    house = await House(read_tokens=(READ,)).open(limits=Limits(headers_within_s=0.1))
    try:
        async with asker(house) as one:
            for piece in (
                f"POST {FLAGS}/on HT".encode(),
                f"TP/1.1\r\nHost: x\r\n{TOKENS[0]}\r\nContent-Length: 0\r\n\r\n".encode(),
            ):
                one.writer.write(piece)
                await asyncio.sleep(0.02)
            assert 200 == (await one.told())[0]
            await asyncio.sleep(0.15)
            assert 200 == (await one.ask(f"{FLAGS}/on", b"", TOKENS[0]))[0]
    finally:
        await house.close()


async def test_a_connection_that_asks_again_is_not_idle() -> None:
    """However long ago it was opened, it is ended for silence alone."""
    house = await House(read_tokens=(READ,)).open(limits=Limits(idle_at_most_s=0.2))
    try:
        async with asker(house) as one:
            for _ in range(6):
                assert 200 == (await one.ask(f"{FLAGS}/on", b"", TOKENS[0]))[0]
                await asyncio.sleep(0.07)
            async with asyncio.timeout(5):
                assert b"" == await one.rest()
    finally:
        await house.close()


async def test_who_wants_the_connection_ended_gets_that(house: House) -> None:
    """`Connection: close` goes the ordinary way, with its answer as the last thing sent."""
    async with asker(house) as one, asyncio.timeout(5):
        assert 200 == (await one.ask(f"{FLAGS}/on", b"", TOKENS[0], "Connection: close"))[0]
        assert b"" == await one.rest()


@dataclass
class Peer:
    """A connection, from the server's side, in one of its states."""

    idle: bool = True
    writing_paused: bool = False
    peer: str = "127.0.0.1"
    transport: Any = None

    def waits(self) -> bool:
        return self.idle

    def asks(self) -> None: ...

    def asked(self) -> None: ...


@dataclass
class Answering:
    """Wants every request."""

    open: bool = True

    def wants(self, message: RawRequestMessage) -> bool:
        return True

    def answer(self, request: PlainRequest, body: bytes) -> bytes:
        raise AssertionError("it is not the time to answer")


@pytest.mark.parametrize(
    ("peer", "answering"),
    [(Peer(idle=False), Answering()), (Peer(writing_paused=True), Answering()), (Peer(), Answering(open=False))],
    ids=["an earlier one is still answered", "nobody takes the answers", "another server takes over"],
)
async def test_a_request_waits_its_turn(peer: Peer, answering: Answering) -> None:
    """It goes to the server, which answers one after the other and waits for who reads slowly."""
    protocol = BaseProtocol(asyncio.get_running_loop())
    inner = HttpRequestParser(protocol, asyncio.get_running_loop(), 2**16, max_msg_queue_size=2)
    request = f"POST {FLAGS}/on HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode()
    [(message, _)], upgraded, _ = Parser(inner, peer, answering).feed_data(request)
    assert (f"{FLAGS}/on", False) == (message.path, upgraded)
