"""Connections without a complete request are dropped; complete requests are served, however many share one address."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from web_house import CONTROL, READ, CoreEngine, House

from bot.system.descriptors import complaint, server_limits
from bot.web.server.connections import Limits

HALF = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Never-Ends: "
WHOLE = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
BODY_TO_COME = (
    b"POST /ofrep/v1/evaluate/flags/on HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + READ.encode()
    + b"\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
)  # fmt: skip

DECLARE = (
    b"POST /api/v1/incidents HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + CONTROL.encode()
    + b"\r\nContent-Type: application/json\r\nContent-Length: 31\r\n\r\n" + b'{"title":"one","separate":true}'
)  # fmt: skip

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Crowd:
    """Connections to one server."""

    def __init__(self, port: int, engine: CoreEngine) -> None:
        self._port = port
        self.engine = engine
        self.all: list[Ends] = []

    async def says(self, words: bytes, sender: str = "127.0.0.1") -> Ends:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, local_addr=(sender, 0))
        writer.write(words)
        await writer.drain()
        self.all.append((reader, writer))
        return reader, writer

    async def busy(self, number: int) -> list[Ends]:
        """Complete requests whose answer is held back until the engine may go on."""
        self.engine.may_go_on.clear()
        found = [await self.says(DECLARE) for _ in range(number)]
        await asyncio.sleep(0.05)
        return found

    async def status(self, ends: Ends, words: bytes = b"") -> int:
        """The status of the next answer on a connection; 0 if the connection closed without an answer."""
        ends[1].write(words)
        try:
            async with asyncio.timeout(5.0):
                head = await ends[0].readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
        await ends[0].readexactly(length)
        return int(head.split()[1])


@asynccontextmanager
async def serving(limits: Limits) -> AsyncIterator[Crowd]:
    house = await House(read_tokens=(READ,), control_tokens=(CONTROL,)).open(limits=limits)
    crowd = Crowd(house.port, house.engine)
    try:
        yield crowd
    finally:
        for _, writer in crowd.all:
            writer.close()
        await house.close()


async def test_connection_is_closed_when_headers_never_end() -> None:
    """It is closed after a deadline, with 408."""
    async with serving(Limits(headers_within_s=0.1)) as crowd:
        assert 408 == await crowd.status(await crowd.says(HALF))


async def test_connection_is_closed_when_headers_trickle_in() -> None:
    """The deadline covers the whole header block, so a new byte does not extend it."""
    async with serving(Limits(headers_within_s=0.3)) as crowd:
        reader, writer = await crowd.says(HALF)

        async def drip() -> None:
            while True:
                writer.write(b"x")
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        assert 408 == await crowd.status((reader, writer))
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)


async def test_connection_is_closed_when_a_second_request_never_ends() -> None:
    """The deadline of a later request starts with its first byte, not with the connection."""
    async with serving(Limits(headers_within_s=0.2)) as crowd:
        ends = await crowd.says(WHOLE)
        assert 200 == await crowd.status(ends)
        await asyncio.sleep(0.3)  # idle for longer than the deadline: nothing is due
        assert 200 == await crowd.status(ends, WHOLE)
        assert 408 == await crowd.status(ends, HALF)


async def test_request_is_answered_when_half_open_connections_fill_every_slot() -> None:
    """The oldest half-open connections are closed to make room."""
    async with serving(Limits(most=10, unproven_of_one=10)) as crowd:
        for _ in range(40):
            await crowd.says(HALF)

        assert [200] * 5 == [await crowd.status(await crowd.says(WHOLE)) for _ in range(5)]


async def test_request_is_answered_when_bodiless_requests_fill_every_slot() -> None:
    """A client that withholds its body is closed as readily as a client that withholds its headers."""
    async with serving(Limits(most=5, unproven_of_one=5)) as crowd:
        for _ in range(8):
            await crowd.says(BODY_TO_COME)

        assert [200] * 5 == [await crowd.status(await crowd.says(WHOLE)) for _ in range(5)]


async def test_request_with_a_late_body_is_answered() -> None:
    """It is served while there is room, and also when complete requests fill every slot."""
    async with serving(Limits(most=3, unproven_of_one=3)) as crowd:
        late = await crowd.says(BODY_TO_COME)
        assert 200 == await crowd.status(await crowd.says(WHOLE))
        assert 200 == await crowd.status(late, b"{}")


async def test_complete_request_is_not_dropped_for_an_incomplete_one() -> None:
    """A connection counts as busy from the last byte of its request on."""
    async with serving(Limits(most=2, unproven_of_one=2)) as crowd:
        busy = await crowd.busy(2)
        assert 0 == await crowd.status(await crowd.says(BODY_TO_COME))
        crowd.engine.may_go_on.set()
        assert 0 not in [await crowd.status(ends) for ends in busy]


async def test_gateway_keeps_all_its_connections() -> None:
    """All requests behind a gateway share its address; complete requests do not count against that address."""
    async with serving(Limits(most=40, unproven_of_one=2)) as crowd:
        gateway = []
        for _ in range(30):
            gateway.append(await crowd.says(WHOLE))
            assert 200 == await crowd.status(gateway[-1])

        assert [200] * 30 == [await crowd.status(ends, WHOLE) for ends in gateway]


async def test_half_open_connections_of_one_address_replace_each_other() -> None:
    """Connections from other addresses are not affected."""
    async with serving(Limits(most=100, unproven_of_one=3)) as crowd:
        ends = [await crowd.says(HALF) for _ in range(5)]
        async with asyncio.timeout(5.0):
            gone = [await ends[n][0].read() for n in (0, 1)]

        assert [b"", b""] == gone


async def test_half_open_connections_of_one_address_spare_other_addresses() -> None:
    """A flood from one address costs its neighbours nothing while there is room."""
    async with serving(Limits(most=100, unproven_of_one=3)) as crowd:
        neighbour = await crowd.says(HALF, "127.0.0.2")
        for _ in range(8):
            await crowd.says(HALF)

        assert 200 == await crowd.status(await crowd.says(WHOLE))
        assert 200 == await crowd.status(neighbour, b"no\r\n\r\n")


async def test_idle_connection_is_closed_before_a_busy_one() -> None:
    """A request under way is not dropped for a new connection."""
    async with serving(Limits(most=3, unproven_of_one=3)) as crowd:
        busy = await crowd.busy(2)
        idle = await crowd.says(WHOLE)
        assert 200 == await crowd.status(idle)
        assert 200 == await crowd.status(await crowd.says(WHOLE))

        assert 0 == await crowd.status(idle, WHOLE)
        crowd.engine.may_go_on.set()
        assert 0 not in [await crowd.status(ends) for ends in busy]


async def test_new_connection_is_refused_when_all_are_busy() -> None:
    """There is no slot left, and no file descriptor for another connection."""
    async with serving(Limits(most=2, unproven_of_one=2)) as crowd:
        busy = await crowd.busy(2)
        assert 0 == await crowd.status(await crowd.says(WHOLE))
        crowd.engine.may_go_on.set()
        assert 0 not in [await crowd.status(ends) for ends in busy]


async def test_oldest_stalled_answer_is_dropped_for_a_new_connection() -> None:
    """A client that does not read its answer cannot block others for ever; only the oldest is dropped."""
    async with serving(Limits(most=2, unproven_of_one=2, busy_at_most_s=0.0)) as crowd:
        first, second = await crowd.busy(2)

        assert 200 == await crowd.status(await crowd.says(WHOLE))
        crowd.engine.may_go_on.set()
        assert [0, 200] == [await crowd.status(ends) for ends in (first, second)]


@pytest.mark.parametrize(
    ("limit", "in_use", "checks", "expected"),
    [(128, 20, 6, (42, 22)), (1024, 30, 20, (614, 128)), (65_536, 40, 10_000, (1024, 128)), (64, 60, 100, (16, 1))],
)
def test_server_leaves_file_descriptors_for_the_rest(limit: int, in_use: int, checks: int, expected: tuple[int, int]) -> None:
    """Some file descriptors are reserved for checks, ledger and Slack."""
    ours = server_limits(limit, in_use, checks)

    assert expected == (ours.connections, ours.backlog)


@pytest.mark.parametrize(("limit", "said"), [(128, True), (1024, False)])
def test_low_file_limit_is_reported(limit: int, said: bool) -> None:
    """At start and by `doctor`, with the remedy."""
    assert said is ("ulimit -n" in complaint(limit, 10))
