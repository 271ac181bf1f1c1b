"""/api/v1/drills: permissions, validation, repeated requests and the report."""

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


# --- permissions


@pytest.mark.parametrize("path", [DRILLS, f"{DRILLS}/1/stop"])
@pytest.mark.parametrize(("token", "status"), [(None, 401), ("nonsense", 401), (READ, 403)])
async def test_starting_or_stopping_a_drill_needs_a_control_token(
    drilled: House, http: aiohttp.ClientSession, path: str, token: str | None, status: int
) -> None:
    """A drill opens a channel and may page people, so a read token is not enough."""
    before = len(drilled.engine.signals)
    sent = headers(token) if token else {}
    answer = await http.post(drilled.url + path, json=DRILL if path == DRILLS else None, headers=sent)

    assert status == answer.status
    assert before == len(drilled.engine.signals)


@pytest.mark.parametrize("path", [DRILLS, f"{DRILLS}/1"])
async def test_reading_drills_needs_a_token(drilled: House, http: aiohttp.ClientSession, path: str) -> None:
    """The report names people."""
    assert [401, 200] == [(await http.get(drilled.url + path, headers=sent)).status for sent in ({}, dict(headers(READ)))]


async def test_report_names_who_started_the_drill(drilled: House, http: aiohttp.ClientSession) -> None:
    """The name comes from the header, as on every route."""
    _, found = await read(http, drilled, f"{DRILLS}/1")

    assert "ana" == found["report"]["started_by"]["name"]


# --- requests


async def test_drill_is_started_with_the_requested_settings(house: House, http: aiohttp.ClientSession) -> None:
    """One signal has the actor, the length, the flag and whether people are paged."""
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


async def test_drill_of_a_provider_covers_all_its_components(house: House, http: aiohttp.ClientSession) -> None:
    """The drill lasts ten minutes by default."""
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
async def test_invalid_drill_names_the_field(house: House, http: aiohttp.ClientSession, body: Any, field: str) -> None:
    """The answer is 400 with the field and a remedy, and nothing is started."""
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
async def test_drill_refused_by_the_rules_is_a_conflict(
    house: House, http: aiohttp.ClientSession, body: Any, kind: str
) -> None:
    """The answer is 409 with a sentence for people and a kind for programs."""
    status, found = await send(http, house, DRILLS, body)

    assert (409, kind, False) == (status, found["kind"], found["ok"]), found
    assert found["text"]


@pytest.mark.parametrize("data", [b"[]", b"{", b'"anthropic.api"', b"\xff\xfe"])
async def test_drill_body_that_is_not_an_object_is_refused(house: House, http: aiohttp.ClientSession, data: bytes) -> None:
    """The answer is 400, and no signal is sent."""
    sent = {**headers(CONTROL), "Content-Type": "application/json"}
    answer = await http.post(house.url + DRILLS, data=data, headers=sent)

    assert (400, []) == (answer.status, house.engine.signals)


async def test_drill_of_a_failing_component_is_refused(house: House, http: aiohttp.ClientSession) -> None:
    """Two incidents about one component would confuse everybody."""
    await house.verdict("anthropic.api", Level.DOWN)
    status, found = await send(http, house, DRILLS, DRILL)

    assert (409, "really_fails") == (status, found["kind"])


# --- repeated requests


async def test_repeated_request_starts_one_drill(house: House, http: aiohttp.ClientSession) -> None:
    """A client that lost the answer retries with the same key."""
    first = await send(http, house, DRILLS, DRILL, Idempotency_Key="k-1")
    second = await send(http, house, DRILLS, DRILL, Idempotency_Key="k-1")

    assert [(200, True), (200, False)] == [(status, found["changed"]) for status, found in (first, second)]
    assert 1 == sum(isinstance(fact.body, Declared) for fact in house.engine.facts)


async def test_second_drill_of_one_provider_names_the_first(drilled: House, http: aiohttp.ClientSession) -> None:
    """Only one drill of a provider runs at a time."""
    status, found = await send(http, drilled, DRILLS, DRILL)

    assert (409, "drill_runs", 1) == (status, found["kind"], found["incident"])


async def test_drill_is_stopped_once(drilled: House, http: aiohttp.ClientSession) -> None:
    """The drill and its incident end; a second stop is refused."""
    stops = [await send(http, drilled, f"{DRILLS}/1/stop") for _ in range(2)]

    assert [(200, "drill_stopped"), (409, "no_drill")] == [(status, found["kind"]) for status, found in stops]
    assert not drilled.engine.world.open_incidents()


@pytest.mark.parametrize(("path", "status"), [(f"{DRILLS}/7/stop", 404), (f"{DRILLS}/x/stop", 400), (f"{DRILLS}/0/stop", 400)])
async def test_stopping_an_unknown_drill_stops_nothing(
    drilled: House, http: aiohttp.ClientSession, path: str, status: int
) -> None:
    """The running drill goes on."""
    assert status == (await send(http, drilled, path))[0]
    assert drilled.engine.world.open_incidents()


async def test_real_incident_cannot_be_stopped_as_a_drill(house: House, http: aiohttp.ClientSession) -> None:
    """The incident stays open."""
    await house.verdict("anthropic.api", Level.DOWN)
    status, found = await send(http, house, f"{DRILLS}/1/stop")

    assert (409, "no_drill") == (status, found["kind"])
    assert house.engine.world.open_incidents()


# --- the report


async def test_running_drills_are_listed_with_their_report(drilled: House, http: aiohttp.ClientSession) -> None:
    """A real incident at the same time is not in the list."""
    await drilled.verdict("openai.api", Level.DOWN)
    status, found = await read(http, drilled, DRILLS)
    [one] = found["drills"]

    assert (200, 1, True) == (status, one["incident"]["number"], one["incident"]["drill"])
    assert (CHAT, "gpt", None) == (one["report"]["flag"], one["report"]["variant"], one["report"]["acknowledged_after"])


async def test_drill_report_says_what_people_did(drilled: House, http: aiohttp.ClientSession) -> None:
    """The report remains after the drill; durations are in seconds."""
    drilled.clock.advance(timedelta(minutes=2))
    await send(http, drilled, "/api/v1/incidents/1/ack", X_Understudy_Actor="bob")
    await send(http, drilled, f"{DRILLS}/1/stop", X_Understudy_Actor="ana")
    status, found = await read(http, drilled, f"{DRILLS}/1")
    report = found["report"]

    assert (200, "bob", 120) == (status, report["acknowledged_by"]["name"], report["acknowledged_after"])
    assert "somebody stopped it" == report["ended_because"]
    assert "Nobody took the lead." in report["missed"]
    assert [] == (await read(http, drilled, DRILLS))[1]["drills"]


async def test_real_incident_has_no_drill_report(house: House, http: aiohttp.ClientSession) -> None:
    """The answer is 404 and points to the list of drills."""
    await house.verdict("anthropic.api", Level.DOWN)
    status, found = await read(http, house, f"{DRILLS}/1")

    assert (404, "GET /api/v1/drills lists those that run.") == (status, found["remedy"])
