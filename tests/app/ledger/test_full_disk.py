"""A disk that runs full under a running bot: questions are answered, changes are refused by name, flags go on.

The disk is full for real: the kernel lets the bot's process write no file beyond 64 KiB, which its logs of SQLite are past.
"""

import asyncio
import resource
import signal
from typing import Any

from tests.app.conftest import Pager
from tests.cli.deployment import Bot, Deployment
from tests.house import FLAG

ROOM = 64 * 1024  # bytes


def fill_disk(bot: Bot) -> None:
    """From now on this process can add nothing to its files."""
    _, most = resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE, (ROOM, most))


def make_room(bot: Bot) -> None:
    _, most = resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE, (most, most))


async def a_full_bot(deployment: Deployment, settings: dict[str, Any] | None = None) -> Bot:
    """A bot that watched for a while and has an incident, and whose disk is full since then."""
    deployment.configure(settings)
    bot = await deployment.ready_bot()
    await bot.sees("operational")
    for number in range(8):  # until its log lies beyond what it may still write
        await bot.asks("POST", "/api/v1/incidents", {"title": f"Claude is slow {number}", "components": []})
    assert (deployment.data / "ledger.db-wal").stat().st_size > ROOM
    fill_disk(bot)
    return bot


async def hears(deployment: Deployment, words: str) -> str:
    """What ana is answered."""
    workspace, ana = deployment.workspace, deployment.workspace.person("ana")
    before = len(workspace.team.ephemerals)
    async with asyncio.timeout(10):
        await ana.types(words)
        while len(workspace.team.ephemerals) == before:
            await asyncio.sleep(0.01)
    return workspace.shows(workspace.team.ephemerals[-1])


async def test_questions_are_answered_in_slack_while_the_disk_is_full(deployment: Deployment) -> None:
    """Whoever asks in the outage gets the answer, not "something broke on my side"."""
    await a_full_bot(deployment)
    expected = {
        "/health": "Claude API", "/incident list": "INC-1", "/incident show INC-1": "Claude is slow", "/fallback status": FLAG,
    }  # fmt: skip
    heard = {question: await hears(deployment, question) for question in expected}

    assert {} == {question: answer for question, answer in heard.items() if expected[question] not in answer}


async def test_questions_are_answered_over_http_while_the_disk_is_full(deployment: Deployment) -> None:
    """The terminal verbs use these; services read their flags as before."""
    bot = await a_full_bot(deployment)

    for path in ("status", "incidents", "incidents/1", "incidents/1/timeline", "incidents/1/export", "flags"):
        assert 200 == (await bot.asks("GET", f"/api/v1/{path}")).status, path
    assert "claude" == await bot.serves(FLAG)


async def test_a_change_is_refused_by_name_while_the_disk_is_full(deployment: Deployment) -> None:
    """In Slack and over HTTP: why, that nothing was changed, and what to do."""
    bot = await a_full_bot(deployment)
    told = await hears(deployment, "/incident ack INC-1")
    refused = await bot.asks("POST", f"/api/v1/flags/{FLAG}/engage", {"reason": "slow"})

    assert "The disk is full, nothing was changed. Flags stay as they are. Free disk space where Understudy runs" in told
    assert (503, "The disk is full, nothing was changed.") == (refused.status, refused.json["text"])
    assert "claude" == await bot.serves(FLAG)


async def test_the_terminal_says_beside_the_health_that_the_disk_is_full(deployment: Deployment) -> None:
    """How things are is known all the same."""
    bot = await a_full_bot(deployment)
    await bot.asks("POST", f"/api/v1/flags/{FLAG}/engage", {"reason": "slow"})
    await bot.part("ledger", lambda part: part and not part["ok"])
    asked = await deployment.verb("health")

    assert "anthropic.api" in asked.out
    assert "note: ledger: The ledger cannot be written: data/ledger.db: the disk is full" in asked.err


