"""`understudy run` with Slack away, a refused token or a missing scope; with nothing open, and with an open incident."""

import signal
from pathlib import Path

import pytest

from bot.sandbox.slack import CommandSpec, LocalWorkspace
from bot.sandbox.slack.records import BOT_SCOPES
from bot.slack.scopes import SCOPES
from commands.table import words
from tests.app.conftest import Pager
from tests.cli.deployment import Deployment, a_deployment
from tests.house import FLAG

LACKING = "bookmarks:write"


def lacking() -> LocalWorkspace:
    """A workspace whose app was installed without one of the scopes."""
    scopes = [scope for scope in BOT_SCOPES if scope != LACKING]
    return LocalWorkspace(scopes=scopes, commands=[CommandSpec(*word) for word in words()])


def with_tokens(deployment: Deployment, **tokens: str) -> None:
    made = deployment.settings()
    made["slack"] |= tokens
    deployment.configure(made)


async def test_bot_runs_without_slack_and_connects_when_it_returns(deployment: Deployment) -> None:
    """It checks, serves flags, says so and retries; then it answers people."""
    await deployment.workspace.faults.offline()
    deployment.vendor.answers = {"anthropic.api": 502}
    bot = await deployment.bot()
    await bot.ready()
    part = await bot.part("slack", lambda part: part and part["state"] == "unreachable")
    await bot.sees("down", "anthropic.api")

    assert not part["ok"]
    assert part["sentence"].startswith("Slack cannot be reached"), "said once"
    assert not part["sentence"].endswith("?."), "one mark ends a sentence"
    assert "claude" == await bot.serves(FLAG)
    assert 200 == (await bot.asks("POST", f"/api/v1/flags/{FLAG}/engage", {"variant": "gpt", "reason": "down"})).status
    assert "gpt" == await bot.serves(FLAG)
    assert any(line["level"] == "error" and "Slack is unreachable" in line["event"] for line in bot.lines)
    health = await deployment.verb("health")
    assert (1, True) == (health.status, "note: slack: Slack cannot be reached" in health.err)

    await deployment.workspace.faults.online()
    await bot.part("slack", lambda part: part["ok"])
    await deployment.quiet()
    ana = deployment.workspace.person("ana")
    await ana.waits_for("INC-1", channel="ops", within=10)
    await ana.types("/health")
    await ana.waits_for("Claude API", channel="ops", within=10)

    assert any(line["event"] == "connected to Slack" for line in bot.lines)
    assert 0 == await bot.ends(signal.SIGTERM)
    assert "Traceback" not in bot.output


async def test_pager_is_called_if_an_incident_opens_without_slack(deployment: Deployment, pager: Pager) -> None:
    """Not everybody looks at a terminal."""
    deployment.configure(notify=[pager.url])
    await deployment.workspace.faults.offline()
    deployment.vendor.answers = {"anthropic.api": 502}
    await deployment.bot()

    heard = await pager.hears()

    assert heard["title"].startswith("INC-1 SEV2:")
    assert "Terminal: understudy incident show INC-1" in heard["message"]


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        ({"bot_token": "xoxb-1-1-wrong"}, "slack.bot_token (invalid_auth): copy the token that begins with xoxb-"),
        ({"app_token": "xapp-1-A1-wrong"}, "slack.app_token (invalid_auth): copy the token that begins with xapp-"),
        ({"bot_token": "xoxp-1-1-user"}, "slack.bot_token holds a user token: put in the one that begins with xoxb-"),
        ({"bot_token": "hunter2-hunter2"}, "slack.bot_token does not look like a token of Slack's"),
        ({"app_token": "xoxb-1-1-bot"}, "slack.app_token: this is the bot token — from api.slack.com/apps, put in the one"),
    ],
)  # fmt: skip
async def test_bot_refuses_to_start_with_an_unusable_token(tokens: dict[str, str], words: str, deployment: Deployment) -> None:
    """Exit status 2 and the remedy; the token itself is not shown."""
    with_tokens(deployment, **tokens)
    ended = await deployment.refused()

    assert 2 == ended.status
    assert words in ended.err
    assert "api.slack.com/apps" in ended.err
    assert "Traceback" not in ended.err
    assert not any(token in ended.err for token in tokens.values())
    assert not (deployment.data / "control.json").exists()


async def test_bot_refuses_the_wrong_kind_of_token_even_if_slack_is_away(deployment: Deployment) -> None:
    """That is seen without Slack, and waiting does not help."""
    with_tokens(deployment, app_token="xoxb-1-1-bot")
    await deployment.workspace.faults.offline()

    assert 2 == (await deployment.refused()).status


async def test_bot_refuses_to_start_without_a_scope(tmp_path: Path) -> None:
    """It names the scope, its purpose, and what to do."""
    async with a_deployment(tmp_path, lacking()) as deployment:
        ended = await deployment.refused()

        assert 2 == ended.status
        assert f"the app lacks the scope {LACKING} ({SCOPES[LACKING]})" in ended.err
        assert "reinstall the app" in ended.err
        assert "Traceback" not in ended.err


