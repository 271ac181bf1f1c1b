"""The sign of life to another monitor: every minute while the bot is well, and never a burden."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from aiohttp import web

from bot.checks.net.address_guard import Guard
from bot.checks.net.resolve import ThreadResolver, machine_look_up
from bot.checks.net.transport import Transport
from bot.checks.net.trust_store import tls_context
from bot.notify.ping import Ping
from bot.system.clock import ManualClock


@dataclass
class Monitor:
    """Counts pings and answers as it is told; `unwell` is what the bot says of itself."""

    status: int = 200
    asked: list[str] = field(default_factory=list)
    unwell: str = ""
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    outcomes: list[str] = field(default_factory=list)
    clock: ManualClock = field(default_factory=lambda: ManualClock(datetime(2026, 3, 20, 12, 0, tzinfo=UTC)))

    async def take(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path}")
        await self.answers.wait()
        return web.Response(status=self.status, headers={"location": "/elsewhere"} if self.status == 301 else {})


Told = tuple[Monitor, Ping]


@pytest.fixture
async def told() -> AsyncIterator[Told]:
    """A monitor, and the ping to it."""
    monitor, app, resolver = Monitor(), web.Application(), ThreadResolver(machine_look_up)
    monitor.answers.set()
    app.router.add_route("*", "/{tail:.*}", monitor.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    transport = Transport(ssl_context=tls_context(), resolver=resolver, guard=Guard(["127.0.0.0/8"]), version="test")
    ping = Ping(
        f"http://127.0.0.1:{runner.addresses[0][1]}/canary", transport, monitor.clock, version="test",
        unwell=lambda: monitor.unwell, on_outcome=monitor.outcomes.append,
    )  # fmt: skip
    yield monitor, ping
    await ping.close()
    await runner.cleanup()
    resolver.close()


async def passes(told: Told, seconds: int) -> None:
    """Let time pass, looking every second."""
    for _ in range(seconds):
        told[0].clock.advance(timedelta(seconds=1))
        await told[1].look()


async def test_a_ping_goes_out_at_once_and_every_minute(told: Told) -> None:
    """A monitor that allows for two minutes is never alarmed by a bot that is well."""
    await told[1].look()
    await passes(told, 119)

    assert ["GET /canary"] * 2 == told[0].asked
    assert ["taken"] * 2 == told[0].outcomes


async def test_no_ping_goes_out_while_the_bot_is_not_well(told: Told) -> None:
    """The silence is the alarm; it is counted once, and over as soon as the bot is well again."""
    told[0].unwell = "the ledger cannot be written: the disk is full"
    await passes(told, 300)
    assert ([], ["held_back"]) == (told[0].asked, told[0].outcomes)

    told[0].unwell = ""
    await passes(told, 1)
    assert 1 == len(told[0].asked)


@pytest.mark.parametrize(
    ("status", "why"),
    [(500, "it answers 500"), (404, "it answers 404"), (301, "it answers 301, a redirect; write the address that it leads to")],
)
async def test_a_ping_that_is_refused_is_named_until_one_is_taken(status: int, why: str, told: Told) -> None:
    """It is tried again with the next minute, and a redirect is not followed to who knows whom."""
    told[0].status = status
    await told[1].look()
    assert (why, told[0].clock.now()) == (told[1].trouble, told[1].since)

    told[0].status = 200
    await passes(told, 60)
    assert ("", None, ["failed", "taken"]) == (told[1].trouble, told[1].since, told[0].outcomes)


async def test_a_monitor_that_is_gone_is_said_once_without_its_address(told: Told) -> None:
    """Whoever knows the address can feign that we are alive."""
    ping = Ping(
        "http://127.0.0.1:9/canary", Transport(guard=Guard(["127.0.0.0/8"])), told[0].clock, version="test", unwell=str,
        on_outcome=told[0].outcomes.append,
    )  # fmt: skip
    with structlog.testing.capture_logs() as logged:
        for _ in range(3):
            await ping.look()
            told[0].clock.advance(timedelta(minutes=1))
    await ping.close()

    assert ["no connection could be made"] == [line["why"] for line in logged]
    assert "canary" not in str(logged)
    assert ["failed"] * 3 == told[0].outcomes


async def test_the_end_waits_for_no_monitor(told: Told) -> None:
    """A ping under way does not keep the bot from ending."""
    told[0].answers.clear()
    told[1].start()
    async with asyncio.timeout(5):
        while not told[0].asked:
            await asyncio.sleep(0.01)
        await told[1].close()

    assert [] == told[0].outcomes
    told[0].answers.set()
