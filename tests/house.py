"""A complete deployment for tests: Bolt over a real websocket, HTTP vendors, SQLite; time is moved by hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from bot.app import App, build
from bot.config.load import load
from bot.core.effects import EffectBody
from bot.engine.outbox import OutboxTiming
from bot.ports import Notifier, NotifyResult
from bot.sandbox.slack import CommandSpec, LocalWorkspace, Person
from bot.sandbox.slack.records import Settings, tiers_per_minute
from bot.slack.gateway import GatewayTiming
from bot.slack.scopes import EVENTS
from bot.system.clock import ManualClock
from bot.wiring.parts import Parts
from commands.table import words
from tests.engine.stand import Script

# Slack's own limits and our own waits are tested elsewhere; here a conversation of an hour should take a second.
PACE = OutboxTiming(settle_for=timedelta(seconds=0.3), first_wait=timedelta(seconds=0.05))
PATIENCE = GatewayTiming(
    timeout_s=2.0, post_every_s=0.0, edit_every_s=0.0, home_every_s=0.001, share_looks_s=(0.03, 0.05, 0.1, 0.2, 0.5)
)
LOOSE = Settings(
    messages_per_s=1000.0, messages_burst=1000, file_share_after_s=0.01, events=frozenset(EVENTS),
    tier_per_minute=dict.fromkeys(tiers_per_minute(), 10_000),
)  # fmt: skip

BOTH_WAYS = pytest.mark.parametrize("house", ["socket", "http"], indirect=True)  # how Slack reaches the bot

START = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
SOON_S = 10.0
FLAG = "support-chat.llm"


class HandTicker:
    """A `Ticker` that beats when it is told to."""

    def __init__(self) -> None:
        self._beats: tuple[Callable[[], None], Callable[[], Awaitable[None]]] | None = None

    def start(self, beat: Callable[[], None], look: Callable[[], Awaitable[None]], every_s: float) -> None:
        self._beats = beat, look

    def expect(self, at: datetime | None) -> None:
        return

    async def stop(self) -> None:
        self._beats = None

    async def beat(self) -> None:
        if self._beats is not None:
            beat, look = self._beats
            beat()
            await look()


@dataclass
class Vendor:
    """One HTTP server for all components: `/anthropic/api` answers with the status in `answers`, by default 200."""

    answers: dict[str, int] = field(default_factory=dict)
    page: dict[str, Any] = field(default_factory=lambda: {"components": [], "incidents": [], "page": {}, "status": {}})
    port: int = 0
    asked: int = 0
    paths: set[str] = field(default_factory=set)
    on_answer: Callable[[str, int], object] = lambda component, status: None

    def application(self) -> web.Application:
        async def answer(request: web.Request) -> web.Response:
            self.asked += 1
            self.paths.add(request.path)
            if request.path == "/page":
                return web.json_response(self.page)
            component = request.path.strip("/").replace("/", ".")
            status = self.answers.get(component, 200)
            self.on_answer(component, status)
            return web.json_response({"path": request.path}, status=status, headers={"request-id": "req_test_1"})

        app = web.Application()
        app.router.add_get("/{tail:.*}", answer)
        return app


def settings(workspace: LocalWorkspace, vendor: Vendor, **changes: Any) -> dict[str, Any]:
    """An ordinary configuration; `changes` replace whole sections, `slack` adds to its section."""
    slack = changes.pop("slack", {})

    def check(id: str) -> dict[str, Any]:
        url = f"http://127.0.0.1:{vendor.port}/{id.replace('.', '/')}"
        return {"type": "http", "name": "front", "url": url, "every": "30s", "deadline": "5s"}

    def component(id: str, name: str) -> dict[str, Any]:
        return {"name": name, "checks": [check(id)]}

    return {
        "slack": {
            "bot_token": workspace.bot_token, "app_token": workspace.app_token, "api_url": workspace.api_url,
            "signing_secret": workspace.signing_secret, **slack,
        },
        "server": {"listen": "127.0.0.1:0", "open_to_loopback": True},
        "allow_private": ["127.0.0.0/8"],
        "control_group": [],
        "providers": {
            "anthropic": {
                "name": "Claude",
                "components": {
                    "api": component("anthropic.api", "Claude API"), "web": component("anthropic.web", "claude.ai"),
                },
                "status_page": {
                    "dialect": "statuspage", "urls": [f"http://127.0.0.1:{vendor.port}/page"], "every": "60s",
                    "components": {"api": "p-api", "web": "p-web"},
                },
            },
            "openai": {"name": "OpenAI", "components": {"api": component("openai.api", "OpenAI API")}},
        },
        "flags": {
            FLAG: {
                "description": "Which provider answers the support chat",
                "variants": {"claude": {"provider": "anthropic"}, "gpt": {"provider": "openai"}, "cached": {"mode": "cache"}},
                "default": "claude",
                "fallbacks": [{"variant": "gpt", "needs": "openai.api"}, {"variant": "cached"}],
                "depends_on": ["anthropic.api"],
                "automation": "auto",
            }
        },
        "runbooks": {
            "anthropic.api": {"url": "https://wiki.example.com/claude", "steps": ["Confirm on the board", "Tell support"]}
        },
        **changes,
    }  # fmt: skip


class House:
    """The deployment. `passes` moves time; `sees_*` wait for what people would see."""

    def __init__(self, folder: Path, workspace: LocalWorkspace, vendor: Vendor, changes: dict[str, Any]) -> None:
        self.folder = folder
        self.workspace = workspace
        self.vendor = vendor
        self.clock = ManualClock(START)
        self.changes = changes
        self.script: Script | None = None  # answers in place of all vendors, where it is set before the start
        self.ticker = HandTicker()
        self.app: App | None = None
        self.notifier: Notifier | None = None
        self.ana: Person = workspace.person("ana")
        self.bob: Person = workspace.person("bob")

    async def start(self) -> App:
        """Start the bot over whatever is in the data folder."""
        config = self.folder / "understudy.yaml"
        config.write_text(yaml.safe_dump(settings(self.workspace, self.vendor, **self.changes)), encoding="utf-8")
        self.ticker = HandTicker()
        parts = Parts(
            clock=self.clock, ticker=self.ticker, pace=PACE, patience=PATIENCE, prober=self.script, fetcher=self.script,
            notifier=self.notifier,
        )  # fmt: skip
        self.app = build(load(config, {}), data=self.folder / "data", parts=parts)
        await self.app.start()
        if self.changes.get("slack", {}).get("mode") == "http":
            await self.workspace.sends_to(self.app.url + "/slack/events")
        elif self.app.linked:
            await self.workspace.connected(within=SOON_S)
        return self.app

    async def stop(self) -> None:
        if self.app is not None:
            await self.app.stop()
            self.app = None

    async def passes(self, *, seconds: float = 0, minutes: float = 0) -> None:
        """Let domain time pass in steps of half a minute; due work runs at once."""
        assert self.app is not None
        left = timedelta(seconds=seconds, minutes=minutes)
        while left > timedelta(0):
            step = min(left, timedelta(seconds=30))
            self.clock.advance(step)
            left -= step
            await self.ticker.beat()
            await self.app.looked()

    async def fails(self, *components: str, status: int = 502) -> None:
        """Let these components fail from now on, and wait until the watch has seen it."""
        self.vendor.answers |= dict.fromkeys(components, status)
        await self.passes(minutes=2)

    async def recovers(self, *components: str) -> None:
        """Let these components recover, and wait until the watch has seen it."""
        for component in components:
            self.vendor.answers.pop(component, None)
        await self.passes(minutes=2, seconds=30)  # five good looks

    async def quiet(self) -> None:
        """Wait until nothing in the outbox is due."""
        assert self.app is not None
        async with asyncio.timeout(SOON_S * 2):
            while await self.app.ledger.read(lambda store: store.outbox("pending", "sending", "ambiguous")):
                await asyncio.sleep(0.02)

    async def done(self, kind: type[EffectBody]) -> None:
        """Wait until an effect of this kind is done."""
        assert self.app is not None
        async with asyncio.timeout(SOON_S):
            while not any(type(r.effect.body) is kind for r in await self.app.ledger.read(lambda store: store.outbox("done"))):
                await asyncio.sleep(0.02)

    @property
    def incident_channel(self) -> str:
        """The name of the newest incident's channel."""
        assert self.app is not None
        world = self.app.engine.world
        return world.incidents[world.last_incident].room.name


@asynccontextmanager
async def a_house(folder: Path, *, started: bool = True, of: Settings = LOOSE, **changes: Any) -> AsyncIterator[House]:
    """A deployment with ana and bob in #ops; every check has run and passed before the test begins."""
    vendor = Vendor()
    runner = web.AppRunner(vendor.application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    vendor.port = runner.addresses[0][1]
    commands = [CommandSpec(*word) for word in words(changes.get("slack", {}).get("prefix", ""))]
    async with LocalWorkspace(commands=commands, settings=of) as workspace:
        workspace.add_user("ana", "Ana Silva")
        workspace.add_user("bob", "Bob Meyer")
        workspace.add_channel("ops", members=("ana", "bob"))
        house = House(folder, workspace, vendor, changes)
        try:
            if started:
                await house.start()
                await house.passes(minutes=1)
            yield house
        finally:
            await house.stop()
            await runner.cleanup()


class Pager:
    """Records whom it would call."""

    def __init__(self) -> None:
        self.called: list[str] = []

    async def call(self, title: str, body: str, named: Sequence[str]) -> NotifyResult:
        self.called.append(title)
        return NotifyResult(tuple(named))
