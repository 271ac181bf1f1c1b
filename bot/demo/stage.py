"""Everything around the bot in every story: the workspace with its people, the vendors, and the downstream service."""

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from bot.demo.cast import Ana
from bot.demo.settings import ALIVE_TOKEN, OUTCOME_TOKEN, YOU
from bot.sandbox.slack import CommandSpec, LocalWorkspace
from bot.sandbox.vendor import Scenario, Vendors
from bot.system.clock import ScaledClock
from commands.table import words

CUSTOMER_EVERY_S = 0.05
ALIVE_EVERY = timedelta(minutes=5)  # in the story
GATEWAY_PAUSE = timedelta(minutes=1)  # in the story: how long a tuned gateway leaves a failed provider alone
WELCOME = "At 03:00 UTC Claude fails. Ana is on call and does what a person must; press what you like, and type `/health`."
PAGE_WITHIN_S = 10.0  # how long the story waits for somebody to open the page

Say = Callable[[str], None]


class Stage:
    """Built and torn down by the demo, in the order of its methods. Customers write their logs to `out`."""

    def __init__(self, scenario: Scenario, clock: ScaledClock, out: Path, say: Say) -> None:
        self.scenario = scenario
        self.clock = clock
        self.workspace = LocalWorkspace(clock=clock, commands=[CommandSpec(*word) for word in words()])
        self.vendors = Vendors(scenario, clock)
        self.log = out / "customers.jsonl"
        self.gateway_log = out / "customers-by-gateway.jsonl"
        self._say = say
        self._customers: asyncio.subprocess.Process | None = None

    async def open(self) -> None:
        """Start the workspace, the vendors and Ana; time stands still."""
        await self.workspace.start()
        await self.vendors.start()
        self.workspace.add_user(YOU, "Sam Reed")
        ana = self.workspace.add_user("ana", "Ana Silva")
        self.workspace.add_channel("ops", members=(YOU, "ana"), purpose=WELCOME)
        self.ana = Ana(ana, self._say)
        self.ana.start()
        self._say(f"Slack, for this story: {self.workspace.page_url}#ops")

    async def somebody_watches(self) -> None:
        """Wait briefly for somebody to watch."""
        self._say(f"Open it: the story begins then, or in {PAGE_WITHIN_S:.0f} seconds. You are Sam; Ana is on call.")
        with suppress(TimeoutError):
            await asyncio.wait_for(self.workspace.page_opened(), PAGE_WITHIN_S)

    async def start_customers(self, url: str) -> None:
        """Start the downstream service, which reads its flag at this URL."""
        vendors = {name: self.vendors.url(name, "api") for name in ("anthropic", "openai")}
        self.log.unlink(missing_ok=True)
        self._customers = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.demo.downstream", url, str(self.log), str(self.gateway_log), json.dumps(vendors),
            str(CUSTOMER_EVERY_S), str(ALIVE_EVERY.total_seconds() / self.clock.speed),
            str(GATEWAY_PAUSE.total_seconds() / self.clock.speed), ALIVE_TOKEN, OUTCOME_TOKEN, stdin=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the demo, which ends this process by closing its standard input
        )  # fmt: skip

    async def leave(self) -> None:
        """Stop Ana and the customers, who need the bot."""
        await self.ana.stop()
        customers = self._customers
        if customers is not None and customers.returncode is None and customers.stdin is not None:
            customers.stdin.close()
            await customers.wait()

    async def close(self) -> None:
        """Stop everything else."""
        await self.vendors.stop()
        await self.workspace.stop()

    def outage_before(self, provider: str, at: datetime) -> datetime | None:
        """When the script began the failure of this provider that lasted at that time."""
        minutes = [event.at for event in self.scenario.answer_events if event.provider == provider]
        begun = [self.clock.start + timedelta(minutes=minute) for minute in minutes]
        return max((moment for moment in begun if moment <= at), default=None)
