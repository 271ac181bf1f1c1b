"""Request outcomes that services report, as people in Slack see them."""

from typing import Any

import aiohttp

from bot.core.model import Level
from bot.core.record.flag_facts import HandBackStopped
from tests.dialogs.talk import Talk
from tests.house import FLAG, House

CHANNEL = "inc-20260320-0001-claude"


async def tell(talk: Talk, variant: str, ok: int, failed: int = 0) -> None:
    """A service reports outcomes over HTTP."""
    app = talk.house.app
    assert app is not None
    counts = [(good, count) for good, count in ((True, ok), (False, failed)) if count]
    outcomes = [
        {"service": "chat", "flag": FLAG, "variant": variant, "ok": good, "error": "HTTP 529", "count": count}
        for good, count in counts
    ]
    await post(talk, "/api/v1/outcomes", {"outcomes": outcomes})
    await app.write_outcomes()


async def post(talk: Talk, path: str, body: Any) -> Any:
    """Ask the bot over HTTP, as the terminal does."""
    app = talk.house.app
    assert app is not None
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {app.local_token}"}) as http:
        answer = await http.post(f"{app.url}{path}", json=body)
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def test_card_and_summary_say_how_many_customers_were_served(talk: Talk) -> None:
    """By variant, from the reported outcomes, with what was lost before the switch."""
    await tell(talk, "claude", 10, 90)
    await talk.house.fails("anthropic.api")
    await talk.house.quiet()
    await tell(talk, "gpt", 900)
    await talk.house.passes(minutes=2)
    await talk.asks(talk.house.ana, "/incident ack INC-1")
    await talk.house.quiet()

    line = "Customers served: 91.0 % of 1,000 requests (gpt 900, claude 10); 90 lost before the switch"
    assert line in talk.card(CHANNEL)


async def test_failing_requests_degrade_a_component_whose_checks_pass(talk: Talk) -> None:
    """The checks stay green; people who ask are shown both."""
    await tell(talk, "claude", 800, 200)
    await talk.house.passes(minutes=1)
    await talk.house.quiet()
    app = talk.house.app
    assert app is not None

    assert app.engine.world.component("anthropic.api").level is Level.DEGRADED
    assert "200 of 1,000 real requests failed in 5 min (HTTP 529)" in await talk.asks(talk.house.ana, "/health claude api")


async def test_harmful_hand_back_is_stopped_and_announced(talk: Talk) -> None:
    """The incident's channel gets the figures and the time of the next attempt."""
    house = talk.house
    await house.fails("anthropic.api")
    await house.quiet()
    await house.recovers("anthropic.api")
    await house.passes(minutes=12)
    await post(talk, f"/api/v1/flags/{FLAG}/step-back", {})
    await house.passes(minutes=2)
    await tell(talk, "claude", 60, 40)
    await house.passes(minutes=1)
    await house.quiet()

    [fact] = await talk.facts(HandBackStopped)
    assert (0, 10) == (fact.body.share, fact.body.was)  # type: ignore[attr-defined] # one of these
    message = talk.shows(talk.said(CHANNEL, "was stopped")[-1])
    assert "Switching support chat back was stopped: 40 of 100 requests failed on claude." in message


async def test_switch_plan_says_what_the_fallbacks_empty_cache_costs(empty_house: House) -> None:
    """For the share of requests that services reported recently; programs get it too."""
    empty_house.changes = {"prices": {"openai.api": {"input_per_mtok": 1.25, "cached_per_mtok": 0.13, "output_per_mtok": 10}}}
    await empty_house.start()
    await empty_house.passes(minutes=1)
    talk = Talk(empty_house)
    before = await talk.asks(empty_house.ana, f"/fallback plan {FLAG} gpt")
    await tell(talk, "claude", 4_000)
    after = await talk.asks(empty_house.ana, f"/fallback plan {FLAG} gpt 25%")

    prices = "Prompt caches start empty at OpenAI API: $1.25 a million tokens, not $0.13"
    assert f"{prices}. To do it" in before
    assert f"{prices} (1,000 requests in 10 min: up to $1.12 more per 1,000 prompt tokens)." in after
    plan = await post(talk, f"/api/v1/flags/{FLAG}/plan", {"variant": "gpt", "share": 50})
    assert {"component": "OpenAI API", "new": 1.25, "cached": 0.13, "requests": 2_000} == plan["data"]["rebuild"]
