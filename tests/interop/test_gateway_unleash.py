"""The real Unleash follows the sink, and has its strategies back afterwards.

It needs Node, PostgreSQL, and the server in a folder of its own, which `make interop` makes; where one is missing, nothing of
this page is proven.
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.flags.sinks.unleash import Unleash
from bot.flags.sinks.web import SinkClient
from bot.ports.sinks import SinkError, Target
from bot.sandbox.postgres import PASSWORD, USER, a_server, programs

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".venv" / "unleash"
TOKEN = "*:*.964a287e1b728cb5f4f3e0120df92cb5"
SERVER = """
const [port, database] = process.argv.slice(2);
require("unleash-server").start({
  db: { user: "%s", password: "%s", host: "127.0.0.1", port: Number(database), database: "postgres", ssl: false },
  server: { port: Number(port), host: "127.0.0.1" }, versionCheck: { enable: false }, telemetry: false, logLevel: "error",
  authentication: { initApiTokens: [{ environment: "*", project: "*", secret: "%s", type: "admin", tokenName: "admin" }] },
});
"""
NORMAL = Target("support-chat.llm", "", 0, "claude", {})
AWAY = Target("support-chat.llm", "gpt", 0, "claude", {})
HALF_WAY = Target("support-chat.llm", "gpt", 40, "claude", {})

MISSING = [
    name
    for name, there in (
        ("Node", shutil.which("node")), (f"unleash-server in {HOME}", (HOME / "node_modules" / "unleash-server").exists()),
        ("PostgreSQL", programs()),
    )
    if not there
]  # fmt: skip
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"NO UNLEASH: {', '.join(MISSING)} missing; `make interop` makes it")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def database() -> Iterator[int]:
    """A PostgreSQL that keeps nothing."""
    with a_server() as server:
        yield server.port


@pytest.fixture(scope="module")
def url(database: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running server with nothing in it."""
    script, port = tmp_path_factory.mktemp("unleash") / "start.js", free_port()
    script.write_text(SERVER % (USER, PASSWORD, TOKEN))
    log = script.with_suffix(".log")
    environment = {**os.environ, "NODE_PATH": str(HOME / "node_modules"), "CHECK_VERSION": "false", "SEND_TELEMETRY": "false"}
    with log.open("wb") as out:
        process = subprocess.Popen(["node", script, str(port), str(database)], env=environment, stdout=out, stderr=out)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text()[-2000:]
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@asynccontextmanager
async def a_feature(url: str, name: str) -> AsyncIterator[Unleash]:
    """A new feature, and the sink for it."""
    await asked(url, "POST", "/api/admin/projects/default/features", {"name": name, "type": "release"})
    client = SinkClient(httpx.AsyncHTTPTransport(), version="test")
    yield Unleash(client, url, "default", "production", name, TOKEN, ["gpt"])
    await client.close()


async def asked(url: str, method: str, path: str, body: Any = None) -> Any:
    async with httpx.AsyncClient() as client:
        answer = await client.request(method, url + path, headers={"authorization": TOKEN}, json=body, timeout=20)
        answer.raise_for_status()
        return json.loads(answer.text or "null")


async def test_feature_without_strategies_follows_there_and_back(url: str) -> None:
    """It is off, on for all, on for a share, and as it was."""
    async with a_feature(url, "use-gpt") as sink:
        before = (await sink.plan(AWAY)).before
        found = [await sink.apply(AWAY), await sink.apply(AWAY), await sink.apply(HALF_WAY), await sink.revert(NORMAL, before)]
        state = await asked(url, "GET", "/api/admin/projects/default/features/use-gpt/environments/production")

    assert ["on, Understudy 100 %", "on, Understudy 100 %", "on, Understudy 60 %", "off"] == found
    assert (False, []) == (state["enabled"], state["strategies"])


async def test_strategy_of_the_team_is_left_out_meanwhile_and_counts_afterwards(url: str) -> None:
    """Strategies are OR-ed: with theirs at 20 % beside ours, the share would be another."""
    at = "/api/admin/projects/default/features/use-gpt-slowly/environments/production"
    async with a_feature(url, "use-gpt-slowly") as sink:
        parameters = {"rollout": "20", "stickiness": "default", "groupId": "use-gpt-slowly"}
        await asked(url, "POST", f"{at}/strategies", {"name": "flexibleRollout", "title": "team's", "parameters": parameters})
        await asked(url, "POST", f"{at}/on")
        there = await asked(url, "GET", at)
        before = (await sink.plan(AWAY)).before
        await sink.apply(HALF_WAY)
        assert [("team's", True), ("Understudy", False)] == [
            (one["title"], one["disabled"]) for one in (await asked(url, "GET", at))["strategies"]
        ]
        await sink.revert(NORMAL, before)

        assert there == await asked(url, "GET", at)


async def test_change_by_somebody_else_reads_back_otherwise(url: str) -> None:
    """Somebody turns it off in Unleash."""
    async with a_feature(url, "use-gpt-maybe") as sink:
        put = await sink.apply(AWAY)
        await asked(url, "POST", "/api/admin/projects/default/features/use-gpt-maybe/environments/production/off")

        assert (put, "off") == ("on, Understudy 100 %", await sink.read_back())


async def test_what_is_not_there_is_said(url: str) -> None:
    """A feature with a typing error, and a token that nobody knows."""
    client = SinkClient(httpx.AsyncHTTPTransport(), version="test")
    for feature, token, words in (("use-gtp", TOKEN, "is there a feature use-gtp"), ("use-gpt", "*:*.wrong", "HTTP 401")):
        with pytest.raises(SinkError, match=words):
            await Unleash(client, url, "default", "production", feature, token, ["gpt"]).plan(AWAY)
    await client.close()
