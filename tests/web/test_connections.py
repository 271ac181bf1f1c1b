"""Who holds on to the server without a request is let go of; who has one is served, however many come from one address."""

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
        """Whole requests whose answer takes as long as the engine may not go on."""
        self.engine.may_go_on.clear()
        found = [await self.says(DECLARE) for _ in range(number)]
        await asyncio.sleep(0.05)
        return found

    async def status(self, ends: Ends, words: bytes = b"") -> int:
        """The status of the next answer on a connection; 0 where it was closed without one."""
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


async def test_headers_that_never_end_are_given_up() -> None:
    """After a deadline, with 408."""
    async with serving(Limits(headers_within_s=0.1)) as crowd:
        assert 408 == await crowd.status(await crowd.says(HALF))


async def test_headers_that_come_byte_by_byte_are_given_up() -> None:
    """The deadline is for all of them: no byte puts it off."""
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


async def test_a_second_request_that_never_ends_is_given_up() -> None:
    """The deadline begins with its first byte, not with the connection."""
    async with serving(Limits(headers_within_s=0.2)) as crowd:
        ends = await crowd.says(WHOLE)
        assert 200 == await crowd.status(ends)
        await asyncio.sleep(0.3)  # idle for longer than the deadline: nothing is due
        assert 200 == await crowd.status(ends, WHOLE)
        assert 408 == await crowd.status(ends, HALF)


async def test_a_request_is_answered_when_half_open_ones_fill_every_place() -> None:
    """The oldest of them make room."""
    async with serving(Limits(most=10, unproven_of_one=10)) as crowd:
        for _ in range(40):
            await crowd.says(HALF)

        assert [200] * 5 == [await crowd.status(await crowd.says(WHOLE)) for _ in range(5)]


async def test_a_request_is_answered_when_others_with_missing_bodies_fill_every_place() -> None:
    """Headers alone prove nothing: whoever keeps back the body makes room like whoever keeps back the headers."""
    async with serving(Limits(most=5, unproven_of_one=5)) as crowd:
        for _ in range(8):
            await crowd.says(BODY_TO_COME)

        assert [200] * 5 == [await crowd.status(await crowd.says(WHOLE)) for _ in range(5)]


async def test_a_request_whose_body_comes_late_is_answered() -> None:
    """As long as there is room, and also when all its places are taken by others that are whole."""
    async with serving(Limits(most=3, unproven_of_one=3)) as crowd:
        late = await crowd.says(BODY_TO_COME)
        assert 200 == await crowd.status(await crowd.says(WHOLE))
        assert 200 == await crowd.status(late, b"{}")


async def test_a_whole_request_is_not_cut_off_for_one_without_its_body() -> None:
    """Its connection counts as busy from its last byte on."""
    async with serving(Limits(most=2, unproven_of_one=2)) as crowd:
        busy = await crowd.busy(2)
        assert 0 == await crowd.status(await crowd.says(BODY_TO_COME))
        crowd.engine.may_go_on.set()
        assert 0 not in [await crowd.status(ends) for ends in busy]


async def test_a_gateway_keeps_all_its_connections() -> None:
    """Everybody's requests come from one address: what has sent a whole request is not counted against it."""
    async with serving(Limits(most=40, unproven_of_one=2)) as crowd:
        gateway = []
        for _ in range(30):
            gateway.append(await crowd.says(WHOLE))
            assert 200 == await crowd.status(gateway[-1])

        assert [200] * 30 == [await crowd.status(ends, WHOLE) for ends in gateway]


async def test_half_open_ones_of_one_address_push_each_other_out() -> None:
    """Not others."""
    async with serving(Limits(most=100, unproven_of_one=3)) as crowd:
        ends = [await crowd.says(HALF) for _ in range(5)]
        async with asyncio.timeout(5.0):
            gone = [await ends[n][0].read() for n in (0, 1)]

        assert [b"", b""] == gone


async def test_half_open_ones_of_one_address_do_not_push_out_those_of_another() -> None:
    """A crowd costs its neighbours nothing as long as there is room."""
    async with serving(Limits(most=100, unproven_of_one=3)) as crowd:
        neighbour = await crowd.says(HALF, "127.0.0.2")
        for _ in range(8):
            await crowd.says(HALF)

        assert 200 == await crowd.status(await crowd.says(WHOLE))
        assert 200 == await crowd.status(neighbour, b"no\r\n\r\n")


async def test_an_idle_connection_makes_room_before_a_busy_one() -> None:
    """Whoever has a request under way is not cut off for a newcomer."""
    async with serving(Limits(most=3, unproven_of_one=3)) as crowd:
        busy = await crowd.busy(2)
        idle = await crowd.says(WHOLE)
        assert 200 == await crowd.status(idle)
        assert 200 == await crowd.status(await crowd.says(WHOLE))

        assert 0 == await crowd.status(idle, WHOLE)
        crowd.engine.may_go_on.set()
        assert 0 not in [await crowd.status(ends) for ends in busy]


async def test_a_newcomer_is_turned_away_when_all_are_busy() -> None:
    """There is no room, and no file for one more."""
    async with serving(Limits(most=2, unproven_of_one=2)) as crowd:
        busy = await crowd.busy(2)
        assert 0 == await crowd.status(await crowd.says(WHOLE))
        crowd.engine.may_go_on.set()
        assert 0 not in [await crowd.status(ends) for ends in busy]


async def test_an_answer_that_takes_too_long_makes_room_for_a_newcomer() -> None:
    """Whoever does not take what they asked for keeps nobody out for ever; the oldest goes, and only that one."""
    async with serving(Limits(most=2, unproven_of_one=2, busy_at_most_s=0.0)) as crowd:
        first, second = await crowd.busy(2)

        assert 200 == await crowd.status(await crowd.says(WHOLE))
        crowd.engine.may_go_on.set()
        assert [0, 200] == [await crowd.status(ends) for ends in (first, second)]


@pytest.mark.parametrize(
    ("limit", "in_use", "checks", "expected"),
    [(128, 20, 6, (42, 22)), (1024, 30, 20, (614, 128)), (65_536, 40, 10_000, (1024, 128)), (64, 60, 100, (16, 1))],
)
def test_the_server_takes_what_the_rest_can_spare(limit: int, in_use: int, checks: int, expected: tuple[int, int]) -> None:
    """Files are kept back for checks, ledger and Slack."""
    ours = server_limits(limit, in_use, checks)

    assert expected == (ours.connections, ours.backlog)


@pytest.mark.parametrize(("limit", "said"), [(128, True), (1024, False)])
def test_a_low_limit_is_complained_of(limit: int, said: bool) -> None:
    """At start and by `doctor`, with what to do."""
    assert said is ("ulimit -n" in complaint(limit, 10))