async def test_an_outage_on_a_full_disk_is_told_and_acted_upon_when_there_is_room(deployment: Deployment, pager: Pager) -> None:
    """Readiness, liveness, metrics and `notify` name the ledger and what the checks see; then it goes on without a restart."""
    settings = deployment.settings(notify=[pager.url], detection={"at_least": "0s"})
    settings["flags"][FLAG]["automation"] = "auto"
    bot = await a_full_bot(deployment, settings)
    deployment.vendor.answers = {"anthropic.api": 502}
    ledger = await bot.part("ledger", lambda part: part and not part["ok"])
    heard = await pager.hears("and a provider fails")
    ready, live = await bot.asks("GET", "/readyz"), await bot.asks("GET", "/healthz")
    metrics = (await bot.asks("GET", "/metrics")).text.splitlines()
    held = await bot.serves(FLAG)
    make_room(bot)
    await bot.ready()
    await bot.sees("down", "anthropic.api")

    assert "full" == ledger["state"]
    assert ("the disk is full" in heard["message"], "Claude API is down" in heard["message"]) == (True, True)
    assert (503, ["ledger"]) == (ready.status, ready.json["missing"])
    assert (200, ["ledger"]) == (live.status, list(live.json["troubles"]))
    assert {
        "understudy_ledger_writable 0.0",
        'understudy_component_level{component="anthropic.api",level="operational"} 1.0',
        'understudy_component_level_seen{component="anthropic.api",level="down"} 1.0',
    } <= set(metrics)
    assert ("claude", "gpt") == (held, await bot.serves(FLAG))
    assert "Traceback" not in bot.output


async def test_a_start_on_a_full_disk_serves_the_committed_flags(deployment: Deployment, pager: Pager) -> None:
    """Read only, and loudly so; where there is room again it goes on without a restart."""
    deployment.configure(notify=[pager.url])
    bot = await deployment.ready_bot()
    engaged = await bot.asks("POST", f"/api/v1/flags/{FLAG}/engage", {"reason": "slow", "variant": "gpt"})
    assert 200 == engaged.status
    await bot.ends(signal.SIGKILL)
    bot = await deployment.bot(most_bytes=16 * 1024)  # less than SQLite needs to open a file for writing
    await bot.says('"event": "ready"')
    await bot.part("slack", lambda part: part and part["ok"])
    served = await bot.serves(FLAG)
    ready = await bot.asks("GET", "/readyz")
    refused = await bot.asks("POST", f"/api/v1/flags/{FLAG}/release", {"reason": "well", "force": True})
    listed = await deployment.verb("incident", "list")
    heard = await pager.hears("cannot write its ledger")
    make_room(bot)
    await bot.ready()
    released = await bot.asks("POST", f"/api/v1/flags/{FLAG}/release", {"reason": "well", "force": True})

    assert ("gpt", 503, "full") == (served, ready.status, ready.json["parts"]["ledger"]["state"])
    assert (503, "The disk is full, nothing was changed.") == (refused.status, refused.json["text"])
    assert "No incident is open." in listed.out
    assert "the disk is full" in heard["message"]
    assert "read only, flags are served as they were committed" in bot.output
    assert (200, "claude") == (released.status, await bot.serves(FLAG))
    assert "Traceback" not in bot.output


async def test_every_face_shows_the_outage_that_cannot_be_written_down(deployment: Deployment) -> None:
    """Nobody is left in the belief that all is well: API, board, Slack and terminal show what the checks see, and mark it."""
    bot = await a_full_bot(deployment)
    deployment.vendor.answers = {"anthropic.api": 502}
    await bot.part("ledger", lambda part: part and not part["ok"] and "Not on record: Claude API is down" in part["sentence"])
    status = (await bot.asks("GET", "/api/v1/status")).json
    [claude] = [c for c in status["components"] if c["id"] == "anthropic.api"]
    board = (await bot.asks("GET", "/")).text
    slack = await hears(deployment, "/health")
    one = await hears(deployment, "/health claude")
    terminal = await deployment.verb("health")

    trouble = "Nothing is being recorded: the disk is full."
    assert ("down", "operational") == (claude["level"], claude["on_record"]["level"])
    assert "HTTP 502" in claude["reason"]
    assert status["ledger_trouble"].startswith(trouble)
    assert {c["on_record"] for c in status["components"] if c["id"] != "anthropic.api"} == {None}
    assert (trouble in board, "<strong>Not recorded yet</strong>; on record: operational" in board) == (True, True)
    assert (trouble in slack, "Claude API: down since" in slack, "not recorded yet; on record:" in slack) == (True,) * 3
    assert ("Claude API: down since" in one, "not recorded yet; on record: operational" in one) == (True, True)
    assert "anthropic.api  down *" in terminal.out
    assert "* is not recorded yet; on record: anthropic.api operational" in terminal.err + terminal.out
