"""The unit for one machine: judged by systemd itself, and run as it says, as far as that goes without systemd."""

import asyncio
import configparser
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from bot.config.first_file import FirstFileOptions
from tests.cli.deployment import Deployment, a_deployment
from tests.deploy.cage import Cage, Running, Volume, locked_in, understudy, why_not

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "deploy" / "systemd" / "understudy.service"
EXAMPLE = (ROOT / "deploy" / "systemd" / "understudy.env.example").read_text(encoding="utf-8")
PROGRAM = "/opt/understudy/bin/understudy"
LET_IN = 15  # of 100 that systemd gives for what a unit may still do; a unit that says nothing has 96
USER = 61234  # as DynamicUser takes them
CONFIG = "/etc/understudy/understudy.yaml"


def service() -> configparser.SectionProxy:
    """The section of the unit, key by key; of a repeated key the last line."""
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[assignment,method-assign] # systemd's keys keep their case
    read.read(UNIT, encoding="utf-8")
    return read["Service"]


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("NO SYSTEMD-ANALYZE: the unit was NOT judged (Debian: apt-get install systemd)")
    return subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=60)


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    """With a program in the place of the one that is not installed here."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text(encoding="utf-8").replace(PROGRAM, "/bin/true"), encoding="utf-8")
    made = analyze("verify", str(unit))

    assert (0, "") == (made.returncode, made.stderr)


def test_a_line_that_systemd_does_not_know_would_be_seen(tmp_path: Path) -> None:
    """It only warns of them."""
    unit = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8").replace(PROGRAM, "/bin/true")
    unit.write_text(text.replace("NoNewPrivileges=", "NoNewPrivilege="), encoding="utf-8")

    assert "'NoNewPrivilege'" in analyze("verify", str(unit)).stderr


def test_it_may_do_little() -> None:
    """By systemd's own measure."""
    made = analyze("security", "--offline=true", f"--threshold={LET_IN}", str(UNIT))

    assert 0 == made.returncode, made.stdout[-300:]


def test_it_is_started_again_however_it_ends() -> None:
    """And never given up, and not killed while it reads a long ledger."""
    read = service()

    assert ("always", "infinity", "notify") == (read["Restart"], read["TimeoutStartSec"], read["Type"])
    assert "StartLimitIntervalSec=0" in UNIT.read_text(encoding="utf-8")
    assert int(read["TimeoutStopSec"]) > 7  # within which it ends by itself


def test_env_example_names_what_a_first_configuration_needs() -> None:
    """And no value: whoever copies it fills it in."""
    listed = set(re.findall(r"^(?:# )?([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    both = [
        FirstFileOptions(("anthropic", "openai", "gemini"), (), slack, "#ops", "", "chat").variables
        for slack in ("socket", "http")
    ]

    assert set() == {name for variables in both for name in variables} - listed
    assert [] == re.findall(r"^[A-Z_]+=.+$", EXAMPLE, re.MULTILINE)


# --- run as it says


class Manager:
    """Stands for systemd: hears what a service tells it, on an abstract socket."""

    def __init__(self) -> None:
        self.address = f"@understudy-test-{id(self)}"
        self._heard: asyncio.Queue[str] = asyncio.Queue()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{self.address[1:]}")
        asyncio.get_running_loop().add_reader(self._socket, self._hear)

    def _hear(self) -> None:
        self._heard.put_nowait(self._socket.recv(4096).decode())

    async def hears(self, what: str) -> list[str]:
        """Everything new up to this word, which has to come within half a minute."""
        heard: list[str] = []
        async with asyncio.timeout(30):
            while what not in heard:
                heard.append(await self._heard.get())
        return heard

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()


@asynccontextmanager
async def started(deployment: Deployment, manager: Manager, folder: Path) -> AsyncIterator[Running]:
    """The unit's command within what the unit leaves to it."""
    read = service()
    where = ["--listen", "127.0.0.1:0"]  # beside other tests
    command = understudy(*read["ExecStart"].split()[1:], *where)
    made = deployment.settings(server={"open_to_loopback": True})
    made["slack"] |= {"bot_token": "${SLACK_BOT_TOKEN}", "app_token": "${SLACK_APP_TOKEN}"}
    state = f"/var/lib/{read['StateDirectory']}"
    volumes = {
        "/tmp": Volume("0:0", "1777"),  # noqa: S108 # PrivateTmp
        state: Volume(f"{USER}:{USER}", read["StateDirectoryMode"]),
    }
    cage = Cage(USER, USER, volumes, {CONFIG: yaml.safe_dump(made)}, read["WorkingDirectory"])
    env = {
        "NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "300000", "HOME": "/",
        "SLACK_BOT_TOKEN": deployment.workspace.bot_token, "SLACK_APP_TOKEN": deployment.workspace.app_token,
    }  # fmt: skip
    running = await locked_in(cage, folder, command, env)
    try:
        yield running
    finally:
        if running.process.returncode is None:
            running.process.kill()
            await running.process.wait()


@pytest.fixture
async def manager() -> AsyncIterator[Manager]:
    found = Manager()
    yield found
    found.close()


@pytest.mark.skipif(bool(why_not()), reason=why_not())
async def test_it_runs_within_what_the_unit_leaves_to_it(tmp_path: Path, manager: Manager) -> None:
    """It gets ready, gives signs of life, answers the terminal, reloads, and says that it ends: `systemctl` waits for each."""
    (tmp_path / "deployment").mkdir()
    async with a_deployment(tmp_path / "deployment") as deployment, started(deployment, manager, tmp_path / "unit") as running:
        before = await manager.hears("READY=1")
        await manager.hears("WATCHDOG=1")
        _, board = await running.tries(*understudy("health", "--config", CONFIG, "--data", "/var/lib/understudy"), env={})
        reloaded = await running.tries(*understudy(*service()["ExecReload"].split()[1:]), env={})
        ended = await running.ends()
        await manager.hears("STOPPING=1")

    assert "WATCHDOG=1" in before  # also while it starts
    assert "anthropic.api" in board
    assert (0, "The configuration is as it was.") == (reloaded[0], reloaded[1].strip())
    assert 0 == ended, running.output


async def test_it_tells_systemd_of_a_reload(tmp_path: Path, manager: Manager) -> None:
    """So that `systemctl status` shows it, with its end."""
    async with a_deployment(tmp_path) as deployment:
        deployment.env = {"NOTIFY_SOCKET": manager.address}
        bot = await deployment.ready_bot()
        started = await manager.hears("READY=1")
        deployment.configure(vantage="berlin")
        bot.process.send_signal(signal.SIGHUP)
        await manager.hears("RELOADING=1")
        await manager.hears("READY=1")

    assert ["READY=1"] == started  # nobody asked for signs of life
