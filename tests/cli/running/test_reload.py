"""Another configuration for a bot that runs: taken over or refused whole, and readers of flags notice nothing."""

import asyncio
import signal
import socket
from collections import Counter
from typing import Any

import aiohttp
import pytest

from bot.core.record.itself.configuration_facts import ConfigurationRefused, ConfigurationTaken
from tests.cli.deployment import WITHIN_S, Bot, Deployment
from tests.house import FLAG


async def taken(bot: Bot, times: int = 1) -> None:
    """Wait until the bot has taken a configuration over so many times, and is ready with it."""
    async with asyncio.timeout(WITHIN_S):
        while bot.output.count('"event": "configuration reloaded"') < times:
            await asyncio.sleep(0.02)
    await bot.ready()


def changed(deployment: Deployment, **flags: Any) -> dict[str, Any]:
    """The configuration with other settings of the flag."""
    made = deployment.settings()
    made["flags"][FLAG] |= flags
    return made


class Reader:
    """A service that reads one flag without a pause, over a connection that it keeps and over a new one each time."""

    def __init__(self, bot: Bot) -> None:
        self.seen: Counter[str] = Counter()
        self._url = f"{bot.control['url']}/ofrep/v1/evaluate/flags/{FLAG}"
        self._headers = {"Authorization": f"Bearer {bot.control['token']}"}

    async def read(self, *, new: bool) -> None:
        connector = aiohttp.TCPConnector(force_close=new)
        async with aiohttp.ClientSession(headers=self._headers, connector=connector) as session:
            while True:
                try:
                    async with session.post(self._url, json={}, timeout=aiohttp.ClientTimeout(total=1)) as answer:
                        self.seen[(await answer.json()).get("variant", str(answer.status))] += 1
                except (aiohttp.ClientError, TimeoutError) as error:
                    self.seen[repr(error)] += 1
                await asyncio.sleep(0.002)


async def test_readers_of_flags_notice_nothing(deployment: Deployment) -> None:
    """Not one read fails or is slow, whoever keeps a connection or opens a new one."""
    bot = await deployment.ready_bot()
    reader = Reader(bot)
    readers = [asyncio.create_task(reader.read(new=new)) for new in (False, True)]
    for times in (1, 2):
        deployment.configure(changed(deployment, description=f"Which provider answers, {times}"))
        assert 0 == (await deployment.verb("reload")).status
        await taken(bot, times)
    await asyncio.sleep(0.2)
    for task in readers:
        task.cancel()
    await asyncio.gather(*readers, return_exceptions=True)

    assert ["claude"] == list(reader.seen), reader.seen
    assert 0 == await bot.ends(signal.SIGTERM)
    assert "Traceback" not in bot.output


async def test_what_changed_is_said_and_on_record(deployment: Deployment) -> None:
    """By key and never by value, in the terminal, in the ops channel and in the ledger."""
    bot = await deployment.ready_bot()
    made = changed(deployment, description="Which provider answers")
    made["server"]["control_tokens"] = ["a-token-that-is-new-and-long"]
    deployment.configure(made)
    ended = await deployment.verb("reload")
    await taken(bot)
    await deployment.quiet()

    keys = f"server.control_tokens, flags.{FLAG}.description"
    assert f"Taken over. Changed: {keys}\n" == ended.out
    assert f"Changed: {keys}" in deployment.said()
    facts = await deployment.facts()
    assert [tuple(keys.split(", "))] == [fact.body.changed for fact in facts if isinstance(fact.body, ConfigurationTaken)]
    assert "a-token-that-is-new" not in bot.output + deployment.said() + ended.out


async def test_new_settings_hold(deployment: Deployment) -> None:
    """A token that was added opens, one that is gone does not, and a new flag is served."""
    bot = await deployment.ready_bot()
    made = deployment.settings()
    made["server"]["read_tokens"] = ["a-reader-that-is-new"]
    made["flags"]["search.llm"] = {"variants": {"on": True, "off": False}, "default": "on"}
    deployment.configure(made)
    await deployment.verb("reload")
    await taken(bot)

    assert 200 == (await bot.asks("GET", "/api/v1/flags", token="a-reader-that-is-new")).status
    assert "on" == await bot.serves("search.llm")


async def test_configuration_that_is_wrong_is_refused_whole(deployment: Deployment) -> None:
    """With file, line and remedy, and nothing of it is taken over: not even what is right."""
    bot = await deployment.ready_bot()
    made = changed(deployment, default="gpt")
    made["flgas"] = {}
    deployment.configure(made)
    ended = await deployment.verb("reload")

    assert 1 == ended.status
    assert all(word in ended.err for word in ("understudy.yaml:", "flgas", "did you mean `flags`?"))
    assert "claude" == await bot.serves(FLAG)


