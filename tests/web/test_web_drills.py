"""/api/v1/drills: who may start and stop one, what is wrong with a request, that a repeated one starts none, and the report."""

from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from web_house import CONTROL, READ, House, headers

from bot.core import signals as s
from bot.core.model import Actor, Level
from bot.core.record.incident_facts import Declared

DRILLS = "/api/v1/drills"
CHAT = "support-chat.llm"
DRILL = {"components": ["anthropic.api"], "for": "15m", "flag": CHAT}


async def send(http: aiohttp.ClientSession, house: House, path: str, body: Any = None, **more: str) -> tuple[int, Any]:
    answer = await http.post(house.url + path, json=body, headers=headers(CONTROL, **more))
    return answer.status, await answer.json()


async def read(http: aiohttp.ClientSession, house: House, path: str) -> tuple[int, Any]:
    answer = await http.get(house.url + path, headers=headers(READ))
    return answer.status, await answer.json()


@pytest.fixture
async def drilled(house: House, http: aiohttp.ClientSession) -> House:
    """Ana runs a drill of Claude API, with a flag."""
    status, found = await send(http, house, DRILLS, DRILL, X_Understudy_Actor="ana")
    assert (200, 1) == (status, found["incident"]), found
    return house


# --- who may


@pytest.mark.parametrize("path", [DRILLS, f"{DRILLS}/1/stop"])
@pytest.mark.parametrize(("token", "status"), [(None, 401), ("nonsense", 401), (READ, 403)])
async def test_changing_needs_a_control_token(
    drilled: House, http: aiohttp.ClientSession, path: str, token: str | None, status: int
) -> None:
    """A drill opens a channel and may call people; whoever reads may not."""
    before = len(drilled.engine.signals)
    sent = headers(token) if token else {}
    answer = await http.post(drilled.url + path, json=DRILL if path == DRILLS else None, headers=sent)

    assert status == answer.status
    assert before == len(drilled.engine.signals)


@pytest.mark.parametrize("path", [DRILLS, f"{DRILLS}/1"])
async def test_reading_needs_a_token(drilled: House, http: aiohttp.ClientSession, path: str) -> None:
    """The report names people."""
    assert [401, 200] == [(await http.get(drilled.url + path, headers=sent)).status for sent in ({}, dict(headers(READ)))]


async def test_whoever_starts_it_is_named(drilled: House, http: aiohttp.ClientSession) -> None:
    """By the header, as everywhere."""
    _, found = await read(http, drilled, f"{DRILLS}/1")

    assert "ana" == found["report"]["started_by"]["name"]


# --- what is asked


async def test_a_drill_is_started_as_it_was_asked_for(house: House, http: aiohttp.ClientSession) -> None:
    """One signal with the actor, the length, the flag and whether people are called."""
    await send(http, house, DRILLS, DRILL | {"paging": True}, X_Understudy_Actor="ana", Idempotency_Key="k-1")
    [signal] = house.engine.signals

    assert isinstance(signal, s.StartDrill)
    assert (Actor.operator("ana"), f"api/k-1 POST {DRILLS}", True, CHAT) == (
        signal.actor,
        signal.id,
        signal.paging,
        signal.flag,
    )
    assert 15 * 60 == signal.lasts.total_seconds()


async def test_a_provider_stands_for_all_that_it_has(house: House, http: aiohttp.ClientSession) -> None:
    """And it lasts ten minutes where nobody says for how long."""
    await send(http, house, DRILLS, {"components": ["anthropic"]})
    [signal] = house.engine.signals

    assert isinstance(signal, s.StartDrill)
    assert (("anthropic.api",), 600) == (signal.components, signal.lasts.total_seconds())


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"components": ["anthropic.pi"]}, "components"),
        ({"components": "anthropic.api"}, "components"),
        ({"components": [7]}, "components"),
        ({"components": ["anthropic.api"], "for": "soon"}, "for"),
        ({"components": ["anthropic.api"], "for": -5}, "for"),
        ({"components": ["anthropic.api"], "paging": "yes"}, "paging"),
        ({"components": ["anthropic.api"], "flag": ["x"]}, "flag"),
        ({"components": ["anthropic.api"], "loud": True}, "loud"),
    ],
)
async def test_a_mistake_names_its_field(house: House, http: aiohttp.ClientSession, body: Any, field: str) -> None:
    """400 with the field and a remedy, and nothing is started."""
    status, found = await send(http, house, DRILLS, body)

    assert (400, field) == (status, found["field"]), found
    assert found["remedy"]
    assert [] == house.engine.signals


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"components": []}, "no_component"),
        ({"components": ["anthropic.api", "openai.api"]}, "two_providers"),
        ({"components": ["anthropic.api"], "for": "10s"}, "no_such_drill_length"),
        ({"components": ["anthropic.api"], "for": "3d"}, "no_such_drill_length"),
        ({"components": ["anthropic.api"], "flag": "nope"}, "no_flag"),
    ],
)
async def test_what_the_rules_refuse_is_a_conflict(house: House, http: aiohttp.ClientSession, body: Any, kind: str) -> None:
    """409 in a sentence; the kind is for programs."""
    status, found = await send(http, house, DRILLS, body)

    assert (409, kind, False) == (status, found["kind"], found["ok"]), found
    assert found["text"]


