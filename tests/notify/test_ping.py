"""The ping to an external monitor: every minute while the bot is well, and never a burden."""

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
    """Counts pings and answers with `status`; `unwell` is the bot's own trouble."""

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
async def monitored() -> AsyncIterator[Told]:
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


async def passes(monitored: Told, seconds: int) -> None:
    """Advance the time, calling `look` every second."""
    for _ in range(seconds):
        monitored[0].clock.advance(timedelta(seconds=1))
        await monitored[1].look()


async def test_ping_is_sent_at_once_and_every_minute(monitored: Told) -> None:
    """A monitor that allows two minutes raises no alarm while the bot is well."""
    await monitored[1].look()
    await passes(monitored, 119)

    assert ["GET /canary"] * 2 == monitored[0].asked
    assert ["taken"] * 2 == monitored[0].outcomes


async def test_no_ping_is_sent_while_the_bot_is_unwell(monitored: Told) -> None:
    """The silence is the alarm; it is counted once, and pings resume as soon as the bot is well."""
    monitored[0].unwell = "the ledger cannot be written: the disk is full"
    await passes(monitored, 300)
    assert ([], ["held_back"]) == (monitored[0].asked, monitored[0].outcomes)

    monitored[0].unwell = ""
    await passes(monitored, 1)
    assert 1 == len(monitored[0].asked)


@pytest.mark.parametrize(
    ("status", "why"),
    [(500, "it answers 500"), (404, "it answers 404"), (301, "it answers 301, a redirect; write the address that it leads to")],
)
async def test_refused_ping_is_trouble_until_one_succeeds(status: int, why: str, monitored: Told) -> None:
    """It is retried after a minute, and redirects are not followed."""
    monitored[0].status = status
    await monitored[1].look()
    assert (why, monitored[0].clock.now()) == (monitored[1].trouble, monitored[1].since)

    monitored[0].status = 200
    await passes(monitored, 60)
    assert ("", None, ["failed", "taken"]) == (monitored[1].trouble, monitored[1].since, monitored[0].outcomes)


async def test_unreachable_monitor_is_logged_once_without_its_address(monitored: Told) -> None:
    """Anybody who knows the address could fake our pings."""
    ping = Ping(
        "http://127.0.0.1:9/canary", Transport(guard=Guard(["127.0.0.0/8"])), monitored[0].clock, version="test", unwell=str,
        on_outcome=monitored[0].outcomes.append,
    )  # fmt: skip
    with structlog.testing.capture_logs() as logged:
        for _ in range(3):
            await ping.look()
            monitored[0].clock.advance(timedelta(minutes=1))
    await ping.close()

    assert ["no connection could be made"] == [line["why"] for line in logged]
    assert "canary" not in str(logged)
    assert ["failed"] * 3 == monitored[0].outcomes


async def test_shutdown_does_not_wait_for_a_ping(monitored: Told) -> None:
    """A ping under way must not delay it."""
    monitored[0].answers.clear()
    monitored[1].start()
    async with asyncio.timeout(5):
        while not monitored[0].asked:
            await asyncio.sleep(0.01)
        await monitored[1].close()

    assert [] == monitored[0].outcomes
    monitored[0].answers.set()
