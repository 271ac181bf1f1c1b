"""`understudy run` from its first line to its last: what it needs, how it refuses, how it ends."""

import asyncio
import re
import signal
import socket
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.store.sqlite.ledgers import LEDGER_FILE, InlineLedger
from tests.cli.deployment import Deployment
from tests.house import FLAG


def assert_one_clear_sentence(text: str) -> None:
    """What a person reads when something is wrong: words, and no inner life of the program."""
    assert "Traceback" not in text
    assert 'File "' not in text
    assert text.strip()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_bot_ends_cleanly_when_it_is_asked_to(how: signal.Signals, deployment: Deployment) -> None:
    """Exit status 0, nothing of a traceback, and no key to the API is left behind."""
    bot = await deployment.ready_bot()
    control = deployment.data / "control.json"

    assert 0o600 == control.stat().st_mode & 0o777
    assert 0o700 == deployment.data.stat().st_mode & 0o777
    assert 0 == await bot.ends(how)
    assert "Traceback" not in bot.output
    assert not control.exists()
    assert ["ready", "shutting down"] == [
        line["event"] for line in bot.lines if line["logger"] == "bot.cli.run" and line["level"] == "info"
    ]


async def test_bot_looks_around_once_it_is_ready(deployment: Deployment) -> None:
    """Every line of the log is an event, /healthz is green, and verdicts come by themselves."""
    bot = await deployment.ready_bot()
    await bot.sees("operational")

    assert {"live": True, "troubles": {}} == (await bot.asks("GET", "/healthz", token="")).json
    assert all({"event", "level", "timestamp", "logger"} <= line.keys() for line in bot.lines)


async def test_services_on_the_machine_read_over_a_unix_socket(deployment: Deployment) -> None:
    """Without a token, the port closed to them, and after a crash as before."""
    path = deployment.folder / "read.sock"
    deployment.configure(server={"listen": "127.0.0.1:0", "socket": str(path)})
    bot = await deployment.ready_bot()
    assert 403 == (await bot.asks("GET", "/api/v1/flags", token="")).status
    await bot.ends(signal.SIGKILL)
    bot = await deployment.ready_bot()
    async with (
        aiohttp.ClientSession("http://localhost", connector=aiohttp.UnixConnector(str(path))) as client,
        client.post(f"/ofrep/v1/evaluate/flags/{FLAG}", json={}) as answer,
    ):
        assert "claude" == (await answer.json())["variant"]
    await bot.ends(signal.SIGTERM)
    assert not path.exists()


async def test_flags_tell_the_truth_from_the_first_green_on(deployment: Deployment) -> None:
    """After a crash, nobody who waited for /readyz reads a default while the flag is engaged."""
    bot = await deployment.ready_bot()
    await bot.asks("POST", f"/api/v1/flags/{FLAG}/engage", {"variant": "gpt", "reason": "test"})
    await bot.ends(signal.SIGKILL)
    again = await deployment.bot()
    ready = await again.ready()

    assert "gpt" == await again.serves(FLAG)
    assert ready["parts"]["ledger"]["ok"]


async def test_end_is_not_held_up_when_slack_hangs_at_the_start(deployment: Deployment) -> None:
    """A supervisor that stops the bot need not wait for Slack's answer."""
    deployment.workspace.faults.add("auth.test", "hang", times=5)
    bot = await deployment.bot()
    await bot.ready()
    async with asyncio.timeout(4):
        assert 0 == await bot.ends(signal.SIGTERM)

    assert "Traceback" not in bot.output
    assert not (deployment.data / "control.json").exists()


async def test_every_error_of_the_configuration_is_told_at_once(deployment: Deployment) -> None:
    """With file, line, key and remedy; exit status 2 and nothing is started."""
    made = deployment.settings()
    made["flags"][FLAG]["default"] = "clod"
    made["providers"]["openai"]["components"]["api"]["checks"][0]["every"] = "soon"
    made["slack"]["bot_token"] = "${NOT_SET_ANYWHERE}"
    made["surprise"] = 1
    deployment.configure(made)
    for args in (("run",), ("config", "check")):
        ended = await deployment.understudy(*args)
        lines = ended.err.splitlines()

        assert 2 == ended.status
        assert 4 == len(lines)
        assert all(re.match(rf"{re.escape(str(deployment.config))}:\d+: \S+: .+ — .+", line) for line in lines)
        for word in ("clod", "soon", "NOT_SET_ANYWHERE", "surprise"):
            assert any(word in line for line in lines), word
    assert not deployment.data.exists()


