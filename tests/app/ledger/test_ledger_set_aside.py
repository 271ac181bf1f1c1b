"""An edited ledger without a backup: what does not hold is set aside by name, and everything else is kept."""

import asyncio
import json
import signal

import pytest

from bot.doctor.storage import look_at_disk
from tests.cli.deployment import Deployment
from tests.house import FLAG
from tests.ledger_edits import edit

STREAM = f"flag/{FLAG}"

NO_TEXT = "CAST(x'7bff' AS TEXT)"


def aside(deployment: Deployment) -> list[dict[str, object]]:
    file = deployment.data / "ledger.set-aside-1.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


async def test_the_refusal_names_the_way_that_keeps_what_holds(engaged: Deployment) -> None:
    """Every broken stream stands in the words to type."""
    edit(engaged.data, "UPDATE facts SET body = replace(body, 'e', 'f')")
    ended = await engaged.refused()

    assert f"understudy run --set-aside {STREAM} --set-aside incident/1" in ended.err


@pytest.mark.parametrize("body", ["'{'", "CAST(x'7bff' AS TEXT)"], ids=["edited", "no text"])
async def test_a_flag_is_set_aside_and_the_incident_is_kept(body: str, engaged: Deployment) -> None:
    """The flag is on its default, said loudly; INC-1 is open as before, and what was edited lies in a file of the owner's."""
    edit(engaged.data, f"UPDATE facts SET body = {body} WHERE stream = '{STREAM}'")  # noqa: S608 # constants
    bot = await engaged.ready_bot("--set-aside", STREAM)
    incidents = (await bot.asks("GET", "/api/v1/incidents")).json["incidents"]

    assert f"{STREAM} was set aside into ledger.set-aside-1.jsonl: {FLAG} serves its default again" in bot.output
    assert ("claude", [1]) == (await bot.serves(FLAG), [one["number"] for one in incidents])
    assert {STREAM} == {row["stream"] for row in aside(engaged)}
    assert "ledger.set-aside-1.jsonl was set aside" in look_at_disk(engaged.data)[-1].words


async def test_an_incident_that_is_set_aside_keeps_its_number(engaged: Deployment) -> None:
    """The next one is INC-2: nothing that was said of INC-1 in Slack is mixed up with it."""
    edit(engaged.data, "UPDATE facts SET at = '2020-01-01T00:00:00.000000+00:00' WHERE stream = 'incident/1' AND seq = 1")
    bot = await engaged.ready_bot("--set-aside", "incident/1")
    declared = await bot.asks("POST", "/api/v1/incidents", {"title": "Another matter"})

    assert ("gpt", 2) == (await bot.serves(FLAG), declared.json["incident"])
    assert "INC-1 is over, and what still fails opens a new one" in bot.output


async def test_a_flag_and_the_incident_are_set_aside_for_good(engaged: Deployment) -> None:
    """The next start asks nothing: what is missing is missing on purpose."""
    edit(engaged.data, "UPDATE facts SET at = '2020-01-01T00:00:00.000000+00:00' WHERE seq = 1")
    bot = await engaged.ready_bot("--set-aside", STREAM, "--set-aside", "incident/1")
    await bot.ends(signal.SIGTERM)
    again = await engaged.ready_bot()

    assert "claude" == await again.serves(FLAG)
    assert {STREAM, "incident/1"} == {row["stream"] for row in aside(engaged)}
    assert "changed by hand" not in again.output


async def test_a_component_is_set_aside_and_learned_anew(deployment: Deployment) -> None:
    """Its checks say what it is; the incident and the flag are as they were."""
    bot = await deployment.ready_bot()
    await bot.sees("operational", "anthropic.api")
    assert 200 == (await bot.asks("POST", "/api/v1/incidents", {"title": "Claude is slow"})).status
    await bot.ends(signal.SIGTERM)
    edit(deployment.data, "UPDATE facts SET body = '{' WHERE stream = 'component/anthropic.api'")
    again = await deployment.ready_bot("--set-aside", "component/anthropic.api")
    await again.sees("operational", "anthropic.api")
    incidents = (await again.asks("GET", "/api/v1/incidents")).json["incidents"]

    assert "component/anthropic.api was set aside into ledger.set-aside-1.jsonl: it is learned anew" in again.output
    assert [1] == [one["number"] for one in incidents]


async def test_a_stream_that_holds_is_not_set_aside(engaged: Deployment) -> None:
    """A slip of the pen costs nothing: nothing is changed, and no file is made."""
    ended = await engaged.refused("--set-aside", STREAM)

    assert (1, True) == (ended.status, f"nothing is wrong with the facts of {STREAM}" in ended.err)
    assert not list(engaged.data.glob("*.set-aside-*"))


async def test_a_dead_effect_that_was_edited_is_named_once(engaged: Deployment) -> None:
    """No traceback every five seconds; the bot serves as before."""
    edit(engaged.data, "UPDATE outbox SET state = 'dead', kind = 'nonsense'")
    bot = await engaged.ready_bot()
    await bot.says("the outbox cannot be counted")

    assert ("gpt", 1) == (await bot.serves(FLAG), bot.output.count("the outbox cannot be counted"))
    assert "of the outbox (INC-1/" in bot.output
    assert "Traceback" not in bot.output


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ("args = CAST(x'7bff' AS TEXT)", "args is not text"),
        ("created_at = 9223372036854775807", "out of range"),
        ("attempt = 9223372036854775807", "it cannot have been tried"),
    ],
)
async def test_an_effect_that_was_edited_stops_no_other(values: str, told: str, engaged: Deployment) -> None:
    """The alert is given up by name; the incident's channel, which has a lane of its own, is still opened."""
    edit(engaged.data, f"UPDATE outbox SET {values} WHERE key = (SELECT key FROM outbox WHERE kind = 'alert.post')")  # noqa: S608 # constants
    bot = await engaged.ready_bot()
    await bot.says("an effect is given up")
    async with asyncio.timeout(30):
        while ("channel.open", "done") not in [(row.effect.kind, row.state) for row in await engaged.outbox()]:
            await asyncio.sleep(0.05)

    assert told in bot.output
    assert "Traceback" not in bot.output


async def test_an_effect_that_nobody_can_read_stands_in_the_timeline(engaged: Deployment) -> None:
    """Whoever asks where the alert is finds that it was given up, and why; the ops channel is told."""
    edit(engaged.data, f"UPDATE outbox SET args = {NO_TEXT} WHERE kind = 'alert.post'")  # noqa: S608 # constants
    bot = await engaged.ready_bot()
    await bot.says("an effect is given up")
    async with asyncio.timeout(40):
        while "args is not text" not in (await bot.asks("GET", "/api/v1/incidents/1/timeline")).text:
            await asyncio.sleep(0.1)
    exported = (await engaged.verb("export", "1", "--format", "csv")).out

    assert "Given up: the alert" in exported


async def test_an_effect_that_belongs_to_no_incident_is_missed_by_readiness(engaged: Deployment) -> None:
    """No timeline is there to tell it."""
    edit(engaged.data, f"UPDATE outbox SET args = {NO_TEXT}, incident = NULL WHERE kind = 'fact.post'")  # noqa: S608 # constants
    bot = await engaged.ready_bot()
    async with asyncio.timeout(40):
        while "Given up within a day" not in (said := (await bot.asks("GET", "/readyz")).text):
            await asyncio.sleep(0.1)

    assert "args is not text" in said
