"""The bots of the story, and the bot as one process: the demo's own."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from bot.app import App, build
from bot.checks.net.address_guard import Guard
from bot.checks.net.transport import Transport
from bot.config.load import load
from bot.core.model import Sample
from bot.core.outcomes.served import RouteTotal
from bot.core.record.fact import Fact
from bot.core.record.world import World
from bot.demo.proof import Claim, Evidence
from bot.demo.settings import ALIVE_ID, write_settings
from bot.demo.stage import Stage
from bot.engine.engine import CommittingEngine
from bot.engine.outbox import OutboxTiming
from bot.feeds.fetch import FeedReader
from bot.ports import Ledger
from bot.system.clock import Clock
from bot.wiring.parts import Parts

MOST_SIGNS = 10_000
# The demo's page reader gets more domain time: at this speed the usual ten seconds would be 50 ms.
FEED_DEADLINE = timedelta(minutes=3)

Hears = Callable[[Sequence[Fact], World], None]


class Bots(Protocol):
    """One bot, or several on one ledger. After the start, `engine` and `ledger` show what was committed."""

    engine: CommittingEngine
    ledger: Ledger
    url: str  # where flags are read, and the board's address

    async def prepare(self) -> None:
        """Do slow preparations before the story begins."""

    async def start(self, hears: Sequence[Hears]) -> None:
        """Start working; each of `hears` is called with every commit."""

    async def signs(self) -> Sequence[Sample]:
        """The samples of the downstream service's heartbeats."""

    async def told(self, begins: datetime, ends: datetime) -> Sequence[RouteTotal]:
        """What that service reported about its requests, as counted."""

    def untold(self) -> int:
        """How many of its requests may not have been counted, or not yet."""

    def claims(self, seen: Evidence) -> Sequence[Claim]:
        """Further claims to prove."""

    async def stop(self) -> None:
        """Stop; may be called after a start that failed."""


def story_parts(clock: Clock, replica: str = "") -> Parts:
    """What differs from production: the story's time, limits within it, and a replica's name."""
    return Parts(
        clock=clock,
        replica=replica,
        fetcher=FeedReader(clock, Transport(guard=Guard(["127.0.0.0/8"])), version="demo", deadline=FEED_DEADLINE),
        pace=OutboxTiming(settle_for=timedelta(seconds=3)),
    )


class OneBot:
    """The usual deployment: one process, here the demo's own, with SQLite files."""

    def __init__(self, stage: Stage, out: Path, automation: str, listen: str) -> None:
        self._stage = stage
        self._out = out
        self._automation = automation
        self._listen = listen
        self._app: App | None = None

    async def prepare(self) -> None:
        """Nothing to prepare."""

    async def start(self, hears: Sequence[Hears]) -> None:
        """Write its configuration, and start it. Raises WebError."""
        path = self._out / "understudy.yaml"
        write_settings(path, self._stage.workspace, self._stage.vendors, self._listen, self._automation)
        self._app = app = build(load(path, {}), data=self._out / "data", parts=story_parts(self._stage.clock))
        await app.start()
        self.engine, self.ledger, self.url = app.engine, app.ledger, app.url
        for one in hears:
            app.engine.listen(one)

    async def signs(self) -> Sequence[Sample]:
        """The newest ones."""
        return await self._running.samples.recent(ALIVE_ID, MOST_SIGNS)

    async def told(self, begins: datetime, ends: datetime) -> Sequence[RouteTotal]:
        """All of it, including the current second."""
        await self._running.write_outcomes()
        return await self._running.samples.outcomes.totals(begins, ends)

    def untold(self) -> int:
        """0: nothing was lost."""
        return 0

    def claims(self, seen: Evidence) -> Sequence[Claim]:
        """None."""
        return ()

    async def stop(self) -> None:
        """Stop it, if it was started."""
        if self._app is not None:
            await self._app.stop()

    @property
    def _running(self) -> App:
        if self._app is None:
            raise RuntimeError("it was not started")
        return self._app
