"""kill -9 between every two steps of opening an incident and of switching a flag: nothing is lost, nothing is said twice."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from bot.core import facts as f
from bot.core.facts import Fact
from bot.ports import OutboxRow
from bot.sandbox.slack import CommandSpec, LocalWorkspace
from bot.store.errors import StoreError
from bot.store.sqlite import open_read_only
from commands.table import words
from tests.house import FLAG, Vendor, settings

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 40.0

IN_THE_LEDGER = [
    f"{when}:{kind}"
    for kind in ("incident.declared", "incident.channel_opened", "incident.posted", "flag.released")
    for when in ("before", "after")
]
AT_SLACK = [
    f"{when} {method} {nth}"
    for method, count in (
        ("conversations.create", 1), ("chat.postMessage", 4), ("conversations.setTopic", 1), ("pins.add", 1),
        ("bookmarks.add", 1), ("conversations.invite", 1), ("chat.update", 1),
    )
    for nth in range(1, count + 1)
    for when in ("before", "after")
]  # fmt: skip


class Rig:
    """A workspace, a vendor, and the bot as a process that is started again when it dies."""

    def __init__(self, folder: Path, workspace: LocalWorkspace, vendor: Vendor) -> None:
        self.folder = folder
        self.workspace = workspace
        self.vendor = vendor
        self.deaths = 0
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, point: str = "never") -> None:
        changed = settings(self.workspace, self.vendor)
        changed["slack"]["invite"] = [self.workspace.person("bob").id]
        changed["detection"] = {"at_least": "0s"}  # here time is real, and deaths are what is tested
        for provider in changed["providers"].values():
            provider.pop("status_page", None)
            for component in provider["components"].values():
                component["checks"][0]["every"] = "200ms"
        config = self.folder / "understudy.yaml"
        config.write_text(yaml.safe_dump(changed), encoding="utf-8")
        script = str(ROOT / "tests" / "process" / "victim.py")
        (self.folder / "data" / "control.json").unlink(missing_ok=True)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, script, str(config), str(self.folder / "data"), point,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip

    async def died(self) -> None:
        assert self._process is not None
        async with asyncio.timeout(WITHIN_S):
            assert -signal.SIGKILL == await self._process.wait()
        self.deaths += 1

    def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask the running bot, with its own token; None while it does not answer."""
        control = self.folder / "data" / "control.json"
        try:
            found = json.loads(control.read_text(encoding="utf-8"))
            headers = {"Authorization": f"Bearer {found['token']}"}
            async with (
                aiohttp.ClientSession() as session,
                session.request(method, found["url"] + path, json=body, headers=headers) as response,
            ):
                return await response.json()
        except (FileNotFoundError, json.JSONDecodeError, aiohttp.ClientError):
            return None

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
        """Wait until an incident is open, every effect is through, and the flag serves the stand-in."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                facts, rows = await self.ledger()
                declared = any(isinstance(fact.body, f.Declared) for fact in facts)
                if declared and not [row for row in rows if row.state in ("pending", "sending", "ambiguous")]:
                    return facts, rows
                await asyncio.sleep(0.1)


@asynccontextmanager
async def a_rig(folder: Path) -> AsyncIterator[Rig]:
    vendor = Vendor()
    runner = web.AppRunner(vendor.application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    vendor.port = runner.addresses[0][1]
    async with LocalWorkspace(commands=[CommandSpec(*word) for word in words()]) as workspace:
        workspace.add_user("ana")
        workspace.add_user("bob")
        workspace.add_channel("ops", members=("ana", "bob"))
        rig = Rig(folder, workspace, vendor)
        try:
            yield rig
        finally:
            rig.kill()
            if rig._process is not None:
                await rig._process.wait()
            await runner.cleanup()


def check(rig: Rig, facts: list[Fact], rows: list[OutboxRow]) -> None:
    """One incident, one channel, every post once."""
    made = [c for c in rig.workspace.channels() if c.creator == rig.workspace.bot_user_id]
    posts = Counter(
        m.metadata["event_payload"]["key"]
        for channel in rig.workspace.channels() for m in rig.workspace.messages(channel.name) if m.metadata
    )  # fmt: skip
    assert 1 == sum(isinstance(fact.body, f.Declared) for fact in facts)
    assert 1 == len(made) == sum(isinstance(fact.body, f.ChannelOpened) for fact in facts)
    assert {} == {key: count for key, count in posts.items() if count != 1}
    assert [] == [(row.effect.key, row.error) for row in rows if row.state == "dead"]
    posted = {row.effect.key for row in rows if row.state == "done" and row.result.get("ts")}
    assert posted == set(posts)


async def serves(rig: Rig) -> str:
    """The variant that a downstream service reads now, asked until the bot answers."""
    async with asyncio.timeout(WITHIN_S):
        while (found := await rig.ask("POST", f"/ofrep/v1/evaluate/flags/{FLAG}", {"context": {"targetingKey": "t"}})) is None:
            await asyncio.sleep(0.05)
    return str(found["variant"])


@pytest.mark.parametrize("point", [p for p in IN_THE_LEDGER if "flag.released" not in p])
async def test_an_incident_opens_once_when_the_bot_is_killed_at_a_commit(point: str, tmp_path: Path) -> None:
    """Killed just before or just after a commit of the opening: one channel, every post once, the flag as committed."""
    async with a_rig(tmp_path) as rig:
        rig.vendor.answers = {"anthropic.api": 502}
        await rig.start(point)
        await rig.died()
        await rig.start()
        facts, rows = await rig.until_quiet()

        check(rig, facts, rows)
        assert "gpt" == await serves(rig)


@pytest.mark.parametrize("point", AT_SLACK)
async def test_an_incident_opens_once_when_the_bot_is_killed_in_a_call(point: str, tmp_path: Path) -> None:
    """Killed while Slack has not yet done it, or has done it and the bot does not know: the same."""
    when, method, nth = point.split()
    async with a_rig(tmp_path) as rig:
        seen: Counter[str] = Counter()

        async def deal(called: str, phase: str, args: Mapping[str, Any]) -> None:
            if called == method and phase == when:
                seen[method] += 1
                if seen[method] == int(nth):
                    rig.kill()

        rig.workspace.faults.on_call(deal)
        rig.vendor.answers = {"anthropic.api": 502}
        await rig.start()
        await rig.died()
        await rig.start()
        facts, rows = await rig.until_quiet()

        check(rig, facts, rows)
        assert "gpt" == await serves(rig)


@pytest.mark.parametrize(("point", "expected"), [("before:flag.released", "gpt"), ("after:flag.released", "claude")])
async def test_a_flag_reads_as_committed_when_the_bot_is_killed_while_switching(
    point: str, expected: str, tmp_path: Path
) -> None:
    """A switch that was not committed did not happen; one that was, did, and the next reader sees it."""
    async with a_rig(tmp_path) as rig:
        rig.vendor.answers = {"anthropic.api": 502}
        await rig.start(point)
        await rig.until_quiet()
        assert "gpt" == await serves(rig)
        await rig.ask("POST", f"/api/v1/flags/{FLAG}/release", {"force": True, "reason": "test"})
        await rig.died()
        await rig.start()

        assert expected == await serves(rig)
