"""What docs/flags.md tells services to write, word for word, against a running bot: normal times, an outage, and no bot."""

import asyncio
import re
import signal
from pathlib import Path
from typing import Any

import yaml

from tests.cli.deployment import a_deployment

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "flags.md").read_text(encoding="utf-8")
TOKEN = "read-token-of-the-page"
CLAUDE, GPT = {"provider": "anthropic", "model": "claude-sonnet-4-5"}, {"provider": "openai", "model": "gpt-5"}


def written(language: str) -> str:
    """The first example of the page in this language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def service(url: str) -> dict[str, Any]:
    """A service as the page writes it, but for the address; it knows its token from its environment."""
    code = written("python")
    assert "http://127.0.0.1:8080" in code
    names: dict[str, Any] = {"environ": {"UNDERSTUDY_READ_TOKEN": TOKEN}}
    exec(code.replace("http://127.0.0.1:8080", url).replace("from os import environ\n", ""), names)  # noqa: S102 # our own page
    names["provider"].session.trust_env = False
    return names


async def test_example_of_the_page_fails_over_and_outlives_the_bot(tmp_path: Path) -> None:
    """A service is sent to the fallback and back; without a bot it stays where it is, or starts on the fallback."""
    async with a_deployment(tmp_path) as deployment:
        deployment.configure(
            flags=yaml.safe_load(written("yaml"))["flags"], server={"listen": "127.0.0.1:0", "read_tokens": [TOKEN]}
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