@pytest.mark.parametrize("args", [("--config", "nowhere.yaml"), ("--listen", "here"), ("--log-level", "LOUD")])
async def test_bot_does_not_start_with_wrong_arguments(args: tuple[str, ...], deployment: Deployment) -> None:
    """One clear sentence and exit status 2."""
    ended = await deployment.understudy("run", *args)

    assert 2 == ended.status
    assert_one_clear_sentence(ended.err)


async def test_port_that_is_taken_is_named(deployment: Deployment) -> None:
    """Exit status 1, the address, and what to do; the data folder is free again."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = await deployment.understudy("run", "--listen", f"127.0.0.1:{port}")

    assert (1, True) == (ended.status, f"Cannot listen on 127.0.0.1:{port}: another program already does." in ended.err)
    assert "Traceback" not in ended.err
    assert not (deployment.data / "control.json").exists()
    await deployment.ready_bot()


async def test_second_bot_is_refused_when_the_folder_is_owned(deployment: Deployment) -> None:
    """It names the owner, and takes nothing of the first one's away."""
    bot = await deployment.ready_bot()
    ended = await deployment.understudy("run")

    assert 1 == ended.status
    assert f"another Understudy (pid {bot.process.pid}) owns this data folder" in ended.err
    assert "Traceback" not in ended.err
    assert 200 == (await bot.asks("GET", "/api/v1/status")).status


async def test_ledger_of_a_newer_version_is_left_alone(deployment: Deployment) -> None:
    """Exit status 1 and the remedy, for the bot, for verbs and for exports."""
    deployment.data.mkdir()
    await InlineLedger.open(deployment.data / LEDGER_FILE).close()
    with sqlite3.connect(deployment.data / LEDGER_FILE) as conn:
        conn.execute("PRAGMA user_version = 99")
    conn.close()
    for args in (("run",), ("incident", "list"), ("export", "INC-1")):
        ended = await (deployment.understudy(*args) if args == ("run",) else deployment.verb(*args))

        assert 1 == ended.status, args
        assert "was written by a newer Understudy (schema 99, this one knows 4)" in ended.err
        assert "Traceback" not in ended.err
    doctor = await deployment.verb("doctor", "--no-slack", "--json")
    assert (1, ["bad"]) == (doctor.status, [f["state"] for f in doctor.json if f["subject"] == "ledger"])
    with sqlite3.connect(deployment.data / LEDGER_FILE) as conn:
        assert [(99,)] == conn.execute("PRAGMA user_version").fetchall()
    conn.close()


def a_file(folder: Path) -> Path:
    (folder / "file").write_text("I am no folder", encoding="utf-8")
    return folder / "file"


def a_read_only_place(folder: Path) -> Path:
    return Path("/proc/understudy")  # nobody makes a folder there, not even root


@pytest.mark.parametrize("place", [a_file, a_read_only_place])
async def test_data_folder_that_cannot_be_used_is_named(place: Any, deployment: Deployment, tmp_path: Path) -> None:
    """Exit status 1 and one clear sentence, for the bot and for a verb."""
    data = place(tmp_path)
    for args in (("run",), ("incident", "declare", "Claude is down")):
        ended = await deployment.understudy(*args, "--data", str(data))

        assert 1 == ended.status
        assert f"the data folder {data} cannot be used" in ended.err
        assert_one_clear_sentence(ended.err)


async def test_damaged_ledger_is_named(deployment: Deployment) -> None:
    """Not a database at all: a sentence with the file's name and what to do."""
    deployment.data.mkdir()
    (deployment.data / LEDGER_FILE).write_bytes(b"This is not the file you are looking for." * 100)
    for args in (("run",), ("flags", "list"), ("export", "1")):
        ended = await (deployment.understudy(*args) if args == ("run",) else deployment.verb(*args))

        assert (1, True) == (ended.status, f"data/{LEDGER_FILE} cannot be " in ended.err)
        assert_one_clear_sentence(ended.err)
