"""On a terminal a question may stand for minutes: a yes to it overrides only what it named."""

import asyncio
import os
import pty
import sys

from tests.cli.deployment import Deployment
from tests.forks import ROOT
from tests.house import FLAG

WITHIN_S = 60
QUESTION = b"[y/N]: "


async def test_a_yes_is_asked_again_about_what_was_switched_since(deployment: Deployment) -> None:
    """Somebody switches the whole flag while the question names a part of its readers alone."""
    await deployment.ready_bot()
    await deployment.verb("incident", "declare", "Claude is slow", "--component", "anthropic.api")
    await deployment.verb("flags", "engage", FLAG, "gpt", "--scope", "env=eu", "--reason", "a test")
    ours, theirs = pty.openpty()
    asked = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.cli", "incident", "resolve", "1", "--config", str(deployment.config), stdin=theirs,
        stdout=asyncio.subprocess.PIPE, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}, cwd=deployment.folder,
    )  # fmt: skip
    os.close(theirs)
    assert asked.stdout is not None
    async with asyncio.timeout(WITHIN_S):
        first = await asked.stdout.readuntil(QUESTION)
        await deployment.verb("flags", "engage", FLAG, "gpt", "--reason", "a test")
        os.write(ours, b"y\n")
        second = await asked.stdout.readuntil(QUESTION)
        os.write(ours, b"y\n")
        done = await asked.stdout.read()
    os.close(ours)

    assert b"support chat (env=eu) is still on gpt" in first
    assert b"support chat is still on gpt" in second
    assert b"INC-1 is resolved now." in done
