"""Replicas as compose.yaml and the chart start them, as hardened as there: without Docker and without Kubernetes."""

import asyncio
import json
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from bot.sandbox.postgres import PASSWORD, USER, PostgresServer
from bot.sandbox.slack import CommandSpec, LocalWorkspace
from commands.table import words
from tests.cli.deployment import Deployment, a_deployment
from tests.deploy.cage import Cage, Running, Volume, locked_in, understudy, why_not
from tests.deploy.test_compose import REPLICAS, image_environment, image_has
from tests.deploy.test_proxies import free_port
from tests.house import Vendor, settings

CONFIG = "/etc/understudy/understudy.yaml"
NOBODY = int(image_has("USER"))
# As whoever mounts it leaves the data folder: Docker takes the image's, Kubernetes hands it to a group (`fsGroup`).
MOUNTED = {
    "as Docker mounts it": Volume(f"{NOBODY}:{NOBODY}", "0700"), "as Kubernetes mounts it": Volume(f"0:{NOBODY}", "2777"),
}  # fmt: skip
CAGED = pytest.mark.skipif(bool(why_not()), reason=why_not())

Around = tuple[LocalWorkspace, Vendor]


@pytest.fixture
async def around() -> AsyncIterator[Around]:
    """A workspace and a vendor that is well."""
    vendor = Vendor()
    runner = web.AppRunner(vendor.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    vendor.port = runner.addresses[0][1]
    async with LocalWorkspace(commands=[CommandSpec(*word) for word in words()]) as workspace:
        workspace.add_user("ana", "Ana Silva")
        workspace.add_channel("ops", members=("ana",))
        yield workspace, vendor
    await runner.cleanup()


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    """A folder with a configuration that knows of no store."""
    async with a_deployment(tmp_path) as found:
        yield found


@asynccontextmanager
async def a_replica(around: Around, folder: Path, data: Volume, environ: Mapping[str, str]) -> AsyncIterator[Running]:
    """The image's command with compose's health check, until that passes; on a port of its own, for others run here too."""
    workspace, vendor = around
    made = settings(workspace, vendor, slack={"bot_token": "${SLACK_BOT_TOKEN}", "app_token": "${SLACK_APP_TOKEN}"})
    made |= {"store": "${UNDERSTUDY_STORE:-}", "server": {"read_tokens": ["${UNDERSTUDY_READ_TOKEN}"]}}
    service, port = REPLICAS["understudy-1"], free_port()
    command = [word.replace(":8080", f":{port}") for word in json.loads(image_has("CMD"))]
    check = [sys.executable, "-c", service["healthcheck"]["test"][3].replace(":8080", f":{port}")]
    volumes = {path: Volume("0:0", "1777") for path in service["tmpfs"]} | {image_has("VOLUME"): data}
    cage = Cage(NOBODY, NOBODY, volumes, {CONFIG: yaml.safe_dump(made)}, image_has("WORKDIR"))
    env = image_environment() | {
        "UNDERSTUDY_READ_TOKEN": "r" * 24,
        "SLACK_BOT_TOKEN": workspace.bot_token, "SLACK_APP_TOKEN": workspace.app_token,
    }  # fmt: skip
    replica = await locked_in(cage, folder, understudy(*command), {**env, **environ})
    try:
        async with asyncio.timeout(60):
            while (await replica.tries(*check, env={}))[0]:
                assert replica.process.returncode is None, replica.output
                await asyncio.sleep(0.2)
        yield replica
    finally:
        await replica.ends()


@CAGED
@pytest.mark.parametrize("data", MOUNTED.values(), ids=list(MOUNTED))
async def test_a_replica_runs_within_what_is_left_to_it(around: Around, tmp_path: Path, data: Volume) -> None:
    """With a root that may only be read, no capability and a foreign user it starts, gets well, and ends in order."""
    async with a_replica(around, tmp_path / "one", data, {}) as replica:
        status = replica.status()
        _, health = await replica.tries(*understudy("health"), env={})
        refused, _ = await replica.tries("touch", "/var/lib/understudy/elsewhere", env={})
        _, modes = await replica.tries(
            "stat", "--format=%a", *(f"data/{name}" for name in ("ledger.db", "control.json")), env={}
        )

    assert (str(NOBODY), "0000000000000000", "1") == (status["Uid"].split()[0], status["CapEff"], status["NoNewPrivs"])
    assert "anthropic.api" in health
    assert refused
    assert ["600", "600"] == modes.split()  # whatever the folder's is
    assert 0 == replica.process.returncode, replica.output


@CAGED
async def test_two_replicas_share_one_ledger(around: Around, tmp_path: Path, postgres_server: PostgresServer) -> None:
    """With the very environment of compose.yaml: what is declared at one is read at the other, also after the first is gone."""
    database = f"test_{uuid.uuid4().hex}"
    postgres_server.run("createdb", "--maintenance-db", postgres_server.url(), database)
    environ = {
        name: value.replace("@postgres/understudy", f"@127.0.0.1:{postgres_server.port}/{database}")
        for name, value in REPLICAS["understudy-1"]["environment"].items()
    } | {"PGPASSWORD": PASSWORD}  # what .env says
    assert f"postgresql://{USER}@127.0.0.1:{postgres_server.port}/{database}" == environ["UNDERSTUDY_STORE"]
    async with AsyncExitStack() as both:
        first = await both.enter_async_context(a_replica(around, tmp_path / "1", MOUNTED["as Docker mounts it"], environ))
        second = await both.enter_async_context(a_replica(around, tmp_path / "2", MOUNTED["as Kubernetes mounts it"], environ))
        declared, said = await first.tries(*understudy("incident", "declare", "Chat is slow"), env={})
        assert 0 == declared, said
        async with asyncio.timeout(10):
            while "Chat is slow" not in (await second.tries(*understudy("incident", "list"), env={}))[1]:
                await asyncio.sleep(0.1)
        exported, timeline = await second.tries(*understudy("export", "INC-1"), env={**image_environment(), **environ})
        await first.ends()
        closed, said = await second.tries(*understudy("incident", "cancel", "INC-1", "false-alarm"), env={})

    assert 0 == closed, said
    assert 0 == exported, timeline
    assert "Chat is slow" in timeline


async def test_an_address_that_the_configuration_does_not_use_is_no_reason_for_a_second_bot(deployment: Deployment) -> None:
    """Two that share nothing would say everything twice."""
    deployment.env = {"UNDERSTUDY_STORE": "postgresql://understudy@db.example.com/understudy"}
    refused = await deployment.refused()

    assert 2 == refused.status
    assert "Write `store: ${UNDERSTUDY_STORE:-}` into it" in refused.err
