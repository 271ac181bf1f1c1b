"""The one address of the demo's replicas: spreads connections, and leaves out who does not answer."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from bot.demo.front import Front
from bot.web.app import WebError


class Behind:
    """A replica that answers each line with its own name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.place = ("", 0)
        self._open: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.place = (host, port)

    def die(self) -> None:
        self._server.close()
        for one in self._open:
            one.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.append(writer)
        with suppress(OSError):
            while line := await reader.readline():
                writer.write(f"{self.name} {line.decode()}".encode())
        writer.close()


@asynccontextmanager
async def three() -> AsyncIterator[tuple[Front, list[Behind]]]:
    behind = [Behind(name) for name in ("a", "b", "c")]
    for one in behind:
        await one.start()
    front = Front(lambda: [one.place for one in behind])
    await front.start("127.0.0.1", 0)
    yield front, behind
    await front.stop()
    for one in behind:
        one.die()


async def connect(front: Front) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", int(front.url.rpartition(":")[2]))


async def ask(front: Front, words: str = "hello") -> str:
    """One connection with one line; empty where nobody answers."""
    reader, writer = await connect(front)
    writer.write(f"{words}\n".encode())
    with suppress(OSError):
        answer = (await reader.readline()).decode().strip()
    writer.close()
    return answer


async def test_front_spreads_connections_over_all_who_answer() -> None:
    """Each gets its share."""
    async with three() as (front, _):
        answers = Counter([await ask(front) for _ in range(9)])

    assert Counter({"a hello": 3, "b hello": 3, "c hello": 3}) == answers


async def test_front_leaves_out_who_refuses_and_takes_who_comes_back() -> None:
    """Nobody is sent to a dead one; one that was started again is asked again, on whatever port."""
    async with three() as (front, behind):
        behind[1].die()
        without = {await ask(front) for _ in range(6)}
        await behind[1].start()
        again = {await ask(front) for _ in range(6)}

    assert {"a hello", "c hello"} == without
    assert {"a hello", "b hello", "c hello"} == again


async def test_front_hangs_up_where_the_replica_died() -> None:
    """Whoever waits for an answer learns at once that none comes."""
    async with three() as (front, behind):
        reader, writer = await connect(front)
        writer.write(b"who\n")
        name = (await reader.readline()).decode().split()[0]
        next(one for one in behind if one.name == name).die()
        async with asyncio.timeout(5):
            with suppress(ConnectionError):
                assert b"" == await reader.read()
        writer.close()


async def test_front_passes_on_whatever_is_said_however_long() -> None:
    """Not a byte less."""
    async with three() as (front, _):
        long = "x" * 50_000
        assert f"{long}" == (await ask(front, long)).partition(" ")[2]


async def test_front_closes_the_connection_where_nobody_answers() -> None:
    """As nobody would."""
    async with three() as (front, behind):
        for one in behind:
            one.die()
        assert "" == await ask(front)


async def test_front_names_an_address_that_is_taken() -> None:
    """In a sentence."""
    async with three() as (front, _):
        port = int(front.url.rpartition(":")[2])
        with pytest.raises(WebError, match=f"Cannot listen on 127.0.0.1:{port}: .*in use"):
            await Front(list).start("127.0.0.1", port)
