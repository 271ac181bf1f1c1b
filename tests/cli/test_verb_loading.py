"""The list of verbs that `understudy --help` prints, and what it takes to print it."""

import subprocess
import sys

import click
import pytest

from bot.cli.verbs import VERBS, main

HEAVY = ("aiohttp", "pydantic", "slack_sdk", "sqlite_utils")


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


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_of_the_list_can_be_run(name: str) -> None:
    """The list is kept by hand, so that printing it loads nothing."""
    command = main.get_command(click.Context(main), name)

    assert command is not None
    assert name == command.name


def test_a_verb_that_there_is_not_is_refused() -> None:
    """With a word, not with a traceback."""
    assert main.get_command(click.Context(main), "dance") is None
