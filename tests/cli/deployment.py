"""The program as people run it: `understudy ...` in processes of its own, against a local workspace, vendors and a folder."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import structlog
import yaml
from aiohttp import web
from click.testing import CliRunner

from bot.cli.verbs import main
from bot.core.record.fact import Fact
from bot.ports import OutboxRow
from bot.sandbox.slack import CommandSpec, LocalWorkspace
from bot.store.sqlite.ledgers import open_read_only
from commands.table import words
from tests import forks
from tests.house import Vendor, settings

WITHIN_S = 30.0
KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")


@dataclass(frozen=True)
class Ended:
    """What a program left: its exit status and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Answer:
    """An HTTP answer, read to its end."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Bot:
    """A running `understudy run`."""

    process: forks.Program
    data: Path
    log: Path
    answers: list[str] = field(default_factory=list)  # every HTTP answer that was given, for those who look for secrets

    @property
    def control(self) -> Mapping[str, str]:
        """What the bot tells its own command line."""
        found: Mapping[str, str] = json.loads((self.data / "control.json").read_text(encoding="utf-8"))
        return found

    @property
    def output(self) -> str:
        """Everything it has written so far."""
        return self.log.read_text(encoding="utf-8")

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its log, event by event."""
        return [json.loads(line) for line in self.output.splitlines()]

    async def asks(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Answer:
        """One HTTP request; with the bot's own token unless another one, or none (empty), is given."""
        control = self.control
        token = control["token"] if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, control["url"] + path, json=body, headers=headers) as response,
        ):
            text = await response.text()
        self.answers.append(f"{dict(response.headers)}\n{text}")
        return Answer(response.status, text)

    async def serves(self, flag: str) -> Any:
        """The variant that a downstream service reads now, or the error code."""
        found = await self.asks("POST", f"/ofrep/v1/evaluate/flags/{flag}", {"context": {"targetingKey": "t"}})
        return found.json.get("variant", found.json.get("errorCode"))

    async def ready(self) -> Any:
        """The body of /readyz once it is green."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                assert self.process.returncode is None, self.output
                try:
                    found = await self.asks("GET", "/readyz", token="")
                    if found.status == 200:
                        return found.json
                except (OSError, ValueError, aiohttp.ClientError):
                    pass  # it is not there yet
                await asyncio.sleep(0.02)

    async def part(self, name: str, holds: Callable[[Any], bool]) -> Any:
        """A part of /readyz, once it is as told."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                found = (await self.asks("GET", "/readyz", token="")).json["parts"].get(name)
                if holds(found):
                    return found
                await asyncio.sleep(0.05)

    async def sees(self, level: str, *components: str) -> None:
        """Wait until its verdict of these components, or of all, is as told and written down."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                found = (await self.asks("GET", "/api/v1/status")).json["components"]
                if {(c["level"], c["on_record"]) for c in found if not components or c["id"] in components} == {(level, None)}:
                    return
                await asyncio.sleep(0.05)

    async def says(self, text: str) -> None:
        """Wait until this stands in its log."""
        async with asyncio.timeout(WITHIN_S):
            while text not in self.output:
                assert self.process.returncode is None, self.output
                await asyncio.sleep(0.02)

    async def ends(self, how: int | None = None) -> int:
        """Send a signal, if any, and wait for the exit status."""
        if how is not None:
            self.process.send_signal(how)
        async with asyncio.timeout(WITHIN_S):
            return await self.process.wait()


class Deployment:
    """A folder with a configuration, the workspace and the vendor that it names, and the programs that run on it."""

    def __init__(self, folder: Path, workspace: LocalWorkspace, vendor: Vendor) -> None:
        self.folder = folder
        self.workspace = workspace
        self.vendor = vendor
        self.config = folder / "understudy.yaml"
        self.data = folder / "data"
        self.env: dict[str, str] = {}
        self._bots: list[Bot] = []
        self.configure()

    def settings(self, **changes: Any) -> dict[str, Any]:
        """A configuration like anybody's that looks often; the fallback needs a person, so that tests decide."""
        made = settings(self.workspace, self.vendor)
        for provider in made["providers"].values():
            provider.pop("status_page", None)
            for component in provider["components"].values():
                component["checks"][0]["every"] = "200ms"
        made["flags"]["support-chat.llm"]["automation"] = "off"
        return {**made, **changes}

    def configure(self, made: Mapping[str, Any] | None = None, **changes: Any) -> None:
        """Write the configuration file; `changes` replace whole sections."""
        self.config.write_text(yaml.safe_dump(dict(made or self.settings(**changes))), encoding="utf-8")

    async def understudy(self, *args: str, config: bool = True) -> Ended:
        """Run a verb to its end."""
        return Ended(*await forks.run(self._start((*args, *self._where(args, config))), WITHIN_S))

    async def verb(self, *args: str) -> Ended:
        """Run a verb to its end in this process, which saves the half second of a start."""
        where = self._where(args, True) + (() if "--data" in args else ("--data", str(self.data)))
        with _own_logs():
            done = await asyncio.to_thread(CliRunner(env={"COLUMNS": None, **self.env}).invoke, main, [*args, *where])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ended(done.exit_code, done.stdout, done.stderr)

    async def bot(self, *args: str, most_bytes: int | None = None) -> Bot:
        """Start the bot; it may not be ready yet. With `most_bytes` it can write no file beyond that, until it is lifted."""
        log = self.folder / f"bot-{len(self._bots)}.log"
        with log.open("wb") as file:
            words = ("run", "--config", str(self.config), *args)
            process = await forks.start(self._start(words, most_bytes), file.fileno(), file.fileno())
        bot = Bot(process, self.data, log)
        self._bots.append(bot)
        return bot

    async def ready_bot(self, *args: str) -> Bot:
        """Start the bot and wait until it is ready and linked to Slack."""
        bot = await self.bot(*args)
        await bot.ready()
        await bot.says('"event": "ready"')
        await bot.part("slack", lambda part: part and part["ok"])
        return bot

    async def refused(self, *args: str) -> Ended:
        """Start the bot, which ends by itself."""
        bot = await self.bot(*args)
        status = await bot.ends()
        return Ended(status, "", bot.output)

    async def facts(self) -> list[Fact]:
        ledger = open_read_only(self.data)
        try:
            return await ledger.read(lambda store: store.all_facts())
        finally:
            await ledger.close()

    async def outbox(self) -> list[OutboxRow]:
        ledger = open_read_only(self.data)
        try:
            return await ledger.read(lambda store: store.outbox())
        finally:
            await ledger.close()

    async def quiet(self) -> list[OutboxRow]:
        """Wait until the outbox has nothing left to do."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                rows = await self.outbox()
                if all(row.state not in ("pending", "sending", "ambiguous") for row in rows):
                    return rows
                await asyncio.sleep(0.05)

    def said(self) -> str:
        """Every message in the workspace, as stored."""
        channels = self.workspace.channels()
        return "\n".join(repr(message) for channel in channels for message in self.workspace.messages(channel.name))

    async def close(self) -> None:
        for bot in self._bots:
            if bot.process.returncode is None:
                bot.process.kill()
            await bot.process.wait()

    def _where(self, args: Iterable[str], config: bool) -> tuple[str, ...]:
        return ("--config", str(self.config)) if config and "--config" not in args else ()

    def _start(self, args: Iterable[str], file_bytes: int | None = None) -> forks.Start:
        kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
        env = {**kept, "PYTHONPATH": str(forks.ROOT), **self.env}
        return forks.Start(list(args), str(self.folder), env, file_bytes=file_bytes)


@contextmanager
def _own_logs() -> Iterator[None]:
    """A verb sets up the logs of its process, which here is ours."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:], root.level = handlers, level
        structlog.reset_defaults()


@asynccontextmanager
async def a_deployment(
    folder: Path, workspace: LocalWorkspace | None = None, vendor: Vendor | None = None
) -> AsyncIterator[Deployment]:
    """ana and bob in #ops, a vendor that is well, and a folder with a configuration."""
    vendor = vendor or Vendor()
    runner = web.AppRunner(vendor.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    vendor.port = runner.addresses[0][1]
    async with workspace or LocalWorkspace(commands=[CommandSpec(*word) for word in words()]) as found:
        found.add_user("ana", "Ana Silva")
        found.add_user("bob", "Bob Meyer")
        found.add_channel("ops", members=("ana", "bob"))
        deployment = Deployment(folder, found, vendor)
        try:
            yield deployment
        finally:
            await deployment.close()
            await runner.cleanup()
