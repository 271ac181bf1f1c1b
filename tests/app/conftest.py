"""One deployment per test, and a service that pages people."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.cli.deployment import Deployment, a_deployment
from tests.house import FLAG


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    """A folder, a workspace and a vendor; nothing runs yet."""
    async with a_deployment(tmp_path) as found:
        yield found


@dataclass
class Pager:
    """Whoever is called when Slack does not work."""

    port: int = 0
    got: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/page"

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(await request.json())
        return web.Response()

    async def hears(self, title: str = "") -> dict[str, Any]:
        """The first call with that in its title."""
        async with asyncio.timeout(60):
            while not (found := [call for call in self.got if title in call["title"]]):
                await asyncio.sleep(0.05)
        return found[0]


@pytest.fixture
async def pager() -> AsyncIterator[Pager]:
    """A service that accepts notices."""
    made = Pager()
    app = web.Application()
    app.router.add_post("/page", made.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


@pytest.fixture
async def engaged(tmp_path: Path) -> AsyncIterator[Deployment]:
    """A stopped deployment whose flag is engaged on gpt while an incident is open."""
    async with a_deployment(tmp_path) as found:
        found.configure()
        assert 0 == (await found.verb("incident", "declare", "Claude is down")).status
        assert 0 == (await found.verb("flags", "engage", FLAG, "gpt", "--reason", "down")).status
        yield found