@pytest.mark.parametrize("open_thing", ["incident", "engagement"])
async def test_bot_starts_without_a_scope_if_an_incident_is_open(open_thing: str, tmp_path: Path, pager: Pager) -> None:
    """In an outage people need the bot more than, say, bookmarks; it reports the gap everywhere."""
    async with a_deployment(tmp_path, lacking()) as deployment:
        deployment.configure(notify=[pager.url])
        verb = (
            ("incident", "declare", "Claude is down")
            if open_thing == "incident"
            else ("flags", "engage", FLAG, "gpt", "--reason", "down")
        )
        assert 0 == (await deployment.verb(*verb)).status
        bot = await deployment.bot()
        await bot.ready()
        part = await bot.part("slack", lambda part: part and part["state"] == "connected")
        heard = await pager.hears()
        doctor = await deployment.verb("doctor")

        assert not part["ok"]
        for text in (part["sentence"], bot.output, heard["message"], doctor.out):
            assert f"the app lacks the scope {LACKING} ({SCOPES[LACKING]})" in " ".join(text.split())
        assert "Understudy lacks rights in Slack" == heard["title"]
        assert any(line["level"] == "error" and "running on" in line["event"] for line in bot.lines)
        assert 1 == doctor.status
        assert ("INC-1 is open" if open_thing == "incident" else f"{FLAG} is engaged on gpt") in doctor.out
        await deployment.quiet()
        if open_thing == "incident":
            await deployment.workspace.person("ana").waits_for("Claude is down", channel="ops", within=10)
        assert 0 == await bot.ends(signal.SIGTERM)


async def test_bot_starts_with_a_refused_token_if_an_incident_is_open(deployment: Deployment, pager: Pager) -> None:
    """Flags are served and the terminal works; once the token is valid, waiting messages go out."""
    deployment.configure(notify=[pager.url])
    await deployment.verb("flags", "engage", FLAG, "gpt", "--reason", "down")
    await deployment.verb("incident", "declare", "Claude is down")
    deployment.workspace.faults.add("auth.test", "error:account_inactive", times=2)
    bot = await deployment.bot()
    await bot.ready()
    part = await bot.part("slack", lambda part: part and part["state"] == "refused")
    heard = await pager.hears()

    assert "Slack does not take slack.bot_token (account_inactive)" in part["sentence"]
    assert "Understudy cannot speak in Slack" == heard["title"]
    assert "gpt" == await bot.serves(FLAG)
    assert 0 == (await deployment.verb("incident", "note", "1", "still here")).status
    await bot.part("slack", lambda part: part["ok"])
    await deployment.quiet()
    await deployment.workspace.person("ana").waits_for("Claude is down", channel="ops", within=10)


async def test_loss_of_slack_is_reported_and_ends_by_itself(deployment: Deployment) -> None:
    """/readyz stays green, since flags are right, and names what is missing."""
    bot = await deployment.ready_bot()
    await deployment.workspace.faults.offline()
    await bot.part("slack", lambda part: not part["ok"])
    away = await bot.asks("GET", "/readyz", token="")
    await deployment.workspace.faults.online()
    part = await bot.part("slack", lambda part: part["ok"])

    assert (200, ["slack"]) == (away.status, away.json["missing"])
    assert "connected" == part["state"]
    assert 0 == await bot.ends(signal.SIGTERM)
    assert "Traceback" not in bot.output


async def test_running_bot_reports_a_scope_lost_at_a_reconnection(tmp_path: Path) -> None:
    """It does not end for a scope: it connects, and says what will not work."""
    async with a_deployment(tmp_path, lacking()) as deployment:
        await deployment.workspace.faults.offline()
        bot = await deployment.bot()
        await bot.ready()
        await bot.part("slack", lambda part: part and part["state"] == "unreachable")
        await deployment.workspace.faults.online()
        part = await bot.part("slack", lambda part: part["state"] == "connected")
        ana = deployment.workspace.person("ana")
        await ana.types("/health")
        await ana.waits_for(f"the app lacks the scope {LACKING}", channel="ops", within=10)

        assert (False, True) == (part["ok"], f"the app lacks the scope {LACKING}" in part["sentence"])
        assert any(line["level"] == "error" and LACKING in line.get("why", "") for line in bot.lines)


async def test_bot_retries_if_slack_fails_in_the_middle_of_the_start(deployment: Deployment) -> None:
    """The tokens were accepted, but the next call failed."""
    calls = []
    deployment.workspace.faults.add("auth.test", "drop_before", match=lambda args: calls.append(1) or len(calls) == 2)  # type: ignore[func-returns-value] # counts
    bot = await deployment.ready_bot()

    assert any(line["event"] == "connected to Slack" for line in bot.lines)
    assert "Traceback" not in bot.output
