"""What docs/flags.md tells services to write, word for word; the kit and what needs no package are in test_outage.py."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.deployment import a_deployment
from tests.clients.page import at, written

OTHERS, WITHOUT = "Other OpenFeature clients", "Without a package"
TOKEN = "read-token-of-the-page"
CLAUDE, GPT = {"provider": "anthropic", "model": "claude-sonnet-4-5"}, {"provider": "openai", "model": "gpt-5"}


def service(url: str) -> dict[str, Any]:
    """A service on the official client as the page writes it, but for the address; it knows its token from its environment."""
    code = at(written("python", OTHERS), url)
    names: dict[str, Any] = {"environ": {"UNDERSTUDY_READ_TOKEN": TOKEN}}
    exec(code.replace("from os import environ\n", ""), names)  # noqa: S102 # our own page
    names["provider"].session.trust_env = False
    return names


@pytest.mark.parametrize(
    ("language", "heading"),
    [("python", "Python"), ("js", "Node"), ("python", WITHOUT), ("js", WITHOUT), ("sh", WITHOUT), ("python", OTHERS)],
)
def test_code_default_of_every_example_is_the_fallback(language: str, heading: str) -> None:
    """Whoever copies it is not sent to the broken provider by a first start in an outage."""
    example = written(language, heading)
    assert "gpt" in example
    assert "claude" not in example


async def test_example_of_the_page_fails_over_and_outlives_the_bot(tmp_path: Path) -> None:
    """A service is sent to the fallback and back; without a bot it stays where it is, or starts on the fallback."""
    async with a_deployment(tmp_path) as deployment:
        deployment.configure(
            flags=yaml.safe_load(written("yaml", "Reading a flag"))["flags"],
            server={"listen": "127.0.0.1:0", "read_tokens": [TOKEN]},
        )
        bot = await deployment.ready_bot()
        url = bot.control["url"]
        running = service(url)
        starting = None
        try:
            said = [await asyncio.to_thread(running["route"])]
            for words in (
                ("engage", "support-chat.llm", "--reason", "Claude fails"),
                ("release", "support-chat.llm", "--reason", "over"),
            ):
                ended = await deployment.verb("flags", *words)
                assert 0 == ended.status, ended.err
                said.append(await asyncio.to_thread(running["route"]))
            await bot.ends(signal.SIGKILL)
            said.append(await asyncio.to_thread(running["route"]))
            starting = service(url)
            said.append(await asyncio.to_thread(starting["route"]))
        finally:
            for one in (running, starting):
                if one is not None:
                    one["provider"].session.close()

    assert [CLAUDE, GPT, CLAUDE, CLAUDE, GPT] == said
