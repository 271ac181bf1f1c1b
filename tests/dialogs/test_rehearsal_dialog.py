"""A fallback is rehearsed against a scripted provider, and people are told the result."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.core.record.flag_facts import Engaged
from bot.core.record.rehearsals.rehearsal_facts import RehearsalSkipped, Rehearsed
from bot.sandbox.vendor import Vendors
from bot.sandbox.vendor.load import read
from bot.system.clock import ManualClock
from tests.dialogs.talk import Talk
from tests.house import FLAG, START, House, settings

SCRIPT = """
name: fallback
title: A fallback
minutes: 600
providers:
  openai: {name: OpenAI, dialect: openai, components: {api: API}}
events:
  - {at: 0, component: openai.api, answer: WORD}
"""
PRICES = {"openai.api": {"input_per_mtok": 3.0, "output_per_mtok": 15.0}}


@asynccontextmanager
async def rehearsing(
    house: House, word: str = "ok", prices: Any = None, only_gpt: bool = False, **rehearse: Any
) -> AsyncIterator[Talk]:
    """A deployment with a provider whose model answers with one word, and a flag that rehearses it."""
    vendors = Vendors(read(SCRIPT.replace("WORD", word), "fallback.yaml"), ManualClock(START))
    await vendors.start()
    try:
        made = settings(house.workspace, house.vendor)
        check = {
            "type": "llm", "dialect": "openai", "url": vendors.url("openai", "api"), "model": "gpt-5-mini",
            "api_key": "sk-canary-1",
        }  # fmt: skip
        made["providers"]["openai"]["components"]["api"]["checks"].append(check)
        made["flags"][FLAG]["rehearse"] = {"every": "6h", **rehearse}
        made["flags"][FLAG]["variants"]["gpt"]["model"] = "gpt-5"
        made["flags"][FLAG]["fallbacks"][1 if only_gpt else 2 :] = []
        house.changes = {"providers": made["providers"], "flags": made["flags"], "prices": PRICES if prices is None else prices}
        await house.start()
        await house.passes(minutes=1)
        yield Talk(house)
    finally:
        await vendors.stop()


async def result(talk: Talk, word: str) -> str:
    """The message after the reply that the rehearsal is running."""
    ana = talk.house.ana
    await talk.asks(ana, f"/fallback rehearse {FLAG}")
    async with asyncio.timeout(30):
        while len(replies := [talk.shows(one) for one in talk.whispers(ana)]) < 2:
            await asyncio.sleep(0.02)
    assert replies[0].startswith("Rehearsing gpt of support chat.")
    assert word in replies[1]
    return replies[1]


async def ops_message(talk: Talk, words: str) -> str:
    """The messages in #ops."""
    await talk.house.quiet()
    return talk.shows(talk.said("ops", words)[-1])


async def test_passed_rehearsal_is_reported_only_to_who_asked(empty_house: House) -> None:
    """It queries the variant's own model, and names the model that answered."""
    async with rehearsing(empty_house) as talk:
        answer = await result(talk, "passed")
        found = [fact.body for fact in await talk.facts(Rehearsed)]

    assert "🟢 gpt (gpt-5) passed. Good: stream, tools, json, model and context." in answer
    assert {("gpt-5", "gpt-5")} == {(one.model, one.answered) for one in found}  # type: ignore[attr-defined] # of Rehearsed
    assert [] == talk.said("ops", "rehears")


async def test_failed_scheduled_rehearsal_is_reported_in_ops(empty_house: House) -> None:
    """Once, with what is wrong."""
    async with rehearsing(empty_house, "no_tools") as talk:
        await result(talk, "failed")
        line = await ops_message(talk, "failed its rehearsal")

    assert line.startswith(
        "🟠 gpt, a fallback of support chat, failed its rehearsal (automatic).\nWhy: tools: it called no tool."
    )
    assert 1 == len(talk.said("ops", "failed its rehearsal"))


async def test_rehearsal_over_the_daily_budget_is_refused(empty_house: House) -> None:
    """No request is sent, and the budget is named."""
    async with rehearsing(empty_house, dollars_per_day=0.01) as talk:
        answer = await result(talk, "not rehearsed")

        assert "gpt was not rehearsed: it would exceed the day's $0.01." in answer
        assert [] == list(await talk.facts(Rehearsed))
        assert list(await talk.facts(RehearsalSkipped))


async def test_rehearsal_without_a_price_uses_the_checks_budget(empty_house: House) -> None:
    """No dollars are counted there."""
    async with rehearsing(empty_house, prices={}) as talk:
        await result(talk, "passed")
        found = [fact.body for fact in await talk.facts(Rehearsed)]

    assert {0.0} == {one.dollars for one in found}  # type: ignore[attr-defined] # of Rehearsed


async def test_failed_rehearsal_is_shown_wherever_the_fallback_is_offered(empty_house: House) -> None:
    """In the status, and to people who want to switch to it; `force` switches anyway."""
    async with rehearsing(empty_house, "no_tools") as talk:
        await result(talk, "failed")
        ana = talk.house.ana
        status = await talk.asks(ana, "/fallback status")
        refused = await talk.asks(ana, f"/fallback engage {FLAG} gpt slow")
        forced = await talk.asks(ana, f"/fallback engage {FLAG} gpt force slow")

    why = "its rehearsal failed: tools: it called no tool"
    assert f"automation: auto · gpt: {why}" in status
    assert f"Nothing was switched: gpt may not work, since {why}. To switch anyway: " in refused
    assert forced.startswith("Support chat serves gpt now.")


async def test_press_switches_if_its_question_warned_of_the_failure(empty_house: House) -> None:
    """The question said that the rehearsal failed, so the press means it."""
    async with rehearsing(empty_house, "no_tools", only_gpt=True) as talk:
        await result(talk, "failed")
        ana = talk.house.ana
        await talk.asks(ana, "/health claude")
        done = await talk.presses(ana, "Switch support chat to gpt")

    assert done.startswith("Support chat serves gpt now.")


async def test_press_is_asked_again_if_its_question_did_not_warn(empty_house: House) -> None:
    """An earlier version's button did not say what it would overrule."""
    async with rehearsing(empty_house, "no_tools", only_gpt=True) as talk:
        await result(talk, "failed")
        ana = talk.house.ana
        await talk.asks(ana, "/health claude")
        (row,) = (block["elements"] for block in talk.whispers(ana)[-1].blocks if block["type"] == "actions")
        (switch,) = (one for one in row if one["action_id"].startswith("flag.engage"))
        switch["value"] = json.dumps({"flag": FLAG, "variant": "gpt", "force": True})
        asked = await talk.presses(ana, "Switch support chat to gpt")
        before = await talk.facts(Engaged)
        done = await talk.presses(ana, "Switch anyway")

    assert "gpt may not work, since its rehearsal failed: tools: it called no tool." in asked
    assert [] == before
    assert done.startswith("Support chat serves gpt now.")