@pytest.mark.parametrize("data", [b"[]", b"{", b'"anthropic.api"', b"\xff\xfe"])
async def test_a_body_that_is_no_object_is_refused(house: House, http: aiohttp.ClientSession, data: bytes) -> None:
    """Whatever was sent."""
    sent = {**headers(CONTROL), "Content-Type": "application/json"}
    answer = await http.post(house.url + DRILLS, data=data, headers=sent)

    assert (400, []) == (answer.status, house.engine.signals)


async def test_no_drill_of_what_really_fails(house: House, http: aiohttp.ClientSession) -> None:
    """Two incidents of one name confuse everybody."""
    await house.verdict("anthropic.api", Level.DOWN)
    status, found = await send(http, house, DRILLS, DRILL)

    assert (409, "really_fails") == (status, found["kind"])


# --- twice


async def test_a_repeated_request_starts_one_drill(house: House, http: aiohttp.ClientSession) -> None:
    """Whoever lost the answer sends it again with the same key."""
    first = await send(http, house, DRILLS, DRILL, Idempotency_Key="k-1")
    second = await send(http, house, DRILLS, DRILL, Idempotency_Key="k-1")

    assert [(200, True), (200, False)] == [(status, found["changed"]) for status, found in (first, second)]
    assert 1 == sum(isinstance(fact.body, Declared) for fact in house.engine.facts)


async def test_a_second_drill_of_one_provider_names_the_first(drilled: House, http: aiohttp.ClientSession) -> None:
    """One at a time."""
    status, found = await send(http, drilled, DRILLS, DRILL)

    assert (409, "drill_runs", 1) == (status, found["kind"], found["incident"])


async def test_a_drill_is_stopped_once(drilled: House, http: aiohttp.ClientSession) -> None:
    """It and its incident are over; a second stop is told so."""
    stops = [await send(http, drilled, f"{DRILLS}/1/stop") for _ in range(2)]

    assert [(200, "drill_stopped"), (409, "no_drill")] == [(status, found["kind"]) for status, found in stops]
    assert not drilled.engine.world.open_incidents()


@pytest.mark.parametrize(("path", "status"), [(f"{DRILLS}/7/stop", 404), (f"{DRILLS}/x/stop", 400), (f"{DRILLS}/0/stop", 400)])
async def test_a_drill_that_there_is_not_is_not_found(
    drilled: House, http: aiohttp.ClientSession, path: str, status: int
) -> None:
    """Neither stopped nor guessed at."""
    assert status == (await send(http, drilled, path))[0]
    assert drilled.engine.world.open_incidents()


async def test_a_real_incident_is_not_stopped_as_a_drill(house: House, http: aiohttp.ClientSession) -> None:
    """Its end is another matter."""
    await house.verdict("anthropic.api", Level.DOWN)
    status, found = await send(http, house, f"{DRILLS}/1/stop")

    assert (409, "no_drill") == (status, found["kind"])
    assert house.engine.world.open_incidents()


# --- the report


async def test_drills_that_run_are_listed_with_their_report(drilled: House, http: aiohttp.ClientSession) -> None:
    """And a real incident beside them is not."""
    await drilled.verdict("openai.api", Level.DOWN)
    status, found = await read(http, drilled, DRILLS)
    [one] = found["drills"]

    assert (200, 1, True) == (status, one["incident"]["number"], one["incident"]["drill"])
    assert (CHAT, "gpt", None) == (one["report"]["flag"], one["report"]["variant"], one["report"]["acknowledged_after"])


async def test_the_report_tells_what_people_did(drilled: House, http: aiohttp.ClientSession) -> None:
    """Also once it is over; spans are seconds."""
    drilled.clock.advance(timedelta(minutes=2))
    await send(http, drilled, "/api/v1/incidents/1/ack", X_Understudy_Actor="bob")
    await send(http, drilled, f"{DRILLS}/1/stop", X_Understudy_Actor="ana")
    status, found = await read(http, drilled, f"{DRILLS}/1")
    report = found["report"]

    assert (200, "bob", 120) == (status, report["acknowledged_by"]["name"], report["acknowledged_after"])
    assert "somebody stopped it" == report["ended_because"]
    assert "Nobody took the lead." in report["missed"]
    assert [] == (await read(http, drilled, DRILLS))[1]["drills"]


async def test_a_real_incident_has_no_report(house: House, http: aiohttp.ClientSession) -> None:
    """404 that says which list has drills."""
    await house.verdict("anthropic.api", Level.DOWN)
    status, found = await read(http, house, f"{DRILLS}/1")

    assert (404, "GET /api/v1/drills lists those that run.") == (status, found["remedy"])
