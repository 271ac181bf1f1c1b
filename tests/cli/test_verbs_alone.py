"""The verbs on a data folder that no bot works on: the ledger gets the facts, and the next start does the rest."""

import asyncio
import json
import signal
from pathlib import Path

import pytest

from bot.core.record.flag_facts import Engaged
from bot.core.record.incident_facts import Declared, UpdateWritten
from bot.store.lock import DataLock
from tests.cli.deployment import Deployment, a_deployment
from tests.house import FLAG

ALONE = "note: No bot runs on"


async def test_what_was_done_without_a_bot_is_said_at_the_next_start(deployment: Deployment) -> None:
    """Facts at once; channel, alert and update when there is somebody to post them."""
    declared = await deployment.understudy("incident", "declare", "Claude is down", "--component", "anthropic.api")
    updated = await deployment.verb("incident", "update", "1", "we wait for the vendor")
    engaged = await deployment.verb("flags", "engage", FLAG, "gpt", "--reason", "Claude is down")
    kinds = {type(fact.body) for fact in await deployment.facts()}
    before = deployment.workspace.person("ana").sees()

    assert [0, 0, 0] == [declared.status, updated.status, engaged.status]
    assert f"{ALONE} data: nothing is watched, and what waits for Slack goes out when it starts.\n" == declared.err
    assert {Declared, UpdateWritten, Engaged} <= kinds
    assert "Claude is down" not in before
    assert not (deployment.data / "control.json").exists()

    bot = await deployment.ready_bot()
    assert "gpt" == await bot.serves(FLAG)
    rows = await deployment.quiet()
    said = deployment.said()
    assert {"done", "superseded"} >= {row.state for row in rows}
    assert "Claude is down" in deployment.workspace.person("ana").sees()
    for words in ("Claude is down", "we wait for the vendor", "gpt"):
        assert words in said


async def test_answers_stay_clean_without_a_bot(deployment: Deployment) -> None:
    """Programs read JSON from standard output; that nobody watches stands on standard error."""
    for args in (("incident", "declare", "Claude is down"), ("incident", "list"), ("flags", "list"), ("health",)):
        ended = await deployment.verb(*args, "--json")

        assert 0 == ended.status, ended
        assert isinstance(ended.json, dict)
        assert ended.err.startswith(ALONE)
        assert 1 == len(ended.err.splitlines())


@pytest.mark.parametrize("verb", [("health",), ("incident", "list"), ("flags", "list"), ("export", "1")])
async def test_questions_make_no_ledger_where_there_is_none(verb: tuple[str, ...], deployment: Deployment) -> None:
    """A mistyped --data is an error, not an empty answer and a new folder."""
    ended = await deployment.understudy(*verb, "--data", "dat")

    assert (1, "") == (ended.status, ended.out)
    assert ended.err.startswith("there is no ledger in dat; check --data")
    assert not (deployment.folder / "dat").exists()


async def test_verbs_work_after_the_bot_was_killed(deployment: Deployment) -> None:
    """Its address and token are still there, and lead nowhere."""
    bot = await deployment.ready_bot()
    await bot.ends(signal.SIGKILL)
    ended = await deployment.verb("incident", "declare", "Claude is down")

    assert (deployment.data / "control.json").exists() is False
    assert (0, True) == (ended.status, ALONE in ended.err)


async def test_verbs_do_not_speak_with_another_bot_on_a_killed_ones_port(deployment: Deployment, tmp_path: Path) -> None:
    """The ledger that was named is the one that is asked, whoever listens on the old address."""
    await deployment.verb("incident", "declare", "This one is ours")
    bot = await deployment.ready_bot()
    old = json.loads((deployment.data / "control.json").read_text(encoding="utf-8"))
    await bot.ends(signal.SIGKILL)
    (tmp_path / "other").mkdir()
    async with a_deployment(tmp_path / "other") as other:
        await other.ready_bot("--listen", old["url"].removeprefix("http://"))
        listed = await deployment.verb("incident", "list")

        assert (0, True) == (listed.status, "This one is ours" in listed.out)
        assert ALONE in listed.err


async def test_verbs_wait_for_each_other(deployment: Deployment) -> None:
    """Two people in two terminals: both get through."""
    both = await asyncio.gather(*(deployment.understudy("incident", "declare", f"number {n}", "--separate") for n in (1, 2)))

    assert [0, 0] == [ended.status for ended in both], both
    assert 2 == sum(isinstance(fact.body, Declared) for fact in await deployment.facts())


async def test_verb_says_so_when_the_folder_is_held_and_nobody_answers(deployment: Deployment) -> None:
    """After a few seconds of patience."""
    with DataLock(deployment.data):
        ended = await deployment.understudy("incident", "list")

    assert (1, "") == (ended.status, ended.out)
    assert "another process works on data and does not answer" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"url": 7', "\x00"])
async def test_damaged_control_file_is_named(content: str, deployment: Deployment) -> None:
    """No traceback, whatever stands in it."""
    deployment.data.mkdir()
    (deployment.data / "control.json").write_text(content, encoding="utf-8")
    with DataLock(deployment.data):
        ended = await deployment.verb("incident", "list")

    assert (1, "") == (ended.status, ended.out)
    assert "control.json is damaged; restart the bot" in ended.err


async def test_verbs_need_none_of_the_bots_keys(deployment: Deployment) -> None:
    """The shell of an outage knows no secrets; what stands in flags is not put on record half-read."""
    made = deployment.settings()
    made["providers"]["anthropic"]["components"]["api"]["checks"][0]["headers"] = {"x-api-key": "${ANTHROPIC_API_KEY}"}
    made["flags"][FLAG]["variants"]["gpt"] = {"provider": "openai", "model": "${GPT_MODEL}"}
    made["notify"] = ["${NOTIFY_URL}"]
    made["slack"] |= {"bot_token": "${SLACK_BOT_TOKEN}", "app_token": "${SLACK_APP_TOKEN}"}
    deployment.configure(made)
    engaged = await deployment.verb("flags", "engage", FLAG, "gpt", "--reason", "Claude is down")

    assert 0 == engaged.status, engaged
    deployment.env |= {
        "ANTHROPIC_API_KEY": "sk-ant-test", "GPT_MODEL": "gpt-5", "NOTIFY_URL": "json://127.0.0.1:1/x",
        "SLACK_BOT_TOKEN": deployment.workspace.bot_token, "SLACK_APP_TOKEN": deployment.workspace.app_token,
    }  # fmt: skip
    bot = await deployment.ready_bot()
    found = await bot.asks("POST", f"/ofrep/v1/evaluate/flags/{FLAG}", {"context": {"targetingKey": "t"}})
    assert {"provider": "openai", "model": "gpt-5"} == found.json["value"]
