"""The local workspace tested with Slack's own clients for Node: a real app would fail where they fail."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_stage import EVERY_SCOPE, SETTINGS, Stage, furnish

from bot.sandbox.slack import CommandSpec, LocalWorkspace

HERE = Path(__file__).parent / "official"
CLIENTS = Path(__file__).resolve().parents[3] / ".venv" / "official"
WITHIN_S = 30.0


@dataclass
class Judge:
    """An app on Slack's clients, and the messages that it prints."""

    stage: Stage
    process: asyncio.subprocess.Process

    async def tells(self, what: str) -> dict[str, Any]:
        """Its next message; fails if that is another."""
        assert self.process.stdout
        async with asyncio.timeout(WITHIN_S):
            said = json.loads(await self.process.stdout.readline())
        assert what == said["what"], said
        return dict(said)


@asynccontextmanager
async def judged(session: aiohttp.ClientSession) -> AsyncIterator[Judge]:
    node = shutil.which("node")
    if node is None or not (CLIENTS / "node_modules" / "@slack").is_dir():
        pytest.skip("NO SLACK CLIENTS FOR NODE: the local workspace was NOT judged by them (make official)")
    settings = replace(SETTINGS, ack_within_s=3.0)
    async with LocalWorkspace(scopes=EVERY_SCOPE, settings=settings, commands=[CommandSpec("/note")]) as ws:
        stage = furnish(ws, session)
        process = await asyncio.create_subprocess_exec(
            node, str(HERE / "judge.mjs"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env={
                **os.environ, "SLACK_API_URL": ws.api_url, "BOT_TOKEN": ws.bot_token, "APP_TOKEN": ws.app_token,
                "CLIENTS": str(CLIENTS), "INVITE": stage.ana.id,
            },
        )  # fmt: skip
        try:
            yield Judge(stage, process)
        finally:
            if process.stdin:
                process.stdin.close()
            async with asyncio.timeout(WITHIN_S):
                await process.wait()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_slacks_own_clients_run_an_incident_in_the_workspace(session: aiohttp.ClientSession) -> None:
    """A channel with topic, guest, pin, thread and file; a refusal by its code; a command, a form, a button, a message."""
    async with judged(session) as judge:
        ana = judge.stage.ana
        ready = await judge.tells("ready")
        assert ("channel_not_found", judge.stage.ws.bot_user_id) == (ready["refused"], ready["bot"])
        assert {"inc-official", "ops"} <= set(ready["read"])
        channel = judge.stage.ws.channel("inc-official")
        assert ("SEV2", 1) == (channel.topic, len(channel.pins))
        assert ana.id in channel.members
        await ana.waits_for("[file: INC-7.md]", channel="inc-official")

        await ana.types("/note database is gone")
        assert "database is gone" == (await judge.tells("slash"))["text"]
        await ana.submits({"text": "it was DNS"})
        assert "it was DNS" == (await judge.tells("form"))["text"]
        await ana.clicks("ack", channel="inc-official")
        assert {"what": "button", "value": "INC-7", "user": ana.id} == await judge.tells("button")
        await ana.says("on my way", channel="inc-official")
        assert "on my way" == (await judge.tells("message"))["text"]
