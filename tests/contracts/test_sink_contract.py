"""What every sink guarantees, whatever it writes to: it may be told anything twice, and restores what it found."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from aiohttp import web

from bot.flags.sinks.envoy_rds import EnvoyRds
from bot.flags.sinks.flagd_file import FlagdFile
from bot.flags.sinks.unleash import Unleash
from bot.flags.sinks.web import SinkClient
from bot.flags.sinks.webhook import Webhook
from bot.ports.sinks import Sink, Target
from tests.flags.local_unleash import TOKEN, local_unleash, strategy
from tests.flags.test_envoy_rds import team_s

FLAG = "support-chat.llm"
NORMAL = Target(FLAG, "", 0, "claude", {"claude": 1, "gpt": 2}, definitions={"flags": {FLAG: {"defaultVariant": "claude"}}})
AWAY = replace(
    NORMAL, variant="gpt", definitions={"flags": {FLAG: {"defaultVariant": "gpt"}}, "metadata": {"flagSetId": "understudy"}}
)

Shows = Callable[[], Awaitable[str]]
Stand = tuple[Sink, Shows]  # a sink, and what somebody else finds where it writes to


@asynccontextmanager
async def a_flagd_file(folder: Path) -> AsyncIterator[Stand]:
    file = folder / "flags.json"
    file.write_text(json.dumps({"flags": {"another": {}}}))

    async def shows() -> str:
        return file.read_text()

    yield FlagdFile(file), shows


@asynccontextmanager
async def a_webhook(folder: Path) -> AsyncIterator[Stand]:
    """The receiver keeps the last state it received, which begins as the default."""
    last = ["claude"]

    async def take(request: web.Request) -> web.Response:
        last[0] = (await request.json())["data"]["variant"]
        return web.Response(status=204)

    async def shows() -> str:
        return last[0]

    async with served(take) as url:
        client = SinkClient(httpx.AsyncHTTPTransport(), version="test")
        yield Webhook(client, f"{url}/flags", "secret", lambda: datetime(2026, 3, 20, tzinfo=UTC)), shows
        await client.close()


@asynccontextmanager
async def an_envoy_rds(folder: Path) -> AsyncIterator[Stand]:
    file = folder / "llm.json"
    file.write_text(team_s({"cluster": "anthropic", "timeout": "60s"}, {"cluster": "billing"}))

    async def shows() -> str:
        return file.read_text()

    yield EnvoyRds(file, "llm", {"claude": "anthropic", "gpt": "openai"}, None, ""), shows


@asynccontextmanager
async def an_unleash(folder: Path) -> AsyncIterator[Stand]:
    async with local_unleash(strategies=[strategy("team's", "20")], enabled=True) as there:
        client = SinkClient(httpx.AsyncHTTPTransport(), version="test")

        async def shows() -> str:
            return json.dumps([there.enabled, there.strategies])

        yield Unleash(client, there.url, "default", "production", "use-gpt", TOKEN, ["gpt"]), shows
        await client.close()


@asynccontextmanager
async def served(take: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """A real server whose handler is `take`; yields its address."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


SINKS = {"flagd_file": a_flagd_file, "webhook": a_webhook, "envoy_rds": an_envoy_rds, "unleash": an_unleash}


@pytest_asyncio.fixture(params=SINKS)
async def stand(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stand]:
    async with SINKS[request.param](tmp_path) as made:
        yield made


async def test_plan_changes_nothing(stand: Stand) -> None:
    """The doctor may run it as often as it likes."""
    sink, shows = stand
    before = await shows()
    await sink.plan(AWAY)

    assert before == await shows()


async def test_applying_twice_is_the_same_as_once(stand: Stand) -> None:
    """An answer may get lost."""
    sink, shows = stand
    first, there = await sink.apply(AWAY), await shows()
    second = await sink.apply(AWAY)

    assert (first, there) == (second, await shows())


async def test_written_state_is_read_back(stand: Stand) -> None:
    """Until somebody changes it."""
    sink, _ = stand
    put = await sink.apply(AWAY)

    assert [put, put] == [await sink.read_back(), await sink.read_back()]


async def test_original_state_is_restored(stand: Stand) -> None:
    """From what the plan returned, stored as text meanwhile."""
    sink, shows = stand
    before = await shows()
    kept = (await sink.plan(AWAY)).before
    await sink.apply(AWAY)
    assert before != await shows()
    await sink.revert(NORMAL, kept)

    assert before == await shows()


async def test_restoring_twice_is_the_same_as_once(stand: Stand) -> None:
    """A bot may be killed right after it."""
    sink, shows = stand
    before, kept = await shows(), (await sink.plan(AWAY)).before
    await sink.apply(AWAY)
    await sink.revert(NORMAL, kept)
    await sink.revert(NORMAL, kept)

    assert before == await shows()


async def test_plan_describes_what_would_be_done(stand: Stand) -> None:
    """For the doctor's list."""
    sink, _ = stand

    assert re.search("gpt|openai 100 %|Understudy 100 %", (await sink.plan(AWAY)).words)
