"""The bot as several replicas on one PostgreSQL, each a process with its own data folder and port."""

import asyncio
import atexit
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

from bot.config.load import load
from bot.config.policy import to_policy
from bot.config.scalars import split_listen
from bot.core.model import Sample
from bot.core.outcomes.served import RouteTotal
from bot.demo.bots import MOST_SIGNS, Hears
from bot.demo.front import Front
from bot.demo.loss import LeaderDies
from bot.demo.loss_proof import prove_loss
from bot.demo.process import ReplicaProcess
from bot.demo.proof import Claim, Evidence, rows_of
from bot.demo.settings import ALIVE_ID, write_settings
from bot.demo.stage import CUSTOMER_EVERY_S, Say, Stage
from bot.engine.engine import CommittingEngine
from bot.engine.follower import Follower
from bot.outcomes.intake import EVERY_S
from bot.ports import Ledger, Samples
from bot.sandbox.postgres import PostgresServer
from bot.store.postgres.ledgers import open_postgres_ledger
from bot.store.postgres.samples.keeper import open_postgres_samples
from bot.system.clock import SystemClock

UNWRITTEN_S = 2 * EVERY_S  # of outcomes: those not written when a replica was killed, and those not written yet


class Replicas:
    """`count` replicas behind one address. The demo itself follows their ledger, and never writes to it."""

    def __init__(self, count: int, stage: Stage, out: Path, automation: str, listen: str, say: Say) -> None:
        self._stage = stage
        self._automation = automation
        self._listen = listen
        self._say = say
        self._config = out / "understudy.yaml"
        self._server = PostgresServer()
        self._processes = [
            ReplicaProcess(f"demo-{n}", self._config, out / "data" / f"demo-{n}", stage.clock) for n in range(1, count + 1)
        ]
        self._front = Front(lambda: [one.place for one in self._processes])
        self._opened = AsyncExitStack()
        self._dying: asyncio.Task[None] | None = None
        self._dies: LeaderDies | None = None

    async def prepare(self) -> None:
        """Create the database, and start the replicas. Raises PostgresError, WebError, StoreError and ReplicaError."""
        self._say(f"{len(self._processes)} replicas share a PostgreSQL that is made for this story, and thrown away.")
        atexit.register(self._server.close)  # somebody impatient may press Ctrl-C twice
        await asyncio.to_thread(self._server.create)
        await asyncio.to_thread(self._server.start)
        await self._front.start(*split_listen(self._listen))
        stage, self.url, store = self._stage, self._front.url, self._server.url()
        write_settings(
            self._config, stage.workspace, stage.vendors, self._listen, self._automation, store=store, public_url=self.url
        )
        self.ledger: Ledger = await open_postgres_ledger(store, "the demo")
        self._opened.push_async_callback(self.ledger.close)
        self._samples: Samples = await open_postgres_samples(store, "the demo")
        self._opened.push_async_callback(self._samples.close)
        await asyncio.gather(*(one.start() for one in self._processes))

    async def start(self, hears: Sequence[Hears]) -> None:
        """Start the story's time for them, and follow what they commit. Raises StoreError."""
        self.engine = CommittingEngine(self.ledger, self._stage.clock, to_policy(load(self._config, {}).config))
        await self.engine.load()
        self._dies = LeaderDies(self._stage.clock, self.ledger, self._processes, self._say)
        for one in (*hears, self._dies.hears):
            self.engine.listen(one)
        follower = Follower(self.ledger, self.engine, SystemClock())
        self._opened.push_async_callback(follower.close)
        follower.start()
        for process in self._processes:
            process.begin()
        self._dying = asyncio.create_task(self._dies.run(), name="the leading replica dies")

    async def signs(self) -> Sequence[Sample]:
        """The newest, from whichever replica ran the check."""
        return await self._samples.recent(ALIVE_ID, MOST_SIGNS)

    async def told(self, begins: datetime, ends: datetime) -> Sequence[RouteTotal]:
        """The counts of all of them."""
        return await self._samples.outcomes.totals(begins, ends)

    def untold(self) -> int:
        """One second's worth from the killed replica, and whatever arrived in the last second."""
        return round(UNWRITTEN_S / CUSTOMER_EVERY_S)

    def claims(self, seen: Evidence) -> Sequence[Claim]:
        """That nobody noticed the death of the leading replica."""
        said = [message for channel in seen.workspace.team.channels.values() for message in channel.messages]
        return prove_loss(self._dies.loss if self._dies else None, said, seen.outbox, rows_of(seen.log))

    async def stop(self) -> None:
        """Stop the replicas, then the database."""
        if self._dying is not None:
            self._dying.cancel()
            await asyncio.gather(self._dying, return_exceptions=True)
        await asyncio.gather(*(one.stop() for one in self._processes))
        await self._front.stop()
        await self._opened.aclose()
        await asyncio.to_thread(self._server.close)
        atexit.unregister(self._server.close)
