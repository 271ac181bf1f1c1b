"""The TCP check against real sockets."""

import asyncio
import socket
import time
from datetime import UTC, datetime, timedelta

import pytest

from bot.checks.net.address_guard import Guard
from bot.checks.net.resolve import ThreadResolver
from bot.checks.tcp import TcpCheck, TcpProber
from bot.core.model import Fault, Outcome, Sample
from bot.system.clock import Clock, ManualClock, ScaledClock

START = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)


async def probed(
    check: TcpCheck, guard: Guard | None = None, resolver: ThreadResolver | None = None, clock: Clock | None = None
) -> Sample:
    resolver = resolver or ThreadResolver()
    prober = TcpProber(clock or ManualClock(START), resolver=resolver, guard=guard)
    try:
        return await prober.probe(check)
    finally:
        await prober.close()
        resolver.close()


def check(port: int, **changes: object) -> TcpCheck:
    return TcpCheck(**({"id": "db.main.port", "component": "db.main", "host": "127.0.0.1", "port": port} | changes))  # type: ignore[arg-type]


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def test_tcp_check_is_ok_when_the_port_accepts_a_connection() -> None:
    """The connection is opened, timed and closed."""
    gone = asyncio.Event()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        except ConnectionError:
            pass  # hung up by a reset, which is as good
        gone.set()
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    sample = await probed(check(server.sockets[0].getsockname()[1]))
    await asyncio.wait_for(gone.wait(), 5)
    server.close()
    assert (Outcome.OK, None, Fault.NONE) == (sample.outcome, sample.error, sample.fault)
    assert {"dns", "connect", "total"} == set(sample.phases_ms)
    assert sample.reason.startswith("connected after ")
    assert {"address": "127.0.0.1"} == dict(sample.evidence)
    assert START == sample.at


async def test_tcp_check_is_slow_when_connecting_exceeds_the_limit() -> None:
    """`under` bounds the total time, including the DNS lookup."""

    def slowly(host: str) -> tuple[str, ...]:
        time.sleep(0.02)
        return ("127.0.0.1",)

    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    wanted = check(port, host="slow.example", under=timedelta(milliseconds=10))
    sample = await probed(wanted, resolver=ThreadResolver(slowly))
    server.close()
    assert (Outcome.SLOW, None, Fault.THEIRS) == (sample.outcome, sample.error, sample.fault)
    assert sample.reason.endswith(", expected under 10 ms")


async def test_tcp_check_fails_when_the_connection_is_refused() -> None:
    """No process listens on the port."""
    sample = await probed(check(closed_port()))
    assert (Outcome.FAIL, "connect_refused", Fault.THEIRS) == (sample.outcome, sample.error, sample.fault)


async def test_tcp_check_is_inconclusive_when_the_address_is_blocked() -> None:
    """An address that our guard blocks is ours to fix."""
    sample = await probed(check(closed_port()), guard=Guard())
    assert (Outcome.FAIL, "address_refused", Fault.OURS_CONFIG) == (sample.outcome, sample.error, sample.fault)
    assert "list its network under allow_private" in sample.reason


@pytest.mark.parametrize(
    ("errno", "error", "fault"),
    [(socket.EAI_NONAME, "dns_nxdomain", Fault.THEIRS), (socket.EAI_AGAIN, "dns", Fault.UNCLEAR)],
)
async def test_tcp_check_fails_when_the_name_does_not_resolve(errno: int, error: str, fault: Fault) -> None:
    """A missing name is their fault; for a failing resolver the side is unclear."""

    def fail(host: str) -> tuple[str, ...]:
        raise socket.gaierror(errno, "no")

    sample = await probed(check(1, host="gone.example"), resolver=ThreadResolver(fail))
    assert (Outcome.FAIL, error, fault) == (sample.outcome, sample.error, sample.fault)


async def test_tcp_check_keeps_its_deadline_when_the_resolver_hangs() -> None:
    """The deadline covers the whole check, in scaled time: five seconds at fifty times the speed."""

    def hang(host: str) -> tuple[str, ...]:
        time.sleep(1)
        return ("127.0.0.1",)

    wanted = check(1, host="dead.example", deadline=timedelta(seconds=10))
    began = time.perf_counter()
    sample = await probed(wanted, resolver=ThreadResolver(hang), clock=ScaledClock(50, START))
    assert time.perf_counter() - began < 0.9
    assert sample.error in ("dns_timeout", "stalled")  # the latter on a busy machine
    assert sample.error == "stalled" or sample.reason == "no resolver answered within 10 s"
    assert 9_900 < sample.phases_ms["total"] < 40_000


async def test_tcp_check_is_inconclusive_when_the_event_loop_stalled() -> None:
    """Nobody can know whether the connection was there in time."""

    def hang(host: str) -> tuple[str, ...]:
        time.sleep(0.1)
        return ("127.0.0.1",)

    task = asyncio.create_task(
        probed(check(1, host="any.example", deadline=timedelta(seconds=0.05)), resolver=ThreadResolver(hang))
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    time.sleep(0.3)  # noqa: ASYNC251 # the stall that is meant
    sample = await task
    assert (Outcome.INCONCLUSIVE, "stalled", Fault.LOCAL) == (sample.outcome, sample.error, sample.fault)


async def test_tcp_check_reports_stale_addresses() -> None:
    """The evidence shows that an old DNS answer was used."""
    answers = iter([("127.0.0.1",)])

    def once(host: str) -> tuple[str, ...]:
        found = next(answers, None)
        if found is None:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return found

    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    resolver = ThreadResolver(once, ttl_s=0)
    prober = TcpProber(ManualClock(START), resolver=resolver)
    wanted = check(server.sockets[0].getsockname()[1], host="api.example")
    first, second = await prober.probe(wanted), await prober.probe(wanted)
    resolver.close()
    server.close()
    assert [None, "stale"] == [sample.evidence.get("dns") for sample in (first, second)]
    assert [Outcome.OK] * 2 == [first.outcome, second.outcome]
