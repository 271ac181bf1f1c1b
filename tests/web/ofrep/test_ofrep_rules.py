"""All flags with their rules, as the client kit asks for them, over real HTTP."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from understudy_client.flags import Flags, parse
from web_house import READ, House, headers

from bot.core.model import Actor
from bot.core.signals import EngageFlag, StartDrill, StepBack, TimePassed

ANA = Actor.operator("ana")
CHAT = "support-chat.llm"
FLAGS = "/ofrep/v1/evaluate/flags"
RULES = f"{FLAGS}?rules=1"
READERS = [f"user-{number}" for number in range(200)]


@pytest_asyncio.fixture
async def engaged(house: House) -> AsyncIterator[House]:
    assert (await house.engine.handle(EngageFlag(ANA, flag=CHAT, reason="claude is down"))).ok
    yield house


async def post(http: aiohttp.ClientSession, house: House, path: str, body: Any = None, **more: str) -> tuple[int, str, str]:
    """Status, tag and text of the answer."""
    async with http.post(house.url + path, data=json.dumps(body or {}), headers=headers(READ, **more)) as answer:
        return answer.status, answer.headers.get("ETag", ""), await answer.text()


async def rules(http: aiohttp.ClientSession, house: House, body: Any = None) -> Flags:
    status, _, text = await post(http, house, RULES, body)
    assert 200 == status
    return parse(text)


async def values(http: aiohttp.ClientSession, house: House, reader: str) -> dict[str, Any]:
    """What the bot itself gives this reader."""
    _, _, text = await post(http, house, FLAGS, {"context": {"targetingKey": reader}})
    return {item["key"]: (item["variant"], item["value"]) for item in json.loads(text)["flags"]}


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
async def test_kit_gives_each_reader_what_the_bot_gives(engaged: House, http: aiohttp.ClientSession, steps: int) -> None:
    """For all flags, before and during a hand-back: nobody changes sides because a service took the kit."""
    for step in range(steps):
        signal = TimePassed(Actor.rule("time")) if step else StepBack(ANA, flag=CHAT)
        assert (await engaged.engine.handle(signal)).ok
        engaged.clock.advance(timedelta(minutes=6))
    received = await rules(http, engaged)
    for reader in READERS:
        answers = {key: flag.answer(reader, {}) for key, flag in received.by_key.items()}
        assert await values(http, engaged, reader) == {key: (one.variant, one.fresh()) for key, one in answers.items()}


async def test_rules_are_the_same_bytes_for_every_reader(engaged: House, http: aiohttp.ClientSession) -> None:
    """So that one tag serves them all, also in a hand-back."""
    await engaged.engine.handle(StepBack(ANA, flag=CHAT))
    first = await post(http, engaged, RULES, {"context": {"targetingKey": "a"}})
    second = await post(http, engaged, RULES, {"context": {"targetingKey": "b", "understudy_drill": True}})
    assert first == second


async def test_unchanged_rules_are_a_304_until_a_flag_changes(house: House, http: aiohttp.ClientSession) -> None:
    """The tag of the last answer is enough."""
    _, tag, _ = await post(http, house, RULES)
    assert (304, tag, "") == await post(http, house, RULES, If_None_Match=tag)
    await house.engine.handle(EngageFlag(ANA, flag=CHAT, reason="claude is down"))
    status, changed, _ = await post(http, house, RULES, If_None_Match=tag)
    assert 200 == status
    assert tag != changed


@pytest.mark.parametrize("version", ["2", "0", "", "x"])
async def test_other_version_of_the_rules_is_refused(house: House, http: aiohttp.ClientSession, version: str) -> None:
    """A client of the future must not take these for its own."""
    status, _, text = await post(http, house, f"{FLAGS}?rules={version}")
    assert 400 == status
    assert "rules=1" in json.loads(text)["errorDetails"]


async def test_kit_counts_as_a_reader_of_every_flag(house: House, http: aiohttp.ClientSession) -> None:
    """Under its own name, once, however often it asks."""
    for name in ("web-1", "web-1", "web-2"):
        await rules(http, house, {"context": {"targetingKey": name}})
    assert {2} == {house.board.readers(key) for key in house.board.snapshot.entries}


async def test_drill_names_who_read_through_the_kit(house: House, http: aiohttp.ClientSession) -> None:
    """Who reads from memory says so with its next question; who only asked for rules read nothing yet."""
    started = await house.engine.handle(StartDrill(ANA, components=("anthropic.api",), flag=CHAT))
    assert started.ok, started
    received = await rules(http, house, {"context": {"targetingKey": "web-0"}})
    assert "gpt" == received.by_key[CHAT].answer("user-1", {"understudy_drill": True}).variant
    await rules(http, house, {"context": {"targetingKey": "web-1"}, "drill_fallback": [CHAT, "nope", 7]})
    await rules(http, house, {"context": {"targetingKey": "web-2"}, "drill_other": [CHAT], "drill_fallback": "oh"})
    assert (("web-1",), ("web-2",)) == house.board.read_in_drill(CHAT)
