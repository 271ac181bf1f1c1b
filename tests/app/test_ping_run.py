"""`understudy run` with `server.ping_url`: another monitor is pinged while the bot is well, and only then."""

import asyncio
import signal

from tests.app.ledger.test_full_disk import make_room
from tests.cli.deployment import Deployment

PING = "/canary-ping"


def pinging(deployment: Deployment, port: int) -> None:
    made = deployment.settings()
    made["server"] |= {"ping_url": f"http://127.0.0.1:{port}{PING}"}
    deployment.configure(made)


async def test_monitor_is_pinged_once_the_ledger_can_be_written(deployment: Deployment) -> None:
    """On a full disk the bot runs and serves flags, but sends no ping."""
    await (await deployment.ready_bot()).ends(signal.SIGTERM)
    pinging(deployment, deployment.vendor.port)
    bot = await deployment.bot(most_bytes=16 * 1024)  # less than SQLite needs to open a file for writing
    await bot.says("no ping is sent: the bot is not healthy")
    assert "the disk is full" in bot.output
    assert PING not in deployment.vendor.paths

    make_room(bot)
    async with asyncio.timeout(20):
        while PING not in deployment.vendor.paths:
            await asyncio.sleep(0.05)


async def test_failed_ping_is_shown_and_stops_nothing(deployment: Deployment) -> None:
    """In /readyz and metrics, without its address, which is a secret."""
    pinging(deployment, 9)
    bot = await deployment.ready_bot()
    part = await bot.part("ping", bool)
    scraped = (await bot.asks("GET", "/metrics")).text
    await bot.sees("operational")

    assert (
        "The monitor behind server.ping_url does not hear that we are alive: no connection could be made." == part["sentence"]
    )
    assert 'understudy_pings_total{outcome="failed"} 1.0' in scraped
    assert 200 == (await bot.asks("GET", "/readyz")).status
    assert "canary" not in bot.output + "".join(bot.answers)