async def test_refusal_ends_its_sentences(deployment: Deployment) -> None:
    """What is wrong and what became of it are two."""
    await deployment.ready_bot()
    deployment.configure(changed(deployment, default="nope"))
    ended = await deployment.verb("reload")

    assert ended.err.strip().endswith("`claude`, `gpt`. Nothing was changed.")


async def test_another_folder_takes_a_restart(deployment: Deployment) -> None:
    """The ledger is not left in the middle of an incident."""
    bot = await deployment.ready_bot()
    deployment.configure(data=str(deployment.folder / "elsewhere"))
    ended = await deployment.verb("reload")

    assert (1, True) == (ended.status, "data names another folder." in ended.err)
    assert "claude" == await bot.serves(FLAG)


async def test_hangup_signal_asks_too(deployment: Deployment) -> None:
    """As `kill -HUP` and systemd's `ExecReload` do; what is wrong stands in the log."""
    bot = await deployment.ready_bot()
    deployment.configure(flgas={})
    bot.process.send_signal(signal.SIGHUP)
    await bot.says("did you mean `flags`?")
    deployment.configure(changed(deployment, description="Which provider answers"))
    bot.process.send_signal(signal.SIGHUP)
    await taken(bot)

    assert "SIGHUP" in [fact.actor.name for fact in await deployment.facts() if isinstance(fact.body, ConfigurationTaken)]


async def test_configuration_that_is_the_same_changes_nothing(deployment: Deployment) -> None:
    bot = await deployment.ready_bot()
    ended = await deployment.verb("reload")

    assert (0, "The configuration is as it was.\n") == (ended.status, ended.out)
    assert "taken over" not in bot.output


async def test_bot_goes_on_as_before_where_the_new_one_cannot_be_run_with(deployment: Deployment) -> None:
    """Its port is taken: the one before serves on, and says so."""
    bot = await deployment.ready_bot()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        made = changed(deployment, description="Which provider answers")
        made["server"]["listen"] = f"127.0.0.1:{other.getsockname()[1]}"
        deployment.configure(made)
        ended = await deployment.verb("reload")
        assert 1 == ended.status
        assert "cannot run, so the old one stays in use: " in ended.err
        assert f":{other.getsockname()[1]}" in ended.err
        await bot.says("the previous one continues")
        async with asyncio.timeout(WITHIN_S):
            while "cannot run, so the old one stays in use" not in deployment.said():
                await asyncio.sleep(0.05)

    assert "claude" == await bot.serves(FLAG)
    assert any(isinstance(fact.body, ConfigurationRefused) for fact in await deployment.facts())


async def test_bot_listens_elsewhere(deployment: Deployment) -> None:
    """At the new address only."""
    bot = await deployment.ready_bot()
    before = bot.control["url"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = deployment.settings()
    made["server"]["listen"] = f"127.0.0.1:{port}"
    deployment.configure(made)
    await deployment.verb("reload")
    await taken(bot)

    assert f"http://127.0.0.1:{port}" == bot.control["url"]
    with pytest.raises(aiohttp.ClientError):
        async with aiohttp.ClientSession() as session, session.get(f"{before}/healthz"):
            pass


async def test_engaged_variant_that_left_the_file_is_served_on(deployment: Deployment) -> None:
    """Nobody is sent back to the provider that fails by an edit of the file."""
    bot = await deployment.ready_bot()
    await deployment.verb("flags", "engage", FLAG, "gpt", "--reason", "slow")
    made = deployment.settings()
    flag = made["flags"][FLAG]
    flag["variants"].pop("gpt")
    flag["fallbacks"] = [one for one in flag["fallbacks"] if one["variant"] != "gpt"]
    deployment.configure(made)
    await deployment.verb("reload")
    await taken(bot)

    assert "gpt" == await bot.serves(FLAG)


async def test_unix_socket_serves_on(deployment: Deployment) -> None:
    """The same file, for those who have it open and those who come."""
    path = deployment.folder / "read.sock"
    deployment.configure(server={"listen": "127.0.0.1:0", "socket": str(path)})
    bot = await deployment.ready_bot()
    made = changed(deployment, description="Which provider answers")
    made["server"] = {"listen": "127.0.0.1:0", "socket": str(path)}
    deployment.configure(made)
    before = path.stat().st_ino
    await deployment.verb("reload")
    await taken(bot)
    async with (
        aiohttp.ClientSession("http://localhost", connector=aiohttp.UnixConnector(str(path))) as client,
        client.get("/api/v1/flags") as answer,
    ):
        assert 200 == answer.status
    assert before == path.stat().st_ino
    assert 0 == await bot.ends(signal.SIGTERM)
    assert not path.exists()
