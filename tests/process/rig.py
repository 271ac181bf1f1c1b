"""A workspace, a vendor, and the bot as a process that may be killed and restarted."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from bot.core.record.fact import Fact
from bot.core.record.incident_facts import Declared
from bot.ports import OutboxRow
from bot.sandbox.slack import CommandSpec, LocalWorkspace
from bot.sandbox.slack.records import Settings
from bot.store.errors import StoreError
from bot.store.sqlite.ledgers import open_read_only
from commands.table import words
from tests import forks
from tests.house import Vendor, settings

WITHIN_S = 40.0
ANSWERS_WITHIN = aiohttp.ClientTimeout(total=5)  # a stopped process does not answer
CONFIG = "understudy.yaml"
VICTIM = Path(__file__).with_name("victim.py")


class BotProcess:
    """The bot as a process that may be killed, paused and restarted; its data and log are in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: forks.Program | None = None

    async def begin(self, script: Path, *arguments: str, open_files: int | None = None) -> None:
        """Run a script that is the bot, with its configuration and data folder in front of these arguments."""
        (self.folder / "data" / "control.json").unlink(missing_ok=True)
        program = forks.Start(
            (str(self.folder / CONFIG), str(self.folder / "data"), *arguments), str(forks.ROOT),
            {**os.environ, "PYTHONPATH": str(forks.ROOT)}, script=str(script), open_files=open_files,
        )  # fmt: skip
        with (self.folder / "bot.log").open("ab") as log:
            self._process = await forks.start(program, log.fileno(), log.fileno())

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Write its configuration."""
        (self.folder / CONFIG).write_text(yaml.safe_dump(settings), encoding="utf-8")

    async def is_up(self, within_s: float) -> bool:
        """Wait until the bot serves; False if it ended before, or did not start in that time."""
        try:
            async with asyncio.timeout(within_s):
                while self.ended is None and not (self.folder / "data" / "control.json").exists():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            return False
        return self.ended is None

    @property
    def ended(self) -> int | None:
        """The bot's exit status; None while it runs."""
        return self._process.returncode if self._process is not None else None

    @property
    def lives(self) -> bool:
        """Whether it was started and is still running."""
        return self._process is not None and self.ended is None

    async def gone(self) -> None:
        """Wait until the process has ended."""
        if self._process is not None:
            await self._process.wait()

    def kill(self) -> None:
        self.send(signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal if it runs."""
        if self._process is not None:
            self._process.send_signal(number)

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send the running bot a request with its own token; None if it does not answer."""
        control = self.folder / "data" / "control.json"
        try:
            found = json.loads(control.read_text(encoding="utf-8"))
            headers = {"Authorization": f"Bearer {found['token']}"}
            async with (
                aiohttp.ClientSession(timeout=ANSWERS_WITHIN) as session,
                session.request(method, found["url"] + path, json=body, headers=headers) as response,
            ):
                return await response.json()
        except (FileNotFoundError, json.JSONDecodeError, aiohttp.ClientError, TimeoutError):
            return None


class Rig(BotProcess):
    """A workspace, a vendor, and the bot as a process that is restarted when it dies."""

    def __init__(
        self, folder: Path, workspace: LocalWorkspace, vendor: Vendor, changes: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(folder)
        self.workspace = workspace
        self.vendor = vendor
        self.changes = dict(changes or {})
        self.deaths = 0

    async def start(self, point: str = "never", *, open_files: int | None = None) -> None:
        """Start the bot; it dies at `point`, and may open so many files."""
        self.configure(impatient(self.workspace, self.vendor, self.changes))
        await self.begin(VICTIM, point, open_files=open_files)

    async def died(self) -> None:
        assert self._process is not None
        async with asyncio.timeout(WITHIN_S):
            assert -signal.SIGKILL == await self._process.wait()
        self.deaths += 1

    async def ledger(self) -> tuple[list[Fact], list[OutboxRow]]:
        if not (self.folder / "data" / "ledger.db").exists():
            return [], []
        try:
            ledger = open_read_only(self.folder / "data")
        except StoreError:  # the file is there, its tables are not yet
            return [], []
        try:
            return await ledger.read(lambda s: s.all_facts()), await ledger.read(lambda s: s.outbox())
        finally:
            await ledger.close()

    async def until_quiet(self) -> tuple[list[Fact], list[OutboxRow]]:
        """Wait until an incident is open, every effect is done, and the flag serves the fallback."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                facts, rows = await self.ledger()
                declared = any(isinstance(fact.body, Declared) for fact in facts)
                if declared and not [row for row in rows if row.state in ("pending", "sending", "ambiguous")]:
                    return facts, rows
                await asyncio.sleep(0.1)


def impatient(workspace: LocalWorkspace, vendor: Vendor, changes: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration that checks five times a second and believes each result at once, because time is real here."""
    changed = settings(workspace, vendor, **changes)
    changed["slack"]["invite"] = [workspace.person("bob").id]
    changed["detection"] = {"at_least": "0s"}  # the tests are about kills, not about detection
    for provider in changed["providers"].values():
        provider.pop("status_page", None)
        for component in provider["components"].values():
            component["checks"][0]["every"] = "200ms"
    return changed


@asynccontextmanager
async def a_rig(
    folder: Path, *, changes: Mapping[str, Any] | None = None, limits: Settings | None = None
) -> AsyncIterator[Rig]:
    """A workspace and a vendor around a bot that has not started yet; `changes` replace sections of its configuration."""
    async with surroundings(limits) as (workspace, vendor):
        rig = Rig(folder, workspace, vendor, changes)
        try:
            yield rig
        finally:
            rig.kill()
            await rig.gone()


@asynccontextmanager
async def surroundings(limits: Settings | None = None) -> AsyncIterator[tuple[LocalWorkspace, Vendor]]:
    """What bots need around them: a workspace with two people, and a vendor."""
    vendor = Vendor()
    runner = web.AppRunner(vendor.application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    vendor.port = runner.addresses[0][1]
    try:
        async with LocalWorkspace(commands=[CommandSpec(*word) for word in words()], settings=limits) as workspace:
            workspace.add_user("ana")
            workspace.add_user("bob")
            workspace.add_channel("ops", members=("ana", "bob"))
            yield workspace, vendor
    finally:
        await runner.cleanup()
