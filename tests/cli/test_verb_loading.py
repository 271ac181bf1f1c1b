"""The list of verbs that `understudy --help` prints, and what it takes to print it."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from bot.cli.verbs import VERBS, main

HEAVY = ("aiohttp", "httpx", "pydantic", "slack_sdk", "sqlite_utils", "structlog", "yaml")
# Each is for one option, one kind of check or what comes behind the start.
RARE = (
    "apprise", "apscheduler", "botocore", "dns", "h2", "icalendar", "jinja2", "jsonpath", "openfeature", "regex", "slack_bolt",
    "slack_sdk", "recurring_ical_events", "sqlite_utils", "bot.sandbox", "bot.demo", "bot.slack.gateway", "commands.register",
)  # fmt: skip
# Each is for one kind of check, one store or one way of calling, or for pages and callers that a bot may never see.
FOR_SOME = (
    "apprise", "botocore", "dns", "google.protobuf", "h2", "icalendar", "jinja2", "jsonpath", "openfeature", "psycopg",
    "recurring_ical_events", "regex", "bot.backtest", "bot.demo", "bot.doctor.look_once", "bot.sandbox",
)  # fmt: skip
A_BOT = """
import asyncio, sys
from pathlib import Path
import bot.cli.run
from bot.app import build
from bot.config.load import load
async def main():
    app = build(load(Path(sys.argv[1]), {}), data=Path(sys.argv[1]).parent / "data", listen=("127.0.0.1", 0))
    await app.start()
    await app.looked()
    print(*sys.modules, sep=chr(10))
    await app.stop()
asyncio.run(main())
"""
CONFIG = """
slack: {mode: none}
control_group: []
allow_private: [127.0.0.0/8]
providers: {shop: {components: {api: {checks: [{type: http, url: "http://127.0.0.1:9/", every: 30s}]}}}}
"""
SERVING = ("aiohttp", "bot.app", "bot.engine.engine", "prometheus_client", "uvloop")


def modules_after(*args: str) -> set[str]:
    """What is loaded once `understudy` has answered this."""
    code = (
        f"import sys, bot.cli.verbs as verbs\nverbs.main({list(args)}, standalone_mode=False)\nprint(*sys.modules, sep=chr(10))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ended.stdout.splitlines())


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_an_answer_that_needs_no_verb_loads_none(option: str) -> None:
    """Whoever asks for the version does not wait a second for web servers and Slack."""
    assert set() == modules_after(option) & set(HEAVY)


def test_a_bot_is_ready_without_what_it_may_never_need() -> None:
    """Slack is loaded when the flags are served, and a library for one kind of check with the first check of that kind."""
    assert set() == modules_after("run", "--help") & set(RARE)


def test_a_bot_whose_checks_ask_over_http_alone_holds_nothing_of_others(tmp_path: Path) -> None:
    """A library that it never calls is a megabyte or two for as long as it runs."""
    config = tmp_path / "understudy.yaml"
    config.write_text(CONFIG, encoding="utf-8")

    ended = subprocess.run([sys.executable, "-c", A_BOT, str(config)], capture_output=True, text=True, check=True)

    assert set() == {name for name in ended.stdout.splitlines() if name.startswith(FOR_SOME)}


@pytest.mark.parametrize("name", ["drill", "flags", "health", "incident"])
def test_a_verb_that_asks_the_running_bot_loads_none_of_its_own(name: str) -> None:
    """At three in the morning the board in the terminal does not wait for a web server, which answers elsewhere."""
    assert set() == modules_after(name, "--help") & {*RARE, *SERVING}


@pytest.mark.parametrize("name", ["config", "init", "manifest"])
def test_a_verb_that_reads_files_alone_loads_no_transport(name: str) -> None:
    """Whoever checks a configuration neither serves nor asks anything."""
    assert set() == modules_after(name, "--help") & {*RARE, *SERVING, "httpx", "pysqlite3", "structlog"}


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_of_the_list_can_be_run(name: str) -> None:
    """The list is kept by hand, so that printing it loads nothing."""
    command = main.get_command(click.Context(main), name)

    assert command is not None
    assert name == command.name


def test_a_verb_that_there_is_not_is_refused() -> None:
    """With a word, not with a traceback."""
    assert main.get_command(click.Context(main), "dance") is None
