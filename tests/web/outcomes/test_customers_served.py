"""Customers served: told over HTTP, counted into the incident, and shown by the API and the export."""

from datetime import timedelta
from typing import Any

import aiohttp
from web_house import OUTCOME, READ, House, headers

from bot.core.decide.outcomes.serving import SETTLE_FOR
from bot.core.model import Actor, Level, Phase
from bot.core.record.course.served_facts import CustomersServed
from bot.core.signals import EngageFlag, SetPhase
from bot.exports import render
from bot.outcomes.served import ServedCounter

FLAG = "support-chat.llm"
MINUTE = timedelta(minutes=1)
ANA = Actor.operator("ana")


def counter(house: House) -> ServedCounter:
    return ServedCounter(house.engine, house.samples.outcomes, house.clock, house.outcomes.flush)


async def tell(http: aiohttp.ClientSession, house: House, variant: str, ok: int, failed: int = 0) -> None:
    told = [
        {"service": "chat", "flag": FLAG, "variant": variant, "ok": is_ok, "count": n}
        for is_ok, n in ((True, ok), (False, failed))
        if n
    ]
    answer = await http.post(f"{house.url}/api/v1/outcomes", headers=headers(OUTCOME), json={"outcomes": told})
    assert answer.status == 200


async def served(http: aiohttp.ClientSession, house: House) -> Any:
    answer = await http.get(f"{house.url}/api/v1/incidents/1", headers=headers(READ))
    return (await answer.json())["served"]


async def outage(http: aiohttp.ClientSession, house: House) -> None:
    """Two bad minutes, then GPT serves."""
    await house.verdict("anthropic.api", Level.DOWN)
    await tell(http, house, "claude", 10, 90)
    house.clock.advance(MINUTE)
    await tell(http, house, "claude", 0, 100)
    await house.engine.handle(EngageFlag(ANA, flag=FLAG, reason="claude is down", variant="gpt"))
    house.clock.advance(MINUTE)
    await tell(http, house, "gpt", 800)
    house.clock.advance(timedelta(seconds=1))


async def test_an_incident_says_how_many_customers_were_served(house: House, http: aiohttp.ClientSession) -> None:
    """By which variant, what was lost before the switch, and how it would have been without one."""
    await outage(http, house)
    await counter(house).look()
    found = await served(http, house)

    assert (1_000, 810, 190, 0.81) == (found["requests"], found["ok"], found["failed"], found["share"])
    assert (190, 800, 0.01) == (found["lost_before_switch"], found["saved_by_fallbacks"], found["without_switch"])
    assert [("gpt", 800), ("claude", 10)] == [(one["variant"], one["ok"]) for one in found["by"]]


async def test_an_incident_says_nothing_where_nobody_told(house: House, http: aiohttp.ClientSession) -> None:
    """No figure is better than a made-up one."""
    await house.verdict("anthropic.api", Level.DOWN)
    await counter(house).look()

    assert await served(http, house) is None


async def test_it_is_counted_once_a_minute_while_it_is_open(house: House, http: aiohttp.ClientSession) -> None:
    """However often the clock beats, and not where nothing changed."""
    await outage(http, house)
    mine = counter(house)
    for _ in range(30):
        await mine.look()
        house.clock.advance(timedelta(seconds=6))
        await tell(http, house, "gpt", 1)

    assert 3 == sum(isinstance(fact.body, CustomersServed) for fact in house.engine.facts)


async def test_it_is_counted_for_the_last_time_after_the_end(house: House, http: aiohttp.ClientSession) -> None:
    """Late batches belong to it; what customers asked afterwards does not. A restart in between forgets nothing."""
    await outage(http, house)
    await house.verdict("anthropic.api", Level.OPERATIONAL, "all well")
    house.clock.advance(MINUTE)
    await house.engine.handle(SetPhase(ANA, incident=1, phase=Phase.RESOLVED, force=True))
    await tell(http, house, "gpt", 50)
    house.clock.advance(SETTLE_FOR)
    await tell(http, house, "gpt", 7_000)
    for _ in range(3):
        await counter(house).look()
        house.clock.advance(MINUTE)

    assert 1_050 == (await served(http, house))["requests"]  # the minute of the end counts whole


async def test_the_export_says_it(house: House, http: aiohttp.ClientSession) -> None:
    """From the facts alone: the counts themselves are forgotten one day."""
    await outage(http, house)
    await counter(house).look()
    incident, facts = house.engine.world.incidents[1], [f for f in house.engine.facts if f.incident == 1]
    written = {kind: render(kind, incident, facts, house.engine.policy)[1].decode() for kind in ("md", "json", "csv")}

    assert "| Customers served | 81.0 % of 1,000 requests (gpt 800, claude 10); 190 lost before the switch |" in written["md"]
    assert '"lost_before_switch": 190' in written["json"]
    assert "Customers served so far: 81.0 % of 1,000 requests" in written["csv"]


async def test_what_was_told_lately_can_be_read(house: House, http: aiohttp.ClientSession) -> None:
    """With the kinds of error and how long customers waited."""
    batch = [
        {"service": "chat", "flag": FLAG, "variant": "claude", "ok": True, "latency_ms": 400, "count": 9},
        {"service": "chat", "flag": FLAG, "variant": "claude", "ok": False, "error": "timeout"},
    ]
    await http.post(f"{house.url}/api/v1/outcomes", headers=headers(OUTCOME), json={"outcomes": batch})
    await house.outcomes.flush()
    house.clock.advance(MINUTE)
    answer = await http.get(f"{house.url}/api/v1/outcomes?minutes=2", headers=headers(READ))
    [row] = (await answer.json())["outcomes"]

    assert (9, 1, {"timeout": 1}) == (row["ok"], row["failed"], row["errors"])
    assert 380 < row["latency_ms"]["p95"] < 420


async def test_minutes_are_a_number(house: House, http: aiohttp.ClientSession) -> None:
    """Up to a day."""
    asked = [f"{house.url}/api/v1/outcomes?minutes={given}" for given in ("0", "1441", "x", "")]

    assert {400} == {(await http.get(url, headers=headers(READ))).status for url in asked}
